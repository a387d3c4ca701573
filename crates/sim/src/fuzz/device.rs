//! A device's session and outbox under any order of calls.

use std::cell::RefCell;

use sensock::batch::Cell;
use sensock::catalog::{Catalog, Command, Policy as Repeat, Quantity, Reading, Setting};
use sensock::device::{Event, Node, Outbox, Policy, Session, Share, Supply, Transmit};
use sensock::error::Misuse;
use sensock::wire::alive::{self, Bye, Sleep};
use sensock::wire::call::{Answer, Call, SettingValue};
use sensock::wire::data::Outcome;
use sensock::wire::flow::{self, Boots, OldBoot};
use sensock::wire::header::{Header, Kind};
use sensock::wire::hello::{Account, End, Grant, Refusal, Refused, VERSION, Welcome};
use sensock::wire::text::Text;
use sensock::{Cause, CommandId, DeviceId, Lane, Position, StoreId, Tag, Tick};

use super::input::Input;

const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
const RELAY: Command<bool, bool> = Command::new(1, "relay");
const INTERVAL: Setting<u32> = Setting::new(1, "interval-s");
static CATALOG: Catalog<'static> =
    Catalog::new("fuzz 1", &[TEMPERATURE.entry()], &[RELAY.entry()], &[INTERVAL.entry()]);

/// No call sequence of bytes this short needs more frames between two calls: 2 KiB of items, a catalogue, some flags.
const FRAMES_MAX: usize = 1_000;

/// Operations on a device, decoded from the bytes. Whatever the server sends, and in whatever order the application and the network task
/// call: nothing panics, frames keep to the announced size and can be read, `poll_transmit` comes to rest, and positions only go up.
///
/// # Panics
/// If not.
pub fn device_session(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let outbox = RefCell::new(Outbox::<2048>::new());
    let style = input.byte();
    outbox.with(|o| {
        o.start((style & 1 == 1).then(|| 1 + u32::from(input.byte())));
        let policy =
            [Policy::DropOldest, Policy::DropNewest, Policy::KeepLatest][usize::from(style >> 1 & 3) % 3];
        o.policy(Lane::Readings, policy, if style & 8 == 0 { 0 } else { 5_000 });
        if style & 16 != 0 {
            o.with_flash([
                None,
                None,
                (style & 32 != 0).then(|| Position::new(o.boot().saturating_sub(1), 7)),
            ]);
        }
    });
    let node = Node { id: DeviceId::new("cellar-3").unwrap(), catalog: &CATALOG, max_frame: 300 };
    let mut scratch = [0; 512];
    let mut device = Device {
        session: Session::new(node, &mut scratch).unwrap(),
        outbox: &outbox,
        now: Tick(1_000),
        mark: [Position::NONE; Lane::COUNT],
        made: [None; Lane::COUNT],
        sent: vec![],
        ended: false,
        fetch: None,
    };
    while !input.is_empty() {
        device.step(&mut input);
        device.check();
    }
    device.drain(300);
    let _ = device.session.handle_timeout(Tick(u64::MAX));
}

struct Device<'b> {
    session: Session<'b>,
    outbox: &'b RefCell<Outbox<2048>>,
    now: Tick,
    /// The last mark that was told of each lane.
    mark: [Position; Lane::COUNT],
    made: [Option<Position>; Lane::COUNT],
    sent: Vec<u8>,
    /// Whether a Sleep or Bye was said that ends the boot; a Sleep may be taken back.
    ended: bool,
    fetch: Option<(Lane, Position)>,
}

impl Device<'_> {
    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(29) {
            0 => self.now = self.now.plus(input.number()),
            1 => self.session.start(self.now, Account::default(), boots(input)),
            2 => self.session.lost(),
            3 => self.drain(256 + 2 * usize::from(input.byte())),
            4 => _ = self.session.handle_timeout(self.now),
            5 | 6 => self.record(input),
            7 => self.welcome(input),
            8 => self.frame(&mut input.bytes(255).to_vec()),
            9..=15 => {
                let mut frame = vec![0; 400];
                let n = self.downward(input, &mut frame);
                frame.truncate(n);
                if input.byte() > 0xf0 {
                    input.spoil(&mut frame);
                }
                self.frame(&mut frame);
            }
            16 => {
                let id = self.outbox.with(|o| o.begun());
                let outcome =
                    [Outcome::Done, Outcome::Expired, Outcome::Unknown, Outcome::Refused(input.byte())];
                let outcome = outcome[input.below(4)];
                let _ = self.session.reply(self.outbox, id, outcome, input.bytes(140));
            }
            17 => {
                let (revision, code) = (input.number() as u32, input.flag().then(|| input.byte()));
                let through = input.number() as u32;
                let _ = self.outbox.with(|o| o.applied_through(revision, code, through));
            }
            18 => self.session.sleep(input.number() as u32, input.flag()),
            19 => self.session.close(End::from_number(input.byte()), input.flag()),
            20 => self.ask(input),
            21 => self.supply(input),
            22 => match self.fetch.take() {
                Some((lane, _)) => self.session.supply_none(self.outbox, lane),
                None => self.session.supply_none(self.outbox, input.lane()),
            },
            23 => {
                let id = CommandId(input.number() as u32);
                self.outbox.with(|o| o.begin(id));
            }
            24 => self.flash(input),
            25 => self.outbox.with(|o| o.expire(self.now)),
            26 => self.session.released(),
            27 => self.outbox.with(|o| o.limit_commands(input.byte())),
            _ => {
                let mut frame = std::mem::take(&mut self.sent);
                input.spoil(&mut frame);
                self.frame(&mut frame);
            }
        }
    }

    fn record(&mut self, input: &mut Input<'_>) {
        let (lane, style) = (input.lane(), input.byte());
        self.now = self.now.plus((style >> 2).into());
        let readings: Vec<Reading> = (0..=input.below(3))
            .map(|i| {
                let quantity = if style & 1 == 0 { 1 + i as u16 } else { input.number() as u16 };
                let cell =
                    if input.flag() { Cell::Value(input.number() as i32) } else { Cell::Fault(input.byte()) };
                Reading { quantity, cell }
            })
            .collect();
        for _ in 0..=(if style & 2 == 0 { 0 } else { input.byte() }) {
            let taken = self.outbox.with(|o| o.record(lane, self.now, &readings));
            match taken {
                Ok(Position::NONE) if self.made[lane.index()].is_some() => assert_eq!(lane, Lane::Readings),
                Ok(position) => {
                    let before = self.made[lane.index()].replace(position);
                    assert!(before.is_none_or(|b| b < position || lane == Lane::Readings));
                }
                Err(Misuse::Readings | Misuse::Full | Misuse::Exhausted | Misuse::Backwards) => {}
                Err(Misuse::State) => assert!(self.ended, "no boot ended"),
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    fn welcome(&mut self, input: &mut Input<'_>) {
        let style = input.byte();
        let boot = self.outbox.with(|o| o.wire(Position::boot_start(o.boot())).boot());
        let shift = match style & 3 {
            0 | 1 => 0,
            2 => input.below(4) as u32,
            _ => input.number() as u32,
        };
        let credit = if style & 4 == 0 { 4_096 } else { input.number() };
        let marks = Lane::ALL.map(|lane| {
            let near = self.mark[lane.index()].max(Position::boot_start(boot.saturating_add(shift)).prev());
            if style & 8 == 0 { near } else { input.position(near) }
        });
        let welcome = Welcome {
            version: VERSION,
            features: 0,
            boot_shift: shift,
            tag: Tag(input.byte().into()),
            marks,
            credit: [Grant { records: credit, bytes: credit }; Lane::COUNT],
            want_catalog: style & 16 != 0,
            max_frame: 256 + 20 * u16::from(style >> 5),
            ping_interval_ms: 10_000,
            pending: 0,
            store: StoreId(1 + u64::from(style >> 6)),
            nonce: input.byte().into(),
        };
        let mut frame = vec![0; 256];
        let n = welcome.encode(&mut frame).unwrap();
        frame.truncate(n);
        self.frame(&mut frame);
    }

    /// A frame that a server may send, if not now.
    fn downward(&mut self, input: &mut Input<'_>, out: &mut [u8]) -> usize {
        let lane = input.lane();
        let mark = self.mark[lane.index()];
        match input.below(12) {
            0..=2 => {
                let to = input.position(mark);
                flow::ack(lane, mark, to, out)
            }
            3 => flow::credit(lane, Grant { records: input.number(), bytes: input.number() }, out),
            4 => flow::rewind(lane, input.position(mark), out),
            5 => alive::ping(input.number() as u32, out),
            6 => alive::pong(input.number(), Tick(0), out),
            7 => Call {
                id: CommandId(input.number() as u32),
                key: input.byte().into(),
                policy: if input.flag() { Repeat::Once } else { Repeat::Idempotent },
                not_after: input.flag().then(|| Tick(input.number())),
                body: input.bytes(140),
            }
            .encode(out),
            8 => SettingValue { key: 1, revision: input.number() as u32, body: input.bytes(140) }.encode(out),
            9 => {
                let result = if input.flag() { Ok(input.bytes(140)) } else { Err(input.byte()) };
                Answer { id: input.byte().into(), result }.encode(out)
            }
            10 => {
                let lasts = [input.position(mark); Lane::COUNT];
                Bye { reason: End::Closed, retry_ms: 0, ends_boot: input.flag(), lasts, text: "".into() }
                    .encode(out)
            }
            _ => Refused {
                code: Refusal::from_number(input.byte()),
                backoff_ms: input.number() as u32,
                versions: (1, 1),
                text: Text::new(input.bytes(20)),
            }
            .encode(out),
        }
        .unwrap()
    }

    fn frame(&mut self, frame: &mut [u8]) {
        let copy = frame.to_vec();
        match self.session.handle_frame(self.outbox, self.now, frame) {
            Ok(Some(Event::Committed { lane, mark })) => self.mark[lane.index()] = mark,
            Ok(Some(Event::Connected { .. })) => {
                // What Welcome said of the marks is what later acks count from.
                let welcome = Welcome::decode(&copy[1..]).expect("it was just read");
                self.mark = welcome.marks;
            }
            Ok(Some(Event::Command(call))) => assert!(call.body.len() <= 128),
            Ok(_) => {}
            // The contract: close the transport. The network task may be slow to do so.
            Err(_) if !copy.len().is_multiple_of(4) => self.session.lost(),
            Err(_) => {}
        }
    }

    fn drain(&mut self, size: usize) {
        let mut buf = vec![0; size];
        for _ in 0..FRAMES_MAX {
            match self.session.poll_transmit(self.outbox, self.now, &mut buf) {
                Transmit::Frame(n) => {
                    assert!(n <= size && n > 0);
                    let kind = Header::parse(buf[0]).expect("we wrote it").kind;
                    assert!(!matches!(kind, Some(Kind::Welcome | Kind::Ack | Kind::Credit | Kind::Rewind)));
                    self.ended |= match kind {
                        Some(Kind::Sleep) => Sleep::decode(&buf[1..n]).expect("we wrote it").ends_boot,
                        Some(Kind::Bye) => Bye::decode(&buf[1..n]).expect("we wrote it").ends_boot,
                        _ => false,
                    };
                    self.sent = buf[..n].to_vec();
                }
                Transmit::Fetch { lane, from } => self.fetch = Some((lane, from)),
                Transmit::Idle => return,
            }
        }
        panic!("poll_transmit does not come to rest");
    }

    fn ask(&mut self, input: &mut Input<'_>) {
        let mut buf = [0; 300];
        let body = input.bytes(140);
        match self.session.ask(input.number() as u16, body, &mut buf) {
            Ok((n, _)) => assert!(n <= 256),
            Err(e) => assert!(matches!(e, Misuse::State | Misuse::Body)),
        }
    }

    /// Flash answers, truly or not: with items that the outbox made, or with any bytes.
    fn supply(&mut self, input: &mut Input<'_>) {
        let (lane, from) = self.fetch.take().unwrap_or((input.lane(), Position::new(1, 0)));
        let mut len = 0;
        if input.flag() {
            let mut item = [0; 256];
            if let Some(spill) = self.outbox.with(|o| o.next_spill(lane, &mut item)) {
                self.session.scratch_mut()[..spill.len].copy_from_slice(&item[..spill.len]);
                len = spill.len;
            }
        } else {
            let bytes = input.bytes(255);
            self.session.scratch_mut()[..bytes.len()].copy_from_slice(bytes);
            len = bytes.len();
        }
        let first = input.position(from);
        let (tick, complete) = (Tick(input.number()), input.flag());
        let len = if input.byte() == 0xff { usize::MAX } else { len };
        self.session.supply(lane, Supply { len, first, tick, complete });
    }

    fn flash(&mut self, input: &mut Input<'_>) {
        let lane = input.lane();
        match input.below(3) {
            0 => {
                let mut item = [0; 256];
                if let Some(spill) = self.outbox.with(|o| o.next_spill(lane, &mut item)) {
                    assert!(spill.len <= 256 && spill.next > spill.position);
                    let lowest = input.flag().then_some(spill.position);
                    self.outbox.with(|o| o.persisted(lane, spill.next, lowest));
                }
            }
            1 => {
                let next = self.outbox.with(|o| o.next(lane));
                let (next, lowest) = (input.position(next), input.flag().then(|| input.position(next)));
                self.outbox.with(|o| o.persisted(lane, next, lowest));
            }
            _ => {
                let cause = Cause::from_number(input.byte());
                let lowest = input.flag().then(|| Position(input.number()));
                self.outbox.with(|o| o.flash_lost(lane, lowest, cause));
            }
        }
    }

    /// What holds at every moment.
    fn check(&mut self) {
        self.outbox.with(|o| {
            for lane in Lane::ALL {
                let (fill, high) = o.fill(lane);
                assert!(fill <= 100 && high <= 100 && fill <= high);
                let floor = o.floor(lane);
                assert!(floor.acked == Position::NONE || floor.acked < floor.floor);
                assert!(floor.cause != Cause::None || floor.span.is_none());
            }
            assert!((1..=8).contains(&o.command_slots()));
            let _ = (o.lasts(), o.expires_at(), o.high_water());
        });
        if let Some(at) = self.session.poll_timeout() {
            assert!(self.session.is_live() || at.0 > 0);
        }
    }
}

fn boots(input: &mut Input<'_>) -> Boots {
    let mut boots = Boots::default();
    for i in 0..input.below(3) {
        assert!(boots.push(OldBoot { boot: 1 + i as u32, catalog: 7, last_tick: Tick(input.number()) }));
    }
    boots
}
