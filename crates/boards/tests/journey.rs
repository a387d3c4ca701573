//! Five thousand records of each board reach the store once and in order, while the line is cut ten times and the server restarts twice.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says no by panicking")]

use sensock::Lane;
use sensock_boards::bench::Bench;
use sensock_boards::board::{Board, Options};
use sensock_boards::check;
use sensock_boards::images::image_or_skip;
use sensock_boards::recording;
use sensock_boards::stored::wait;
use sensock_store::CommandState;
use sensock_testkit::effort;
use sensock_testkit::proxy::Way;
use sensock_testkit::require::announce;
use std::time::{Duration, Instant};

/// Even on a computer that does much else.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two records: 5,000 take 50 s, and the outbox holds what an outage of some seconds makes.
const INTERVAL_MS: u32 = 10;

/// What happens to the line or to the server.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Reset in the middle of whatever is said.
    Cut,
    /// Closed in order, by nobody who has a right to.
    Close,
    /// Reset when so many bytes more have passed from the board.
    CutAfter(u64),
    /// Everything is swallowed, in both directions, until the board gives up and dials again.
    HalfOpen,
    /// Nobody answers, and meanwhile the LED is to be switched.
    Away,
    /// The server is killed, and starts again.
    Kill,
    /// The server is asked to end, and starts again.
    Stop,
}

use Fault::{Away, Close, Cut, CutAfter, HalfOpen, Kill, Stop};

/// The line is lost ten times by itself, and twice with the server.
const FAULTS: [Fault; 12] =
    [Cut, Away, Close, CutAfter(300), Kill, Cut, HalfOpen, Away, Stop, CutAfter(17), Close, Away];

#[test]
fn mps2_loses_nothing() {
    journey(Board::Mps2);
}

#[test]
fn virt_loses_nothing() {
    journey(Board::Virt);
}

#[test]
fn lx106_loses_nothing() {
    journey(Board::Lx106);
}

/// In its long form 50,000 records and 120 faults.
#[test]
#[ignore = "a proof: cargo xtask prove"]
fn prove_boards_lose_nothing() {
    let rounds = effort::size(1, 10);
    std::thread::scope(|scope| {
        for board in Board::ALL {
            scope.spawn(move || rounds_of(board, rounds));
        }
    });
}

fn journey(board: Board) {
    rounds_of(board, 1);
}

fn rounds_of(board: Board, rounds: u32) {
    let Some(image) = image_or_skip(board, "node", "the boards' journey") else { return };
    let began = Instant::now();
    let mut bench = Bench::start(board, &image, Options::default()).unwrap();
    bench.machine.console().wait_for("node ", PATIENCE).unwrap();
    bench.stored.until_record(0, PATIENCE).unwrap();
    let interval = INTERVAL_MS.to_string();
    bench.daemon.ask(&["setting", board.id(), "interval-ms", &interval, "--wait", "100s"]).unwrap();
    bench.stored.until_applied("interval-ms", PATIENCE).unwrap();

    let (each, faults) = (400, FAULTS.len() as u32);
    let mut switched = 0;
    for round in 0..rounds {
        for (fault, n) in FAULTS.iter().zip(1..) {
            bench.stored.until_record((round * faults + n) * each, PATIENCE).unwrap();
            suffer(&mut bench, board, *fault, &mut switched);
        }
    }
    let read_now = bench.daemon.ask(&["command", board.id(), "read-now", "--wait", "60s"]).unwrap();
    assert!(read_now.contains("is done"), "{read_now}");
    bench.stored.until_record(rounds * (faults * each + 200), PATIENCE).unwrap();
    verdict(&mut bench, board, switched, began);
}

/// Lets a fault happen, and the board come back.
fn suffer(bench: &mut Bench, board: Board, fault: Fault, switched: &mut u32) {
    let before = bench.proxy.accepted();
    let proxy = &bench.proxy;
    match fault {
        Cut => assert_eq!(proxy.cut(), 1, "a board has one connection"),
        Close => assert_eq!(proxy.close(), 1, "a board has one connection"),
        CutAfter(bytes) => proxy.cut_after(Way::Up, Some(bytes)),
        HalfOpen => {
            proxy.half_open();
            wait(PATIENCE, || Ok(proxy.accepted() > before)).unwrap();
            proxy.heal();
            proxy.cut();
        }
        Away => {
            proxy.refuse(true);
            proxy.cut();
            switch_led(bench, board, switched);
        }
        Kill => {
            bench.daemon.kill().unwrap();
            bench.daemon.start().unwrap();
        }
        Stop => {
            bench.daemon.stop().unwrap();
            bench.daemon.start().unwrap();
        }
    }
    // It dials again, and something of what it made meanwhile is stored.
    let proxy = &bench.proxy;
    wait(PATIENCE, || Ok(proxy.accepted() > before)).unwrap();
}

/// Orders the LED on or off while the board is away; the order is carried out when it is back.
fn switch_led(bench: &mut Bench, board: Board, switched: &mut u32) {
    let (on, key) = (switched.is_multiple_of(2), format!("led-{switched}"));
    let order =
        ["command", board.id(), "led", if on { "on" } else { "off" }, "--key", &key, "--wait", "100s"];
    let mut order = bench.daemon.ask_later(&order).unwrap();
    let row = bench.stored.until_command(&key, PATIENCE, |_| true).unwrap();
    assert_eq!(row.state, CommandState::Queued, "the board is away");
    bench.proxy.refuse(false);
    let row = bench.stored.until_command(&key, PATIENCE, |row| row.state.is_settled()).unwrap();
    assert_eq!((row.state, row.answer), (CommandState::Done, vec![u8::from(on)]), "{key}");
    assert!(order.wait(PATIENCE).unwrap().success(), "{:?}", order.rest());
    *switched += 1;
}

fn verdict(bench: &mut Bench, board: Board, switched: u32, began: Instant) {
    let kept = bench.stored.kept().unwrap();
    let faults = check::whole(&kept, &recording::rows().unwrap());
    assert!(
        faults.is_empty(),
        "{}: {} records stored\n{}",
        board.id(),
        kept.records.len(),
        faults.join("\n")
    );
    assert!(kept.records.len() >= 5_000, "{} records", kept.records.len());
    assert_eq!(bench.stored.quarantine().unwrap(), []);
    assert_eq!(bench.stored.boots().unwrap().len(), 1, "the board ran through");
    let commands = bench.stored.commands().unwrap();
    assert!(commands.iter().all(|row| row.state == CommandState::Done), "{commands:?}");
    // The firmware says each time that it switches.
    bench.machine.cut_power().unwrap();
    let console = bench.machine.console().rest();
    let seen: Vec<&str> =
        console.iter().map(|line| line.text.as_str()).filter(|line| line.starts_with("led ")).collect();
    let ordered: Vec<&str> =
        (0..switched).map(|n: u32| if n.is_multiple_of(2) { "led on" } else { "led off" }).collect();
    assert_eq!(seen, ordered, "each order was carried out once");
    announce(&format!(
        "{}: {} records stored once and in order through {} connections, {switched} orders while away carried out once, up to {} in {:.0} s",
        board.id(),
        kept.records.len(),
        bench.stored.connections().unwrap().len(),
        bench.stored.mark(Lane::Readings).unwrap(),
        began.elapsed().as_secs_f64(),
    ));
}
