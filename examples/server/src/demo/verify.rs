//! The proof: what `record` returned on the devices, against the rows of the database file, read by SQL.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use sensock::Reading;
use sensock::batch::Cell;
use sensock_sql::SqlStore;
use sensock_store::Span;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};

use super::alarm;
use super::board::{Offered, Running};
use super::compare::{Gap, Place, Stored, Sum, compare};
use super::screen::Screen;
use super::script::Done;
use crate::device::Known;
use crate::show::time::Times;
use crate::show::words::{count, thousands};

/// What the demo promises: at least so many real readings, and so many cuts.
const READINGS: u64 = 30_000;
const CUTS: u64 = 20;

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
    let alarmed = alarm::verify(&mut file, screen).await?;
    why(store, done, screen).await?;

    let enough = real >= READINGS && done.cuts >= CUTS;
    let adds_up = sum.adds_up() && refused == 0 && links && alarmed && enough;
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
        && commands.unsigned_abs() == done.commands + alarm::COMMANDS
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
