//! From a number to a level: two thresholds, a hysteresis, and how long it must last.

use crate::Level;
use crate::state::Plain;

/// On which side of a threshold it gets bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// At or above it.
    Above,
    /// At or below it.
    Below,
}

/// When a signal is at warning and when at critical. All numbers are in the signal's own unit, all times in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// Where it gets bad.
    pub side: Side,
    /// From here on it is a warning.
    pub warning: i32,
    /// From here on it is critical; never on the good side of `warning`.
    pub critical: i32,
    /// How far back behind a threshold the signal must go before the level is left. Not negative.
    pub hysteresis: i32,
    /// For how long it must be at a level before it counts. 0: at once.
    pub hold: u32,
    /// For how long it must be better before the level is left. 0: at once.
    pub release: u32,
}

impl Levels {
    /// Bad at and above `warning`, worse at and above `critical`.
    pub const fn above(warning: i32, critical: i32) -> Self {
        Self { side: Side::Above, warning, critical, hysteresis: 0, hold: 0, release: 0 }
    }

    /// Bad at and below `warning`, worse at and below `critical`.
    pub const fn below(warning: i32, critical: i32) -> Self {
        Self { side: Side::Below, warning, critical, hysteresis: 0, hold: 0, release: 0 }
    }

    /// Where `signal` is by the thresholds alone, coming from `now`: never `Unknown`.
    pub fn reach(&self, now: Level, signal: i32) -> Level {
        if self.passes(self.critical, now == Level::Critical, signal) {
            Level::Critical
        } else if self.passes(self.warning, now >= Level::Warning, signal) {
            Level::Warning
        } else {
            Level::Normal
        }
    }

    fn passes(&self, threshold: i32, inside: bool, signal: i32) -> bool {
        let slack = if inside { self.hysteresis } else { 0 };
        match self.side {
            Side::Above => signal >= threshold.saturating_sub(slack),
            Side::Below => signal <= threshold.saturating_add(slack),
        }
    }
}

/// A level with what it needs to remember: 12 bytes. Each threshold is a gate of its own, so that critical may be over
/// while warning is not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LevelState {
    /// For how long the signal has been on the other side of the warning threshold than the level says, if it is.
    warning: Lasted,
    /// The same for critical.
    critical: Lasted,
    pub(crate) level: Level,
    /// The level at which readings stopped, while it is unknown for that.
    pub(crate) before_gap: Level,
}

impl LevelState {
    pub(crate) const NEW: Self = Self::after_gap(Level::Unknown);

    /// Unknown, because the readings of a level stopped.
    pub(crate) const fn after_gap(before_gap: Level) -> Self {
        Self { warning: Lasted::NOT, critical: Lasted::NOT, level: Level::Unknown, before_gap }
    }

    /// The next signal, `steps` after the last one; steps that lie in a gap are not to be counted among them.
    pub(crate) fn read(&mut self, levels: &Levels, signal: i32, steps: u32) {
        let warning = (
            self.level >= Level::Warning,
            levels.passes(levels.warning, self.level >= Level::Warning, signal),
        );
        let critical = (
            self.level == Level::Critical,
            levels.passes(levels.critical, self.level == Level::Critical, signal),
        );
        let is_warning = self.warning.gate(levels, warning, steps);
        let is_critical = self.critical.gate(levels, critical, steps);
        self.level = if is_critical {
            Level::Critical
        } else if is_warning {
            Level::Warning
        } else if self.level == Level::Unknown && warning.1 {
            // It may turn out to be a warning, so it is not yet normal.
            Level::Unknown
        } else {
            Level::Normal
        };
    }
}

/// How long something has been so, in steps; nothing if it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lasted(u32);

impl Lasted {
    const NOT: Self = Self(u32::MAX);

    fn count(&mut self, is: bool, steps: u32) {
        self.0 = match (is, *self) {
            (false, _) => Self::NOT.0,
            (true, Self::NOT) => 0,
            (true, Self(so_far)) => so_far.saturating_add(steps).min(Self::NOT.0 - 1),
        };
    }

    /// On which side of a threshold the level is after this: it `was` there or not, the signal `is` there or not.
    fn gate(&mut self, levels: &Levels, (was, is): (bool, bool), steps: u32) -> bool {
        self.count(was != is, steps);
        let crosses = self.at_least(if was { levels.release } else { levels.hold });
        if crosses {
            *self = Self::NOT;
        }
        was != crosses
    }

    fn at_least(self, steps: u32) -> bool {
        self != Self::NOT && self.0 >= steps
    }
}

impl Plain for LevelState {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.warning.put(out);
        self.critical.put(out);
        self.level.put(out);
        self.before_gap.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self {
            warning: Plain::take(from)?,
            critical: Plain::take(from)?,
            level: Plain::take(from)?,
            before_gap: Plain::take(from)?,
        })
    }
}

impl Plain for Lasted {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.0.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        u32::take(from).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::v1::*;

    const LEVELS: Levels = Levels { hysteresis: 5, hold: 10, release: 20, ..Levels::above(50, 80) };

    fn after(levels: &Levels, signals: &[(i32, u32)]) -> Level {
        let mut state = LevelState::NEW;
        for &(signal, steps) in signals {
            state.read(levels, signal, steps);
        }
        state.level
    }

    #[test]
    fn a_level_counts_once_it_has_lasted() {
        assert_eq!(after(&LEVELS, &[(20, 0), (90, 5), (90, 5)]), Level::Normal);
        assert_eq!(after(&LEVELS, &[(20, 0), (90, 5), (90, 5), (90, 5)]), Level::Critical);
        assert_eq!(
            after(&LEVELS, &[(20, 0), (60, 5), (90, 5), (90, 5)]),
            Level::Warning,
            "critical for 5 only"
        );
        assert_eq!(after(&LEVELS, &[(90, 0)]), Level::Unknown, "the first word is not yet a level");
        assert_eq!(after(&LEVELS, &[(20, 0), (90, 5), (20, 5), (90, 5), (90, 5)]), Level::Normal, "broken");
    }

    #[test]
    fn a_level_is_left_behind_the_hysteresis_and_after_the_release() {
        let up = [(20, 0), (60, 5), (60, 10)];
        assert_eq!(after(&LEVELS, &[&up[..], &[(46, 5), (46, 30)]].concat()), Level::Warning, "within");
        assert_eq!(after(&LEVELS, &[&up[..], &[(44, 5), (44, 19)]].concat()), Level::Warning, "too short");
        assert_eq!(after(&LEVELS, &[&up[..], &[(44, 5), (44, 20)]].concat()), Level::Normal);
    }

    #[test]
    fn below_is_the_mirror_of_above() {
        let below = Levels { hysteresis: 5, hold: 10, release: 20, ..Levels::below(-50, -80) };
        for signals in
            [[(20, 0), (90, 5), (90, 20)], [(60, 0), (60, 10), (47, 30)], [(85, 9), (85, 11), (10, 3)]]
        {
            let mirrored = signals.map(|(signal, steps)| (-signal, steps));
            assert_eq!(after(&LEVELS, &signals), after(&below, &mirrored));
        }
    }

    proptest! {
        /// Whatever comes: a level is only risen to when every signal of the last `hold` steps reached it, only left
        /// when every signal of the last `release` steps was better, and once known it stays known.
        #[test]
        fn no_level_without_its_time(
            signals in prop::collection::vec((any::<i8>(), 0u32..9), 1..60), hold in 0u32..20, release in 0u32..20,
        ) {
            let levels = Levels { hysteresis: 10, hold, release, ..Levels::above(30, 60) };
            let mut state = LevelState::NEW;
            for (i, &(signal, steps)) in signals.iter().enumerate() {
                let before = state.level;
                state.read(&levels, signal.into(), steps);
                let lasts = |good: &dyn Fn(i32) -> bool, needed: u32| {
                    let run = signals[..=i].iter().rev().take_while(|(signal, _)| good((*signal).into())).count();
                    let steps: u32 = signals[i + 1 - run..=i].iter().skip(1).map(|(_, steps)| steps).sum();
                    run > 0 && steps >= needed
                };
                if state.level > before && state.level > Level::Normal {
                    let slackest = if state.level == Level::Critical { 50 } else { 20 };
                    prop_assert!(lasts(&|signal| signal >= slackest, hold));
                }
                if before == Level::Critical && state.level < before {
                    prop_assert!(lasts(&|signal| signal < 60, release));
                }
                if before >= Level::Warning && state.level == Level::Normal {
                    prop_assert!(lasts(&|signal| signal < 30, release));
                }
                prop_assert!(before == Level::Unknown || state.level != Level::Unknown);
            }
        }

        /// A signal that is worse all the time never gives a better level.
        #[test]
        fn worse_is_never_better(signals in prop::collection::vec((any::<i8>(), 0u32..9, 0i32..50), 1..60)) {
            let levels = Levels { hysteresis: 10, hold: 5, release: 5, ..Levels::above(30, 60) };
            let (mut good, mut bad) = (LevelState::NEW, LevelState::NEW);
            for (signal, steps, more) in signals {
                good.read(&levels, signal.into(), steps);
                bad.read(&levels, i32::from(signal) + more, steps);
                prop_assert!(bad.level >= good.level || bad.level == Level::Unknown);
            }
        }
    }
}
