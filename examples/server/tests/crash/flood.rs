//! A flood of first messages that no key fits, from ever new addresses, while a hundred devices go on: how long a record waits for its
//! acknowledgement, by the clock, with and without the flood.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use catalog::TEMPERATURE;
use example_device::private::random;
use sensock::deframe::{PREFACE, prefixed};
use sensock::seal::{Credential, Dialled, Ephemeral, FIRST_OVERHEAD, Key, KeyId};
use sensock_device::Device;
use sensock_testkit::effort;
use sensock_testkit::require::announce;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::daemon::Daemon;
use crate::line::quantile;
use crate::{sealed, storm};

const DEVICES: usize = 100;
/// Between two records of a device.
const EVERY: Duration = Duration::from_millis(100);
/// Strangers a second.
const RATE: u32 = 500;
/// A stranger waits for the server's words no longer.
const PATIENCE: Duration = Duration::from_secs(10);
const LIMIT: f64 = 3.0;

/// What is said for certain is that everyone is served and every stranger answered; the limit holds where nothing else wants the processors, so
/// it is held in the long form alone.
#[test]
fn prove_a_flood_of_strangers_delays_nobody() -> Result<()> {
    let (rounds, records) = effort::size((1, 20), (7, 60));
    let directory = tempfile::tempdir()?;
    let store = format!("sqlite:{}", directory.path().join("flood.sqlite").display());
    let mut daemon = Daemon::new(&store)?.with(&["--log", "quiet"]);
    daemon.start(None)?;
    let server = daemon.address();
    daemon.process()?.wait_for("listening on", PATIENCE)?;
    let (runtime, local) = (Builder::new_current_thread().enable_all().build()?, LocalSet::new());
    let mut devices = vec![];
    for n in 0..DEVICES {
        let (device, runner) = storm::device(n)?;
        devices.push(device);
        local.spawn_local(storm::network(runner, server));
    }
    latencies(&runtime, &local, &devices, records)?;

    let (mut ratios, mut all) = (vec![], vec![]);
    for _ in 0..rounds {
        let quiet = latencies(&runtime, &local, &devices, records)?;
        let crowd = Crowd::default();
        let flooded = std::thread::scope(|scope| {
            let strangers = scope.spawn(|| crowd.flood(server));
            let flooded = latencies(&runtime, &local, &devices, records);
            crowd.over.store(true, Ordering::Relaxed);
            strangers.join().ok().context("the crowd panicked")??;
            flooded
        })?;
        let answered = crowd.answered.load(Ordering::Relaxed);
        let expected = RATE * (EVERY.as_millis() as u32 * records as u32) / 1_000 / 4;
        ensure!(
            answered >= expected,
            "only {answered} strangers were answered, expected {expected}: that is no flood"
        );
        ensure!(devices.iter().all(Device::is_connected), "a device lost its connection");
        ratios.push(quantile(&flooded, 0.99).as_secs_f64() / quantile(&quiet, 0.99).as_secs_f64());
        all.push((quiet, flooded, answered));
    }
    daemon.stop()?;
    ratios.sort_by(f64::total_cmp);
    let ms = |all: &[Duration], q| quantile(all, q).as_secs_f64() * 1e3;
    let shown = |(quiet, flooded, answered): &(Vec<Duration>, Vec<Duration>, u32)| {
        format!(
            "{:.1}/{:.1} -> {:.1}/{:.1} ms with {answered} strangers answered",
            ms(quiet, 0.5),
            ms(quiet, 0.99),
            ms(flooded, 0.5),
            ms(flooded, 0.99)
        )
    };
    announce(&format!(
        "flood: p50/p99 from record to acknowledgement, quiet -> flooded: {}; p99 against p99: {ratios:.2?}",
        all.iter().map(shown).collect::<Vec<_>>().join(", ")
    ));
    let median = ratios[ratios.len() / 2];
    ensure!(
        effort::size(true, median <= LIMIT),
        "p99 grew {median:.2} times, {LIMIT} are allowed: {ratios:.2?}"
    );
    Ok(())
}

/// From each record to its acknowledgement, of all devices, sorted.
fn latencies(
    runtime: &Runtime,
    local: &LocalSet,
    devices: &[Device<'static>],
    records: usize,
) -> Result<Vec<Duration>> {
    let one = async |n: usize, device: Device<'static>| -> Result<Vec<Duration>> {
        tokio::time::sleep(EVERY * n as u32 / DEVICES as u32).await;
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut took = vec![];
        for _ in 0..records {
            ticks.tick().await;
            let began = Instant::now();
            device.record(&[TEMPERATURE.is(20.0)])?;
            timeout(PATIENCE, device.drain()).await.context("a record was not acknowledged")?;
            took.push(began.elapsed());
        }
        Ok(took)
    };
    local.block_on(runtime, async {
        let all =
            futures_util::future::try_join_all(devices.iter().enumerate().map(|(n, device)| one(n, *device)));
        let mut all = all.await?.concat();
        all.sort();
        Ok(all)
    })
}

/// Strangers until it is over.
#[derive(Default)]
struct Crowd {
    over: AtomicBool,
    answered: AtomicU32,
}

impl Crowd {
    fn flood(&self, server: SocketAddr) -> Result<()> {
        // Half of them know the id of a key that there is.
        let known = Credential::parse(&sensock_testkit::keys::line(&sealed::storm(1)))?.id;
        let messages = [message(known)?, message(KeyId([9; 8]))?];
        let (runtime, local) = (Builder::new_current_thread().enable_all().build()?, LocalSet::new());
        local.block_on(&runtime, async {
            let mut ticks = interval(Duration::from_secs(1) / RATE);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let mut all = tokio::task::JoinSet::new();
            for n in 0_u32.. {
                if self.over.load(Ordering::Relaxed) {
                    break;
                }
                ticks.tick().await;
                let [_, high, low, _] = (n << 8).to_be_bytes();
                let message = messages[n as usize % 2].clone();
                all.spawn_local(stranger(server, Ipv4Addr::new(127, 9, high, low), message));
                while let Some(ended) = all.try_join_next() {
                    self.count(ended??);
                }
            }
            while let Some(ended) = all.join_next().await {
                self.count(ended??);
            }
            Ok(())
        })
    }

    fn count(&self, answered: bool) {
        self.answered.fetch_add(answered.into(), Ordering::Relaxed);
    }
}

/// The preface and a first message sealed with a key that the server does not have.
fn message(id: KeyId) -> Result<Vec<u8>> {
    const HELLO: usize = 90;
    let credential = Credential { id, key: Key::new([200; 32]) };
    let mut message = vec![0; 2 + HELLO + FIRST_OVERHEAD];
    let ephemeral = Ephemeral::make(&credential.key, &mut { random }, &[1, 0, 0])?;
    let first = Dialled::first(&credential, ephemeral, &mut message[2..], HELLO);
    let (_, len) = first.ok().context("the message has no room")?;
    let skip = prefixed(&mut message, len);
    Ok([&PREFACE[..], &message[skip..2 + len]].concat())
}

/// Says it and waits for the answer; whether one came.
async fn stranger(server: SocketAddr, from: Ipv4Addr, message: Vec<u8>) -> Result<bool> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let mut stream: TcpStream = timeout(PATIENCE, socket.connect(server)).await??;
    stream.write_all(&message).await?;
    let mut answer = [0; 256];
    Ok(timeout(PATIENCE, stream.read(&mut answer)).await.is_ok_and(|n| n.is_ok_and(|n| n > 0)))
}
