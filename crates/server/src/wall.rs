//! The server's clocks: a steady one for sessions, and what the wall says of it.
//!
//! Sessions run on microseconds since the server started. Wall time is that plus an offset, which follows the system's clock as long as it
//! runs at a plausible rate; a step, or a rate beyond 100 ppm, starts a new mapping and is reported.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sensock::Micros;
use tokio::time::Instant;

use crate::inbox::lock;

/// No honest clock shows less: 2026-11-01, when this was released.
pub(crate) const BUILT_US: i64 = 1_793_491_200_000_000;

/// How far the two clocks may part within a second, in parts per million.
const RATE_PPM: i64 = 100;
/// Jitter of one look at both clocks, in microseconds.
const JITTER_US: i64 = 500;

/// Rates are measured over so long; a step of this size is seen at once. In microseconds.
const BASE_US: i64 = 10_000_000;
const STEP_US: i64 = 10_000;

type Source = Box<dyn Fn() -> i64 + Send + Sync>;
type Synced = Box<dyn Fn() -> bool + Send + Sync>;

/// The clocks of one server.
pub(crate) struct Wall {
    start: Instant,
    source: Source,
    synced: Option<Synced>,
    offset: AtomicI64,
    checked: Mutex<Micros>,
    stamped: AtomicI64,
    earliest: i64,
}

impl Wall {
    /// `latest_us`: the newest time in the store.
    pub(crate) fn new(source: Option<Source>, synced: Option<Synced>, latest_us: i64) -> Self {
        let source = source.unwrap_or_else(|| Box::new(system_us));
        let offset = AtomicI64::new(source());
        let earliest = BUILT_US.max(latest_us.saturating_sub(1_000_000));
        Self {
            start: Instant::now(),
            source,
            synced,
            offset,
            checked: Mutex::new(Micros(0)),
            stamped: AtomicI64::new(i64::MIN),
            earliest,
        }
    }

    /// The steady clock.
    pub(crate) fn now(&self) -> Micros {
        Micros(self.start.elapsed().as_micros() as u64)
    }

    /// A moment of the steady clock, as tokio counts it.
    pub(crate) fn instant(&self, at: Micros) -> Instant {
        self.start + std::time::Duration::from_micros(at.0)
    }

    /// Added to a moment of the steady clock, it is wall time in us since 1970.
    pub(crate) fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// Wall time.
    pub(crate) fn now_us(&self) -> i64 {
        self.now().0 as i64 + self.offset()
    }

    /// Wall time that nothing else was stamped with: the store tells a command that is asked for twice from one that is tried again by it.
    pub(crate) fn stamp_us(&self) -> i64 {
        let now = self.now_us();
        let next = |last: i64| Some(now.max(last.saturating_add(1)));
        let last = self.stamped.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        // `next` always gives a value.
        last.map_or(now, |last| now.max(last.saturating_add(1)))
    }

    /// Why rows must not be stamped now, if so.
    pub(crate) fn hold(&self) -> Option<&'static str> {
        if self.now_us() < self.earliest {
            return Some("the server's clock is not set: it shows a time before the newest stored row");
        }
        match &self.synced {
            Some(synced) if !synced() => Some("the server's clock is not synchronised yet"),
            _ => None,
        }
    }

    /// Looks at both clocks; by how much the wall clock stepped, if it did. Call it every second or so.
    pub(crate) fn check(&self) -> Option<i64> {
        let mut checked = lock(&self.checked);
        // Between two looks this thread may be set aside: take a pair that was not.
        let (now, wall_us) = (0..8).find_map(|_| {
            let (before, wall_us, after) = (self.now(), (self.source)(), self.now());
            (after.since(before) < 100).then_some((before, wall_us))
        })?;
        let found = wall_us - now.0 as i64;
        let elapsed = now.since(*checked) as i64;
        if elapsed < BASE_US && (found - self.offset()).abs() < STEP_US {
            return None;
        }
        *checked = now;
        let moved = found - self.offset.swap(found, Ordering::Relaxed);
        (moved.abs() > elapsed.saturating_mul(RATE_PPM) / 1_000_000 + JITTER_US).then_some(moved)
    }
}

fn system_us() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_micros() as i64,
        // Before 1970: not set; `hold` says so.
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_step_is_reported_and_a_slow_drift_is_followed() {
        let skew = Arc::new(AtomicI64::new(0));
        let (begin, s) = (Instant::now(), skew.clone());
        let source = move || BUILT_US + begin.elapsed().as_micros() as i64 + s.load(Ordering::Relaxed);
        let wall = Wall::new(Some(Box::new(source)), None, i64::MIN);
        for _ in 0..60 {
            tokio::time::advance(Duration::from_secs(10)).await;
            skew.fetch_add(500, Ordering::Relaxed); // 50 ppm
            assert_eq!(wall.check(), None);
        }
        assert_eq!(wall.now_us(), BUILT_US + 600_000_000 + 30_000);
        tokio::time::advance(Duration::from_secs(10)).await;
        skew.fetch_sub(3_600_000_000, Ordering::Relaxed);
        let stamps = [wall.stamp_us(), wall.stamp_us(), wall.stamp_us()];
        assert!(stamps.is_sorted() && stamps[0] < stamps[2]);
        assert_eq!(wall.check(), Some(-3_600_000_000));
        assert!(wall.hold().is_some(), "an hour before the release cannot be true");
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_before_the_newest_row_holds() {
        let wall = |latest| Wall::new(Some(Box::new(|| BUILT_US + 5_000_000)), None, latest);
        assert_eq!(wall(i64::MIN).hold(), None);
        assert_eq!(wall(BUILT_US + 5_500_000).hold(), None, "a second is allowed for");
        assert!(wall(BUILT_US + 7_000_000).hold().is_some());
        let unsynced = Wall::new(Some(Box::new(|| BUILT_US)), Some(Box::new(|| false)), i64::MIN);
        assert!(unsynced.hold().unwrap().contains("synchronised"));
    }
}
