//! Timeline 51: an uplink queue of four seconds, a crystal 180 ppm off, a day: the true time never leaves the stored bounds.

use crate::help::*;
use sensock_sim::{Memory, World};

#[test]
fn the_true_time_lies_within_hard_bounds() {
    for ppm in [-180, 0, 180] {
        let mut w = World::new();
        let board = w.board_off("cellar-3", Memory::Boot);
        w.tune(board, |t| *t.ppm = ppm);
        w.power_on(board);
        w.run_ms(5_000);
        w.delays = (4_000_000, 2_000);
        let link = w.dial(board, SERVER);
        w.run_ms(5_000);
        for _ in 0..24 {
            sample(&mut w, board, 10, 360_000);
        }
        w.run_ms(10_000);
        all_stored(&w, board);
        // Six hours without a link: bounds widen, and still hold.
        w.cut(link);
        sample(&mut w, board, 60, 360_000);
        w.delays = (2_000, 2_000);
        w.dial(board, SERVER);
        w.run_ms(10_000);
        all_stored(&w, board);
    }
}
