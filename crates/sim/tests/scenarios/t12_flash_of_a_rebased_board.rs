//! Timelines 3 and 12: a flash image comes back after its records were stored: they move above what is stored, and so do the boots that the
//! device announces, or their catalogue would be looked for under numbers that nobody has.

use crate::help::*;
use sensock::Cause;
use sensock_sim::{Memory, World};

#[test]
fn records_of_an_old_boot_are_understood_in_the_connection_that_shifts_them() {
    let mut w = World::new();
    let board = w.board("cellar-3", Memory::Flash);
    sample(&mut w, board, 20, 100);
    w.power_off(board);
    let copy = w.clone_board(board);
    w.power_on(board);
    w.dial(board, SERVER);
    w.run_ms(1_000);
    assert_eq!(w.rows(board, READINGS).len(), 20, "{}", w.trace());
    w.power_off(board);
    w.power_on(copy);
    w.dial(copy, SERVER);
    w.run_ms(1_000);
    assert!(w.all_gaps(copy).iter().all(|g| g.cause != Cause::Rejected), "{}", w.trace());
    assert_eq!(w.rows(copy, READINGS).len(), 40, "stored twice, as a rebase says\n{}", w.trace());
}
