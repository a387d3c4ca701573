//! While the server is slow and then away for a minute, the board samples on time; but for the multiplications of a handshake, which hold up all
//! that shares their executor: one as the board waits to dial again, one as the server answers. What has to be sampled to the millisecond then is
//! sampled in an interrupt, as the logger does.
//!
//! Guest time is counted in instructions here, and in sleeps of the length that was asked for, so that the figures are the firmware's own and
//! not those of a busy computer.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use anyhow::{Context as _, Result};
use sensock_boards::bench::Bench;
use sensock_boards::board::{Board, Options};
use sensock_boards::images::image_or_skip;
use sensock_boards::stored::wait;
use sensock_testkit::proxy::{Flow, Line};
use sensock_testkit::require::announce;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(180);
/// Between two samples. Whatever the outbox cannot hold after a minute falls out at its end: that must not take long either.
const INTERVAL_MS: u64 = 20;
/// How long the server takes nothing and then little, and how long it is away.
const SLOW: Duration = Duration::from_secs(5);
const AWAY: Duration = Duration::from_secs(60);
/// The latest that a sample may be while the connection lasts; where there may be a handshake, behind the longest of what that does at a stretch.
const LIMIT_US: u32 = 10_000;

/// Instructions of that: `tests/sealed.rs` has the figures of today.
const fn stretch(board: Board) -> u32 {
    match board {
        Board::Mps2 => 2_500_000,
        Board::Virt => 5_000_000,
        Board::Lx106 => 18_000_000,
    }
}

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
        .ask(&["setting", board.id(), "interval-ms", &INTERVAL_MS.to_string(), "--wait", "100s"])
        .unwrap();
    bench.stored.until_applied("interval-ms", PATIENCE).unwrap();
    let handshake = late(&bench, board, "start").unwrap();
    let mark = bench.stored.mark(sensock::Lane::Readings).unwrap().n();
    bench.stored.until_record(mark + 200, PATIENCE).unwrap();
    let connected = late(&bench, board, "connected").unwrap();

    let before = clock(&bench).unwrap();
    let made = |guest: Duration| u32::try_from(guest.as_millis() as u64 / INTERVAL_MS).unwrap();
    // A server that takes nothing at all, then one that takes 200 bytes a second of 500 to 700 that come, then none.
    let mark = bench.stored.mark(sensock::Lane::Readings).unwrap().n();
    bench.proxy.set(Line::perfect().flowing(Flow::Stall));
    std::thread::sleep(SLOW);
    bench.proxy.heal();
    let stalled = late(&bench, board, "stalled").unwrap();
    bench.proxy.set(Line::perfect().dripping(200));
    std::thread::sleep(SLOW);
    bench.proxy.heal();
    let slow = late(&bench, board, "slow").unwrap();
    bench.proxy.refuse(true);
    bench.proxy.cut();
    std::thread::sleep(AWAY);
    bench.proxy.refuse(false);
    // What it made meanwhile is stored or accounted for: it never stopped.
    bench.stored.until_record(mark + made(2 * SLOW + AWAY), PATIENCE).unwrap();
    let guest = clock(&bench).unwrap() - before;
    let away = late(&bench, board, "away").unwrap();
    announce(&format!(
        "{}: worst lateness of a sample in us: {handshake} from power-on through the first handshake, {connected} connected, {stalled} with a server \
         that takes nothing, {slow} with a slow one, {away} with none for {} s; {} s of guest time at {} ns an instruction",
        board.id(),
        AWAY.as_secs(),
        guest / 1_000,
        1 << board.shift(),
    ));
    assert!(guest / 1_000 >= (2 * SLOW + AWAY).as_secs(), "only {guest} ms passed in the machine");
    let with_handshake = LIMIT_US + ((stretch(board) / 1_000) << board.shift());
    for (us, limit) in [
        (handshake, with_handshake),
        (connected, LIMIT_US),
        // A line on which nothing moves is given up after two and a half pings, and dialled anew.
        (stalled, with_handshake),
        (slow, with_handshake),
        (away, with_handshake),
    ] {
        assert!(us <= limit, "{}: a sample was {us} us late, {limit} are allowed", board.id());
    }
}

/// Asks for the worst lateness since it was last asked for, in microseconds.
fn late(bench: &Bench, board: Board, key: &str) -> Result<u32> {
    let said = bench.daemon.ask(&["command", board.id(), "late", "--key", key, "--wait", "170s"])?;
    let number = said.trim().rsplit(' ').next().and_then(|word| word.parse().ok());
    number.with_context(|| format!("no number at the end of {said:?}"))
}

/// The device's clock at the newest record, in milliseconds.
fn clock(bench: &Bench) -> Result<u64> {
    let mut tick = None;
    wait(PATIENCE, || {
        let kept = bench.stored.kept()?;
        tick = kept.records.last().and_then(|rows| rows.first()).map(|row| row.tick.0);
        Ok(tick.is_some())
    })?;
    tick.context("nothing is stored")
}
