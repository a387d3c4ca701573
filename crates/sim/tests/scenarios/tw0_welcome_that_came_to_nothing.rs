//! Rule W: Welcome is a proposal. Its marks have the dropped subtracted already, but nothing of that is written before the device proved itself: if
//! its proof is lost, the next Hello must say again what was dropped, and why.

use crate::help::*;
use sensock::Cause;
use sensock_sim::Memory;

#[test]
fn what_a_lost_handshake_proposed_was_not_acknowledged_by_anyone() {
    let (mut w, board, link) = connected(Memory::Boot);
    sample(&mut w, board, 3, 100);
    w.cut(link);
    // Away for so long that the oldest are dropped.
    sample(&mut w, board, 900, 1_000);
    let link = w.dial(board, SERVER);
    w.run_ms(7);
    // Hello is there, Welcome on its way: the proof will not arrive.
    w.one_way(link, true, false);
    w.run_ms(100);
    assert!(w.is_live(board), "it has heard Welcome\n{}", w.trace());
    w.cut(link);
    w.dial(board, SERVER);
    w.run_ms(5_000);
    let report = w.check(board);
    assert_eq!(report.waiting, 0, "{}", w.trace());
    let causes: Vec<Cause> = w.all_gaps(board).iter().map(|gap| gap.cause).collect();
    assert_eq!(causes, [Cause::Overflow], "{}", w.trace());
    assert_eq!(report.stored + report.in_gaps, 903);
}
