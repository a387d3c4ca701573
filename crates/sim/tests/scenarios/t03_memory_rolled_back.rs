//! Timeline 3: memory rolled back to an earlier boot: the boot number was used before, with another tag.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn a_boot_number_that_was_used_before_is_rebased_above_what_is_stored() {
    let (mut w, board, link) = connected(Memory::Boot);
    for _ in 0..3 {
        sample(&mut w, board, 77, 1_000);
        w.power_off(board);
        w.power_on(board);
        w.dial(board, SERVER);
        w.run_ms(100);
    }
    sample(&mut w, board, 77, 1_000);
    w.cut(link);
    w.power_off(board);
    // The image of two boots ago comes back; a hundred records are made offline.
    w.tune(board, |t| *t.boot -= 2);
    w.power_on(board);
    sample(&mut w, board, 100, 1_000);
    w.dial(board, SERVER);
    w.run_ms(1_000);
    let report = w.check(board);
    assert_eq!(report.stored, report.accepted - report.in_gaps, "{}", w.trace());
    assert_eq!(w.rows(board, READINGS).len(), 4 * 77 + 100, "none of the hundred was taken for old");
}
