//! Sampling never waits, whatever the network does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use catalog::{CELLAR, HUMIDITY, TEMPERATURE};
use common::{Server, halves};
use sensock::Lane;
use sensock_device::{Boot, Buffers, Ended, Key, Node, Outbox, TokioClock};
use tokio::time::{Instant, sleep};

const EVERY: Duration = Duration::from_millis(100);

#[tokio::test(start_paused = true)]
async fn the_sampler_keeps_its_beat_while_the_network_hangs() {
    let outbox = Outbox::<65536>::new();
    let (mut buffers, clock) = (Buffers::<512>::new(), TokioClock::new());
    let node = Node { id: "cellar-3", key: Key::Insecure, catalog: &CELLAR, boot: Boot::Number(1) };
    let (device, mut runner) = outbox.start(&node, &clock, &mut buffers);
    let server = Server::new();
    let phase = std::cell::Cell::new("");
    let network = async {
        phase.set("a dial that hangs 30 s");
        sleep(Duration::from_secs(30)).await;
        phase.set("backoff");
        runner.backoff().await;
        phase.set("a server that accepts and says nothing");
        let (ours, _theirs) = tokio::io::duplex(4096);
        let (reader, writer) = halves(ours);
        assert_eq!(runner.connection(reader, writer).await, Ended::Handshake);
        phase.set("a transport that takes no byte");
        let (ours, _theirs) = tokio::io::duplex(1);
        let (reader, writer) = halves(ours);
        assert_eq!(runner.connection(reader, writer).await, Ended::Handshake);
        phase.set("a server whose store stalls");
        server.desk().stalled = true;
        let (reader, writer) = server.dial();
        tokio::select! {
            why = runner.connection(reader, writer) => panic!("pings go on: {why}"),
            () = sleep(Duration::from_secs(30)) => {}
        }
        server.desk().stalled = false;
        phase.set("a session that catches up");
        let (reader, writer) = server.dial();
        tokio::select! {
            why = runner.connection(reader, writer) => panic!("{why}"),
            () = async {
                sleep(Duration::from_secs(5)).await;
                device.drain().await;
            } => {}
        }
    };
    let mut worst = std::collections::BTreeMap::<&str, (Duration, Vec<Duration>)>::new();
    let sample = async {
        let start = Instant::now();
        for i in 0.. {
            let due = start + EVERY * i;
            tokio::time::sleep_until(due).await;
            let late = due.elapsed();
            let real = std::time::Instant::now();
            device.record(&[TEMPERATURE.is(20.0), HUMIDITY.is(50.0)]).unwrap();
            let took = real.elapsed();
            let worst = worst.entry(phase.get()).or_default();
            worst.0 = worst.0.max(late);
            worst.1.push(took);
        }
    };
    tokio::select! { biased; () = network => {}, () = sample => {} }
    for (phase, (late, took)) in &mut worst {
        took.sort();
        let (records, middle, most) = (took.len(), took[took.len() / 2], took[took.len() - 1]);
        println!(
            "{phase}: {records} records, worst jitter {late:?}, inside record {middle:?}, at worst {most:?}"
        );
        // Timers of tokio are good for a millisecond.
        assert!(*late <= Duration::from_millis(2), "{phase}: {late:?}");
    }
    assert_eq!(worst.len(), 6);
    let desk = server.desk();
    let stored = desk.positions(Lane::Readings);
    assert!(stored.windows(2).all(|w| w[1] == w[0].next()) && desk.gaps() == 0);
    assert!(stored.len() as u32 >= worst.values().map(|w| w.1.len() as u32).sum::<u32>() - 2);
}
