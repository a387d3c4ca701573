//! Readings: how rows of `record` become readings again.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use sensock::{Fault, Position, Tick};
use sensock_store::{LaneId, NamedReading, ReadingRow, Span};
use sqlx::Error;

use crate::dialect::Dialect;
use crate::series::{Series, value};
use crate::session::{Arg, Row, Session};

const READ: &str = "SELECT position, tick, not_before_us, not_after_us, readings FROM record \
     WHERE lane_id = ? AND position >= ? AND position <= ? \
     AND not_after_us >= ? AND (not_before_us IS NULL OR not_before_us <= ?) ORDER BY position LIMIT ?";

/// From the sheet of the last signpost at or before the first position (or the one that it was merged into) to that of the first one at
/// or after the last position; a lane's order of sheets is its order of positions.
const READ_SHEETS: &str = "SELECT r.position, r.tick, r.not_before_us, r.not_after_us, r.readings \
     FROM sheet h CROSS JOIN record r ON r.sheet = h.id \
     WHERE r.lane_id = ?1 AND r.position >= ?2 AND r.position <= ?3 \
     AND h.id >= COALESCE((SELECT MAX(f.id) FROM sheet f WHERE f.id <= (SELECT s.sheet FROM signpost s \
         WHERE s.lane_id = ?1 AND s.position <= ?2 ORDER BY s.position DESC LIMIT 1)), 0) \
     AND h.id <= COALESCE((SELECT s.sheet FROM signpost s WHERE s.lane_id = ?1 AND s.position >= ?3 \
         ORDER BY s.position LIMIT 1), (SELECT m.sheet FROM mark m WHERE m.lane_id = ?1)) \
     AND r.not_after_us >= ?4 AND (r.not_before_us IS NULL OR r.not_before_us <= ?5) \
     ORDER BY h.id, r.position LIMIT ?6";

/// Reads the records of a lane within these positions that touch the span, in order, at most `limit`. [`record`] takes each.
pub(crate) async fn read(
    session: &mut Session<'_>,
    lane: i64,
    positions: RangeInclusive<i64>,
    span: Span,
    limit: usize,
) -> Result<Vec<Row>, Error> {
    let sql = match session.dialect() {
        Dialect::Sqlite => READ_SHEETS,
        Dialect::MySql => READ,
    };
    let args = [
        Arg::Int(lane),
        Arg::Int(*positions.start()),
        Arg::Int(*positions.end()),
        Arg::Int(span.from_us),
        Arg::Int(span.to_us),
        Arg::Int(i64::try_from(limit).unwrap_or(i64::MAX)),
    ];
    session.rows(sql, &args).await
}

/// The readings of a record, in order of quantity.
pub(crate) fn record(
    row: &Row,
    lane: LaneId,
    series: &HashMap<i64, Series>,
) -> Result<Vec<NamedReading>, Error> {
    let (position, tick) = (Position(row.bits(0)?), Tick(row.bits(1)?));
    let (not_before_us, not_after_us) = (row.maybe_int(2)?, row.int(3)?);
    let mut found = Vec::new();
    for Cell { series: id, raw, fault } in cells(&row.text(4)?)? {
        let Some(series) = series.get(&id) else {
            let what = format!("series {id} is gone: restore table series from a backup");
            return Err(Error::Decode(what.into()));
        };
        let row = ReadingRow {
            lane,
            position,
            quantity: series.quantity,
            catalog: series.catalog,
            raw,
            fault: fault.map(Fault),
            value: if fault.is_some() { f64::NAN } else { value(raw, series.scale) },
            tick,
            not_before_us,
            not_after_us,
        };
        let (name, unit) = (series.name.clone(), series.unit.clone());
        found.push(NamedReading { row, name, unit, scale: series.scale });
    }
    found.sort_by_key(|r| r.row.quantity);
    Ok(found)
}

/// Whether a record has a reading of this series.
pub(crate) fn has(row: &Row, series: i64) -> Result<bool, Error> {
    Ok(cells(&row.text(4)?)?.iter().any(|cell| cell.series == series))
}

/// One reading as it stands in a row.
#[derive(Debug, PartialEq, Eq)]
struct Cell {
    series: i64,
    raw: i32,
    fault: Option<u8>,
}

/// Reads `[[series,raw],[series,raw,fault]]`.
fn cells(text: &str) -> Result<Vec<Cell>, Error> {
    let inner = text.strip_prefix("[[").and_then(|t| t.strip_suffix("]]"));
    let cell = |text: &str| -> Option<Cell> {
        let mut numbers = text.split(',');
        let (series, raw) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        let fault = numbers.next().map(str::parse).transpose().ok()?;
        numbers.next().is_none().then_some(Cell { series, raw, fault })
    };
    let cells: Option<Vec<Cell>> = inner.and_then(|inner| inner.split("],[").map(cell).collect());
    cells.ok_or_else(|| Error::Decode(format!("a record's readings are no list of numbers: {text}").into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_or_refused() {
        let cell = |series, raw, fault| Cell { series, raw, fault };
        assert_eq!(cells("[[1,-2345],[9,0,3]]").unwrap(), [cell(1, -2345, None), cell(9, 0, Some(3))]);
        for bad in ["", "[]", "[[1]]", "[[1,2,3,4]]", "[[1,2],[3]]", "[[1,x]]", "[[1,2]"] {
            assert!(cells(bad).is_err(), "{bad}");
        }
    }
}
