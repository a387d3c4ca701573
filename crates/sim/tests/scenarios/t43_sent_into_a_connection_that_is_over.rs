//! Timelines 33, 43 and 44: one server holds a half-open connection of the boot that another server holds alive. A command that it marks as
//! sent goes nowhere, and whoever sends the next one must not pass it: a device never begins a number below one that it has begun, so
//! the command would be lost without having run, and its slot taken for as long as the connection lives.

use crate::help::*;
use sensock::catalog::Policy;
use sensock_sim::{BoardId, HostId, Memory, World};
use sensock_store::CommandState;

/// A board that is half-open on one server and connected to another.
fn left_behind() -> (World, BoardId, HostId) {
    let (mut w, board, link) = connected(Memory::Boot);
    let second = w.host();
    w.half_open(link);
    w.dial(board, second);
    w.run_ms(500);
    assert!(w.is_live(board), "{}", w.trace());
    (w, board, second)
}

#[test]
fn the_next_command_does_not_pass_it() {
    let (mut w, board, second) = left_behind();
    let row = w.new_command(board, 1, Policy::Once, 60_000);
    w.command(SERVER, row);
    w.run_ms(20);
    assert!(matches!(w.commands(board)[0].state, CommandState::Sent(_)), "into the void\n{}", w.trace());
    for _ in 0..20 {
        let row = w.new_command(board, 1, Policy::Once, 60_000);
        w.command(second, row);
        w.run_ms(1);
    }
    w.run_ms(20_000);
    assert_eq!(w.ran(board), (1..=21).collect::<Vec<u32>>(), "{}", w.trace());
    assert!(w.commands(board).iter().all(|c| c.state == CommandState::Done));
}
