//! Timeline 11: records that outlive their time expire from the head only: the floor rises, one gap, cause expired.

use crate::help::*;
use sensock_sim::{Memory, World};

#[test]
fn expiry_is_one_gap_from_the_head() {
    let mut w = World::new();
    let board = w.board_off("cellar-3", Memory::Boot);
    w.tune(board, |t| *t.ttl_ms = 60_000);
    w.power_on(board);
    let link = w.dial(board, SERVER);
    w.run_ms(100);
    sample(&mut w, board, 5, 1_000);
    w.cut(link);
    sample(&mut w, board, 100, 1_000);
    w.dial(board, SERVER);
    w.run_ms(500);
    let report = w.check(board);
    assert_eq!(report.waiting, 0, "{}", w.trace());
    let gaps = w.gaps(board, READINGS);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(gaps[0].cause, sensock::Cause::Expired);
    assert!((39..=41).contains(&gaps[0].count.unwrap()), "{gaps:?}");
}
