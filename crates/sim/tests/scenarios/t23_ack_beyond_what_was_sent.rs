//! Timeline 23: a server acknowledges a position that was never sent: nothing is freed, the connection ends, and the next one stores all.

use crate::help::*;
use sensock::wire::flow;
use sensock::{Lane, Position};
use sensock_sim::Memory;

#[test]
fn nothing_is_freed_for_an_ack_of_what_was_never_framed() {
    let (mut w, board, link) = connected(Memory::Boot);
    sample(&mut w, board, 20, 100);
    w.run_ms(500);
    w.hold_commits(SERVER, true);
    sample(&mut w, board, 30, 10);
    let mut frame = [0; 16];
    let (last, lie) = (Position::new(1, 19), Position::new(1, 1_000_000));
    let len = flow::ack(Lane::Readings, last, lie, &mut frame).unwrap();
    w.forge_down(link, &frame[..len]);
    w.run_ms(100);
    assert!(!w.is_live(board), "{}", w.trace());
    assert!(!w.is_drained(board, READINGS), "what waits is kept");
    w.hold_commits(SERVER, false);
    w.run_ms(100);
    w.dial(board, SERVER);
    w.run_ms(1_000);
    all_stored(&w, board);
    assert!(w.all_gaps(board).is_empty());
}
