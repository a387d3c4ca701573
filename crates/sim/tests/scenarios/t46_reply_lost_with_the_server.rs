//! Timeline 46: the server that got the answer dies before it stored it: the answer is a record, and comes again.

use crate::help::*;
use sensock::catalog::Policy;
use sensock_sim::{Crash, Memory};
use sensock_store::CommandState;

#[test]
fn an_answer_is_a_record_and_survives_the_server() {
    for crash in [Crash::Before, Crash::AfterCommit] {
        let (mut w, board, _) = connected(Memory::Boot);
        w.tune(board, |t| *t.hangs = true);
        let row = w.new_command(board, 1, Policy::Once, 600_000);
        w.command(SERVER, row);
        w.run_ms(100);
        w.crash_in_commit(SERVER, crash);
        w.tune(board, |t| *t.hangs = false);
        w.run_ms(1_000);
        assert!(!w.is_up(SERVER), "{}", w.trace());
        w.restart(SERVER);
        w.dial(board, SERVER);
        w.run_ms(1_000);
        assert_eq!(w.ran(board), [1]);
        assert_eq!(w.commands(board)[0].state, CommandState::Done, "{crash:?}\n{}", w.trace());
        assert_eq!(w.commands(board)[0].answer, [1]);
        w.check(board);
    }
}
