//! Timeline 47: "open the valve, valid for 5 s" sits in a half-open link: it is answered "expired" and not run.

use crate::help::*;
use sensock::catalog::Policy;
use sensock_sim::{Memory, World};
use sensock_store::CommandState;

#[test]
fn a_command_past_its_time_is_not_run() {
    let mut w = World::new();
    w.delays = (5_000, 8_000_000);
    let board = w.board("cellar-3", Memory::Boot);
    w.dial(board, SERVER);
    w.run_ms(9_000);
    assert!(w.is_live(board), "{}", w.trace());
    let row = w.new_command(board, 1, Policy::Once, 5_000);
    w.command(SERVER, row);
    w.run_ms(20_000);
    assert!(w.ran(board).is_empty(), "{}", w.trace());
    assert_eq!(w.commands(board)[0].state, CommandState::Expired, "{}", w.trace());
}
