//! Timeline 33: fifty commands for a board with few slots: none is lost, none overruns it.

use crate::help::*;
use sensock::catalog::Policy;
use sensock_sim::Memory;
use sensock_store::CommandState;

#[test]
fn fifty_commands_run_once_each_in_order() {
    let (mut w, board, _) = connected(Memory::Boot);
    for _ in 0..50 {
        let row = w.new_command(board, 1, Policy::Once, 600_000);
        w.command(SERVER, row);
        w.run_ms(1);
    }
    w.run_ms(20_000);
    assert_eq!(w.ran(board), (1..=50).collect::<Vec<u32>>(), "{}", w.trace());
    assert!(w.commands(board).iter().all(|c| c.state == CommandState::Done));
    w.check(board);
}
