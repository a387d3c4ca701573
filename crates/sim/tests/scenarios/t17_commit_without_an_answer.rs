//! Timeline 17: the commit was applied but its answer was lost: nothing is acknowledged until it was run again.

use crate::help::*;
use sensock_sim::Memory;
use sensock_store::Failure;
use sensock_store::memory::Point;

#[test]
fn an_unknown_outcome_is_run_again_and_stored_once() {
    let (mut w, board, _) = connected(Memory::Boot);
    for _ in 0..10 {
        w.store.fail_next(Point::Committed, Failure::Retry);
        sample(&mut w, board, 20, 10);
        w.run_ms(200);
    }
    w.run_ms(1_000);
    all_stored(&w, board);
    assert!(w.all_gaps(board).is_empty(), "{:?}", w.all_gaps(board));
}
