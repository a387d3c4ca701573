//! Readings: how they are written, and how a row is read.

use std::collections::HashMap;

use sensock::{Fault, Position, Tick};
use sensock_store::{Batch, LaneId, NamedReading, ReadingRow};

use crate::error::Fail;
use crate::lanes::stored;
use crate::series::{Quantities, Series, value};
use crate::session::{Arg, Row};
use crate::tables::{NEWEST, READING};
use crate::transaction::SqlTx;

/// A series' newest reading lies less than this many positions above what table `newest` says. Whoever writes further up writes
/// `newest` too; marks only rise, so a row that another server wrote meanwhile is never above ours.
pub(crate) const NEWEST_WITHIN: i64 = 256;

/// Columns of a reading, in the order in which [`reading`] takes them.
pub(crate) const COLUMNS: &str = "position, series_id, raw, fault, tick, not_before_us, not_after_us";

/// A row of `reading`, with the words of its series.
pub(crate) fn reading(
    row: &Row,
    lane: LaneId,
    series: &HashMap<i64, Series>,
) -> Result<NamedReading, sqlx::Error> {
    let id = row.int(1)?;
    let Some(series) = series.get(&id) else {
        let what = format!("series {id} is gone: restore table series from a backup");
        return Err(sqlx::Error::Decode(what.into()));
    };
    let (raw, fault): (i32, Option<u8>) = (row.small(2)?, row.maybe_small(3)?);
    let row = ReadingRow {
        lane,
        position: Position(row.bits(0)?),
        quantity: series.quantity,
        catalog: series.catalog,
        raw,
        fault: fault.map(Fault),
        value: if fault.is_some() { f64::NAN } else { value(raw, series.scale) },
        tick: Tick(row.bits(4)?),
        not_before_us: row.maybe_int(5)?,
        not_after_us: row.int(6)?,
    };
    Ok(NamedReading { row, name: series.name.clone(), unit: series.unit.clone(), scale: series.scale })
}

/// What readings in a row share, looked up once.
struct Run {
    lane: LaneId,
    catalog: u64,
    id: i64,
    quantities: Quantities,
}

impl SqlTx {
    pub(crate) async fn write_readings(&mut self, batch: &Batch) -> Result<(), Fail> {
        let mut args: Vec<Arg<'_>> = Vec::with_capacity(batch.readings.len() * READING.columns.len());
        let mut newest: HashMap<(i64, i64), i64> = HashMap::new();
        let mut run: Option<Run> = None;
        for row in &batch.readings {
            let run = match &mut run {
                Some(run) if run.lane == row.lane && run.catalog == row.catalog => run,
                other => {
                    let id = self.lane(&row.lane).await?.id;
                    let quantities = self.series(&row.lane, row.catalog).await?;
                    other.insert(Run { lane: row.lane, catalog: row.catalog, id, quantities })
                }
            };
            let series = match run.quantities.series(row.quantity) {
                Some(series) => series,
                None => {
                    run.quantities = self.unnamed(&row.lane, row.catalog, row.quantity).await?;
                    run.quantities.series(row.quantity).ok_or(sqlx::Error::RowNotFound)?
                }
            };
            let lane = run.id;
            let position = stored(row.position)?;
            args.extend([
                Arg::Int(lane),
                Arg::Int(position),
                Arg::Int(series),
                row.raw.into(),
                row.fault.map(|f| f.0).into(),
                row.tick.0.into(),
                row.not_before_us.into(),
                row.not_after_us.into(),
            ]);
            let key = (lane, series);
            let known = newest.get(&key).or_else(|| self.newest.get(&key)).copied();
            let known = known.or_else(|| self.handle.shared.newest.find(&key));
            if known.is_none_or(|known| position >= known + NEWEST_WITHIN) {
                newest.insert(key, position);
            }
        }
        let shared = self.handle.shared.clone();
        shared.insert(&mut self.begun.session()?, &READING, &args).await?;
        args.clear();
        args.extend(newest.iter().flat_map(|(&(lane, series), &p)| [lane, series, p].map(Arg::Int)));
        shared.insert(&mut self.begun.session()?, &NEWEST, &args).await?;
        self.newest.extend(newest);
        Ok(())
    }
}
