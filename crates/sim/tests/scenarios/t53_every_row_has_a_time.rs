//! Timeline 53: the first exchange precedes all data, so every row of a live boot is committed with both bounds, and never rewritten.

use crate::help::*;
use sensock_sim::{Memory, World};

#[test]
fn records_made_before_the_first_connection_have_both_bounds() {
    let mut w = World::new();
    let board = w.board("cellar-3", Memory::None);
    sample(&mut w, board, 50, 10_000);
    w.dial(board, SERVER);
    w.run_ms(1_000);
    all_stored(&w, board);
    let before = w.rows(board, READINGS);
    assert!(before.iter().all(|(_, r)| r.iter().all(|r| r.not_before_us.is_some())));
    w.run_ms(600_000);
    assert_eq!(w.rows(board, READINGS), before, "a committed time is never changed");
}
