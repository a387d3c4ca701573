//! Timeline 8: what was dropped while it was in flight is stored if the server got it: never stored and gapped.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn the_server_subtracts_and_nothing_is_both_stored_and_in_a_gap() {
    let (mut w, board, _) = connected(Memory::Boot);
    w.hold_commits(SERVER, true);
    sample(&mut w, board, 900, 1_000);
    w.hold_commits(SERVER, false);
    w.run_ms(5_000);
    let report = w.check(board);
    assert_eq!(report.waiting, 0, "{}", w.trace());
    assert!(report.in_gaps > 0 && report.stored > 0, "{report:?}");
    assert_eq!(report.stored + report.in_gaps, 900);
}
