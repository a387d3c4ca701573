//! Timeline 27: the last frame is lost and nothing follows: the device asks whether the server is there, and gives up in seconds.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn unacknowledged_data_and_silence_are_noticed_within_five_seconds() {
    let (mut w, board, link) = connected(Memory::Boot);
    sample(&mut w, board, 5, 100);
    w.half_open(link);
    w.record(board, 1.0);
    w.run_ms(5_000);
    assert!(!w.is_live(board), "{}", w.trace());
    w.dial(board, SERVER);
    w.run_ms(500);
    all_stored(&w, board);
}
