//! Hard bounds of a device's clock against a server's. SPEC section 11.
//!
//! A tick D that was read between the moments S1 and S2 bounds the offset of the two clocks: no estimate, no average. Bounds age
//! by the worst drift both ways, and are intersected with newer ones.

use crate::limits::DRIFT_PPM;
use crate::{Micros, Tick};

/// Offset of a server's steady clock against a device's ticks, in microseconds: the moment at which the device's clock became
/// tick t lies within `lo + t` and `hi + t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The tick at which it was measured.
    pub tick: Tick,
    /// Least offset.
    pub lo: i64,
    /// Greatest offset.
    pub hi: i64,
}

/// Two bounds exclude each other: one of the clocks stepped, or ran faster than any crystal does. Holds their union.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockFault(pub Bounds);

impl Bounds {
    /// The device read `tick` at some moment from `sent` to `received`.
    pub fn measure(sent: Micros, received: Micros, tick: Tick) -> Bounds {
        // The moment of reading lies less than a millisecond after the clock became `tick`.
        let (at, steady) = (us(tick), |moment: Micros| moment.0.min(i64::MAX as u64 / 4) as i64);
        Bounds { tick, lo: steady(sent) - 1_000 - at, hi: steady(received) - at }
    }

    /// The same bounds as they hold at another tick: wider by the drift.
    pub fn aged(self, to: Tick) -> Bounds {
        let ms = to.0.abs_diff(self.tick.0);
        let slack = (ms.saturating_mul(DRIFT_PPM) / 1_000).saturating_add(1).min(i64::MAX as u64) as i64;
        let slack = if crate::planted!("clock-sign") { -slack } else { slack };
        Bounds { tick: to, lo: self.lo.saturating_sub(slack), hi: self.hi.saturating_add(slack) }
    }

    /// Both this and a newer one hold.
    ///
    /// # Errors
    /// [`ClockFault`] if they exclude each other.
    pub fn intersect(self, newer: Bounds) -> Result<Bounds, ClockFault> {
        let old = self.aged(newer.tick);
        let (lo, hi) = (old.lo.max(newer.lo), old.hi.min(newer.hi));
        if lo <= hi {
            Ok(Bounds { tick: newer.tick, lo, hi })
        } else {
            Err(ClockFault(Bounds { tick: newer.tick, lo: old.lo.min(newer.lo), hi: old.hi.max(newer.hi) }))
        }
    }

    /// Bounds, on the server's steady clock in us, of the moment at which something was stamped `tick`.
    pub fn moment(self, tick: Tick) -> (i64, i64) {
        let b = self.aged(tick);
        (b.lo.saturating_add(us(tick)), b.hi.saturating_add(us(tick)).saturating_add(1_000))
    }

    /// Width in microseconds.
    pub fn width(self) -> u64 {
        self.hi.abs_diff(self.lo)
    }
}

fn us(tick: Tick) -> i64 {
    tick.0.saturating_mul(1_000).min(i64::MAX as u64 / 4) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The device's clock reads 0 at server time 1,000,000 us and runs `ppm` fast.
    fn tick_at(server_us: u64, ppm: i64) -> Tick {
        let elapsed = (server_us - 1_000_000) as i64;
        Tick(((elapsed + elapsed * ppm / 1_000_000) / 1_000) as u64)
    }

    #[test]
    fn asymmetric_delay_never_excludes_the_truth() {
        // Uplink queue of 4 s, downlink 1 ms; crystal 150 ppm fast; measured each minute for an hour.
        let mut bounds: Option<Bounds> = None;
        for minute in 1..60 {
            let sent = minute * 60_000_000;
            let tick = tick_at(sent + 1_000, 150);
            let new = Bounds::measure(Micros(sent), Micros(sent + 4_001_000), tick);
            bounds = Some(bounds.map_or(new, |b| b.intersect(new).unwrap()));
            let stamped = sent - 20_000_000;
            let (lo, hi) = bounds.unwrap().moment(tick_at(stamped, 150));
            assert!(lo <= stamped as i64 && stamped as i64 <= hi, "{lo} {stamped} {hi}");
        }
        assert!(bounds.unwrap().width() < 4_100_000);
    }

    #[test]
    fn disjoint_bounds_are_a_clock_fault_and_the_union() {
        let a = Bounds::measure(Micros(10_000_000), Micros(10_010_000), Tick(1_000));
        let b = Bounds::measure(Micros(20_000_000), Micros(20_010_000), Tick(5_000));
        let ClockFault(union) = a.intersect(b).unwrap_err();
        assert!(union.lo <= a.aged(Tick(5_000)).lo && union.hi >= b.hi);
    }

    #[test]
    fn extremes_saturate() {
        let end = Micros(u64::MAX);
        assert!(Bounds::measure(end, end, Tick(u64::MAX)).moment(Tick(0)).0 <= 0);
        let b = Bounds::measure(end, end, Tick(0));
        assert!(b.lo <= b.hi && b.hi > 0, "{b:?}");
        let b = Bounds::measure(Micros(u64::MAX / 4), Micros(u64::MAX / 4), Tick(u64::MAX));
        let _ = b.aged(Tick(0)).moment(Tick(u64::MAX));
    }
}
