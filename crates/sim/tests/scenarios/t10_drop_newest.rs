//! Timeline 10: drop-newest in a full outbox: one gap that absorbs, not a gap for each record that finds no room.

use crate::help::*;
use sensock::device::Policy;
use sensock_sim::{Memory, World};

#[test]
fn a_flickering_outbox_makes_few_gaps_and_each_counts_exactly() {
    let mut w = World::new();
    let board = w.board_off("cellar-3", Memory::Boot);
    w.tune(board, |t| *t.policy = Policy::DropNewest);
    w.power_on(board);
    w.dial(board, SERVER);
    w.run_ms(100);
    for _ in 0..6 {
        w.hold_commits(SERVER, true);
        sample(&mut w, board, 700, 100);
        w.hold_commits(SERVER, false);
        w.run_ms(30);
    }
    w.run_ms(5_000);
    w.record(board, 1.0);
    w.run_ms(2_000);
    let report = w.check(board);
    assert_eq!(report.waiting, 0, "{report:?} {}", w.trace());
    let gaps = w.gaps(board, READINGS);
    assert!(!gaps.is_empty() && gaps.len() <= 7, "{} gaps", gaps.len());
    assert_eq!(gaps.iter().map(|g| g.count.unwrap()).sum::<u64>(), report.in_gaps as u64);
}
