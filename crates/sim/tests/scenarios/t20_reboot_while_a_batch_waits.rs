//! Timeline 20: a device reboots while its last batch still waits in the server: the batch is stored before the gap is written.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn records_that_the_server_holds_are_not_lost_to_the_next_boot() {
    let (mut w, board, _) = connected(Memory::Boot);
    w.hold_commits(SERVER, true);
    sample(&mut w, board, 1, 10);
    w.run_ms(20);
    w.power_off(board);
    w.power_on(board);
    w.dial(board, SERVER);
    w.run_ms(100);
    w.hold_commits(SERVER, false);
    w.run_ms(500);
    w.record(board, 5.0);
    w.run_ms(6_000);
    if !w.is_live(board) {
        w.dial(board, SERVER);
        w.run_ms(1_000);
    }
    let report = w.check(board);
    assert_eq!((report.stored, report.waiting), (2, 0), "{}", w.trace());
}
