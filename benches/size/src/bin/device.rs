//! The whole device side without flash: catalogue, typed readings, commands and settings, outbox, session, frames behind a length.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::mem::size_of;
use sensock::backoff::Backoff;
use sensock::catalog::{Catalog, Command, Quantity, Setting, Shaped};
use sensock::deframe::{Length, PREFIX_MAX, prefixed};
use sensock::device::{Carry, Event, Node, Outbox, Session, Share, Transmit};
use sensock::limits::{BODY_MAX, REFUSED_SHAPE, REFUSED_UNKNOWN};
use sensock::wire::data::Outcome;
use sensock::wire::hello::{Account, End};
use sensock::{CommandId, DeviceId, Tick};
use sensock_size::{Alone, RECORDS, application, input, lane, long, number, outbox, outcome};

const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-1);
const RELAY: Command<bool, bool> = Command::new(1, "relay");
const INTERVAL: Setting<u32> = Setting::new(1, "interval-s");
static CELLAR: Catalog<'static> = Catalog::new(
    "cellar-node 1.4.0",
    &[TEMPERATURE.entry(), HUMIDITY.entry()],
    &[RELAY.entry()],
    &[INTERVAL.entry()],
);

/// What is kept in memory for long, in bytes, in the order that `cargo xtask size` expects.
#[used]
#[unsafe(link_section = ".sizes")]
static SIZES: [u32; 6] = [
    size_of::<Session<'static>>() as u32,
    (size_of::<Outbox<RECORDS>>() - RECORDS) as u32,
    size_of::<Length>() as u32,
    size_of::<Backoff>() as u32,
    size_of::<Node<'static>>() as u32,
    Carry::LEN as u32,
];

/// The largest frame either way.
const FRAME: usize = 256;

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    let Ok(id) = DeviceId::new(core::str::from_utf8(input()).unwrap_or_default()) else { loop {} };
    let node = Node { id, catalog: black_box(&CELLAR), max_frame: FRAME as u16 };
    let (mut scratch, mut frame, mut out) = ([0; FRAME], [0; FRAME], [0; PREFIX_MAX + FRAME]);
    let Ok(mut session) = Session::new(node, black_box(&mut scratch)) else { loop {} };
    let (mut deframe, mut backoff) = (Length::new(), Backoff::new(number(), number()));
    let outbox = outbox();
    loop {
        let (session, now) = (black_box(&mut session), Tick(long()));
        outbox.with(|o| application(o));
        match number() {
            0 => measure(outbox, now),
            1 => session.start(now, Account { reset_cause: number() as u16, ..Account::default() }, Default::default()),
            2 => session.lost(),
            3 => {
                black_box(backoff.next_delay(number()));
            }
            4 => session.sleep(number(), black_box(false)),
            5 => session.close(End::Closed, black_box(true)),
            6 => {
                black_box(session.ask(number() as u16, input(), &mut out).ok());
            }
            7 => {
                black_box(session.reply(outbox, CommandId(number()), outcome(), input()).ok());
            }
            8 => {
                if session.handle_timeout(now).is_err() {
                    session.lost();
                }
            }
            9 => {
                black_box((session.poll_timeout(), session.is_live(), session.is_leaving(), session.is_closed()));
            }
            10 => receive(session, outbox, &mut deframe, &mut backoff, &mut frame, now),
            _ => match session.poll_transmit(outbox, now, &mut out[PREFIX_MAX..]) {
                Transmit::Frame(len) => {
                    let from = prefixed(&mut out, len);
                    black_box(&out[from..]);
                }
                // There is no flash here.
                Transmit::Fetch { lane, .. } => session.supply_none(outbox, lane),
                Transmit::Idle => {}
            },
        }
    }
}

/// A sensor was read.
fn measure(outbox: &Alone, now: Tick) {
    let (celsius, percent) = (black_box(0.0), black_box(0.0));
    let readings = [TEMPERATURE.is(celsius), HUMIDITY.is(percent)];
    black_box(outbox.with(|o| o.record(lane(), now, &readings)).ok());
}

/// Bytes came.
fn receive(
    session: &mut Session<'_>,
    outbox: &Alone,
    deframe: &mut Length,
    backoff: &mut Backoff,
    frame: &mut [u8; FRAME],
    now: Tick,
) {
    let mut bytes = input();
    while let Ok((used, complete)) = deframe.feed(bytes, frame) {
        bytes = &bytes[used..];
        let Some(len) = complete else { return };
        match session.handle_frame(outbox, now, &mut frame[..len]) {
            Ok(Some(event)) => obey(event, outbox, backoff),
            Ok(None) => {}
            Err(_) => session.lost(),
        }
    }
    session.lost();
}

/// What an application does with each event.
fn obey(event: Event<'_>, outbox: &Alone, backoff: &mut Backoff) {
    match event {
        Event::Connected { welcomed, pending } => {
            backoff.succeeded();
            black_box((welcomed, pending));
        }
        Event::Committed { lane, mark } => {
            black_box((lane, mark));
        }
        Event::Command(call) => {
            let mut answer = [0; BODY_MAX];
            let (outcome, len) = match (call.key == RELAY.key(), bool::decode(call.body)) {
                (true, Some(on)) => (Outcome::Done, black_box(on).encode(&mut answer).unwrap_or(0)),
                (true, None) => (Outcome::Refused(REFUSED_SHAPE), 0),
                _ => (Outcome::Refused(REFUSED_UNKNOWN), 0),
            };
            outbox.with(|o| o.begin(call.id).then(|| o.reply(call.id, outcome, &answer[..len]).ok()));
        }
        Event::Setting(setting) => {
            let refused = match (setting.key == INTERVAL.key(), u32::decode(setting.body)) {
                (true, Some(seconds)) => {
                    black_box(seconds);
                    None
                }
                _ => Some(REFUSED_SHAPE),
            };
            black_box(outbox.with(|o| o.applied(setting.revision, refused)).ok());
        }
        Event::Answer(answer) => {
            black_box(answer);
        }
        Event::Refused(refused) => backoff.at_least(refused.backoff_ms),
        Event::Bye(bye) => backoff.at_least(bye.retry_ms),
        _ => {}
    }
}
