//! Rows of quantities, columns of levels now and over time: which cells hold, and what they weigh.

use crate::row::NEVER;
use crate::{Cell, Hazard, Level, Over, Row, Rule, Step};

/// The rules and what is known of them.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) rules: &'a [Rule<'a>],
    pub(crate) rows: &'a [Row],
    pub(crate) at: Step,
}

/// A hazard's score, in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Score {
    /// Of the cells that hold by what is known.
    pub(crate) known: i32,
    /// With those that held when their readings stopped.
    pub(crate) held: i32,
    /// Whether any row is known at all.
    pub(crate) any: bool,
}

/// How one cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether it holds now.
    pub(crate) holds: bool,
    /// Whether it held when its readings stopped.
    pub(crate) held_before_gap: bool,
    /// When the passing of time changes whether it holds.
    due: Step,
}

impl<'a> Matrix<'a> {
    /// The hazard's score, and when the passing of time may change it.
    pub(crate) fn score(&self, hazard: &Hazard<'_>) -> (Score, Step) {
        let mut score = Score { known: 0, held: 0, any: false };
        let mut due = NEVER;
        for cell in hazard.cells {
            let Some(row) = self.row(cell) else { continue };
            let look = self.look(cell, row);
            let weight = i32::from(cell.weight);
            if look.holds {
                score.known += weight;
                score.held += weight;
            } else if weight > 0 && look.held_before_gap {
                score.held += weight;
            }
            score.any |= row.level() != Level::Unknown;
            due = due.min(look.due);
        }
        score.known = score.known.clamp(0, 100);
        score.held = score.held.clamp(0, 100);
        (score, due)
    }

    /// Whether a cell holds now.
    pub(crate) fn holds(&self, cell: &Cell) -> bool {
        self.row(cell).is_some_and(|row| self.look(cell, row).holds)
    }

    /// Whether a cell held when its readings stopped.
    pub(crate) fn held_before_gap(&self, cell: &Cell) -> bool {
        self.row(cell).is_some_and(|row| self.look(cell, row).held_before_gap)
    }

    fn look(&self, cell: &Cell, row: &Row) -> Look {
        let (is, edge) = (row.level() >= cell.at, row.edge(cell.at));
        let lasted = self.at.since(edge);
        let (holds, due) = match cell.over {
            Over::Lasting(steps) if is => (lasted >= steps, edge.after(steps)),
            Over::Within(steps) if !is && edge != NEVER => (lasted <= steps, edge.after(steps).after(1)),
            Over::Now | Over::Within(_) => (is, NEVER),
            Over::Lasting(_) => (false, NEVER),
        };
        let counts = !self.is_vetoed(cell.rule);
        let gone = row.level() == Level::Unknown && row.before_gap() >= cell.at;
        let due = if due > self.at { due } else { NEVER };
        Look { holds: holds && counts, held_before_gap: gone && counts, due }
    }

    /// Whether a rule's readings are worthless now.
    pub(crate) fn is_vetoed(&self, rule: u8) -> bool {
        let veto = self.rules.get(usize::from(rule)).and_then(|rule| rule.veto);
        let Some(veto) = veto else { return false };
        self.rows.get(usize::from(veto.rule)).is_some_and(|row| row.level() >= veto.at)
    }

    fn row(&self, cell: &Cell) -> Option<&'a Row> {
        self.rows.get(usize::from(cell.rule))
    }
}
