//! While the server is slow and then away for a minute, and while a handshake multiplies for half a second, the board samples on time: an
//! interrupt takes each sample, and nothing masks interrupts for long. How long a sample then waits for its record is printed.
//!
//! Guest time is counted in instructions here, and in sleeps of the length that was asked for, so that the figures are the firmware's own and
//! not those of a busy computer. Nothing here depends on how fast that is: what is waited for comes however late, and a connection that a slow
//! computer loses is one more handshake, during which the same holds.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use anyhow::{Context as _, Result};
use sensock_boards::bench::Bench;
use sensock_boards::board::{Board, Options};
use sensock_boards::images::image_or_skip;
use sensock_boards::stored::wait;
use sensock_testkit::proxy::{Flow, Line};
use sensock_testkit::require::announce;
use std::time::Duration;

/// Ends a test that hangs; nothing that passes is measured by it.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two samples. Whatever the outbox cannot hold after a minute falls out at its end: that must not take long either.
const INTERVAL_MS: u64 = 20;
/// The quantity by which a board says that samples were lost before they were recorded.
const MISSED: u16 = 3;
/// How long the server takes nothing and then little, and how long it is away.
const SLOW: Duration = Duration::from_secs(5);
const AWAY: Duration = Duration::from_secs(60);
/// The latest that a sample may be taken, whatever happens.
const LIMIT_US: u32 = 10_000;

#[test]
fn sampling_waits_for_nobody() {
    std::thread::scope(|scope| {
        for board in Board::ALL {
            scope.spawn(move || jitter(board));
        }
    });
}

fn jitter(board: Board) {
    let Some(image) = image_or_skip(board, "counted", "the boards' jitter") else { return };
    let options = Options { shift: Some(board.shift()), ..Options::default() };
    let bench = Bench::start(board, &image, options).unwrap();
    bench.stored.until_record(0, PATIENCE).unwrap();
    bench
        .daemon
        .ask(&["setting", board.id(), "interval-ms", &INTERVAL_MS.to_string(), "--wait", "290s"])
        .unwrap();
    bench.stored.until_applied("interval-ms", PATIENCE).unwrap();
    let start = worst(&bench, board, "start").unwrap();
    let mark = bench.stored.mark(sensock::Lane::Readings).unwrap().n();
    bench.stored.until_record(mark + 200, PATIENCE).unwrap();
    let connected = worst(&bench, board, "connected").unwrap();

    let before = newest(&bench, 0).unwrap();
    // A server that takes nothing at all, then one that takes 200 bytes a second of 500 to 700 that come, then none.
    bench.proxy.set(Line::perfect().flowing(Flow::Stall));
    std::thread::sleep(SLOW);
    bench.proxy.heal();
    let stalled = worst(&bench, board, "stalled").unwrap();
    bench.proxy.set(Line::perfect().dripping(200));
    std::thread::sleep(SLOW);
    bench.proxy.heal();
    let slow = worst(&bench, board, "slow").unwrap();
    bench.proxy.refuse(true);
    bench.proxy.cut();
    std::thread::sleep(AWAY);
    bench.proxy.refuse(false);
    // As long in the machine: what it took meanwhile is stored or accounted for.
    let after = newest(&bench, before.tick + (2 * SLOW + AWAY).as_millis() as u64).unwrap();
    let away = worst(&bench, board, "away").unwrap();
    let phases = [
        (start, "from power-on through the first handshake"),
        (connected, "connected"),
        (stalled, "with a server that takes nothing"),
        (slow, "with a slow one"),
        (away, "with none for a minute, and the handshake after it"),
    ];
    let words = phases.map(|(worst, phase)| format!("{} ({}) {phase}", worst.late, worst.waited)).join(", ");
    announce(&format!(
        "{}: worst lateness of a sample in us, and in parentheses how long one waited for its record: {words}; {} s of guest time at {} ns an instruction",
        board.id(),
        (after.tick - before.tick) / 1_000,
        1 << board.shift(),
    ));
    for (worst, phase) in phases {
        assert!(worst.late <= LIMIT_US, "{}: {phase} a sample was {} us late", board.id(), worst.late);
    }
    // Else the last phase had no handshake in it, and says nothing.
    assert!(away.waited > LIMIT_US, "{}: no task was held up for more than {} us", board.id(), away.waited);
    // No moment of the grid was left out: positions count the samples that were taken, wherever these are now.
    let (beats, passed) = (u64::from(after.n - before.n), after.tick - before.tick);
    let off = (beats * INTERVAL_MS).abs_diff(passed);
    assert!(off <= u64::from(LIMIT_US) / 1_000 + 1, "{}: {beats} samples in {passed} ms", board.id());
}

/// What the board says of itself, in microseconds.
#[derive(Clone, Copy)]
struct Worst {
    /// How long after its time a sample was taken.
    late: u32,
    /// How long a sample that was taken waited to be recorded.
    waited: u32,
}

/// Asks for the worst since it was last asked for.
fn worst(bench: &Bench, board: Board, key: &str) -> Result<Worst> {
    let said = bench.daemon.ask(&["command", board.id(), "late", "--key", key, "--wait", "290s"])?;
    let numbers = said.trim().rsplit_once(" is ").and_then(|(_, answer)| answer.split_once(", "));
    let numbers = numbers.and_then(|(late, waited)| Some((late.parse().ok()?, waited.parse().ok()?)));
    let (late, waited) = numbers.with_context(|| format!("no two numbers at the end of {said:?}"))?;
    Ok(Worst { late, waited })
}

/// A record.
#[derive(Clone, Copy)]
struct Record {
    n: u32,
    /// The device's clock, in milliseconds.
    tick: u64,
}

/// The newest record, once there is one that was taken at `tick` or later. None of the records says that a sample was lost.
fn newest(bench: &Bench, tick: u64) -> Result<Record> {
    let mut newest = None;
    wait(PATIENCE, || {
        let kept = bench.stored.kept()?;
        for row in kept.records.iter().flatten() {
            assert!(row.quantity != MISSED, "{} samples found no room", row.raw);
        }
        let last = kept.records.last().and_then(|rows| rows.first());
        newest = last.map(|row| Record { n: row.position.n(), tick: row.tick.0 });
        Ok(newest.is_some_and(|record| record.tick >= tick))
    })?;
    newest.context("nothing is stored")
}
