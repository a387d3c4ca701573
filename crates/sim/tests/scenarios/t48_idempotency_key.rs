//! Timeline 48: a caller times out and orders again with its own key: one command.

use crate::help::*;
use sensock::catalog::Policy;
use sensock_sim::Memory;

#[test]
fn the_same_key_is_the_same_command() {
    let (mut w, board, _) = connected(Memory::Boot);
    for _ in 0..3 {
        let mut row = w.new_command(board, 1, Policy::Once, 60_000);
        row.idempotency_key = Some("valve-1 09:00".to_owned());
        w.command(SERVER, row);
        w.run_ms(500);
    }
    assert_eq!(w.ran(board), [1], "{}", w.trace());
    assert_eq!(w.commands(board).len(), 1);
}
