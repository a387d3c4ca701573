//! Timeline 6: a reboot with records in memory: nobody knows how many, and the gap says "unknown" unless the boot ended in order.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn the_tail_of_a_dead_boot_is_one_gap_of_unknown_length() {
    let (mut w, board, link) = connected(Memory::Boot);
    sample(&mut w, board, 50, 100);
    w.run_ms(500);
    w.cut(link);
    sample(&mut w, board, 30, 100);
    w.power_off(board);
    w.power_on(board);
    w.dial(board, SERVER);
    w.run_ms(500);
    let report = w.check(board);
    assert_eq!((report.stored, report.in_gaps), (50, 30), "{}", w.trace());
    let gaps = w.gaps(board, READINGS);
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].cause, gaps[0].count), (sensock::Cause::Power, None));
    assert_eq!(
        gaps[0].first,
        sensock::Position::new(1, 50),
        "it begins after everything that was acknowledged"
    );
}

#[test]
fn a_boot_that_ended_in_order_leaves_no_gap() {
    let (mut w, board, _) = connected(Memory::Boot);
    sample(&mut w, board, 50, 100);
    w.sleep(board, 60_000, true);
    w.run_ms(500);
    w.power_off(board);
    w.run_ms(60_000);
    w.power_on(board);
    w.dial(board, SERVER);
    w.run_ms(500);
    sample(&mut w, board, 5, 100);
    all_stored(&w, board);
    assert!(w.all_gaps(board).is_empty(), "{:?}", w.all_gaps(board));
}
