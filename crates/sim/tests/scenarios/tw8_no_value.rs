//! Timeline W8: a sensor without a value is a fault in the record, neither a reading nor a gap.

use crate::help::*;
use sensock::catalog::Fault;
use sensock_sim::Memory;

#[test]
fn not_a_number_is_stored_as_a_fault() {
    let (mut w, board, _) = connected(Memory::Boot);
    for t in [21.0, f32::NAN, f32::INFINITY, 22.0] {
        w.record(board, t);
        w.run_ms(100);
    }
    w.run_ms(500);
    all_stored(&w, board);
    let faults: Vec<Option<Fault>> = w
        .rows(board, READINGS)
        .iter()
        .map(|(_, r)| r.iter().find(|r| r.quantity == 1).unwrap().fault)
        .collect();
    assert_eq!(faults, [None, Some(Fault::NOT_A_NUMBER), Some(Fault::TOO_HIGH), None]);
    assert!(w.all_gaps(board).is_empty());
}
