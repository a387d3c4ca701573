//! A hazard's matrix as it stands, cells that do not hold included: what an application shows to whoever asks why nothing was said.

use crate::matrix::Matrix;
use crate::{Cell, Danger, Engine, Row, Rule, Signal, Slot, Step};

/// One cell of a hazard's matrix, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged<'e> {
    /// The cell, with its weight.
    pub cell: &'e Cell,
    /// The rule of its row.
    pub rule: &'e Rule<'e>,
    /// What is known of it.
    pub row: &'e Row,
    /// Whether it holds, so that its weight counts.
    pub holds: bool,
    /// Whether it is not known, but held when readings stopped: it raises nothing, and keeps what was raised.
    pub kept: bool,
    /// Whether another rule says that its readings are worth nothing now.
    pub vetoed: bool,
    /// For how many steps it has been at the cell's level or worse; none if it is not.
    pub lasted: Option<u32>,
    /// For how many steps it has not been at it; none if it is, or never was.
    pub ago: Option<u32>,
}

impl<'t, R, H, S> Engine<'t, R, H, S>
where
    R: AsRef<[Row]> + AsMut<[Row]>,
    H: AsRef<[Danger]> + AsMut<[Danger]>,
    S: AsRef<[Slot]> + AsMut<[Slot]>,
{
    /// The cells of a hazard, by its place in the table, at the time that the engine has come to; none if there is no such hazard.
    pub fn cells(&self, hazard: usize) -> impl Iterator<Item = Judged<'_>> {
        let matrix = self.matrix();
        let cells = self.table().hazards.get(hazard).map(|hazard| hazard.cells).unwrap_or_default();
        cells.iter().filter_map(move |cell| {
            let at = usize::from(cell.rule);
            let (rule, row) = (matrix.rules.get(at)?, matrix.rows.get(at)?);
            let (lasted, ago) = match row.since(cell.at) {
                Ok(since) => (Some(matrix.at.since(since)), None),
                Err(last) => (None, last.map(|last| matrix.at.since(last))),
            };
            let holds = matrix.holds(cell);
            let kept = !holds && cell.weight > 0 && matrix.held_before_gap(cell);
            Some(Judged { cell, rule, row, holds, kept, vetoed: matrix.is_vetoed(cell.rule), lasted, ago })
        })
    }

    /// The score of a hazard's cells that hold, in hundredths; none if there is no such hazard.
    pub fn score(&self, hazard: usize) -> Option<u8> {
        let hazard = self.table().hazards.get(hazard)?;
        // It lies within 0 and 100.
        u8::try_from(self.matrix().score(hazard).0.known).ok()
    }

    /// The slot that a reading of the rule would be compared with at the time that the engine has come to; none if it has no such baseline.
    pub fn baseline(&self, rule: usize) -> Option<Slot> {
        let table = self.table();
        let hour = table.calendar.hour(table.grid_ms, self.now()?);
        let at = match &table.rules.get(rule)?.signal {
            Signal::Daily(daily) => usize::from(daily.first) + daily.slots.at(hour),
            Signal::Season(season) => usize::from(season.first) + season.cell(hour),
            _ => return None,
        };
        self.slots().get(at).copied()
    }

    fn matrix(&self) -> Matrix<'_> {
        Matrix { rules: self.table().rules, rows: self.rows(), at: self.now().unwrap_or(Step(0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Calendar, Cause, Hazard, Level, Levels, Reading, Record, Signal, Table};
    use std::prelude::v1::*;

    const HEAT: Rule<'static> = Rule::new("heat", 0, 1, Signal::Value, Levels::above(50, 60)).every(10);
    const CELLS: [Cell; 3] = [
        Cell::now(0, Level::Warning, 30),
        Cell::lasting(0, Level::Critical, 30, 40),
        Cell::within(0, Level::Critical, 60, 20),
    ];
    static TABLE: Table<'static> = Table {
        grid_ms: 1_000,
        calendar: Calendar::UTC,
        rules: &[HEAT],
        hazards: &[Hazard::new("fire", &CELLS).from_score(30, 80, 10)],
    };

    /// Whether each cell holds, and the score.
    fn seen(engine: &Engine<'_, [Row; 1], [Danger; 1]>) -> (Vec<bool>, Option<u8>) {
        (engine.cells(0).map(|judged| judged.holds).collect(), engine.score(0))
    }

    #[test]
    fn the_matrix_is_what_an_alarm_is_made_of() {
        let mut engine = Engine::new(&TABLE, [Row::NEW], [Danger::NEW], []).unwrap();
        assert_eq!(seen(&engine), (vec![false; 3], Some(0)));
        let mut at = 0;
        let mut read = |engine: &mut Engine<'_, _, _>, value| {
            let readings = [Reading { quantity: 1, value: Some(value) }];
            engine
                .record(&Record { at: Step(at), from: Cause::NONE, readings: &readings }, &mut |_| ())
                .unwrap();
            at += 10;
        };
        for (value, holds, score) in [
            (40, [false, false, false], 0),
            (55, [true, false, false], 30),
            (65, [true, false, true], 50),
            (65, [true, false, true], 50),
            (65, [true, false, true], 50),
            (65, [true, true, true], 90),
            (40, [false, false, true], 20),
        ] {
            read(&mut engine, value);
            assert_eq!(seen(&engine), (holds.to_vec(), Some(score)), "{value}");
        }
        let last: Vec<_> = engine.cells(0).map(|judged| (judged.lasted, judged.ago)).collect();
        assert_eq!(last, [(None, Some(0)), (None, Some(0)), (None, Some(0))]);
        assert_eq!((engine.cells(1).count(), engine.score(1)), (0, None));
    }

    #[test]
    fn a_cell_that_fell_silent_is_kept() {
        let mut engine = Engine::new(&TABLE, [Row::NEW], [Danger::NEW], []).unwrap();
        for at in [0, 10] {
            let readings = [Reading { quantity: 1, value: Some(55) }];
            engine
                .record(&Record { at: Step(at), from: Cause::NONE, readings: &readings }, &mut |_| ())
                .unwrap();
        }
        engine.advance(Step(200), &mut |_| ()).unwrap();
        let kept: Vec<bool> = engine.cells(0).map(|judged| judged.kept).collect();
        assert_eq!((kept, engine.score(0)), (vec![true, false, false], Some(0)));
        assert_eq!(engine.hazards()[0].level(), Level::Warning);
    }
}
