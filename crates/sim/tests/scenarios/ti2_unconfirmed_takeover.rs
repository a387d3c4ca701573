//! Timeline I2: a peer that only says Hello must not push the true device off, nor change a row.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn a_hello_without_proof_changes_nothing() {
    let (mut w, board, link) = connected(Memory::Boot);
    sample(&mut w, board, 20, 100);
    w.run_ms(100);
    let before = w.store.snapshot();
    // Its frames after Hello never arrive: a replay cannot answer Welcome's nonce.
    let ghost = w.clone_board(board);
    w.power_on(ghost);
    let ghosts = w.dial(ghost, SERVER);
    w.run_ms(7);
    w.one_way(ghosts, true, false);
    w.run_ms(5_000);
    assert!(w.is_live(board), "{}", w.trace());
    assert_eq!(w.store.snapshot(), before, "not a row changed");
    w.run_ms(30_000);
    assert!(w.is_live(board), "the handshake ran out of time, the device did not");
    let _ = link;
}
