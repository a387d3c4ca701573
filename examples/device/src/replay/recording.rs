//! A recording in memory, ready to be replayed.

use super::{
    columns::Columns,
    error::{Fault, Problem, ReplayError},
    source,
    table::Table,
};
use sensock::{Reading, batch::Cell, catalog::QuantityEntry};
use std::{fmt, path::Path};

/// A recorded time series: quantities, and rows in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    profile: Option<&'static str>,
    quantities: Vec<QuantityInfo>,
    began_ms: Option<i64>,
    at_ms: Vec<u64>,
    cells: Vec<Option<Cell>>,
    notes: Notes,
}

/// What a column of a recording holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuantityInfo {
    /// The quantity's name, once in a recording.
    pub name: String,
    /// Its unit in SenML's terms (`Cel`, `%RH`, `lx`); empty where the source does not state one.
    pub unit: String,
    /// The power of ten of a value's last digit: 2345 at scale -2 is 23.45.
    pub scale: i8,
}

/// One row: what one instant gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// Milliseconds since the first row; larger in each row than in the one before.
    pub at_ms: u64,
    /// One cell for each of [`Recording::quantities`], in their order: a value, a fault that the sensor told, or `None`
    /// where nothing was measured.
    pub cells: &'a [Option<Cell>],
}

/// What was met while reading: defects that are dealt with, and that a person may want to know of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Where the recording's clock steps back.
    pub steps_back: Vec<StepBack>,
    /// Rows whose time was not after the row before: each got the next millisecond.
    pub moved_rows: u64,
    /// Values with more digits than their quantity's scale keeps.
    pub rounded_values: u64,
    /// Cells in which the sensor says that it has no value.
    pub faults: u64,
    /// Cells with nothing in them.
    pub missing_cells: u64,
    /// Rows that hold a time and nothing else; they are left out.
    pub empty_rows: u64,
    /// Columns that are no quantity, or one more than a record has room for.
    pub skipped_columns: Vec<String>,
}

/// A place where the recording's clock steps back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepBack {
    /// The line of the row with the smaller time.
    pub line: u64,
    /// By how much it is smaller than that of the row before, in milliseconds.
    pub by_ms: u64,
}

impl Recording {
    /// Reads a recording from a file: CSV or tab separated, plain or gzip.
    ///
    /// The whole file is read and checked before the first row is given out.
    ///
    /// # Errors
    /// [`ReplayError`] names the file, and where there is one the line and the column, what was found and what was
    /// expected.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReplayError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| Fault::from(Problem::Read(error)).in_file(&name))?;
        Self::read(&name, &bytes)
    }

    /// Reads a recording that is already in memory; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Recording::open`].
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, ReplayError> {
        source::text(name, bytes)
            .and_then(|text| Self::parse(name, &text))
            .map_err(|fault| fault.in_file(name))
    }

    /// The known kind that the file was recognised as: occupancy, air-quality, suthaharan, nab machine temperature,
    /// ampds water meter or ampds gas meter. `None` for any other file.
    pub fn profile(&self) -> Option<&'static str> {
        self.profile
    }

    /// What each column holds.
    pub fn quantities(&self) -> &[QuantityInfo] {
        &self.quantities
    }

    /// The quantities as a catalogue lists them, with ids from 1 on in the order of the columns.
    pub fn entries(&self) -> Vec<QuantityEntry<'_>> {
        (1..).zip(&self.quantities).map(|(id, info)| info.entry(id)).collect()
    }

    /// Every row, in the order of time.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> + Clone {
        // There is at least one quantity, so no chunk is empty.
        let rows = self.cells.chunks_exact(self.quantities.len().max(1));
        self.at_ms.iter().zip(rows).map(|(&at_ms, cells)| Row { at_ms, cells })
    }

    /// When the first row was measured, in milliseconds since 1970; none where the rows are only counted. A time without a
    /// zone is taken as it stands.
    pub fn began_ms(&self) -> Option<i64> {
        self.began_ms
    }

    /// The time from the first row to the last, in milliseconds.
    pub fn span_ms(&self) -> u64 {
        self.at_ms.last().copied().unwrap_or_default()
    }

    /// The usual time between two rows (the median), in milliseconds; `None` with a single row.
    pub fn interval_ms(&self) -> Option<u64> {
        let after = self.at_ms.iter().skip(1);
        let mut pauses: Vec<_> = after.zip(&self.at_ms).map(|(after, before)| after - before).collect();
        let middle = pauses.len() / 2;
        (middle < pauses.len()).then(|| *pauses.select_nth_unstable(middle).1)
    }

    /// What was met while reading.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    fn parse(name: &str, text: &str) -> Result<Self, Fault> {
        let table = Table::new(name, text)?;
        let columns = Columns::of(&table)?;
        let notes = Notes { skipped_columns: columns.skipped(&table), ..Notes::default() };
        let quantities = columns.quantities.iter().map(|column| column.info.clone()).collect();
        let profile = table.profile.map(|profile| profile.name);
        let mut recording =
            Self { profile, quantities, began_ms: None, at_ms: Vec::new(), cells: Vec::new(), notes };
        let mut clock = None;
        let mut cells = Vec::with_capacity(columns.quantities.len());
        for row in table.rows() {
            let (line, fields) = row?;
            let time = columns.time.read(line, &fields, &table)?;
            cells.clear();
            let mut rounded = 0;
            for column in &columns.quantities {
                let (cell, was_rounded) = columns.cell(column, line, &fields, &table)?;
                rounded += u64::from(was_rounded);
                cells.push(cell);
            }
            recording.push(line, clock.get_or_insert_with(|| Clock::new(time)), time, &cells, rounded);
        }
        recording.began_ms = clock.filter(|_| !columns.time.is_counted()).map(|clock: Clock| clock.first);
        if recording.at_ms.is_empty() {
            return Err(Fault::line(table.header_line, Problem::NoRows));
        }
        Ok(recording)
    }

    /// Takes over one row, and notes what is odd about it.
    fn push(&mut self, line: u64, clock: &mut Clock, time: i64, cells: &[Option<Cell>], rounded: u64) {
        let missing = cells.iter().filter(|cell| cell.is_none()).count();
        if missing == cells.len() {
            self.notes.empty_rows += 1;
            return;
        }
        if self.at_ms.is_empty() {
            *clock = Clock::new(time);
        }
        if let Some(by_ms) = clock.step_back(time) {
            self.notes.steps_back.push(StepBack { line, by_ms });
        }
        let (at_ms, moved) = clock.tick(time, self.at_ms.last().copied());
        self.notes.moved_rows += u64::from(moved);
        self.notes.rounded_values += rounded;
        self.notes.missing_cells += missing as u64;
        self.notes.faults += cells.iter().filter(|cell| matches!(cell, Some(Cell::Fault(_)))).count() as u64;
        self.at_ms.push(at_ms);
        self.cells.extend_from_slice(cells);
    }
}

/// The recording's clock, which may be set back; the device's may not.
#[derive(Debug)]
struct Clock {
    first: i64,
    before: i64,
}

impl Clock {
    fn new(first: i64) -> Self {
        Self { first, before: first }
    }

    /// By how much `time` lies before the row before.
    fn step_back(&mut self, time: i64) -> Option<u64> {
        let before = std::mem::replace(&mut self.before, time);
        u64::try_from(before.saturating_sub(time)).ok().filter(|by| *by > 0)
    }

    /// The row's time since the first, or the next millisecond after `last` if that is later; whether it was.
    fn tick(&self, time: i64, last: Option<u64>) -> (u64, bool) {
        let since = time.saturating_sub(self.first);
        let earliest = last.map_or(0, |last| last + 1);
        match u64::try_from(since) {
            Ok(since) if since >= earliest => (since, false),
            _ => (earliest, true),
        }
    }
}

impl Row<'_> {
    /// The row as one record: the ids are those of [`Recording::entries`], what was not measured is left out.
    pub fn readings(&self) -> impl Iterator<Item = Reading> + '_ {
        (1..).zip(self.cells).filter_map(|(quantity, cell)| Some(Reading { quantity, cell: (*cell)? }))
    }
}

impl QuantityInfo {
    /// The quantity as a catalogue lists it: any value is plausible, no interval is stated.
    pub fn entry(&self, id: u16) -> QuantityEntry<'_> {
        let (name, unit, scale) = (self.name.as_str(), self.unit.as_str(), self.scale);
        QuantityEntry { id, name, unit, scale, low: i32::MIN, high: i32::MAX, interval_ms: 0 }
    }
}

/// One line for each thing worth knowing; nothing if the recording is without defects.
impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps_back {
            let (line, seconds) = (step.line, step.by_ms as f64 / 1000.0);
            writeln!(f, "line {line}: the clock steps back by {seconds} s")?;
        }
        let counts = [
            (self.moved_rows, "rows are not later than the row before and got the next millisecond"),
            (self.rounded_values, "values have more digits than their scale keeps and were rounded"),
            (self.faults, "cells say that the sensor had no value and are replayed as faults"),
            (self.missing_cells, "cells are empty"),
            (self.empty_rows, "rows hold no value and were left out"),
        ];
        for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
            writeln!(f, "{count} {what}")?;
        }
        if !self.skipped_columns.is_empty() {
            writeln!(f, "columns left out: {}", self.skipped_columns.join(", "))?;
        }
        Ok(())
    }
}
