//! Timeline 13: one server stalls with a batch while the device resumes on another, which stores more; then the late commit comes.

use crate::help::*;
use sensock_sim::{Memory, World};

#[test]
fn a_late_commit_on_another_server_changes_nothing() {
    let mut w = World::new();
    let second = w.host();
    let board = w.board("cellar-3", Memory::Boot);
    let link = w.dial(board, SERVER);
    w.run_ms(100);
    w.hold_commits(SERVER, true);
    sample(&mut w, board, 3, 100);
    w.run_ms(100);
    w.cut(link);
    w.dial(board, second);
    w.run_ms(100);
    sample(&mut w, board, 2, 100);
    w.run_ms(500);
    let mark = w.mark(board, READINGS);
    assert_eq!(w.rows(board, READINGS).len(), 5, "{}", w.trace());
    w.hold_commits(SERVER, false);
    w.run_ms(500);
    assert_eq!(w.mark(board, READINGS), mark, "marks never go back");
    all_stored(&w, board);
    assert!(w.all_gaps(board).is_empty());
}
