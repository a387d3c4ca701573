//! Timeline 49: ten set-points for a sleeper: the newest is delivered, the others say so, unless each was to be kept.

use crate::help::*;
use sensock::catalog::Policy;
use sensock_sim::{Memory, World};
use sensock_store::CommandState;

#[test]
fn waiting_commands_of_one_key_collapse_into_the_newest() {
    let mut w = World::new();
    let board = w.board("cellar-3", Memory::Boot);
    let link = w.dial(board, SERVER);
    w.run_ms(100);
    w.cut(link);
    for _ in 0..10 {
        let mut row = w.new_command(board, 2, Policy::Idempotent, 3_600_000);
        row.keep_all = false;
        w.command(SERVER, row);
        w.run_ms(50);
    }
    w.dial(board, SERVER);
    w.run_ms(1_000);
    assert_eq!(w.ran(board), [10], "{}", w.trace());
    let undeliverable = w.commands(board).iter().filter(|c| c.state == CommandState::Undeliverable).count();
    assert_eq!(undeliverable, 9);
}

#[test]
fn settings_reach_a_sleeper_and_only_the_latest_counts() {
    let (mut w, board, link) = connected(Memory::Boot);
    w.cut(link);
    for seconds in [10u8, 20, 30] {
        w.set(SERVER, board, 1, vec![seconds]);
        w.run_ms(50);
    }
    w.dial(board, SERVER);
    w.run_ms(1_000);
    assert_eq!(w.settings(board), [(1, 3)], "{}", w.trace());
    w.check(board);
}
