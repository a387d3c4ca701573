//! Nights and wakes: a device that sleeps most of the time, against the real server, in virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use catalog::{CELLAR, HUMIDITY, INTERVAL, RELAY, TEMPERATURE};
use common::slow::Slow;
use common::{server, within};
use embedded_io_adapters::tokio_1::FromTokio;
use sensock::{Cause, DeviceId, Lane, Position};
use sensock_device::{Boot, Buffers, Carry, Key, Node, Outbox, Slept, TokioClock};
use sensock_server::{AnyDevice, DeviceState, History as _, MemoryStore, Outcome, Server, Span};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

const AWAKE: Duration = Duration::from_secs(20);
const ASLEEP: Duration = Duration::from_secs(300);
const RTT: Duration = Duration::from_millis(40);

/// What survives a night: RTC memory.
type Rtc = [u8; Carry::LEN];
const NEW: Rtc = [0xff; Carry::LEN];

/// What a wake took, and what reached the device in it.
#[derive(Debug, Default)]
struct Wake {
    up: usize,
    down: usize,
    /// Times that the device wrote after it had read, and so had to wait for an answer.
    trips: usize,
    awake: Duration,
    relay: Vec<bool>,
    interval: Vec<u32>,
    told: bool,
    unsent: u32,
}

/// A device's end of a pipe that counts, and needs half a round trip for what comes down.
struct Counted {
    io: DuplexStream,
    wake: Arc<Mutex<Wake>>,
    wrote: bool,
    /// So many bytes come down, and then none.
    hears: usize,
    delay: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.wrote {
            // The answer to a flight takes a round trip.
            this.delay = Some(Box::pin(tokio::time::sleep(RTT)));
            this.wrote = false;
        }
        if let Some(delay) = &mut this.delay {
            std::task::ready!(delay.as_mut().poll(cx));
            this.delay = None;
        }
        let left = this.hears.saturating_sub(this.wake.lock().unwrap().down).min(buf.remaining());
        if left == 0 {
            return Poll::Pending;
        }
        let mut bytes = [0; 256];
        let room = left.min(bytes.len());
        let mut part = ReadBuf::new(&mut bytes[..room]);
        std::task::ready!(Pin::new(&mut this.io).poll_read(cx, &mut part))?;
        this.wake.lock().unwrap().down += part.filled().len();
        buf.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(n)) = written {
            let wake = self.wake.clone();
            let mut wake = wake.lock().unwrap();
            wake.up += n;
            wake.trips += usize::from(!std::mem::replace(&mut self.wrote, true));
        }
        written
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// One wake, as firmware writes it. Without a server nobody answers the dials.
async fn wake(rtc: &mut Rtc, records: u32, server: Option<&Server>) -> Wake {
    wake_on(rtc, records, server, usize::MAX).await
}

async fn wake_on(rtc: &mut Rtc, records: u32, server: Option<&Server>, hears: usize) -> Wake {
    let begin = tokio::time::Instant::now();
    let seen = Arc::new(Mutex::new(Wake::default()));
    let outbox = Outbox::<4096>::new();
    let (clock, mut buffers) = (TokioClock::new(), Buffers::<512>::new());
    let kept = Mutex::new(*rtc);
    let mut keep = |carry: &Carry| *kept.lock().unwrap() = carry.to_bytes();

    let node = Node { id: "bog-7", key: Key::Insecure, catalog: &CELLAR, boot: Boot::kept(rtc) };
    let (device, mut runner) = outbox.start(&node, &clock, &mut buffers);
    runner.keep(&mut keep);
    for i in 0..records {
        device.record(&[TEMPERATURE.is(4.0 + i as f32 / 100.0), HUMIDITY.is(99.0)]).unwrap();
    }
    let network = async {
        loop {
            let (near, far) = tokio::io::duplex(8_192);
            let serving = server.map(|s| tokio::spawn(s.attach(far, "192.0.2.7:1")));
            let io = Counted { io: near, wake: seen.clone(), wrote: false, hears, delay: None };
            let (reader, writer) = tokio::io::split(io);
            let _why = runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await;
            drop(serving);
            runner.backoff().await;
        }
        #[allow(unreachable_code)]
        ()
    };
    let obey = async {
        loop {
            let relay = &mut |on| {
                seen.lock().unwrap().relay.push(on);
                Ok(on)
            };
            device.next_command().await.on(&RELAY, relay).otherwise_refuse();
        }
    };
    let tune = async {
        loop {
            let interval = device.setting(&INTERVAL).await;
            seen.lock().unwrap().interval.push(interval);
        }
    };
    let slept: Slept = tokio::select! {
        slept = device.cycle(&clock, AWAKE, ASLEEP, network) => slept,
        never = obey => never,
        never = tune => never,
    };
    *rtc = slept.carry.to_bytes();
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    (seen.awake, seen.told, seen.unsent) = (begin.elapsed(), slept.told, slept.unsent);
    assert!(device.record(&[TEMPERATURE.is(0.0)]).is_err(), "the boot has ended");
    seen
}

fn bog() -> DeviceId {
    DeviceId::new("bog-7").unwrap()
}

async fn positions(store: &MemoryStore) -> Vec<Position> {
    let rows = store.range(&bog(), Span::ALL, None, 10_000).await.unwrap();
    let temperatures = rows.iter().filter(|r| r.row.quantity == TEMPERATURE.entry().id);
    temperatures.map(|r| r.row.position).collect()
}

#[tokio::test(start_paused = true)]
async fn twenty_nights_lose_nothing_and_a_wake_takes_two_round_trips() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let (mut rtc, mut wakes) = (NEW, vec![]);
    for _ in 0..20 {
        wakes.push(wake(&mut rtc, 3, Some(&server)).await);
        assert!(matches!(server.device("bog-7").state(), DeviceState::Asleep { .. }));
        tokio::time::sleep(ASLEEP).await;
    }
    let expected: Vec<_> = (1..=20).flat_map(|boot| (0..3).map(move |n| Position::new(boot, n))).collect();
    assert_eq!(positions(&store).await, expected, "each once, in order, boots without a step");
    assert_eq!(store.gaps(&bog(), Span::ALL).await.unwrap(), []);
    let last = &wakes[19];
    println!(
        "a wake with three records: {} B up, {} B down, {} flights, {:?} awake at {RTT:?} a round trip; the first wake: {} B up",
        last.up, last.down, last.trips, last.awake, wakes[0].up
    );
    for wake in &wakes[1..] {
        assert!(wake.told && wake.unsent == 0);
        assert_eq!(wake.trips, 2, "Hello, then everything else at once");
        assert!(wake.up <= 160 && wake.down <= 95, "{wake:?}");
        assert!(wake.awake <= 2 * RTT + Duration::from_millis(10), "{:?}", wake.awake);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wanted_of_a_sleeper_reaches_it_in_the_next_wake_and_is_answered_before_it_sleeps_again() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let mut rtc = NEW;
    wake(&mut rtc, 1, Some(&server)).await;
    let handle = server.device("bog-7");
    let ticket = handle.command(&RELAY, true, Duration::from_secs(3_600)).await.unwrap();
    handle.set(&INTERVAL, 30).await.unwrap();
    tokio::time::sleep(ASLEEP).await;
    let second = wake(&mut rtc, 1, Some(&server)).await;
    assert_eq!((&second.relay[..], &second.interval[..], second.told), (&[true][..], &[30][..], true));
    assert_eq!(within(ticket.outcome()).await, Outcome::Done(true));
    let settings = store.settings(&bog()).await.unwrap();
    assert!(settings[0].applied_us.is_some() && settings[0].refused.is_none(), "{settings:?}");
    println!(
        "a wake with a command and a setting: {} B up, {} B down, {:?}",
        second.up, second.down, second.awake
    );
    assert!(second.trips <= 4 && second.awake <= 4 * RTT, "{second:?}");
    let third = wake(&mut rtc, 1, Some(&server)).await;
    assert!(third.relay.is_empty() && third.interval.is_empty(), "once: {third:?}");
}

#[tokio::test(start_paused = true)]
async fn a_command_made_at_any_moment_of_a_wake_runs_once_and_its_caller_learns_the_answer() {
    for ms in 0..=95 {
        let slow = Slow::new();
        slow.take(7);
        let (server, _events) = Server::builder(slow.clone(), AnyDevice).start().await.unwrap();
        let mut rtc = NEW;
        wake(&mut rtc, 1, Some(&server)).await;
        let handle = server.device("bog-7");
        let orders = async {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            handle.set(&INTERVAL, 30).await.unwrap();
            handle.command(&RELAY, true, Duration::from_secs(3_600)).await.unwrap()
        };
        let (second, ticket) = tokio::join!(wake(&mut rtc, 1, Some(&server)), orders);
        let third = wake(&mut rtc, 1, Some(&server)).await;
        assert_eq!(second.relay.len() + third.relay.len(), 1, "{ms} ms: {second:?} {third:?}");
        assert_eq!(second.interval.len() + third.interval.len(), 1, "{ms} ms: {second:?} {third:?}");
        assert_eq!(within(ticket.outcome()).await, Outcome::Done(true), "{ms} ms");
        assert!(second.told && third.told, "{ms} ms: {second:?} {third:?}");
        assert_eq!(slow.inner.gaps(&bog(), Span::ALL).await.unwrap(), [], "{ms} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_does_not_drain_the_battery_and_what_is_lost_is_said() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let mut rtc = NEW;
    wake(&mut rtc, 2, Some(&server)).await;
    for _ in 0..3 {
        let alone = wake(&mut rtc, 2, None).await;
        assert_eq!((alone.awake, alone.told, alone.unsent), (AWAKE, false, 2));
    }
    wake(&mut rtc, 2, Some(&server)).await;
    let p = |boot, n| Position::new(boot, n);
    assert_eq!(positions(&store).await, [p(1, 0), p(1, 1), p(5, 0), p(5, 1)]);
    let gaps = store.gaps(&bog(), Span::ALL).await.unwrap();
    let said: Vec<_> = gaps.iter().map(|g| (g.lane.lane, g.first, g.last, g.cause)).collect();
    assert_eq!(said, [(Lane::Readings, p(1, 2), p(5, 0).prev(), Cause::Power)]);
}

#[tokio::test(start_paused = true)]
async fn a_board_that_resets_while_awake_says_that_it_may_have_lost_something() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let mut rtc = NEW;
    wake(&mut rtc, 2, Some(&server)).await;
    let last = Carry::from_bytes(&rtc).unwrap();
    // What `Runner::keep` left there when the boot began.
    rtc = Carry { boot: last.boot + 1, ..last }.unfinished().to_bytes();
    wake(&mut rtc, 2, Some(&server)).await;
    let gaps = store.gaps(&bog(), Span::ALL).await.unwrap();
    let p = |boot, n| Position::new(boot, n);
    let readings = gaps.iter().find(|g| g.lane.lane == Lane::Readings).unwrap();
    assert_eq!((readings.first, readings.last, readings.cause), (p(1, 2), p(3, 0).prev(), Cause::Power));
}

#[tokio::test(start_paused = true)]
async fn a_bye_that_gets_lost_costs_a_moment_and_no_record() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let mut rtc = NEW;
    wake(&mut rtc, 2, Some(&server)).await;
    let whole = wake(&mut rtc, 2, Some(&server)).await.down;
    // Each length at which the line may go silent: after Welcome alone it is given up, or dialled again, without a loss of what is stored.
    let mut slept = 0;
    for hears in (1..whole).rev().take(16) {
        let wake = wake_on(&mut rtc, 2, Some(&server), hears).await;
        slept += usize::from(!wake.told && wake.unsent == 0 && wake.awake < Duration::from_secs(1));
        assert!(wake.awake <= AWAKE, "{hears}: {wake:?}");
    }
    assert!(slept > 0, "acknowledged, and no Bye: it sleeps after 200 ms and two round trips");
    wake(&mut rtc, 2, Some(&server)).await;
    let found = positions(&store).await;
    assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
    let gaps = store.gaps(&bog(), Span::ALL).await.unwrap();
    assert!(gaps.iter().all(|gap| gap.cause == Cause::Power), "{gaps:?}");
    assert!(
        gaps.iter().all(|gap| !found.iter().any(|p| (gap.first..=gap.last).contains(p))),
        "{gaps:?} {found:?}"
    );
}
