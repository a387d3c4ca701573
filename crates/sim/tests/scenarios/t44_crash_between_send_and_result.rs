//! Timeline 44: the server dies after it sent a command: the row says so, nothing expires that may have run.

use crate::help::*;
use sensock::catalog::Policy;
use sensock_sim::Memory;
use sensock_store::CommandState;

#[test]
fn a_sent_command_is_settled_by_the_device_not_by_the_clock() {
    let (mut w, board, _) = connected(Memory::Boot);
    w.tune(board, |t| *t.hangs = true);
    let row = w.new_command(board, 1, Policy::Once, 2_000);
    w.command(SERVER, row);
    w.run_ms(100);
    assert_eq!(w.ran(board), [1]);
    w.crash(SERVER);
    w.run_ms(10_000);
    w.restart(SERVER);
    w.tune(board, |t| *t.hangs = false);
    assert!(
        matches!(w.commands(board)[0].state, CommandState::Sent(_)),
        "past its deadline, but it may have run"
    );
    w.dial(board, SERVER);
    w.run_ms(1_000);
    assert_eq!(w.ran(board), [1], "never twice");
    assert_eq!(w.commands(board)[0].state, CommandState::Done, "{}", w.trace());
}
