//! A compiled table of rules and hazards: what firmware gets and what a server builds from a file.

use crate::signal::Kinds;
use crate::{Calendar, Cell, Hazard, Level, Rule, Side, Signal, Slots, Step};

/// Everything that is to be judged in one zone: constants in firmware, built from a file on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table<'t> {
    /// How long a step is, in milliseconds.
    pub grid_ms: u32,
    /// What the steps are in local time.
    pub calendar: Calendar<'t>,
    /// The rows. Those that veto others stand before them.
    pub rules: &'t [Rule<'t>],
    /// What they are weighed into.
    pub hazards: &'t [Hazard<'t>],
}

/// Why a table cannot be used: which rule or hazard, and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadTable {
    /// A grid of 0 ms has no steps.
    Grid,
    /// More than 255 rules or hazards.
    TooMany,
    /// The rule's critical threshold lies on the good side of its warning threshold, or its hysteresis is negative.
    Levels(u8),
    /// The rule's plausible values end before they begin.
    Plausible(u8),
    /// The rule is vetoed by one that does not stand before it, or at a level below warning.
    Veto(u8),
    /// The rule's signal cannot be computed: a window, a memory or a table of the wrong size.
    Signal(u8),
    /// The hazard has no cells or more than 32, or its thresholds are above 1.00, zero or in the wrong order.
    Hazard(u8),
    /// The hazard weighs a rule that does not exist, or a level below warning.
    Cell(u8),
    /// The memory for rows, hazards or slots is not as large as the table needs.
    Memory,
}

/// A table that was found good, with its hash. Firmware makes it at compile time, so that the chip carries neither the checks
/// nor the hashing, nor what only kinds of rules need that the table does not have.
#[derive(Clone, Copy, Debug)]
pub struct Compiled<'t> {
    pub(crate) table: Table<'t>,
    pub(crate) hash: u64,
    pub(crate) kinds: Kinds,
}

impl<'t> Compiled<'t> {
    /// Checks a table and hashes it.
    ///
    /// ```
    /// use sensock_rules::{Calendar, Compiled, Table};
    /// static TABLE: Compiled<'static> =
    ///     match Compiled::new(Table { grid_ms: 1_000, calendar: Calendar::UTC, rules: &[], hazards: &[] }) {
    ///         Ok(compiled) => compiled,
    ///         Err(_) => panic!("the table is wrong"),
    ///     };
    /// ```
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub const fn new(table: Table<'t>) -> Result<Self, BadTable> {
        match table.check() {
            Ok(()) => Ok(Self { table, hash: table.hash(), kinds: Kinds::of(table.rules) }),
            Err(bad) => Err(bad),
        }
    }

    /// The table.
    pub const fn table(&self) -> &Table<'t> {
        &self.table
    }

    /// Its hash, as [`Table::hash`].
    pub const fn hash(&self) -> u64 {
        self.hash
    }
}

/// The kinds follow from the table.
impl PartialEq for Compiled<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.table == other.table
    }
}

impl Eq for Compiled<'_> {}

impl Table<'_> {
    /// Whether the table can be used. Firmware asks at compile time:
    ///
    /// ```
    /// use sensock_rules::{Calendar, Table};
    /// const TABLE: Table<'static> = Table { grid_ms: 1_000, calendar: Calendar::UTC, rules: &[], hazards: &[] };
    /// const _: () = assert!(TABLE.check().is_ok());
    /// ```
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub const fn check(&self) -> Result<(), BadTable> {
        if self.grid_ms == 0 {
            return Err(BadTable::Grid);
        }
        if self.rules.len() > 255 || self.hazards.len() > 255 {
            return Err(BadTable::TooMany);
        }
        let mut i = 0;
        while i < self.rules.len() {
            if let Err(bad) = check_rule(&self.rules[i], i as u8) {
                return Err(bad);
            }
            i += 1;
        }
        let mut i = 0;
        while i < self.hazards.len() {
            if let Err(bad) = check_hazard(&self.hazards[i], i as u8, self.rules.len()) {
                return Err(bad);
            }
            i += 1;
        }
        Ok(())
    }

    /// The step that a time lies in, where the application counts milliseconds from 1970 as the calendar's origin does.
    pub fn step(&self, unix_ms: u64) -> Step {
        let origin_ms = u64::try_from(self.calendar.origin_s).unwrap_or(0).saturating_mul(1_000);
        let steps = unix_ms.saturating_sub(origin_ms) / u64::from(self.grid_ms.max(1));
        Step(u32::try_from(steps).unwrap_or(u32::MAX))
    }

    /// How many slots its rules of the kinds [`Signal::Daily`] and [`Signal::Season`] need.
    pub const fn slots(&self) -> usize {
        let (mut slots, mut i) = (0, 0);
        while i < self.rules.len() {
            let end = match &self.rules[i].signal {
                Signal::Daily(daily) => daily.first as usize + daily.slots.count(),
                Signal::Season(season) => season.first as usize + season.memory(),
                _ => 0,
            };
            slots = if end > slots { end } else { slots };
            i += 1;
        }
        slots
    }
}

const fn check_rule(rule: &Rule<'_>, i: u8) -> Result<(), BadTable> {
    let levels = &rule.levels;
    let in_order = match levels.side {
        Side::Above => levels.critical >= levels.warning,
        Side::Below => levels.critical <= levels.warning,
    };
    if !in_order || levels.hysteresis < 0 {
        return Err(BadTable::Levels(i));
    }
    if rule.least > rule.most {
        return Err(BadTable::Plausible(i));
    }
    if let Some(veto) = rule.veto
        && (veto.rule >= i || (veto.at as u8) < Level::Warning as u8)
    {
        return Err(BadTable::Veto(i));
    }
    let possible = match &rule.signal {
        Signal::Value => true,
        Signal::Rate(rate) => rate.per > 0,
        Signal::Flow(flow) => flow.rate.per > 0,
        Signal::Running(running) => running.shift <= 20 && running.warm > 0,
        // What repeats by the year is learned by the year.
        Signal::Daily(daily) => matches!(daily.slots, Slots::One | Slots::Hours),
        Signal::Season(season) => {
            matches!(season.cells, Slots::Months | Slots::MonthsAndHours)
                && season.days >= 2
                && season.days <= 28
        }
        Signal::Standard { slots, table } => slots.count() == table.len(),
        Signal::Shaking(shaking) => shaking.short < shaking.long && shaking.long <= 15,
        // Time itself has no hysteresis, and does not have to last.
        Signal::Silence => {
            matches!(levels.side, Side::Above)
                && levels.warning > 0
                && levels.hysteresis == 0
                && levels.hold == 0
                && levels.release == 0
        }
    };
    if possible { Ok(()) } else { Err(BadTable::Signal(i)) }
}

const fn check_hazard(hazard: &Hazard<'_>, i: u8, rules: usize) -> Result<(), BadTable> {
    let thresholds = hazard.warning > 0 && hazard.critical >= hazard.warning && hazard.critical <= 100;
    if !thresholds || hazard.cells.is_empty() || hazard.cells.len() > 32 {
        return Err(BadTable::Hazard(i));
    }
    let mut c = 0;
    while c < hazard.cells.len() {
        let Cell { rule, at, .. } = hazard.cells[c];
        if rule as usize >= rules || (at as u8) < Level::Warning as u8 {
            return Err(BadTable::Cell(i));
        }
        c += 1;
    }
    Ok(())
}

impl core::fmt::Display for BadTable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Grid => f.write_str("the grid is 0 ms; expected how long a step lasts, say 1000"),
            Self::TooMany => f.write_str("more than 255 rules or hazards; make two tables of it"),
            Self::Levels(i) => write!(
                f,
                "rule {i}: critical must be at least as bad as warning, and the hysteresis not below 0"
            ),
            Self::Plausible(i) => write!(f, "rule {i}: the least plausible value is above the greatest"),
            Self::Veto(i) => write!(
                f,
                "rule {i}: what vetoes it must stand before it in the table, and at warning or critical"
            ),
            Self::Signal(i) => write!(
                f,
                "rule {i}: its signal cannot be computed; look at the limits of its kind (a window, a memory, a table's length)"
            ),
            Self::Hazard(i) => {
                write!(f, "hazard {i}: expected 1 to 32 cells and thresholds 0 < warning <= critical <= 1.00")
            }
            Self::Cell(i) => write!(
                f,
                "hazard {i}: a cell names a rule that is not in the table, or a level below warning"
            ),
            Self::Memory => f.write_str(
                "expected memory for exactly the table's rules and hazards, and at least its slots",
            ),
        }
    }
}

impl core::error::Error for BadTable {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Levels, Owner, Rate};

    const RULE: Rule<'static> = Rule::new("heat", 0, 1, Signal::Value, Levels::above(50, 60));
    const CELL: Cell = Cell::now(0, Level::Warning, 50);

    fn check(rules: &[Rule<'_>], hazards: &[Hazard<'_>]) -> Result<(), BadTable> {
        Table { grid_ms: 1_000, calendar: Calendar::UTC, rules, hazards }.check()
    }

    #[test]
    fn each_mistake_is_told_with_its_place() {
        assert_eq!(check(&[RULE], &[Hazard::new("fire", &[CELL])]), Ok(()));
        let upside_down = Rule { levels: Levels::below(50, 60), ..RULE };
        assert_eq!(check(&[RULE, upside_down], &[]), Err(BadTable::Levels(1)));
        assert_eq!(check(&[RULE.plausible(5, 4)], &[]), Err(BadTable::Plausible(0)));
        assert_eq!(check(&[RULE.unless(1, Level::Critical), RULE], &[]), Err(BadTable::Veto(0)));
        let no_time = Rule { signal: Signal::Rate(Rate { window: 5, per: 0 }), ..RULE };
        assert_eq!(check(&[no_time], &[]), Err(BadTable::Signal(0)));
        let silence = Rule { signal: Signal::Silence, ..RULE };
        assert_eq!(check(&[silence], &[]), Ok(()));
        assert_eq!(check(&[silence.hold(5, 0)], &[]), Err(BadTable::Signal(0)));
        assert_eq!(check(&[RULE], &[Hazard::new("fire", &[])]), Err(BadTable::Hazard(0)));
        let beyond = [Cell { rule: 1, ..CELL }];
        assert_eq!(check(&[RULE], &[Hazard::new("fire", &beyond)]), Err(BadTable::Cell(0)));
        let owned = Hazard::new("fire", &[CELL]).owned_by(Owner::Device).from_score(90, 80, 5);
        assert_eq!(check(&[RULE], &[owned]), Err(BadTable::Hazard(0)));
    }
}
