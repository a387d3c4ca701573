//! Both ends in one file: a server with its store in memory, and a device that dials it over loopback.
#![allow(clippy::print_stdout, reason = "an example shows what happens")]

use std::time::Duration;

use catalog::{CELLAR, HUMIDITY, TEMPERATURE};
use embedded_io_adapters::tokio_1::FromTokio;
use sensock::seal::{Credential, NoEntropy};
use sensock_device::{Boot, Buffers, Key, Node, Outbox, TokioClock};
use sensock_server::{DeviceId, History as _, Keyring, MemoryStore, Server, listen};
use tokio::net::TcpStream;

static OUTBOX: Outbox<8192> = Outbox::new(); // what waits for the network; it outlives every connection

fn random(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    getrandom::fill(bytes).map_err(|_| NoEntropy) // the operating system's
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // A key, which this device and the server have, and nobody else.
    let credential = Credential::make(&mut random)?;
    let mut keys = Keyring::default();
    keys.add(DeviceId::new("cellar-3")?, credential.clone());

    // The server: its store, who may connect, where it listens.
    let store = MemoryStore::default();
    let (server, _events) = Server::builder(store.clone(), keys).start().await?;
    let listener = listen("127.0.0.1:0".parse()?)?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { server.serve(listener, std::future::pending()).await });

    // The device: who it is, its clock, and the buffers of a connection.
    let key = Key::Sealed(&credential, random);
    let node = Node { id: "cellar-3", key, catalog: &CELLAR, boot: Boot::Unknown };
    let (clock, mut buffers) = (TokioClock::new(), Buffers::<512>::new());
    let (device, mut runner) = OUTBOX.start(&node, &clock, &mut buffers);
    let network = async {
        loop {
            if let Ok(mut socket) = TcpStream::connect(address).await {
                let (reader, writer) = socket.split();
                runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await;
            }
            runner.backoff().await;
        }
    };
    let sample = async {
        device.record(&[TEMPERATURE.is(23.45), HUMIDITY.is(56.7)])?; // never waits, with or without a network
        device.drain().await; // stored now, not merely sent
        let stored = store.latest(&DeviceId::new("cellar-3")?).await?;
        for r in &stored {
            println!("stored: {} {:.2} {}", r.name, r.row.value, r.unit);
        }
        anyhow::ensure!(stored.len() == 2, "drained, and yet not stored");
        Ok(())
    };
    tokio::select! {
        done = sample => done,
        () = network => anyhow::bail!("the network task ended"),
        () = tokio::time::sleep(Duration::from_secs(20)) => anyhow::bail!("nothing was stored in 20 s"),
    }
}
