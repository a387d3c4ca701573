//! Timeline 29: the readings lane holds all of its credit while the store is slow; an alarm has credit of its own.

use crate::help::*;
use sensock::Lane;
use sensock_sim::Memory;

#[test]
fn an_alarm_goes_out_while_readings_wait_for_credit() {
    let (mut w, board, _) = connected(Memory::Boot);
    w.slow_store(SERVER, 200_000);
    sample(&mut w, board, 250, 10);
    let before = w.rows(board, Lane::Alarm).len();
    w.record_in(board, Lane::Alarm, 90.0);
    w.run_ms(450);
    assert_eq!(w.rows(board, Lane::Alarm).len(), before + 1, "{}", w.trace());
    w.run_ms(60_000);
    all_stored(&w, board);
}
