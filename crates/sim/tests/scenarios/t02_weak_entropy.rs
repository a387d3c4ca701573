//! Timeline 2: a board without memory boots again; the server numbers its boots, nothing of the new boot is taken for old.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn a_board_without_memory_gets_a_new_boot_number_from_the_server() {
    let (mut w, board, link) = connected(Memory::None);
    sample(&mut w, board, 500, 100);
    w.run_ms(1_000);
    all_stored(&w, board);
    w.cut(link);
    w.power_off(board);
    w.run_ms(1_000);
    w.power_on(board);
    w.dial(board, SERVER);
    w.run_ms(100);
    sample(&mut w, board, 300, 100);
    w.run_ms(1_000);
    let report = w.check(board);
    assert_eq!((report.accepted, report.stored), (800, 800), "{}", w.trace());
    // The tail of the dead boot is one gap of unknown length: nobody can know what was in memory.
    let gaps = w.gaps(board, READINGS);
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].cause, gaps[0].count), (sensock::Cause::Power, None));
}
