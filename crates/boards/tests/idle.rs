//! A board that has nothing to do sleeps: connected, with a record a second, it takes little of the computer's time.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use sensock_boards::bench::Bench;
use sensock_boards::board::{Board, Options};
use sensock_boards::images::image_or_skip;
use sensock_testkit::require::announce;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);
/// How long it is watched, and how much of that it may use. An executor that spins would use all.
const WATCHED: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(1);

#[test]
fn a_connected_board_sleeps_between_samples() {
    std::thread::scope(|scope| {
        for board in Board::ALL {
            scope.spawn(move || idle(board));
        }
    });
}

fn idle(board: Board) {
    let Some(image) = image_or_skip(board, "node", "idle boards") else { return };
    let bench = Bench::start(board, &image, Options::default()).unwrap();
    // One record a second is how the firmware starts; with the third one all that a start needs is over.
    bench.stored.until_record(2, PATIENCE).unwrap();
    let (from, before) =
        (bench.machine.cpu_time().unwrap(), bench.stored.mark(sensock::Lane::Readings).unwrap());
    // A window of the computer's time is what is measured here; nothing is waited for.
    std::thread::sleep(WATCHED);
    let used = bench.machine.cpu_time().unwrap() - from;
    bench.stored.until_record(before.n() + 3, PATIENCE).unwrap();
    announce(&format!(
        "{}: idle and connected, {} ms of {} s",
        board.id(),
        used.as_millis(),
        WATCHED.as_secs()
    ));
    assert!(used < LIMIT, "{} used {used:?} of {WATCHED:?}", board.id());
}
