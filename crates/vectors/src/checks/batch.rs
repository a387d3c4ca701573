//! Runs of records as columns: SPEC 6.

use crate::agree::{Fields, Read, Refused};
use crate::packed::{Items, NULL, Value};
use sensock::batch::{self, Cell, DecodeError, Sink};

pub(crate) fn read(vector: Value<'_>, bytes: &[u8]) -> Read {
    let (ticks, cells) = (vector.at("ticks"), vector.at("cells"));
    let (count, columns) = (ticks.items().count(), cells.items().count());
    let mut found = Found { ticks: ticks.items(), columns: cells.items(), cells: NULL.items(), agrees: true };
    let used = match batch::decode(bytes, ticks.item(0).number(), count, columns, &mut found) {
        Ok(used) => used,
        Err(DecodeError::Count | DecodeError::Columns) => return Err(Refused("limit")),
        Err(_) => return Err(Refused("malformed")),
    };
    if used != bytes.len() {
        return Err(Refused("malformed"));
    }
    let over = found.ticks.next().is_none() && found.columns.next().is_none() && found.cells.next().is_none();
    Ok(Fields::of_vector(vector)
        .number("count", count as u64)
        .number("columns", columns as u64)
        .check("ticks", |_| over)
        .check("cells", |_| found.agrees)
        .end())
}

pub(crate) fn write(vector: Value<'_>, out: &mut [u8]) -> Option<usize> {
    let (ticks, cells) = (vector.at("ticks"), vector.at("cells"));
    let (count, columns) = (ticks.items().count(), cells.items().count());
    let ticks = ticks.items().map(Value::number);
    let column = |index: usize| cells.item(index).items().map(cell);
    let len = batch::encoded_len(count, ticks.clone(), columns, column).ok()?;
    let written = batch::encode(out, count, ticks, columns, column).ok()?;
    (len == written).then_some(written)
}

/// Compares what comes with what is expected, in the order in which it comes.
struct Found<'a> {
    ticks: Items<'a>,
    columns: Items<'a>,
    /// What is left of the present column.
    cells: Items<'a>,
    agrees: bool,
}

impl Sink for Found<'_> {
    fn tick(&mut self, _row: usize, tick: u64) {
        self.agrees &= self.ticks.next().is_some_and(|expected| expected.number() == tick);
    }

    fn cell(&mut self, row: usize, _column: usize, found: Cell) {
        if row == 0 {
            self.agrees &= self.cells.next().is_none();
            self.cells = self.columns.next().unwrap_or(NULL).items();
        }
        self.agrees &= self.cells.next().is_some_and(|expected| cell(expected) == found);
    }
}

fn cell(v: Value<'_>) -> Cell {
    match v.at("fault").some() {
        Some(code) => Cell::Fault(code.int()),
        None => Cell::Value(v.signed() as i32),
    }
}
