//! Timeline 28: a store that stands still for minutes is no reason to reconnect: pongs flow.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn a_stalled_store_keeps_its_connections() {
    let (mut w, board, _) = connected(Memory::Boot);
    w.hold_commits(SERVER, true);
    sample(&mut w, board, 100, 3_000);
    assert!(w.is_live(board), "{}", w.trace());
    assert_eq!(w.connected(board), 1);
    w.hold_commits(SERVER, false);
    w.run_ms(2_000);
    all_stored(&w, board);
}

#[test]
fn an_idle_connection_lives_on_pings_and_a_dead_one_is_given_up() {
    let (mut w, board, link) = connected(Memory::Boot);
    w.run_ms(300_000);
    assert!(w.is_live(board), "{}", w.trace());
    w.half_open(link);
    w.run_ms(26_000);
    assert!(!w.is_live(board), "idle for two and a half intervals");
}
