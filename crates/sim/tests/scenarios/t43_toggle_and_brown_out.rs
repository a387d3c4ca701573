//! Timeline 43: the relay's inrush browns the board out after it switched: the command never runs twice, and the caller hears "unknown".

use crate::help::*;
use sensock::catalog::Policy;
use sensock_sim::Memory;
use sensock_store::CommandState;

fn brown_out(memory: Memory, policy: Policy) -> (Vec<u32>, CommandState) {
    let (mut w, board, _) = connected(memory);
    w.tune(board, |t| *t.hangs = true);
    let row = w.new_command(board, if policy == Policy::Once { 1 } else { 2 }, policy, 600_000);
    w.command(SERVER, row);
    w.run_ms(200);
    assert_eq!(w.ran(board), [1], "{}", w.trace());
    w.power_off(board);
    w.tune(board, |t| *t.hangs = false);
    w.power_on(board);
    w.dial(board, SERVER);
    w.run_ms(1_000);
    w.check(board);
    (w.ran(board), w.commands(board)[0].state)
}

#[test]
fn once_with_memory_is_unknown_and_ran_once() {
    assert_eq!(brown_out(Memory::Boot, Policy::Once), (vec![1], CommandState::Unknown));
}

#[test]
fn once_without_memory_is_unknown_and_ran_once() {
    assert_eq!(brown_out(Memory::None, Policy::Once), (vec![1], CommandState::Unknown));
}

#[test]
fn idempotent_without_memory_runs_again_and_is_done() {
    assert_eq!(brown_out(Memory::None, Policy::Idempotent), (vec![1, 1], CommandState::Done));
}

#[test]
fn a_command_that_was_not_begun_is_sent_again_if_memory_proves_it() {
    let (mut w, board, link) = connected(Memory::Boot);
    w.one_way(link, false, true);
    let row = w.new_command(board, 1, Policy::Once, 600_000);
    w.command(SERVER, row);
    w.run_ms(200);
    assert!(w.ran(board).is_empty());
    assert!(matches!(w.commands(board)[0].state, CommandState::Sent(_)));
    w.power_off(board);
    w.power_on(board);
    w.dial(board, SERVER);
    w.run_ms(1_000);
    assert_eq!((w.ran(board), w.commands(board)[0].state), (vec![1], CommandState::Done), "{}", w.trace());
}
