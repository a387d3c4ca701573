//! The proof: what `record` returned on the devices, against the rows of the database file, read by SQL.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context as _, Result};
use sensock::Reading;
use sensock::batch::Cell;
use sensock_sql::SqlStore;
use sensock_store::Span;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};

use super::board::{Offered, Running};
use super::screen::Screen;
use super::script::Done;
use crate::device::Known;
use crate::show::time::Times;
use crate::show::words::{count, thousands};

/// What the demo promises: at least so many real readings, and so many cuts.
const READINGS: u64 = 30_000;
const CUTS: u64 = 20;

/// A record's place: device, lane, position.
type Place = (String, u8, u64);

/// A reading as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stored {
    quantity: u16,
    cell: Cell,
    tick: u64,
}

/// Positions that will never be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Gap {
    device: String,
    lane: u8,
    first: u64,
    last: u64,
    cause: String,
}

/// What the comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    offered_records: u64,
    offered_readings: u64,
    stored_records: u64,
    stored_readings: u64,
    in_gaps: u64,
    /// Of these, of boards that have room enough.
    in_gaps_without_need: u64,
    lost: u64,
    twice: u64,
    foreign: u64,
    out_of_order: u64,
    different: u64,
    equal: u64,
}

impl Sum {
    fn adds_up(&self) -> bool {
        let wrong = self.lost
            + self.twice
            + self.foreign
            + self.out_of_order
            + self.different
            + self.in_gaps_without_need;
        wrong == 0
            && self.offered_records == self.stored_records + self.in_gaps
            && self.equal == self.stored_readings
    }
}

/// Reads the file, compares, prints; whether all of it adds up.
pub(super) async fn report(
    path: &Path,
    store: &SqlStore,
    fleet: &[Running],
    done: &Done,
    screen: &Screen,
) -> Result<bool> {
    let mut offered: BTreeMap<Place, Vec<Reading>> = BTreeMap::new();
    let mut refused = 0;
    for running in fleet {
        refused += u64::from(running.device.status().refused);
        for Offered { lane, position, readings } in running.offered() {
            offered.insert((running.board.name.to_owned(), lane as u8, position.0), readings);
        }
    }
    let mut file = SqliteConnectOptions::new().filename(path).read_only(true).connect().await?;
    let rows = stored(&mut file).await.context("the database cannot be read back")?;
    let gaps = gaps(&mut file).await?;
    let small: Vec<&str> = fleet.iter().filter(|r| r.board.small).map(|r| r.board.name).collect();
    let real = rows.iter().filter(|((device, ..), _)| !small.contains(&device.as_str())).count() as u64;
    let sum = compare(&offered, &rows, &gaps, &small);
    print(&sum, &gaps, &small, refused, screen);
    let links = links(&mut file, &sum, done, fleet.len() as u64, screen).await?;
    why(store, done, screen).await?;

    let enough = real >= READINGS && done.cuts >= CUTS;
    let adds_up = sum.adds_up() && refused == 0 && links && enough;
    screen.print(match adds_up {
        true => {
            "\nIT ADDS UP: every value that a device was given to keep is in the database, once and in order, or in a gap that says why."
        }
        false => "\nIT DOES NOT ADD UP: see the figures above; --keep keeps the database.",
    });
    Ok(adds_up)
}

/// All readings, in the order of their lanes.
async fn stored(file: &mut SqliteConnection) -> Result<Vec<(Place, Stored)>> {
    let sql = "SELECT l.device, l.lane, r.position, s.quantity, r.raw, r.fault, r.tick \
               FROM reading r JOIN lane l ON l.id = r.lane_id JOIN series s ON s.id = r.series_id \
               ORDER BY l.device, l.lane, r.position, s.quantity";
    let rows = sqlx::query(sql).fetch_all(file).await?;
    rows.iter()
        .map(|row| {
            let place = (row.try_get(0)?, row.try_get::<i64, _>(1)? as u8, row.try_get::<i64, _>(2)? as u64);
            let cell = match row.try_get::<Option<i64>, _>(5)? {
                Some(fault) => Cell::Fault(fault as u8),
                None => Cell::Value(row.try_get::<i64, _>(4)? as i32),
            };
            let (quantity, tick) = (row.try_get::<i64, _>(3)? as u16, row.try_get::<i64, _>(6)? as u64);
            Ok((place, Stored { quantity, cell, tick }))
        })
        .collect()
}

async fn gaps(file: &mut SqliteConnection) -> Result<Vec<Gap>> {
    let sql = "SELECT l.device, l.lane, g.first_position, g.last_position, g.cause \
               FROM gap g JOIN lane l ON l.id = g.lane_id ORDER BY l.device, l.lane, g.first_position";
    let rows = sqlx::query(sql).fetch_all(file).await?;
    rows.iter()
        .map(|row| {
            Ok(Gap {
                device: row.try_get(0)?,
                lane: row.try_get::<i64, _>(1)? as u8,
                first: row.try_get::<i64, _>(2)? as u64,
                last: row.try_get::<i64, _>(3)? as u64,
                cause: row.try_get(4)?,
            })
        })
        .collect()
}

/// Offered against stored.
fn compare(
    offered: &BTreeMap<Place, Vec<Reading>>,
    rows: &[(Place, Stored)],
    gaps: &[Gap],
    small: &[&str],
) -> Sum {
    let mut sum = Sum {
        offered_records: offered.len() as u64,
        offered_readings: offered.values().map(|r| r.len() as u64).sum(),
        stored_readings: rows.len() as u64,
        ..Sum::default()
    };
    let mut records: HashMap<&Place, Vec<Stored>> = HashMap::new();
    let mut before: Option<(&Place, u64)> = None;
    for (place, reading) in rows {
        if let Some((last, tick)) = before {
            // In one lane of one boot, ticks never step back as positions go up.
            let same_lane = (&last.0, last.1, last.2 >> 32) == (&place.0, place.1, place.2 >> 32);
            sum.out_of_order += u64::from(same_lane && reading.tick < tick);
        }
        before = Some((place, reading.tick));
        records.entry(place).or_default().push(*reading);
    }
    sum.stored_records = records.len() as u64;
    for (place, readings) in &records {
        let Some(given) = offered.get(*place) else {
            sum.foreign += 1;
            continue;
        };
        for reading in readings {
            let same = readings.iter().filter(|r| r.quantity == reading.quantity).count();
            sum.twice += u64::from(same > 1);
            match given.iter().any(|g| (g.quantity, g.cell) == (reading.quantity, reading.cell)) {
                true => sum.equal += 1,
                false => sum.different += 1,
            }
        }
        sum.different += given.len().saturating_sub(readings.len()) as u64;
    }
    for place @ (device, lane, position) in offered.keys() {
        let explained = gaps
            .iter()
            .filter(|g| (&g.device, g.lane) == (device, *lane) && (g.first..=g.last).contains(position))
            .count();
        match (records.contains_key(place), explained) {
            (true, 0) => {}
            (false, 1) => {
                sum.in_gaps += 1;
                sum.in_gaps_without_need += u64::from(!small.contains(&device.as_str()));
            }
            (false, 0) => sum.lost += 1,
            // Stored and in a gap, or in two gaps.
            _ => sum.twice += 1,
        }
    }
    sum
}

fn print(sum: &Sum, gaps: &[Gap], small: &[&str], refused: u64, screen: &Screen) {
    screen.print("\nVERIFICATION, computed from the database file: what record() returned on the devices, against the rows");
    let line = |what: &str, records: u64, note: String| {
        screen.print(format!("  {what:<14} {:>9}  {note}", thousands(records)).trim_end());
    };
    line("offered", sum.offered_records, format!("records, with {}", count(sum.offered_readings, "reading")));
    line("stored", sum.stored_records, format!("records, with {}", count(sum.stored_readings, "reading")));
    let mut causes: BTreeMap<&str, u64> = BTreeMap::new();
    gaps.iter().for_each(|g| *causes.entry(&g.cause).or_default() += 1);
    let causes: Vec<String> =
        causes.iter().map(|(cause, n)| format!("{} ({cause})", count(*n, "gap"))).collect();
    let whose = match sum.in_gaps_without_need {
        0 => format!(
            "records of {}, which has too little memory on purpose; in {}",
            small.join(" and "),
            causes.join(", ")
        ),
        n => format!("records, {n} of them of boards with memory enough; in {}", causes.join(", ")),
    };
    line("in gaps", sum.in_gaps, if gaps.is_empty() { String::new() } else { whose });
    line("lost", sum.lost, "neither stored nor explained by a gap".to_owned());
    line("duplicated", sum.twice + sum.foreign, "stored twice, or stored and never offered".to_owned());
    line("out of order", sum.out_of_order, "within their lane".to_owned());
    line(
        "other values",
        sum.different,
        format!("of {} that were compared", count(sum.equal + sum.different, "value")),
    );
    if refused > 0 {
        line("refused", refused, "by record() itself".to_owned());
    }
}

/// Connections, bytes, commands and settings; whether all that was asked for was done.
async fn links(
    file: &mut SqliteConnection,
    sum: &Sum,
    done: &Done,
    devices: u64,
    screen: &Screen,
) -> Result<bool> {
    let row =
        sqlx::query("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM connection").fetch_one(&mut *file).await?;
    let (connections, bytes): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let a_reading = bytes as f64 / sum.stored_readings.max(1) as f64;
    screen.print(&format!(
        "  on the wire    {:>9}  bytes of frames from the devices, {a_reading:.2} bytes a reading, over {}; {} cut",
        thousands(bytes.unsigned_abs()),
        count(connections.unsigned_abs(), "connection"),
        count(done.cuts, "link"),
    ));
    let row = sqlx::query("SELECT COUNT(*), COALESCE(SUM(state = 'done'), 0) FROM command")
        .fetch_one(&mut *file)
        .await?;
    let (commands, answered): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let row = sqlx::query("SELECT COUNT(applied_us) FROM setting").fetch_one(&mut *file).await?;
    let applied: i64 = row.try_get(0)?;
    screen.print(&format!(
        "  commands       {commands:>9}  sent, {answered} answered; {}, {applied} applied",
        count(done.settings, "setting")
    ));
    let resumed = connections.unsigned_abs().saturating_sub(devices);
    Ok(resumed >= CUTS
        && commands == answered
        && commands.unsigned_abs() == done.commands
        && applied.unsigned_abs() == done.settings)
}

/// The `why` of the time in which one device's network was away.
async fn why(store: &SqlStore, done: &Done, screen: &Screen) -> Result<()> {
    let (device, from_us, to_us) = done.away;
    let known = Known::find(store, device).await?;
    let span = Span { from_us: from_us - 500_000, to_us: to_us + 2_000_000 };
    let mut text = Vec::new();
    crate::cli::explain(store, &known, span, Times::local(), &mut text).await?;
    screen.print(&format!("\nWhy was {device} away? (sensockd why {device} FROM..TO)"));
    String::from_utf8_lossy(&text).lines().for_each(|line| screen.print(&format!("  {line}")));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(n: u64) -> BTreeMap<Place, Vec<Reading>> {
        let readings = |n: u64| vec![Reading { quantity: 1, cell: Cell::Value(n as i32) }];
        (0..n).map(|n| (("cellar-3".to_owned(), 2, n), readings(n))).collect()
    }

    fn row(n: u64, value: i32, tick: u64) -> (Place, Stored) {
        (("cellar-3".to_owned(), 2, n), Stored { quantity: 1, cell: Cell::Value(value), tick })
    }

    #[test]
    fn what_is_stored_once_and_in_order_adds_up() {
        let rows: Vec<_> = (0..4).map(|n| row(n, n as i32, n * 10)).collect();
        let sum = compare(&offered(4), &rows, &[], &[]);
        assert!(sum.adds_up(), "{sum:?}");
        let gap =
            Gap { device: "cellar-3".to_owned(), lane: 2, first: 4, last: 5, cause: "overflow".to_owned() };
        let sum = compare(&offered(6), &rows, std::slice::from_ref(&gap), &["cellar-3"]);
        assert!(sum.adds_up() && sum.in_gaps == 2, "{sum:?}");
        assert!(!compare(&offered(6), &rows, std::slice::from_ref(&gap), &[]).adds_up());
        let sum = compare(&offered(6), &rows, &[gap.clone(), gap], &["cellar-3"]);
        assert!(!sum.adds_up() && sum.twice == 2, "{sum:?}");
    }

    #[test]
    fn every_kind_of_fault_is_found() {
        let rows = [row(0, 0, 0), row(1, 1, 10), row(2, 2, 20)];
        let lost = compare(&offered(4), &rows, &[], &[]);
        assert_eq!((lost.lost, lost.adds_up()), (1, false));
        let foreign = compare(&offered(2), &rows, &[], &[]);
        assert_eq!((foreign.foreign, foreign.adds_up()), (1, false));
        let twice = compare(
            &offered(3),
            &[rows[0].clone(), rows[1].clone(), rows[1].clone(), rows[2].clone()],
            &[],
            &[],
        );
        assert_eq!((twice.twice, twice.adds_up()), (2, false));
        let different = compare(&offered(3), &[rows[0].clone(), row(1, 7, 10), rows[2].clone()], &[], &[]);
        assert_eq!((different.different, different.adds_up()), (1, false));
        let disorder = compare(&offered(3), &[rows[0].clone(), row(1, 1, 30), rows[2].clone()], &[], &[]);
        assert_eq!((disorder.out_of_order, disorder.adds_up()), (1, false));
    }
}
