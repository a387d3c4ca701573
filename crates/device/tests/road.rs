//! The whole road on tokio: what a device does, and what its server sees of it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use catalog::{CELLAR, HUMIDITY, INTERVAL, RELAY, SETPOINT, TEMPERATURE};
use common::{Row, Server};
use sensock::catalog::{Policy, READ_NOW, Shaped};
use sensock::wire::data::Outcome;
use sensock::wire::hello::{End, Refusal};
use sensock::{Lane, Position, Tick};
use sensock_device::{Boot, Buffers, Device, Ended, Key, Misuse, NoAnswer, Node, Outbox, Runner, TokioClock};

const NODE: Node<'static> =
    Node { id: "cellar-3", key: Key::Insecure, catalog: &CELLAR, boot: Boot::Number(1) };

fn start() -> (Device<'static>, Runner<'static, TokioClock>) {
    let outbox = Box::leak(Box::new(Outbox::<4096>::new()));
    let buffers = Box::leak(Box::new(Buffers::<512>::new()));
    outbox.start(&NODE, &*Box::leak(Box::new(TokioClock::new())), buffers)
}

/// A connection that is kept up in the background.
fn keep_up(server: &Server, mut runner: Runner<'static, TokioClock>) -> tokio::task::JoinHandle<()> {
    let server = server.clone();
    tokio::spawn(async move {
        loop {
            let (reader, writer) = server.dial();
            let _why = runner.connection(reader, writer).await;
            runner.backoff().await;
        }
    })
}

async fn connected(device: Device<'_>) {
    while !device.is_connected() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn records_made_offline_and_online_are_stored_once_and_in_order() {
    let (device, runner) = start();
    let server = Server::new();
    for i in 0..50 {
        device.record(&[TEMPERATURE.is(20.0 + i as f32 / 100.0), HUMIDITY.is(50.0)]).unwrap();
    }
    assert!(!device.is_connected());
    let _up = keep_up(&server, runner);
    device.drain().await;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        device.record(&[TEMPERATURE.is(21.0), HUMIDITY.is(50.0)]).unwrap();
    }
    device.alarm(&[TEMPERATURE.is(80.0)]).unwrap();
    device.drain().await;
    let desk = server.desk();
    let expected: Vec<_> = (0..100).map(|n| Position::new(1, n)).collect();
    assert_eq!(desk.positions(Lane::Readings), expected);
    assert_eq!(desk.positions(Lane::Alarm), [Position::new(1, 0)]);
    assert_eq!(desk.gaps(), 0);
    let status = device.status();
    assert_eq!((status.accepted, status.stored, status.waiting, status.sessions), (101, 101, 0, 1));
    assert_eq!(status.to_string(), "stored 101, waiting 0, link up");
}

#[tokio::test(start_paused = true)]
async fn a_command_is_run_by_its_handler_and_others_are_refused() {
    let (device, runner) = start();
    let server = Server::new();
    let _up = keep_up(&server, runner);
    server.command(1, RELAY.key(), Policy::Once, &[1]);
    let mut relay = false;
    device
        .next_command()
        .await
        .on(&RELAY, |on| {
            relay = on;
            Ok(on)
        })
        .otherwise_refuse();
    assert!(relay);
    server.command(2, RELAY.key(), Policy::Once, &[7]);
    server.command(3, RELAY.key(), Policy::Once, &[0]);
    server.command(4, RELAY.key(), Policy::Once, &[0]);
    server.command(5, RELAY.key(), Policy::Once, &[0]);
    // Not in the catalogue: nobody has to refuse it by hand.
    server.command(6, 99, Policy::Once, &[0]);
    device.next_command().await.on(&RELAY, |_| panic!("7 is no bool")).otherwise_refuse();
    device.next_command().await.on(&RELAY, |_| Err(16)).otherwise_refuse();
    drop(device.next_command().await);
    let mut slow = device.next_command().await;
    assert_eq!(slow.request(&RELAY), Some(false));
    drop(slow);
    device.drain().await;
    connected(device).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        server.desk().replies(),
        [
            (1, Outcome::Done),
            (2, Outcome::Refused(3)),
            (3, Outcome::Refused(16)),
            (4, Outcome::Refused(2)),
            (5, Outcome::Unknown),
            (6, Outcome::Refused(2)),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_setting_reaches_its_task_once_and_is_reported() {
    let (device, runner) = start();
    let server = Server::new();
    let _up = keep_up(&server, runner);
    server.setting(INTERVAL.key(), 4, &[60]);
    assert_eq!(device.setting(&INTERVAL).await, 60);
    server.setting(INTERVAL.key(), 5, &[]);
    server.setting(9, 6, &[1]);
    server.setting(INTERVAL.key(), 7, &[30]);
    assert_eq!(device.setting(&INTERVAL).await, 30);
    device.drain().await;
    let desk = server.desk();
    let applied: Vec<_> = desk
        .rows
        .iter()
        .filter_map(|r| if let Row::Applied(_, n, code) = r { Some((*n, *code)) } else { None })
        .collect();
    // Revision 5 may have been overtaken by 7 before anyone could read it; if not it is refused as of the wrong shape.
    let applied: Vec<_> = applied.into_iter().filter(|(n, _)| *n != 5).collect();
    assert_eq!(applied, [(4, None), (6, Some(2)), (7, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_question_is_answered_or_says_why_not() {
    let (device, runner) = start();
    let second = Duration::from_secs(1);
    assert_eq!(device.ask(&SETPOINT, 3, second).await, Err(NoAnswer::Offline));
    let server = Server::new();
    let up = keep_up(&server, runner);
    connected(device).await;
    // This server echoes: an f32 of other bytes than a u32's is of the wrong shape.
    assert_eq!(device.ask(&SETPOINT, 3, second).await, Err(NoAnswer::Refused(3)));
    server.desk().mute = true;
    let before = tokio::time::Instant::now();
    assert_eq!(device.ask(&SETPOINT, 3, second).await, Err(NoAnswer::Late));
    assert!(before.elapsed() < second + Duration::from_millis(10));
    // More at once than there are slots: all of them end.
    let many = futures_util::future::join_all((0..9).map(|n| device.ask(&SETPOINT, n, second))).await;
    assert!(many.iter().all(|r| *r == Err(NoAnswer::Late)), "{many:?}");
    let asking = tokio::spawn(async move { device.ask(&SETPOINT, 3, second).await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    up.abort();
    assert_eq!(asking.await.unwrap(), Err(NoAnswer::Offline));
}

#[tokio::test(start_paused = true)]
async fn read_now_is_answered_by_the_next_record() {
    let (device, runner) = start();
    let server = Server::new();
    let _up = keep_up(&server, runner);
    device.record(&[TEMPERATURE.is(1.0)]).unwrap();
    server.command(1, READ_NOW.key(), Policy::Once, &[]);
    device.read_now().await;
    let position = device.record(&[TEMPERATURE.is(2.0)]).unwrap();
    // A device that never asks `read_now` answers all the same.
    server.command(2, READ_NOW.key(), Policy::Once, &[]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let second = device.record(&[TEMPERATURE.is(3.0)]).unwrap();
    device.drain().await;
    let desk = server.desk();
    let answers: Vec<_> = desk
        .rows
        .iter()
        .filter_map(|r| if let Row::Reply(_, n, _, body) = r { Some((*n, u64::decode(body))) } else { None })
        .collect();
    assert_eq!(answers, [(1, Some(position.0)), (2, Some(second.0))]);
}

#[tokio::test(start_paused = true)]
async fn sleep_is_told_once_all_is_stored_and_waited_out() {
    let (device, mut runner) = start();
    let server = Server::new();
    device.record(&[TEMPERATURE.is(1.0)]).unwrap();
    let (reader, writer) = server.dial();
    let sleeping = async {
        connected(device).await;
        device.record(&[TEMPERATURE.is(2.0)]).unwrap();
        device.sleep(Duration::from_secs(300)).await
    };
    let (why, told) = tokio::join!(runner.connection(reader, writer), sleeping);
    assert_eq!((why, told), (Ended::Slept, true));
    assert_eq!(server.desk().sleeps, [(300_000, false)]);
    assert_eq!(server.desk().positions(Lane::Readings).len(), 2);
    let before = tokio::time::Instant::now();
    runner.backoff().await;
    assert!(before.elapsed() >= Duration::from_secs(299) && before.elapsed() < Duration::from_secs(301));
    assert!(!device.sleep(Duration::from_secs(1)).await, "nobody was told");
    // The next connection is an ordinary one, until it is asked to sleep again.
    let (reader, writer) = server.dial();
    let again = async {
        connected(device).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(device.is_connected());
        device.sleep(Duration::from_secs(60)).await
    };
    assert_eq!(tokio::join!(runner.connection(reader, writer), again), (Ended::Slept, true));
    assert_eq!(server.desk().sleeps, [(300_000, false), (60_000, false)]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_wakes_does_not_fall_asleep_again_by_itself() {
    let (device, mut runner) = start();
    let server = Server::new();
    let (reader, writer) = server.dial();
    let sleeping = async {
        connected(device).await;
        device.sleep(Duration::from_secs(300)).await
    };
    let (why, told) = tokio::join!(runner.connection(reader, writer), sleeping);
    assert_eq!((why, told), (Ended::Slept, true));
    runner.backoff().await;
    let (reader, writer) = server.dial();
    tokio::select! {
        why = runner.connection(reader, writer) => panic!("{why}"),
        () = tokio::time::sleep(Duration::from_secs(60)) => {}
    }
    assert_eq!(server.desk().sleeps, [(300_000, false)]);
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_follows_a_deep_sleep_leaves_no_gap() {
    let (device, mut runner) = start();
    let server = Server::new();
    device.record(&[TEMPERATURE.is(1.0)]).unwrap();
    let (reader, writer) = server.dial();
    let sleeping = async {
        connected(device).await;
        device.deep_sleep(Duration::from_secs(300)).await
    };
    let (why, carry) = tokio::join!(runner.connection(reader, writer), sleeping);
    assert_eq!(why, Ended::Slept);
    assert_eq!(server.desk().sleeps, [(300_000, true)]);
    assert_eq!(device.record(&[TEMPERATURE.is(1.0)]), Err(Misuse::State));
    let kept = sensock_device::Carry::from_bytes(&carry.to_bytes()).unwrap();
    let node = Node { boot: Boot::Woke(kept), ..NODE };
    let outbox = Outbox::<4096>::new();
    let (mut buffers, clock) = (Buffers::<512>::new(), TokioClock::new());
    let (device, mut runner) = outbox.start(&node, &clock, &mut buffers);
    assert_eq!(device.record(&[TEMPERATURE.is(3.0)]), Ok(Position::new(2, 0)));
    let (reader, writer) = server.dial();
    tokio::select! {
        why = runner.connection(reader, writer) => panic!("{why}"),
        _ = device.drain() => {}
    }
    let desk = server.desk();
    assert_eq!(desk.positions(Lane::Readings), [Position::new(1, 0), Position::new(2, 0)]);
    assert_eq!(desk.gaps(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_device_without_memory_is_numbered_by_the_server() {
    let outbox = Outbox::<4096>::new();
    let (mut buffers, clock) = (Buffers::<512>::new(), TokioClock::new());
    let (device, mut runner) = outbox.start(&Node { boot: Boot::Unknown, ..NODE }, &clock, &mut buffers);
    let server = Server::new();
    server.desk().boot = 7;
    assert_eq!(device.record(&[TEMPERATURE.is(3.0)]), Ok(Position::new(0, 0)));
    let (reader, writer) = server.dial();
    tokio::select! {
        why = runner.connection(reader, writer) => panic!("{why}"),
        _ = device.drain() => {}
    }
    assert_eq!(server.desk().positions(Lane::Readings), [Position::new(8, 0)]);
    assert_eq!(device.status().shifted_by, 8);
    assert_eq!(device.carry().boot, 8);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_in_words_and_its_backoff_is_kept() {
    let (device, mut runner) = start();
    let server = Server::new();
    server.desk().refuse = Some((Refusal::Unknown, 30_000, "add cellar-3 to the list of devices".into()));
    let (reader, writer) = server.dial();
    let why = runner.connection(reader, writer).await;
    assert_eq!(why, Ended::Refused(Refusal::Unknown));
    assert_eq!(why.to_string(), "the server does not know this device: its operator has to add it");
    assert_eq!(runner.said(), "add cellar-3 to the list of devices");
    let before = tokio::time::Instant::now();
    // Dropped and called again, it waits for the rest.
    tokio::select! { _ = runner.backoff() => panic!("too early"), _ = tokio::time::sleep(Duration::from_secs(20)) => {} }
    runner.backoff().await;
    let waited = before.elapsed();
    assert!(waited >= Duration::from_secs(30) && waited < Duration::from_secs(39), "{waited:?}");
    assert_eq!(device.status().last_end, Some(End::Refused));
    assert_eq!(device.status().to_string(), "stored 0, waiting 0, link down: the server refused");
}

#[tokio::test(start_paused = true)]
async fn other_protocols_silence_and_hang_ups_end_a_connection_in_words() {
    use tokio::io::AsyncWriteExt;
    let (_, mut runner) = start();
    let (ours, mut theirs) = tokio::io::duplex(64);
    theirs.write_all(b"HTTP/1.1 400").await.unwrap();
    let (r, w) = common::halves(ours);
    let why = runner.connection(r, w).await;
    assert_eq!(
        why.to_string(),
        "the peer does not speak sensock: its first bytes are not the preface (SPEC 1.1)"
    );
    let (ours, theirs) = tokio::io::duplex(4096);
    let (r, w) = common::halves(ours);
    assert_eq!(runner.connection(r, w).await, Ended::Handshake);
    drop(theirs);
    let (ours, theirs) = tokio::io::duplex(4096);
    drop(theirs);
    let (r, w) = common::halves(ours);
    assert_eq!(runner.connection(r, w).await, Ended::Transport);
}

#[tokio::test(start_paused = true)]
async fn what_record_refuses_it_refuses_with_a_value() {
    let (device, _runner) = start();
    let unknown = sensock::Quantity::<f32>::new(77, "pressure", "Pa");
    assert_eq!(device.record(&[unknown.is(1.0)]), Err(Misuse::NotInCatalog));
    assert_eq!(device.record(&[]), Err(Misuse::Readings));
    assert_eq!(device.record(&[TEMPERATURE.is(1.0), TEMPERATURE.is(1.0)]), Err(Misuse::Readings));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(device.record_at(Tick(2_001), &[TEMPERATURE.is(1.0)]), Err(Misuse::Ahead));
    assert!(device.record_at(Tick(1_500), &[TEMPERATURE.is(1.0)]).is_ok());
    assert_eq!(device.record_at(Tick(1_499), &[TEMPERATURE.is(1.0)]), Err(Misuse::Backwards));
    assert!(device.record(&[TEMPERATURE.is(f32::NAN)]).is_ok(), "what is no number is a fault code");
    let status = device.status();
    assert_eq!((status.accepted, status.refused, status.waiting), (2, 5, 2));
}

#[test]
fn a_second_start_and_a_bad_id_are_told() {
    let outbox = Outbox::<1024>::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _guard = runtime.enter();
    let clock = TokioClock::new();
    let (mut a, mut b, mut c) = (Buffers::<512>::new(), Buffers::<512>::new(), Buffers::<512>::new());
    let bad = outbox.try_start(&Node { id: "cellar 3", ..NODE }, &clock, &mut a).err().unwrap();
    assert_eq!(bad.to_string(), "a device id holds a character other than letters, digits, '.', '_' and '-'");
    assert!(outbox.try_start(&NODE, &clock, &mut b).is_ok());
    let twice = outbox.try_start(&NODE, &clock, &mut c).err().unwrap();
    assert_eq!(
        twice.to_string(),
        "this outbox was started before: start it once, and copy the Device that it gave"
    );
}

#[tokio::test(start_paused = true)]
async fn a_command_is_kept_as_begun_before_it_is_handed_out() {
    let (device, mut runner) = start();
    let server = Server::new();
    static KEPT: std::sync::Mutex<Vec<u32>> = std::sync::Mutex::new(vec![]);
    runner
        .keep(Box::leak(Box::new(|carry: &sensock_device::Carry| KEPT.lock().unwrap().push(carry.begun.0))));
    let _up = keep_up(&server, runner);
    server.command(41, RELAY.key(), Policy::Once, &[1]);
    let call = device.next_command().await;
    assert_eq!(KEPT.lock().unwrap().last(), Some(&41));
    drop(call);
    assert_eq!(server.desk().hellos[0].features & 1, 1);
}

#[tokio::test(start_paused = true)]
async fn the_boot_after_a_reset_says_the_tag_that_was_kept() {
    static KEPT: std::sync::Mutex<Vec<sensock_device::Carry>> = std::sync::Mutex::new(vec![]);
    let server = Server::new();
    let mut boot = Boot::Woke(sensock_device::Carry { boot: 4, ..Default::default() });
    for number in 5..8 {
        let outbox: &'static Outbox<2048> = Box::leak(Box::new(Outbox::new()));
        let buffers = Box::leak(Box::new(Buffers::<512>::new()));
        let clock = Box::leak(Box::new(TokioClock::new()));
        let (device, mut runner) = outbox.start(&Node { boot, ..NODE }, &*clock, buffers);
        runner.keep(Box::leak(Box::new(|carry: &sensock_device::Carry| KEPT.lock().unwrap().push(*carry))));
        let up = keep_up(&server, runner);
        device.record(&[TEMPERATURE.is(1.0)]).unwrap();
        device.drain().await;
        up.abort();
        // It resets without another word: what was kept is what there is.
        let kept = *KEPT.lock().unwrap().last().unwrap();
        assert_eq!((kept.boot, kept.tag.0), (number, 70 + u64::from(number)));
        boot = Boot::Woke(kept);
    }
    let said: Vec<_> = server.desk().hellos.iter().map(|h| (h.own_tags()[0].0, h.earlier_tag().0)).collect();
    assert_eq!(said, [(0, 0), (0, 75), (0, 76)]);
}
