//! One simulated device: the real device crate over real TCP, in four tasks, as firmware would have them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use catalog::{INTERVAL, RELAY};
use embedded_io_adapters::tokio_1::FromTokio;
use example_device::private::random;
use sensock::seal::Credential;
use sensock::{Lane, Position, Reading};
use sensock_device::{Boot, Buffers, Device, Key, Node, Outbox, Runner, TokioClock};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::fleet::Board;
use super::way::Way;

/// Memory for records: enough for the longest time away that the demo makes.
const OUTBOX: usize = 128 << 10;
/// Memory of the one board that has too little for that.
const SMALL_OUTBOX: usize = 1_536;
/// The largest frame.
const FRAME: usize = 2_048;

/// What a device was given to keep: the other half of the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) lane: Lane,
    /// As `record` returned it.
    pub(crate) position: Position,
    pub(crate) readings: Vec<Reading>,
}

/// A device that runs.
pub(crate) struct Running {
    pub(crate) board: Board,
    pub(crate) device: Device<'static>,
    pub(crate) way: Way,
    offered: Arc<Mutex<Vec<Offered>>>,
}

impl Running {
    /// Starts a board; it measures until it has nothing left or `stop` says so, and dials until `leave` does. Its tasks go into `tasks`, its sampler into `samplers`.
    pub(crate) fn start(
        board: Board,
        key: Credential,
        way: Way,
        (stop, leave): (watch::Receiver<bool>, watch::Receiver<bool>),
        samplers: &mut JoinSet<()>,
        tasks: &mut JoinSet<()>,
    ) -> Result<Running> {
        // On a board these are statics.
        let buffers: &'static mut Buffers<FRAME> = Box::leak(Box::new(Buffers::new()));
        let clock: &'static TokioClock = Box::leak(Box::new(TokioClock::new()));
        let boot = if board.remembers_boot { Boot::Number(1) } else { Boot::Unknown };
        let key = Key::Sealed(Box::leak(Box::new(key)), random);
        let node = Node { id: board.name, key, catalog: board.catalog, boot };
        let started = match board.small {
            true => leaked::<SMALL_OUTBOX>().try_start(&node, clock, buffers),
            false => leaked::<OUTBOX>().try_start(&node, clock, buffers),
        };
        let (device, runner) = started.with_context(|| format!("{} cannot start", board.name))?;
        let offered = Arc::new(Mutex::new(Vec::with_capacity(board.rows.len())));
        let interval_s = Arc::new(AtomicU64::new(0));
        samplers.spawn(sample(
            device,
            board.rows.clone(),
            board.speed,
            interval_s.clone(),
            offered.clone(),
            stop,
        ));
        tasks.spawn(obey(device));
        tasks.spawn(tune(device, interval_s));
        tasks.spawn(network(runner, way.clone(), leave));
        Ok(Running { board, device, way, offered })
    }

    /// All that it was given to keep, in positions as the store counts them.
    pub(crate) fn offered(&self) -> Vec<Offered> {
        let shift = self.device.status().shifted_by;
        let on_the_wire = |o: &Offered| Offered {
            position: Position::new(o.position.boot() + shift, o.position.n()),
            ..o.clone()
        };
        lock(&self.offered).iter().map(on_the_wire).collect()
    }
}

fn leaked<const N: usize>() -> &'static Outbox<N> {
    Box::leak(Box::new(Outbox::new()))
}

/// Measures: never waits for the network.
async fn sample(
    device: Device<'static>,
    rows: Arc<[(Vec<Reading>, u64)]>,
    speed: f64,
    interval_s: Arc<AtomicU64>,
    offered: Arc<Mutex<Vec<Offered>>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut due = Instant::now();
    for (readings, recorded_ms) in rows.iter() {
        tokio::select! {
            () = tokio::time::sleep_until(due) => {}
            // "Read now": this record comes early.
            () = device.read_now() => due = Instant::now(),
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if let Ok(position) = device.record(readings) {
            lock(&offered).push(Offered { lane: Lane::Readings, position, readings: readings.clone() });
        }
        let pause_ms = match interval_s.load(Ordering::Relaxed) {
            0 => *recorded_ms,
            seconds => seconds * 1_000,
        };
        due += Duration::from_secs_f64(pause_ms as f64 / 1_000.0 / speed);
    }
}

/// Obeys.
async fn obey(device: Device<'static>) {
    loop {
        device.next_command().await.on(&RELAY, Ok).otherwise_refuse();
    }
}

/// Applies the sampling interval.
async fn tune(device: Device<'static>, interval_s: Arc<AtomicU64>) {
    loop {
        interval_s.store(device.setting(&INTERVAL).await.into(), Ordering::Relaxed);
    }
}

/// Dials, again and again.
async fn network(mut runner: Runner<'static, TokioClock>, way: Way, leave: watch::Receiver<bool>) {
    runner.backoff_between(100, 1_500);
    while !*leave.borrow() {
        if let Ok(stream) = TcpStream::connect(way.entrance).await {
            // Small frames shall not wait for more; without it they only come later.
            let _ = stream.set_nodelay(true);
            let (reader, writer) = stream.into_split();
            let _why = runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await;
        }
        runner.backoff().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
