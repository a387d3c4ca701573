//! Batches of 64 records on one connection, beside the same rows through the same store code without a network.
//!
//! Both store into SQLite at full durability, in transactions of 64 records of one device, on the same CPU, in turns.

use anyhow::Result;
use sensock_sql::SqlStore;

use crate::client::Protocol;
use crate::direct::{Cost, Devices, Group};
use crate::fleet::{self as fleets, GENTLE, Load, Measured, on_one_thread};
use crate::limit::Limit;
use crate::modes::fleet;
use crate::served::Storage;
use crate::server::Programs;
use crate::table::{columns, median};
use crate::turns::Pace;
use crate::usage::Pinned;

/// Most times the cost without a network that the whole server's may be.
const LIMIT: f64 = 1.4;
const BATCH: usize = 64;

/// What the command line can say.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
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
/// When the server or a client fails, or what is stored is not what was acknowledged.
#[allow(clippy::print_stdout, reason = "it is what the program is for")]
pub fn run(programs: &Programs, options: &Options) -> Result<Vec<Limit>> {
    let pinned = Pinned::to_one()?;
    println!("batch64: {BATCH} records a transaction, one connection; both ends on CPU {}", pinned.cpu);
    let load = Load {
        connections: 1,
        first: 0,
        dials: GENTLE,
        pace: Pace::saturated(BATCH),
        warm_up: std::time::Duration::from_millis(500),
        window: std::time::Duration::from_secs_f64(options.seconds),
    };
    let (mut through, mut without): (Vec<Measured>, Vec<Cost>) = (vec![], vec![]);
    for _ in 0..options.rounds {
        let measured = fleet::once(programs, Protocol::ours(options.insecure), Storage::Sqlite, &load)?;
        let transactions = (measured.records / BATCH as u64).clamp(50, 5_000);
        through.push(measured);
        without.push(on_one_thread(direct(transactions as usize))?);
    }
    let row = |name: &str, cpu: f64, rate: f64| vec![name.into(), format!("{cpu:.2}"), format!("{rate:.0}")];
    let cpu = |m: &Measured| m.cpu_per_record();
    print!(
        "{}",
        columns(&[
            ["", "µs CPU/record", "records/s"].map(str::to_owned).to_vec(),
            row(
                fleet::name(Protocol::ours(options.insecure)),
                median(through.iter().map(cpu)),
                median(through.iter().map(fleets::Measured::rate))
            ),
            row(
                "without a network",
                median(without.iter().map(|c| c.cpu_per_record())),
                median(without.iter().map(|c| c.rate()))
            ),
        ])
    );
    let ratios = through.iter().zip(&without).map(|(t, w)| t.cpu_per_record() / w.cpu_per_record());
    Ok(vec![Limit::at_most("CPU a record in batches of 64, x without a network", median(ratios), LIMIT)])
}

/// The same rows, straight into the store.
async fn direct(transactions: usize) -> Result<Cost> {
    let directory = tempfile::tempdir()?;
    let store =
        SqlStore::open(&format!("sqlite:{}", directory.path().join("direct.sqlite").display())).await?;
    let group = Group { works: 1, records: BATCH as u32 };
    let mut devices = Devices::new(&store, 1).await?;
    devices.commit(&store, group, 50).await?;
    let cost = devices.commit(&store, group, transactions).await?;
    store.close().await;
    Ok(cost)
}
