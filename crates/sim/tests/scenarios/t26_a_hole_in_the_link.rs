//! Timeline 26: a link that loses a frame without noticing: the hole is seen by its position, and nothing behind it is stored before it.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn a_hole_is_asked_for_again_and_order_holds() {
    let (mut w, board, link) = connected(Memory::Boot);
    for _ in 0..20 {
        sample(&mut w, board, 5, 50);
        w.one_way(link, true, false);
        w.record(board, 9.0);
        w.run_ms(10);
        w.one_way(link, false, false);
        sample(&mut w, board, 5, 50);
    }
    w.run_ms(3_000);
    all_stored(&w, board);
    assert!(w.all_gaps(board).is_empty(), "{}", w.trace());
}
