//! What the matrix is for: cells of several quantities, weighed into one danger.

use crate::Level;

/// A danger that several quantities tell of together.
///
/// Its score is the sum of the weights of the cells that hold, from 0.00 to 1.00. It is raised when what is known
/// reaches a threshold. It is cleared when the score falls below the threshold by more than the hysteresis, where a
/// quantity that fell silent counts as it was: a sensor that burns does not put the fire out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hazard<'t> {
    /// What a person calls it: "fire".
    pub name: &'t str,
    /// What it is weighed from; at most 32.
    pub cells: &'t [Cell],
    /// The score from which it is a warning, in hundredths.
    pub warning: u8,
    /// The score from which it is critical, in hundredths; at least `warning`.
    pub critical: u8,
    /// How far the score must fall below a threshold before it is left, in hundredths.
    pub hysteresis: u8,
    /// Who acts on it. Each hazard has one owner, so that nothing is done twice.
    pub owner: Owner,
    /// How old an alarm may be to be acted on, in milliseconds; an older one is told and stored, and moves nothing.
    pub max_age_ms: u32,
}

/// Who acts on a hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The server that holds the hazard's lease.
    Server,
    /// The firmware that carries this table; the server only stores what it decided.
    Device,
}

/// One cell of the matrix: a row, a column, and what it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The row: a rule, by its place in the table.
    pub rule: u8,
    /// The column: at this level or worse.
    pub at: Level,
    /// The column's time.
    pub over: Over,
    /// What it adds while it holds, in hundredths; less than 0 speaks against the hazard.
    pub weight: i8,
}

/// Over which time a cell looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Now.
    Now,
    /// Now, and for so many steps without a break.
    Lasting(u32),
    /// Now, or at some time within the last so many steps.
    Within(u32),
}

impl<'t> Hazard<'t> {
    /// A hazard that is a warning from 0.50 and critical from 0.80 on, with a hysteresis of 0.10, owned by the server,
    /// acted on for a minute.
    pub const fn new(name: &'t str, cells: &'t [Cell]) -> Self {
        Self {
            name,
            cells,
            warning: 50,
            critical: 80,
            hysteresis: 10,
            owner: Owner::Server,
            max_age_ms: 60_000,
        }
    }

    /// Sets both thresholds and the hysteresis, in hundredths.
    pub const fn from_score(mut self, warning: u8, critical: u8, hysteresis: u8) -> Self {
        (self.warning, self.critical, self.hysteresis) = (warning, critical, hysteresis);
        self
    }

    /// Says who acts on it.
    pub const fn owned_by(mut self, owner: Owner) -> Self {
        self.owner = owner;
        self
    }

    /// Sets how old an alarm may be to be acted on.
    pub const fn max_age_ms(mut self, max_age_ms: u32) -> Self {
        self.max_age_ms = max_age_ms;
        self
    }

    /// The level that a score reaches, coming from `now`: what is `known` raises, what is `held` keeps.
    pub(crate) fn reach(&self, now: Level, known: i32, held: i32) -> Level {
        let passes = |threshold: u8, level: Level| {
            let left = i32::from(threshold.saturating_sub(self.hysteresis));
            known >= threshold.into() || (now >= level && held >= left)
        };
        if passes(self.critical, Level::Critical) {
            Level::Critical
        } else if passes(self.warning, Level::Warning) {
            Level::Warning
        } else {
            Level::Normal
        }
    }
}

impl Cell {
    /// A cell that looks at now.
    pub const fn now(rule: u8, at: Level, weight: i8) -> Self {
        Self { rule, at, over: Over::Now, weight }
    }

    /// A cell that holds once the level has lasted.
    pub const fn lasting(rule: u8, at: Level, steps: u32, weight: i8) -> Self {
        Self { rule, at, over: Over::Lasting(steps), weight }
    }

    /// A cell that holds for a while after the level was left.
    pub const fn within(rule: u8, at: Level, steps: u32, weight: i8) -> Self {
        Self { rule, at, over: Over::Within(steps), weight }
    }
}
