//! Whoever reaches the port and is no device: floods, dripped handshakes, frames that are too large. Devices are served on, and
//! what a stranger costs is bounded in memory and in time.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sensock::deframe::{PREFACE, prefixed};
use sensock_testkit::require::announce;
use sensock_testkit::rng::Rng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::daemon::Daemon;
use crate::fault::Kind;
use crate::line::Line;
use crate::usage::{Usage, allow_files};

/// Who say nothing at all, each from an address of its own.
const SILENT: u32 = 2_000;
/// Who drip a Hello, a byte at a time.
const DRIPPING: u32 = 100;
/// Who announce a frame above the limit.
const OVERSIZED: u32 = 200;
/// Who send all but the last byte of a frame just below it.
const ENDLESS: u32 = 300;
/// A handshake may take 10 s; so much later everyone is gone, however busy the machine is.
const GONE: Duration = Duration::from_secs(30);
/// What a stranger may cost, beyond the bytes that it sent.
const KIB_EACH: u64 = 16;
/// The largest frame that sensockd takes.
const FRAME: usize = 4_096;

/// An address for each stranger, none of which a device has.
fn address(kind: u8, n: u32) -> Ipv4Addr {
    let [.., a, b] = (n + 1).to_be_bytes();
    Ipv4Addr::new(127, kind, a, b)
}

async fn dial(server: SocketAddr, from: Ipv4Addr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    Ok(timeout(GONE, socket.connect(server)).await??)
}

/// The beginning of a stream with a frame of so many bytes.
fn frame(len: usize) -> Vec<u8> {
    let mut bytes = vec![0x55; 2 + len];
    let skip = prefixed(&mut bytes, len);
    [&PREFACE[..], &bytes[skip..]].concat()
}

/// Reads until the server ends it.
async fn until_closed(mut stranger: TcpStream) -> Result<()> {
    let mut heard = vec![];
    // A reset is an end too.
    let _how = timeout(GONE, stranger.read_to_end(&mut heard)).await.context("a stranger is still held")?;
    Ok(())
}

/// All of them, ended by the server.
fn all_closed(runtime: &Runtime, strangers: impl IntoIterator<Item = TcpStream>) -> Result<()> {
    runtime.block_on(async {
        let mut all: JoinSet<_> = strangers.into_iter().map(until_closed).collect();
        while let Some(ended) = all.join_next().await {
            ended??;
        }
        Ok(())
    })
}

/// Waits until something is so of a process.
fn usage_when(pid: u32, what: &str, is_so: impl Fn(Usage) -> bool) -> Result<Usage> {
    let deadline = Instant::now() + GONE;
    loop {
        let usage = Usage::of(pid)?;
        if is_so(usage) {
            return Ok(usage);
        }
        ensure!(Instant::now() < deadline, "sensockd holds {usage}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn strangers_are_bounded_and_devices_are_stored_meanwhile() -> Result<()> {
    allow_files(u64::from(SILENT + DRIPPING + OVERSIZED + ENDLESS) + 1_000)?;
    let directory = tempfile::tempdir()?;
    let store = format!("sqlite:{}", directory.path().join("strangers.sqlite").display());
    let mut daemon = Daemon::new(&store)?.with(&["--ping-interval", "500ms", "--log", "quiet"]);
    daemon.start(None)?;
    let (server, pid) = (daemon.address(), daemon.process()?.id());
    let rng = Rng::from_env_or_random("SENSOCK_SEED");
    let mut line = Line::start("flood", 1, server, rng, directory.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let calm = line.recovers("it was calm")?;
    let before = Usage::of(pid)?;

    let begun = Instant::now();
    let silent = runtime.block_on(crowd(server, 2, SILENT, &[]))?;
    usage_when(pid, "the silent crowd is not in", |u| u.files >= before.files + u64::from(SILENT))?;
    let silently = Usage::of(pid)?;
    let flooded = line.recovers("a flood of silent strangers")?;
    let endless = runtime.block_on(crowd(server, 3, ENDLESS, &frame(FRAME)[..FRAME]))?;
    let dripping = runtime.block_on(crowd(server, 4, DRIPPING, &PREFACE))?;
    for mut stranger in dripping {
        runtime.spawn(async move {
            // Until it is thrown out.
            while stranger.write_all(&[0x7f]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    }
    // These are told at once, and need not wait for the end of a handshake.
    let oversized = runtime.block_on(crowd(server, 5, OVERSIZED, &frame(16_383)[..FRAME]))?;
    all_closed(&runtime, oversized)?;
    let most = Usage::of(pid)?;
    let crowded = line.recovers("strangers of all kinds")?;
    // A device whose connection breaks amid all of them comes back.
    line.suffer(Kind::Cut, 0..1)?;

    all_closed(&runtime, silent)?;
    all_closed(&runtime, endless)?;
    // Two devices, and one of them perhaps twice for a moment.
    let after = usage_when(pid, "strangers are still held", |u| u.files <= before.files + 2)?;
    let gone = begun.elapsed();

    // One address with many of them is turned away at the door.
    let one = address(6, 0);
    let many = runtime.block_on(from_one(server, one, 100))?;
    all_closed(&runtime, many)?;
    let begun = Instant::now();
    runtime.block_on(async { until_closed(dial(server, one).await?).await })?;
    let turned_away = begun.elapsed();
    line.recovers("one address had sent a hundred strangers")?;
    line.end()?;
    daemon.stop()?;

    let each = |usage: Usage, n: u32| usage.kib.saturating_sub(before.kib) as f64 / f64::from(n);
    announce(&format!(
        "strangers: before {before}; with {SILENT} silent ones {silently} ({:.1} KiB each); with all {most}; after {after}, {:.1} s; \
         devices stored after {} ms in calm, {} ms amid the silent, {} ms amid all; a known offender was turned away in {} ms",
        each(silently, SILENT),
        gone.as_secs_f64(),
        calm.as_millis(),
        flooded.as_millis(),
        crowded.as_millis(),
        turned_away.as_millis()
    ));
    let sent_kib = u64::from(ENDLESS) * FRAME as u64 / 1_024;
    let bound = before.kib + u64::from(SILENT + ENDLESS + DRIPPING + OVERSIZED) * KIB_EACH + sent_kib;
    ensure!(most.kib <= bound, "strangers cost {most}, from {before}; expected at most {bound} KiB");
    ensure!(turned_away < Duration::from_secs(5), "a known offender was held for {turned_away:?}");
    Ok(())
}

/// So many strangers, each from an address of its own, who begin with these bytes.
async fn crowd(server: SocketAddr, kind: u8, n: u32, begin: &[u8]) -> Result<Vec<TcpStream>> {
    let mut all = vec![];
    for n in 0..n {
        let mut stranger = dial(server, address(kind, n)).await?;
        // One that is thrown out meanwhile is heard of later.
        let _sent = stranger.write_all(begin).await;
        all.push(stranger);
    }
    Ok(all)
}

async fn from_one(server: SocketAddr, from: Ipv4Addr, n: usize) -> Result<Vec<TcpStream>> {
    let mut all = vec![];
    for _ in 0..n {
        all.push(dial(server, from).await?);
    }
    Ok(all)
}

/// A server whose descriptors are used up serves those whom it has, and takes others again when there is room. Without keys, for once.
#[test]
fn a_server_out_of_descriptors_serves_on() -> Result<()> {
    const FILES: &str = r#"ulimit -n 150 && exec "$@""#;
    let directory = tempfile::tempdir()?;
    let store = format!("sqlite:{}", directory.path().join("few.sqlite").display());
    let wrapper = ["sh", "-c", FILES, "sh"];
    let mut daemon = Daemon::new(&store)?.insecure().within(&wrapper).with(&["--log", "quiet"]);
    daemon.start(None)?;
    let (server, pid) = (daemon.address(), daemon.process()?.id());
    let rng = Rng::from_env_or_random("SENSOCK_SEED");
    let mut line = Line::start_insecure("few", 2, server, rng, directory.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let strangers = runtime.block_on(crowd(server, 7, 300, &[]))?;
    usage_when(pid, "it has descriptors left", |u| u.files >= 150)?;
    let amid = line.recovers("the server ran out of descriptors")?;
    drop(strangers);
    // A connection that breaks now finds room again.
    line.suffer(Kind::Cut, 0..1)?;
    line.end()?;
    daemon.stop()?;
    announce(&format!("out of descriptors: devices stored after {} ms", amid.as_millis()));
    Ok(())
}
