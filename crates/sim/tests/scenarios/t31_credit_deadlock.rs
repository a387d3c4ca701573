//! Timeline 31: the credit that is left is smaller than the next frame: a lane with nothing outstanding may send it all the same.

use crate::help::*;
use sensock_sim::{Memory, World};

#[test]
fn a_window_below_a_frame_does_not_stop_a_lane() {
    let mut w = World::new();
    w.window(SERVER, 7, 40);
    let board = w.board("cellar-3", Memory::Boot);
    sample(&mut w, board, 200, 100);
    w.dial(board, SERVER);
    w.run_ms(60_000);
    all_stored(&w, board);
    assert!(w.is_drained(board, READINGS), "{}", w.trace());
}
