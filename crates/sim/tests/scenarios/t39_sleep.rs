//! Timeline 39: a sleeper hears how much waits for it, gets its commands at the next wake, and ends in order.

use crate::help::*;
use sensock::catalog::Policy;
use sensock_sim::Memory;
use sensock_store::CommandState;

#[test]
fn a_command_for_a_sleeper_runs_at_the_next_wake() {
    let (mut w, board, _) = connected(Memory::Boot);
    w.record(board, 1.0);
    w.run_ms(100);
    w.sleep(board, 300_000, true);
    w.run_ms(200);
    assert!(!w.is_live(board), "the server's Bye ended it\n{}", w.trace());
    w.power_off(board);
    let row = w.new_command(board, 2, Policy::Idempotent, 3_600_000);
    w.command(SERVER, row);
    w.run_ms(300_000);
    assert_eq!(w.commands(board)[0].state, CommandState::Queued);
    w.power_on(board);
    w.dial(board, SERVER);
    w.run_ms(200);
    assert_eq!(w.ran(board), [1]);
    assert_eq!(w.commands(board)[0].state, CommandState::Done, "{}", w.trace());
    assert!(w.all_gaps(board).is_empty());
}

/// On its way when the device says Sleep, stored as sent just then, or made when the Bye is out: it runs once, and its answer is stored.
#[test]
fn a_command_made_in_any_moment_of_leaving_runs_once() {
    let mut before = 0;
    for ms in 0..80 {
        let (mut w, board, _) = connected(Memory::Boot);
        w.delays = (17_000, 11_000);
        let link = w.dial(board, SERVER);
        w.run_ms(200);
        w.record(board, 1.0);
        w.sleep(board, 300_000, true);
        w.run_ms(ms);
        let row = w.new_command(board, 2, Policy::Once, 3_600_000);
        w.command(SERVER, row);
        w.run_ms(400);
        assert!(!w.is_live(board), "it left in the end, link {link:?}\n{}", w.trace());
        before += w.ran(board).len();
        w.power_off(board);
        w.run_ms(300_000);
        w.power_on(board);
        w.dial(board, SERVER);
        w.run_ms(400);
        assert_eq!(w.ran(board), [1], "{ms}\n{}", w.trace());
        assert_eq!(w.commands(board)[0].state, CommandState::Done, "{ms}\n{}", w.trace());
        assert!(w.all_gaps(board).is_empty(), "{ms}\n{}", w.trace());
    }
    assert!((10..70).contains(&before), "both ways were seen: {before} of 80 ran before it left");
}
