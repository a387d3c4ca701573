//! What the engine remembers of one rule: 60 bytes.

use crate::levels::LevelState;
use crate::signal::{Around, Kinds, State};
use crate::state::Plain;
use crate::{Level, Rule, Signal, Step};

/// The state of one rule: its signal's memory, its level, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    signal: State,
    levels: LevelState,
    /// When the last plausible reading was.
    last: Step,
    /// The last plausible value.
    value: i32,
    /// The last signal.
    number: i32,
    /// For warning and for critical: since when it is at it, or else when it was last; [`Step::END`] for never.
    edges: [Step; 2],
}

/// A time that does not come.
pub(crate) const NEVER: Step = Step::END;

impl Row {
    /// A row that has seen nothing.
    pub const NEW: Self = Self {
        signal: State::Nothing,
        levels: LevelState::NEW,
        last: NEVER,
        value: 0,
        number: 0,
        edges: [NEVER; 2],
    };

    /// What the quantity is at.
    pub const fn level(&self) -> Level {
        self.levels.level
    }

    /// What it was at when its readings stopped, or when its season's baseline did; `Unknown` while there are both.
    pub const fn before_gap(&self) -> Level {
        self.levels.before_gap
    }

    /// The number that was judged last, in the signal's unit.
    pub const fn number(&self) -> i32 {
        self.number
    }

    /// The last plausible value, in the quantity's scaled unit.
    pub const fn value(&self) -> i32 {
        self.value
    }

    /// Since when it is at `level` or worse; `Err` says when that was last, `Err(None)` never.
    pub fn since(&self, level: Level) -> Result<Step, Option<Step>> {
        let edge = self.edge(level);
        if self.level() >= level { Ok(edge) } else { Err((edge != NEVER).then_some(edge)) }
    }

    /// When `level` was entered or left last.
    pub(crate) fn edge(&self, level: Level) -> Step {
        let [warning, critical] = self.edges;
        if level == Level::Critical { critical } else { warning }
    }

    /// The engine starts: silence is counted from here.
    pub(crate) fn start(&mut self, at: Step) {
        self.last = at;
    }

    /// A plausible reading. Says whether the level changed.
    pub(crate) fn read(
        &mut self,
        kinds: &Kinds,
        rule: &Rule<'_>,
        around: &mut Around<'_>,
        value: i32,
    ) -> bool {
        let at = around.at;
        let passed = at.since(self.last);
        around.before = if matches!(self.signal, State::Nothing) { value } else { self.value };
        let number = kinds.read(&mut self.signal, &rule.signal, around, value);
        (self.last, self.value) = (at, value);
        // Up to two intervals is as it should be; the time of a gap does not count for anything.
        let in_gap = rule.interval > 0 && passed > rule.interval.saturating_mul(2);
        match number {
            Some(number) => self.judge(rule, at, number, if in_gap { 0 } else { passed }),
            // A season may lack what the one before it had.
            None => {
                matches!(rule.signal, Signal::Season(_)) && self.level() != Level::Unknown && self.forget(at)
            }
        }
    }

    /// Time has come to `at` without a reading. Says whether the level changed.
    pub(crate) fn wait(&mut self, rule: &Rule<'_>, at: Step) -> bool {
        let passed = at.since(self.last);
        if rule.is_silence() {
            let passed = i32::try_from(passed).unwrap_or(i32::MAX);
            // Only what gets worse is news, or the level would depend on how often somebody looks.
            let worse = rule.levels.reach(self.level(), passed) > self.level().max(Level::Normal);
            return worse && self.judge(rule, at, passed, 0);
        }
        if passed <= rule.patience() || self.level() == Level::Unknown {
            return false;
        }
        self.signal.after_gap();
        self.forget(at)
    }

    /// What it is at is not known any more, which is a change.
    fn forget(&mut self, at: Step) -> bool {
        let before_gap = self.level();
        self.leave(Level::Unknown, at);
        self.levels = LevelState::after_gap(before_gap);
        true
    }

    /// Readings until `until` were lost, so that nobody was silent.
    pub(crate) fn lost(&mut self, rule: &Rule<'_>, until: Step) -> bool {
        if !rule.is_silence() {
            return false;
        }
        self.last = self.last.max(until);
        self.judge(rule, until, 0, 0)
    }

    /// When something happens here although no reading comes.
    pub(crate) fn due(&self, rule: &Rule<'_>, now: Step) -> Step {
        if rule.is_silence() {
            let next = match self.level() {
                Level::Critical => return NEVER,
                Level::Warning => rule.levels.critical,
                _ => rule.levels.warning,
            };
            let due = self.last.after(u32::try_from(next).unwrap_or(0));
            return if due > now { due } else { now.after(1) };
        }
        if self.level() == Level::Unknown { NEVER } else { self.last.after(rule.patience()).after(1) }
    }

    fn judge(&mut self, rule: &Rule<'_>, at: Step, number: i32, passed: u32) -> bool {
        self.number = number;
        let before = self.level();
        let mut levels = self.levels;
        levels.read(&rule.levels, number, passed);
        if levels.level != before {
            self.leave(levels.level, at);
        }
        levels.before_gap = if levels.level == Level::Unknown { levels.before_gap } else { Level::Unknown };
        self.levels = levels;
        levels.level != before
    }

    /// Writes down when warning and critical were entered or left.
    fn leave(&mut self, to: Level, at: Step) {
        let from = self.level();
        for (edge, level) in self.edges.iter_mut().zip([Level::Warning, Level::Critical]) {
            if (from >= level) != (to >= level) {
                *edge = at;
            }
        }
    }
}

impl Plain for Row {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.signal.put(out);
        self.levels.put(out);
        self.last.put(out);
        self.value.put(out);
        self.number.put(out);
        self.edges.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self {
            signal: Plain::take(from)?,
            levels: Plain::take(from)?,
            last: Plain::take(from)?,
            value: Plain::take(from)?,
            number: Plain::take(from)?,
            edges: Plain::take(from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_takes_at_most_64_bytes_of_memory() {
        assert!(size_of::<Row>() <= 64, "{}", size_of::<Row>());
    }
}
