//! What the engine says: a hazard changed its level, from which record on, and because of which cells.

use crate::matrix::Matrix;
use crate::{Cell, Hazard, Level, Over, Row, Rule, Step};

/// A hazard was raised, got worse, got better, or was cleared. It borrows the engine's state to explain itself: take
/// what is to be kept, or format it, before the call returns.
#[derive(Clone, Copy)]
pub struct Alarm<'e> {
    pub(crate) table: u64,
    pub(crate) grid_ms: u32,
    /// The hazard's place in the table.
    pub index: u8,
    /// The hazard.
    pub hazard: &'e Hazard<'e>,
    /// What it was at.
    pub from: Level,
    /// What it is at.
    pub to: Level,
    /// Its score, in hundredths.
    pub score: u8,
    /// When it was raised from normal.
    pub began: Step,
    /// The newest record when it was raised.
    pub cause: Cause,
    pub(crate) matrix: Matrix<'e>,
}

/// A record, by where it stands in the order of all records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// The device, as the application numbers the zone's devices.
    pub device: u8,
    /// The lane of its position.
    pub lane: u8,
    /// Its position: boot << 32 | n.
    pub position: u64,
}

/// What one alarm is known by, in every run of every server and every device: the key that makes storing it and
/// acting on it idempotent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmKey {
    /// The table's hash: the version of every rule in it.
    pub table: u64,
    /// The hazard's place in the table.
    pub hazard: u8,
    /// When it began.
    pub began: Step,
    /// The record at which it began, or before which, if it was silence.
    pub start: Cause,
}

/// One cell that holds, as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share<'e> {
    /// The cell, with its weight.
    pub cell: &'e Cell,
    /// The rule of its row.
    pub rule: &'e Rule<'e>,
    /// What is known of it.
    pub row: &'e Row,
    /// For how many steps it has been at the cell's level or worse; none if it is not any more.
    pub lasted: Option<u32>,
    /// For how many steps it has not been at it; none if it is.
    pub ago: Option<u32>,
}

impl Cause {
    /// No record yet.
    pub const NONE: Self = Self { device: 0, lane: 0, position: 0 };
}

impl<'e> Alarm<'e> {
    /// What it is known by.
    pub fn key(&self) -> AlarmKey {
        AlarmKey { table: self.table, hazard: self.index, began: self.began, start: self.cause }
    }

    /// When the hazard changed.
    pub fn at(&self) -> Step {
        self.matrix.at
    }

    /// Whether it is too old to be acted on when time has come to `now`: a fire of six hours ago is history, no siren.
    pub fn is_historic(&self, now: Step) -> bool {
        let age_ms = u64::from(now.since(self.at())) * u64::from(self.grid_ms);
        age_ms > u64::from(self.hazard.max_age_ms)
    }

    /// The cells that hold, in the hazard's order.
    pub fn cells(&self) -> impl Iterator<Item = Share<'e>> {
        let matrix = self.matrix;
        self.hazard.cells.iter().filter(move |cell| matrix.holds(cell)).filter_map(move |cell| {
            let at = usize::from(cell.rule);
            let (rule, row) = (matrix.rules.get(at)?, matrix.rows.get(at)?);
            let (lasted, ago) = match row.since(cell.at) {
                Ok(since) => (Some(matrix.at.since(since)), None),
                Err(last) => (None, last.map(|last| matrix.at.since(last))),
            };
            Some(Share { cell, rule, row, lasted, ago })
        })
    }
}

impl Share<'_> {
    /// Whether the cell asks for how long.
    pub(crate) fn lasts(&self) -> Option<u32> {
        if matches!(self.cell.over, Over::Lasting(_)) { self.lasted } else { None }
    }
}
