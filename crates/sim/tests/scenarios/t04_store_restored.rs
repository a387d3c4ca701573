//! Timeline 4: the store is restored from a backup: what devices have freed is gone, and a gap says so.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn what_was_acknowledged_and_is_gone_becomes_a_gap_of_cause_store() {
    let (mut w, board, link) = connected(Memory::Boot);
    sample(&mut w, board, 300, 100);
    w.run_ms(500);
    let backup = w.store.snapshot();
    sample(&mut w, board, 200, 100);
    w.run_ms(500);
    w.cut(link);
    w.store.restore(&backup);
    sample(&mut w, board, 50, 100);
    w.dial(board, SERVER);
    w.run_ms(1_000);
    let report = w.check(board);
    assert_eq!((report.stored, report.in_gaps), (350, 200), "{}", w.trace());
    let gaps = w.gaps(board, READINGS);
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].cause, gaps[0].count), (sensock::Cause::Store, Some(200)));
    assert!(gaps[0].detail.contains("restored from a backup"), "{}", gaps[0].detail);
}
