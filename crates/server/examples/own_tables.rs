//! Rows of your own in the transaction that stores the readings: the two can never disagree.
//!
//! A gardener wants a list of frosts. Written by a listener it would miss those that came while it was down; written by a hook it
//! is committed with the readings, or not at all, and acknowledged only then.
#![allow(clippy::print_stdout, reason = "an example shows what happens")]

mod common;

use anyhow::{Result, ensure};
use catalog::{HUMIDITY, TEMPERATURE};
use sensock_device::{Buffers, Outbox, TokioClock};
use sensock_server::{Batch, Server};
use sensock_sql::{Arg, Hook, HookTx, SqlError, SqlStore};
use sqlx::{Connection as _, Row as _, SqliteConnection};

/// Called with each batch, inside of its transaction.
struct Frosts;

impl Hook for Frosts {
    async fn write(&self, tx: &mut HookTx<'_>, batch: &Batch) -> Result<(), SqlError> {
        for r in batch.readings.iter().filter(|r| r.quantity == TEMPERATURE.entry().id && r.value < 0.0) {
            let row = [Arg::from(r.lane.device.as_str()), r.not_after_us.into(), r.value.into()];
            tx.execute("INSERT INTO frost (device, at_us, celsius) VALUES (?, ?, ?)", &row).await?;
        }
        Ok(())
    }
}

static OUTBOX: Outbox<8192> = Outbox::new();

#[tokio::main]
async fn main() -> Result<()> {
    common::in_time(run()).await
}

async fn run() -> Result<()> {
    let known = common::Known::new("garden-1")?;
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("garden.sqlite").display());
    let store = SqlStore::open(&url).await?; // makes the file, and the tables that are ours
    let mut own = SqliteConnection::connect(&url).await?;
    sqlx::query("CREATE TABLE frost (device TEXT, at_us INTEGER, celsius REAL)").execute(&mut own).await?;
    let (server, _events) = Server::builder(store.with_hook(Frosts), known.keys()?).start().await?;
    let address = common::serve(&server)?;

    let (clock, mut buffers) = (TokioClock::new(), Buffers::<512>::new());
    let (device, mut runner) = OUTBOX.start(&known.node(), &clock, &mut buffers);
    let night = async {
        for celsius in [3.1, 0.4, -1.2, -2.75, 1.0] {
            device.record(&[TEMPERATURE.is(celsius), HUMIDITY.is(90.0)])?;
        }
        device.drain().await;

        let rows = sqlx::query("SELECT device, celsius FROM frost ORDER BY at_us, celsius DESC");
        let frosts: Vec<f64> = rows.fetch_all(&mut own).await?.iter().map(|r| r.get("celsius")).collect();
        println!("the list of frosts: {frosts:?}");
        let readings =
            sqlx::query("SELECT count(*) AS n FROM readings WHERE quantity = 'temperature' AND value < 0");
        let below: i64 = readings.fetch_one(&mut own).await?.get("n");
        println!("readings below zero: {below}");
        ensure!(frosts == [-1.2, -2.75] && below == 2, "the two tables disagree");
        Ok(())
    };
    tokio::select! {
        done = night => done,
        never = common::dial(&mut runner, || address) => match never {},
    }
}
