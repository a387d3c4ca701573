//! A thousand devices come back all at once, after their server was killed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use catalog::{CELLAR, HUMIDITY, TEMPERATURE};
use embedded_io_adapters::tokio_1::FromTokio;
use example_device::private::random;
use sensock::seal::Credential;
use sensock_device::{Boot, Buffers, Device, Key, Node, Outbox, Runner, TokioClock};
use sensock_testkit::keys;
use sensock_testkit::require::announce;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

use crate::daemon::Daemon;
use crate::ledger::Ledger;
use crate::sealed;
use crate::usage::allow_files;

const DEVICES: usize = sealed::STORM;
/// Records of each before the server is killed, and while it is away.
const RECORDS: (usize, usize) = (2, 3);
/// A pause between two dials is this at most.
const REDIAL_MS: u32 = 1_000;
/// Everything is stored within this after the server listens again, however busy the machine is.
const BOUND: Duration = Duration::from_secs(30);

#[test]
fn a_thousand_devices_come_back_at_once() -> Result<()> {
    allow_files(DEVICES as u64 + 1_000)?;
    let directory = tempfile::tempdir()?;
    let store = format!("sqlite:{}", directory.path().join("storm.sqlite").display());
    let mut daemon = Daemon::new(&store)?.with(&["--log", "quiet"]);
    let address = daemon.address();
    daemon.start(None)?;
    let (runtime, local) =
        (tokio::runtime::Builder::new_current_thread().enable_all().build()?, LocalSet::new());
    let mut devices = vec![];
    for n in 0..DEVICES {
        let (device, runner) = device(n)?;
        devices.push(device);
        local.spawn_local(network(runner, address));
    }
    record(&devices, RECORDS.0)?;
    let (first, _) = stored(&runtime, &local, &devices)?;

    daemon.kill()?;
    record(&devices, RECORDS.1)?;
    // All of them notice, and dial.
    let noticed = async {
        while devices.iter().any(|device| device.is_connected()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    local
        .block_on(&runtime, async { tokio::time::timeout(BOUND, noticed).await })
        .context("nobody noticed")?;
    daemon.start(None)?;
    daemon.process()?.wait_for("listening on", BOUND)?;
    let (back, half) = stored(&runtime, &local, &devices)?;
    daemon.stop()?;

    let kept = Ledger::open(&store)?.kept()?;
    let right =
        |kept: &crate::check::Kept| kept.records.len() == RECORDS.0 + RECORDS.1 && kept.gaps.is_empty();
    announce(&format!(
        "storm: {DEVICES} devices for the first time: all stored after {} ms; back after a kill of the server: half of them stored after {} ms, \
         all after {} ms",
        first.as_millis(),
        half.as_millis(),
        back.as_millis()
    ));
    ensure!(
        kept.len() == DEVICES && kept.values().all(right),
        "not every device has all of its records once"
    );
    Ok(())
}

/// Waits until everything is stored: how long it took for all, and for half of the devices.
fn stored(runtime: &Runtime, local: &LocalSet, devices: &[Device<'static>]) -> Result<(Duration, Duration)> {
    let begun = Instant::now();
    let (mut half, mut waiting) = (None, devices.to_vec());
    let all = async {
        while !waiting.is_empty() {
            waiting.retain(|device| device.status().waiting > 0);
            if waiting.len() <= devices.len() / 2 {
                half.get_or_insert_with(|| begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let done = local.block_on(runtime, async { tokio::time::timeout(BOUND, all).await });
    done.with_context(|| format!("not everything was stored within {BOUND:?}"))?;
    Ok((begun.elapsed(), half.unwrap_or_default()))
}

fn record(devices: &[Device<'static>], records: usize) -> Result<()> {
    for n in 0..records {
        for device in devices {
            device.record(&[TEMPERATURE.is(20.0 + n as f32), HUMIDITY.is(50.0)])?;
        }
    }
    Ok(())
}

/// A small device, which lives as long as this process.
pub(crate) fn device(n: usize) -> Result<(Device<'static>, Runner<'static, TokioClock>)> {
    let outbox: &'static Outbox<1024> = Box::leak(Box::default());
    let buffers: &'static mut Buffers<384> = Box::leak(Box::default());
    let clock: &'static TokioClock = Box::leak(Box::default());
    let id: &'static str = sealed::storm(n).leak();
    let key: &'static Credential = Box::leak(Box::new(Credential::parse(&keys::line(id))?));
    let node = Node { id, key: Key::Sealed(key, random), catalog: &CELLAR, boot: Boot::Number(1) };
    let (device, mut runner) = outbox.try_start(&node, clock, buffers)?;
    runner.backoff_between(REDIAL_MS / 2, REDIAL_MS);
    Ok((device, runner))
}

pub(crate) async fn network(mut runner: Runner<'static, TokioClock>, server: std::net::SocketAddr) {
    loop {
        if let Ok(stream) = TcpStream::connect(server).await {
            let (reader, writer) = stream.into_split();
            let _why = runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await;
        }
        runner.backoff().await;
    }
}
