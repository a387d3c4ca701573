//! Timeline 45: more commands than anyone remembers answers of, and another server repeats those whose answers it has not seen.

use crate::help::*;
use sensock::catalog::Policy;
use sensock_sim::{Memory, World};
use sensock_store::CommandState;

#[test]
fn what_was_begun_is_never_run_again_however_long_ago() {
    let mut w = World::new();
    let second = w.host();
    let board = w.board("cellar-3", Memory::Boot);
    let mut link = w.dial(board, SERVER);
    w.run_ms(100);
    for round in 0..12 {
        let (here, there) = if round % 2 == 0 { (SERVER, second) } else { (second, SERVER) };
        let row = w.new_command(board, 1, Policy::Once, 3_600_000);
        // The answers of every third command are on their way when the link breaks.
        w.tune(board, |t| *t.hangs = round % 3 == 0);
        w.command(here, row);
        w.run_ms(200);
        w.cut(link);
        w.tune(board, |t| *t.hangs = false);
        link = w.dial(board, there);
        w.run_ms(500);
    }
    let ran = w.ran(board);
    assert!(ran.windows(2).all(|pair| pair[0] < pair[1]), "in order, and none twice: {ran:?}\n{}", w.trace());
    assert_eq!(ran.len(), 12, "{ran:?}");
    assert!(w.commands(board).iter().all(|c| c.state == CommandState::Done), "{:?}", w.commands(board));
    w.check(board);
}
