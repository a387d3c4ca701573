//! Timeline 16: one row that the store refuses must not starve the other devices, nor block its own.

use crate::help::*;
use sensock_sim::Memory;
use sensock_store::memory::Point;
use sensock_store::{Failure, History as _};

#[test]
fn a_poison_row_goes_to_quarantine_and_nobody_waits_for_it() {
    let (mut w, poisoned, _) = connected(Memory::Boot);
    let other = w.board("attic-1", Memory::Boot);
    w.dial(other, SERVER);
    w.run_ms(100);
    w.slow_store(SERVER, 50_000);
    w.record(poisoned, 1.0);
    w.record(other, 2.0);
    // The group is refused, then the half with the first device alone.
    for _ in 0..2 {
        w.store.fail_next(Point::Write, Failure::Rejected);
    }
    w.run_ms(1_000);
    sample(&mut w, poisoned, 5, 200);
    sample(&mut w, other, 5, 200);
    w.run_ms(1_000);
    let (a, b) = (w.check(poisoned), w.check(other));
    assert_eq!(a.waiting + b.waiting, 0, "{}", w.trace());
    assert_eq!(a.in_gaps + b.in_gaps, 1, "{a:?} {b:?}");
    let gaps = [w.gaps(poisoned, READINGS), w.gaps(other, READINGS)].concat();
    assert_eq!(gaps[0].cause, sensock::Cause::Rejected);
    let device = gaps[0].lane.device;
    let kept = futures_util::FutureExt::now_or_never(w.store.quarantine(&device)).unwrap().unwrap();
    assert_eq!(kept.len(), 1);
    assert!(!kept[0].raw.is_empty() && !kept[0].reason.is_empty(), "{kept:?}");
}
