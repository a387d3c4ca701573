//! What the size of the table costs: the same inserts into an empty database and into one of ten million readings, in turns.

use anyhow::Result;
use sensock_sql::SqlStore;

use crate::direct::{Cost, Devices, Group};
use crate::fleet::on_one_thread;
use crate::limit::Limit;
use crate::server::Programs;
use crate::table::{columns, median};
use crate::usage::Pinned;

/// Most times the cost in an empty table that the cost in the large one may be.
const LIMIT: f64 = 1.3;
const LARGE: u64 = 10_000_000;
const DEVICES: usize = 100;
const TRANSACTIONS: usize = 200;

/// What the command line can say.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Readings in the large table.
    #[arg(long, default_value_t = LARGE)]
    pub readings: u64,
    /// Rounds, interleaved; the middle one counts.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
}

/// Measures and prints. Needs some 40 bytes of disk a reading for a while.
///
/// # Errors
/// The store's, or when it does not store everything.
#[allow(clippy::print_stdout, reason = "it is what the program is for")]
pub fn run(_: &Programs, options: &Options) -> Result<Vec<Limit>> {
    let _pinned = Pinned::to_one()?;
    println!("table: SQLite, {DEVICES} devices, one record of each a transaction");
    let (filled, rounds) = on_one_thread(measure(options))?;
    println!("{} readings were stored at {:.0} records/s", options.readings, filled.rate());
    let row = |name: String, cost: &dyn Fn(&(Cost, Cost)) -> Cost| {
        let cpu = median(rounds.iter().map(|r| cost(r).cpu_per_record()));
        vec![name, format!("{cpu:.2}"), format!("{:.0}", median(rounds.iter().map(|r| cost(r).rate())))]
    };
    print!(
        "{}",
        columns(&[
            ["readings stored", "µs CPU/record", "records/s"].map(str::to_owned).to_vec(),
            row("0".into(), &|r| r.0),
            row(options.readings.to_string(), &|r| r.1),
        ])
    );
    let ratio = median(rounds.iter().map(|(empty, large)| large.cpu_per_record() / empty.cpu_per_record()));
    let limit = Limit::at_most("CPU a record with 10^7 readings stored, x empty", ratio, LIMIT);
    Ok(if options.readings >= LARGE { vec![limit] } else { vec![] })
}

async fn measure(options: &Options) -> Result<(Cost, Vec<(Cost, Cost)>)> {
    let directory = tempfile::tempdir()?;
    let open = |name: String| {
        let url = format!("sqlite:{}", directory.path().join(name).display());
        async move { SqlStore::open(&url).await }
    };
    let large = open("large.sqlite".into()).await?;
    let mut old = Devices::new(&large, DEVICES).await?;
    // A day in which devices were away and came back: 50 records of each at a time.
    let fill = Group { works: DEVICES, records: 50 };
    let filled = old.commit(&large, fill, (options.readings / 2).div_ceil(fill.len()) as usize).await?;
    let group = Group { works: DEVICES, records: 1 };
    old.commit(&large, group, TRANSACTIONS).await?;
    let mut rounds = vec![];
    for round in 0..options.rounds {
        let empty = open(format!("empty-{round}.sqlite")).await?;
        let mut new = Devices::new(&empty, DEVICES).await?;
        new.commit(&empty, group, 20).await?;
        rounds.push((
            new.commit(&empty, group, TRANSACTIONS).await?,
            old.commit(&large, group, TRANSACTIONS).await?,
        ));
        empty.close().await;
    }
    large.close().await;
    Ok((filled, rounds))
}
