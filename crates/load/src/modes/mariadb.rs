//! The whole server over MariaDB, beside a bare loop of multi-row inserts: rows of the same shape, in the same table, as many a statement and
//! a transaction as the server writes at most.

use std::time::{Duration, Instant};

use anyhow::Result;
use sensock_sql::SqlStore;
use sqlx::mysql::{MySqlArguments, MySqlConnection};
use sqlx::{Arguments as _, AssertSqlSafe, Connection as _};

use crate::client::Protocol;
use crate::fleet::{GENTLE, Load, Measured, on_one_thread};
use crate::limit::Limit;
use crate::modes::fleet;
use crate::served::{self, Storage};
use crate::server::Programs;
use crate::table::{columns, median};
use crate::turns::Pace;

/// Least part of the bare loop's rate that the whole server must reach.
const LIMIT: f64 = 0.8;
/// Rows of one statement.
const ROWS: usize = 512;

/// What the command line can say.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Connections, all open at once.
    #[arg(long, default_value_t = 100)]
    pub connections: usize,
    /// Records in one exchange.
    #[arg(long, default_value_t = 64)]
    pub batch: usize,
    /// Records of one transaction of the bare loop.
    #[arg(long, default_value_t = 4_096)]
    pub transaction: usize,
    /// How long each window is.
    #[arg(long, default_value_t = 2.0)]
    pub seconds: f64,
    /// Rounds, interleaved; the middle one counts.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Ours without keys and in plain text.
    #[arg(long)]
    pub insecure: bool,
}

/// Measures and prints.
///
/// # Errors
/// When MariaDB, the server or a client fails, or what is stored is not what was acknowledged.
#[allow(clippy::print_stdout, reason = "it is what the program is for")]
pub fn run(programs: &Programs, options: &Options) -> Result<Vec<Limit>> {
    println!(
        "mariadb: {} connections, batches of {} records; MariaDB with {}, flushed at each commit",
        options.connections,
        options.batch,
        served::MARIADB.join(" ")
    );
    let load = Load {
        connections: options.connections,
        first: 0,
        dials: GENTLE,
        pace: Pace::saturated(options.batch),
        warm_up: Duration::from_millis(500),
        window: Duration::from_secs_f64(options.seconds),
    };
    let (mut ours, mut bare): (Vec<f64>, Vec<f64>) = (vec![], vec![]);
    for _ in 0..options.rounds {
        let measured = fleet::once(programs, Protocol::ours(options.insecure), Storage::Mariadb, &load)?;
        ours.push(Measured::rate(&measured));
        bare.push(on_one_thread(bare_loop(options))?);
    }
    let row =
        |name: &str, rates: &[f64]| vec![name.to_owned(), format!("{:.0}", median(rates.iter().copied()))];
    print!(
        "{}",
        columns(&[
            ["", "records/s"].map(str::to_owned).to_vec(),
            row(fleet::name(Protocol::ours(options.insecure)), &ours),
            row("bare multi-row insert", &bare)
        ])
    );
    let ratio = median(ours.iter().zip(&bare).map(|(ours, bare)| ours / bare));
    Ok(vec![Limit::at_least("MariaDB: records a second, x a bare multi-row insert", ratio, LIMIT)])
}

/// Records a second of a loop that does nothing but insert, in the table that our own schema makes.
async fn bare_loop(options: &Options) -> Result<f64> {
    let address = served::mariadb()?.database()?;
    SqlStore::open(&address).await?.close().await;
    let mut connection = MySqlConnection::connect(&address).await?;
    let values = vec!["(?, ?, ?, ?, ?, ?, ?)"; ROWS].join(", ");
    let sql = format!(
        "INSERT INTO record (sheet, lane_id, position, tick, not_before_us, not_after_us, readings) VALUES {values}"
    );
    let (begun, mut position) = (Instant::now(), 0i64);
    let mut stored = 0;
    while begun.elapsed() < Duration::from_secs_f64(options.seconds) {
        sqlx::raw_sql("START TRANSACTION").execute(&mut connection).await?;
        for _ in 0..options.transaction.div_ceil(ROWS) {
            let mut args = MySqlArguments::default();
            for _ in 0..ROWS {
                position += 1;
                // As many records of a device stand together as in a batch.
                let (batch, n) = (position / options.batch as i64, position % options.batch as i64);
                let lane = batch % options.connections as i64;
                let at = batch / options.connections as i64 * options.batch as i64 + n;
                let us = 1_800_000_000_000_000 + at * 1_000_000;
                for number in [0, lane, at, at * 1_000, us - 10_000, us] {
                    args.add(number).map_err(sqlx::Error::Encode)?;
                }
                args.add("[[17,2345],[18,567]]").map_err(sqlx::Error::Encode)?;
            }
            sqlx::query_with(AssertSqlSafe(sql.as_str()), args).execute(&mut connection).await?;
            stored += ROWS;
        }
        sqlx::raw_sql("COMMIT").execute(&mut connection).await?;
    }
    let rate = stored as f64 / begun.elapsed().as_secs_f64();
    connection.close().await?;
    Ok(rate)
}
