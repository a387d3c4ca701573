//! Timeline 9: keep-latest overwrites at random; what is overwritten is superseded, not lost, and a framed value never changes.

use crate::help::*;
use sensock::device::Policy;
use sensock_sim::{Memory, World};

#[test]
fn only_the_latest_waits_and_there_is_no_gap() {
    let mut w = World::new();
    let board = w.board_off("cellar-3", Memory::Boot);
    w.tune(board, |t| *t.policy = Policy::KeepLatest);
    w.power_on(board);
    sample(&mut w, board, 200, 1_000);
    let link = w.dial(board, SERVER);
    w.run_ms(500);
    let rows = w.rows(board, READINGS);
    assert_eq!(rows.len(), 1, "{}", w.trace());
    assert_eq!(rows[0].1.iter().find(|r| r.quantity == 1).unwrap().raw, 1_990);
    // Framed, not committed, overwritten meanwhile: the old position keeps its value, the new value gets a new one.
    w.hold_commits(SERVER, true);
    w.record(board, 1.0);
    w.run_ms(50);
    w.record(board, 2.0);
    w.cut(link);
    w.hold_commits(SERVER, false);
    w.run_ms(100);
    w.dial(board, SERVER);
    w.run_ms(1_000);
    let raws: Vec<i32> = w
        .rows(board, READINGS)
        .iter()
        .map(|(_, r)| r.iter().find(|r| r.quantity == 1).unwrap().raw)
        .collect();
    assert_eq!(raws, [1_990, 100, 200], "{}", w.trace());
    assert!(w.gaps(board, READINGS).is_empty());
}
