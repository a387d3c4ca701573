//! Timeline 25: a limit acts by withholding credit; nothing that was accepted is thrown away by the server.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn a_store_that_stands_still_stops_the_device_and_loses_nothing() {
    let (mut w, board, _) = connected(Memory::Boot);
    w.hold_commits(SERVER, true);
    sample(&mut w, board, 200, 100);
    assert_eq!(w.check(board).waiting, 200);
    w.hold_commits(SERVER, false);
    w.run_ms(2_000);
    all_stored(&w, board);
    assert!(w.all_gaps(board).is_empty());
}
