//! Two servers over one store, and a device that moves between them in the middle of its work.
//!
//! A device resumes at what is stored, not at what some connection remembers. So servers need nothing of each other: any of them may die, be
//! updated, or serve a device that came from another one with commits still under way.
#![allow(clippy::print_stdout, reason = "an example shows what happens")]

mod common;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use catalog::{HUMIDITY, TEMPERATURE};
use sensock_device::{Buffers, Outbox, TokioClock};
use sensock_server::{DeviceId, History as _, MemoryStore, Server, Span};

const RECORDS: usize = 300;
const HOP_EACH: usize = 60;

static OUTBOX: Outbox<16384> = Outbox::new();

#[tokio::main]
async fn main() -> Result<()> {
    common::in_time(run()).await
}

async fn run() -> Result<()> {
    let known = common::Known::new("van-7")?;
    let store = MemoryStore::default(); // in a real house: one MySQL database
    let (left, _events) = Server::builder(store.clone(), known.keys()?).start().await?;
    let (right, _events) = Server::builder(store.clone(), known.keys()?).start().await?;
    let addresses = [common::serve(&left)?, common::serve(&right)?];

    let (clock, mut buffers) = (TokioClock::new(), Buffers::<512>::new());
    let (device, mut runner) = OUTBOX.start(&known.node(), &clock, &mut buffers);
    runner.backoff_between(20, 200); // a van is impatient
    let dials = Cell::new(0);
    let next = || {
        dials.set(dials.get() + 1);
        addresses[dials.get() % 2]
    };
    let drive = async {
        for n in 0..RECORDS {
            device.record(&[TEMPERATURE.is(n as f32 / 100.0), HUMIDITY.is(50.0)])?;
            tokio::time::sleep(Duration::from_millis(5)).await;
            if n % HOP_EACH == HOP_EACH - 1 {
                device.close(); // whatever is under way: on to the other server
            }
        }
        device.drain().await;
        anyhow::Ok(())
    };
    tokio::select! {
        done = drive => done?,
        never = common::dial(&mut runner, next) => match never {},
    }

    let van = DeviceId::new("van-7")?;
    let rows = store.range(&van, Span::ALL, None, usize::MAX).await?;
    let temperatures: Vec<i32> = rows.iter().filter(|r| r.name == "temperature").map(|r| r.row.raw).collect();
    let gaps = store.gaps(&van, Span::ALL).await?;
    let connections = store.connections(&van, Span::ALL).await?;
    let servers: BTreeSet<u64> = connections.iter().map(|c| c.server).collect();
    println!(
        "{} records over {} connections to {} servers, {} gaps",
        temperatures.len(),
        connections.len(),
        servers.len(),
        gaps.len()
    );
    ensure!(
        temperatures.iter().copied().eq(0..RECORDS as i32),
        "each record once, in order: {temperatures:?}"
    );
    ensure!(gaps.is_empty() && servers.len() == 2 && connections.len() > 4, "it did not move enough");
    Ok(())
}
