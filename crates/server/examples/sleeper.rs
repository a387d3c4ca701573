//! A device that sleeps most of the time: what it is told meanwhile waits in the store, and reaches it when it wakes.
//!
//! The sleep is two seconds here, and a night in a garden.
#![allow(clippy::print_stdout, reason = "an example shows what happens")]

mod common;

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Result, ensure};
use catalog::{HUMIDITY, INTERVAL, RELAY, TEMPERATURE};
use sensock_device::{Buffers, Outbox, TokioClock};
use sensock_server::{Event, Events, MemoryStore, Outcome, Server};

const SLEEP: Duration = Duration::from_secs(2);

static OUTBOX: Outbox<8192> = Outbox::new();

#[tokio::main]
async fn main() -> Result<()> {
    common::in_time(run()).await
}

async fn run() -> Result<()> {
    let known = common::Known::new("garden-1")?;
    let (server, events) = Server::builder(MemoryStore::default(), known.keys()?).start().await?;
    let address = common::serve(&server)?;
    let (clock, mut buffers) = (TokioClock::new(), Buffers::<512>::new());
    let (device, mut runner) = OUTBOX.start(&known.node(), &clock, &mut buffers);
    let interval = Cell::new(60);

    let awake = async {
        device.record(&[TEMPERATURE.is(4.2), HUMIDITY.is(88.0)])?;
        device.drain().await;
        let told = device.sleep(SLEEP).await; // the server knows: "asleep", not "offline"
        ensure!(told, "the connection ended before the server knew");
        anyhow::Ok(())
    };
    let obey = async {
        loop {
            device.next_command().await.on(&RELAY, Ok).otherwise_refuse();
        }
    };
    let tune = async {
        loop {
            interval.set(device.setting(&INTERVAL).await);
        }
    };
    let device_side = async { tokio::join!(awake, obey, tune).0 };
    tokio::select! {
        done = orders(&server, events) => done?,
        ended = device_side => ended?,
        never = common::dial(&mut runner, || address) => match never {}, // its backoff waits the sleep out
    }
    ensure!(interval.get() == 300, "the device samples each {} s", interval.get());
    Ok(())
}

/// The server's side: as soon as the device sleeps, it wants two things of it.
async fn orders(server: &Server, mut events: Events) -> Result<()> {
    let garden = server.device("garden-1");
    let (mut ticket, mut applied) = (None, false);
    while let Some(event) = events.next().await {
        match event {
            Event::Stored { rows } => println!("stored {} readings", rows.len()),
            Event::Asleep { .. } => {
                ensure!(ticket.is_none(), "it sleeps again, though it was told to once");
                println!("the device sleeps; something is wanted of it all the same");
                garden.set(&INTERVAL, 300).await?;
                ticket = Some(garden.command(&RELAY, true, Duration::from_secs(3600)).await?);
            }
            Event::Resumed { offline_ms, .. } => println!("it is back, after {offline_ms} ms"),
            Event::Applied(setting) => {
                println!("it applied {}", setting.name);
                applied = true;
            }
            Event::Lost { device } => anyhow::bail!("{device} counts as lost, though it said that it sleeps"),
            _ => {}
        }
        // Both have an end in the store; here they may come in either order.
        if let (Some(ticket), true) = (&ticket, applied) {
            let outcome = ticket.outcome().await;
            println!("the relay's command: {outcome:?}");
            ensure!(outcome == Outcome::Done(true), "the command ended otherwise");
            return Ok(());
        }
    }
    anyhow::bail!("the server ended")
}
