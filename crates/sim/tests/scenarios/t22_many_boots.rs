//! Timeline 22: a board that sleeps deeply boots a hundred thousand times a year: one mark per lane, anchors do not pile up.

use crate::help::*;
use sensock_sim::Memory;
use sensock_store::Store as _;

#[test]
fn three_hundred_boots_leave_three_marks_and_few_anchors() {
    let (mut w, board, _) = connected(Memory::Boot);
    for _ in 0..300 {
        w.record(board, 1.0);
        w.run_ms(100);
        w.sleep(board, 300_000, true);
        w.run_ms(100);
        w.power_off(board);
        w.run_ms(300_000);
        w.power_on(board);
        w.dial(board, SERVER);
        w.run_ms(100);
    }
    w.run_ms(1_000);
    all_stored(&w, board);
    assert!(w.all_gaps(board).is_empty(), "{:?}", w.all_gaps(board).len());
    let device = sensock::DeviceId::new("cellar-3").unwrap();
    let resume = futures_util::FutureExt::now_or_never(w.store.load(&device)).unwrap().unwrap();
    assert_eq!(resume.device.unwrap().superseded.len(), 8, "the last eight tags are kept");
    assert!(resume.boots.len() <= 64 && resume.anchors.len() <= 256, "what a connection loads is bounded");
}
