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

impl<'a> Matrix<'a> {
    pub(crate) fn score(&self, hazard: &Hazard<'_>) -> Score {
        let mut score = Score { known: 0, held: 0, any: false };
        for cell in hazard.cells {
            let weight = i32::from(cell.weight);
            if self.holds(cell) {
                score.known += weight;
                score.held += weight;
            } else if weight > 0 && self.held_before_gap(cell) {
                score.held += weight;
            }
            score.any |= self.row(cell).is_some_and(|row| row.level() != Level::Unknown);
        }
        score.known = score.known.clamp(0, 100);
        score.held = score.held.clamp(0, 100);
        score
    }

    /// Whether a cell holds now.
    pub(crate) fn holds(&self, cell: &Cell) -> bool {
        let Some(row) = self.row(cell) else { return false };
        if self.is_vetoed(cell.rule) {
            return false;
        }
        match (cell.over, row.since(cell.at)) {
            (Over::Now | Over::Within(_), Ok(_)) => true,
            (Over::Lasting(steps), Ok(since)) => self.at.since(since) >= steps,
            (Over::Within(steps), Err(Some(last))) => self.at.since(last) <= steps,
            (_, Err(_)) => false,
        }
    }

    /// When the passing of time changes whether a cell holds.
    pub(crate) fn due(&self, cell: &Cell) -> Step {
        let Some(row) = self.row(cell) else { return NEVER };
        let due = match (cell.over, row.since(cell.at)) {
            (Over::Lasting(steps), Ok(since)) => since.after(steps),
            (Over::Within(steps), Err(Some(last))) => last.after(steps).after(1),
            _ => NEVER,
        };
        if due > self.at { due } else { NEVER }
    }

    /// Whether a rule's readings are worthless now.
    pub(crate) fn is_vetoed(&self, rule: u8) -> bool {
        let veto = self.rules.get(usize::from(rule)).and_then(|rule| rule.veto);
        let Some(veto) = veto else { return false };
        self.rows.get(usize::from(veto.rule)).is_some_and(|row| row.level() >= veto.at)
    }

    /// Whether a cell held when its readings stopped.
    pub(crate) fn held_before_gap(&self, cell: &Cell) -> bool {
        let Some(row) = self.row(cell) else { return false };
        !self.is_vetoed(cell.rule) && row.level() == Level::Unknown && row.before_gap() >= cell.at
    }

    fn row(&self, cell: &Cell) -> Option<&'a Row> {
        self.rows.get(usize::from(cell.rule))
    }
}
