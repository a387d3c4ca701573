//! Stretches of time in which no record was made, although one was to be expected.

use sensock::{Lane, Position};

use super::Facts;
use super::away::Reason;

/// A stretch without records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) from_us: i64,
    pub(crate) to_us: i64,
    pub(crate) why: Empty,
}

/// Why there are no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Empty {
    /// The positions go on without one missing: the device made none.
    NeverRecorded,
    /// It rebooted in between.
    Rebooted,
    /// It slept.
    Asleep,
    /// They lie in a gap.
    Lost,
    /// Nothing is stored after it yet.
    NotYet,
}

/// So much longer than usual is a hole.
const TIMES_LONGER: i64 = 4;
/// Shorter ones are jitter.
const LEAST_US: i64 = 500_000;

impl Facts {
    /// Holes that touch the span, in order.
    pub(crate) fn holes(&self) -> Vec<Hole> {
        let Some(usual) = self.usual_us() else { return Vec::new() };
        let long = (usual * TIMES_LONGER).max(LEAST_US);
        let records: Vec<_> = self.records.iter().filter(|r| r.lane == Lane::Readings).collect();
        let mut holes = Vec::new();
        for pair in records.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            let (from_us, to_us) = (before.at_us(), after.at_us());
            if to_us - from_us > long && to_us >= self.span.from_us && from_us <= self.span.to_us {
                let why = self.empty(before.position, after.position, from_us, to_us);
                holes.push(Hole { from_us, to_us, why });
            }
        }
        let end = self.span.to_us.min(self.now_us);
        if let Some(last) = records.last().filter(|r| end - r.at_us() > long) {
            holes.push(Hole { from_us: last.at_us(), to_us: end, why: Empty::NotYet });
        }
        holes
    }

    fn empty(&self, before: Position, after: Position, from_us: i64, to_us: i64) -> Empty {
        let readings = |g: &&sensock_store::GapRow| g.lane.lane == Lane::Readings;
        if self.gaps.iter().filter(readings).any(|g| g.first > before && g.last < after) {
            return Empty::Lost;
        }
        let asleep =
            |a: &super::away::Away<'_>| a.reason == Reason::Asleep && a.from_us < to_us && a.to_us > from_us;
        if self.aways().iter().any(asleep) {
            return Empty::Asleep;
        }
        if before.boot() != after.boot() {
            return Empty::Rebooted;
        }
        // Times of one boot grow with positions: what stands between was made elsewhere in time, so nothing was made here.
        Empty::NeverRecorded
    }
}
