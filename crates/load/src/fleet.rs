//! Many clients on one thread, a window of time, and what it cost the server.

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use crate::client::{Client, Protocol};
use crate::server::Running;
use crate::turns::{Latencies, Pace, Turns};
use crate::usage::Cpu;

/// Dials under way at once that no server's backlog is too short for (mosquitto's is 100).
pub const GENTLE: usize = 64;
const CONNECT: Duration = Duration::from_secs(120);
const DRAIN: Duration = Duration::from_secs(20);

/// How many, how fast, how long.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Connections, all of which stay open.
    pub connections: usize,
    /// The number of the first: fleets of other numbers are other devices.
    pub first: usize,
    /// How many of them dial at once.
    pub dials: usize,
    /// How each of them sends.
    pub pace: Pace,
    /// Before the window begins.
    pub warm_up: Duration,
    /// The window.
    pub window: Duration,
}

/// What was measured in the window.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Records that were answered in the window.
    pub records: u64,
    /// Records that were answered in all, before and after the window included.
    pub answered: u64,
    /// How long the window was.
    pub wall: Duration,
    /// CPU of the server in the window.
    pub cpu: Cpu,
    /// How long answers took in the window.
    pub latencies: Latencies,
}

impl Measured {
    /// Microseconds of the server's CPU for each record.
    pub fn cpu_per_record(&self) -> f64 {
        self.cpu.total.as_secs_f64() * 1e6 / self.records.max(1) as f64
    }

    /// How much of it the kernel used.
    pub fn system_share(&self) -> f64 {
        self.cpu.system.as_secs_f64() / self.cpu.total.as_secs_f64().max(1e-9)
    }

    /// Records a second.
    pub fn rate(&self) -> f64 {
        self.records as f64 / self.wall.as_secs_f64()
    }
}

/// Connects the fleet, lets it run, and ends it in order.
///
/// # Errors
/// The first that a client met, or when not all connect or not everything is answered in time.
pub fn run(server: &Running, protocol: Protocol, load: &Load) -> Result<Measured> {
    on_one_thread(async {
        let mut fleet = Fleet::dial(server, protocol, load)?;
        let turns = fleet.turns.clone();
        fleet.alongside(CONNECT, turns.all_connected()).await.context("while connecting")?;
        fleet.sleep(load.warm_up).await?;

        turns.begin_window();
        let (before, from, begun) = (server.cpu()?, turns.records(), Instant::now());
        fleet.sleep(load.window).await?;
        let (records, wall) = (turns.records() - from, begun.elapsed());
        let cpu = server.cpu()?.since(before);
        let latencies = turns.latencies();

        fleet.end().await?;
        Ok(Measured { records, answered: turns.records(), wall, cpu, latencies })
    })
}

/// Runs a fleet's future on a runtime of this thread alone.
///
/// # Errors
/// The future's, or when the system gives no runtime.
pub fn on_one_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, work)
}

/// Clients that run.
#[derive(Debug)]
pub struct Fleet {
    /// What they share.
    pub turns: Rc<Turns>,
    clients: JoinSet<Result<()>>,
}

impl Fleet {
    /// Begins to dial. Must be called within [`on_one_thread`].
    ///
    /// # Errors
    /// Never, as [`Turns::new`].
    pub fn dial(server: &Running, protocol: Protocol, load: &Load) -> Result<Self> {
        let turns = Rc::new(Turns::new(load.pace, load.connections)?);
        let gate = Rc::new(Semaphore::new(load.dials));
        let mut clients = JoinSet::new();
        for number in 0..load.connections {
            let client =
                Client { address: server.address(), number, name: load.first + number, turns: turns.clone() };
            let gate = gate.clone();
            clients.spawn_local(client.run(protocol, gate));
        }
        Ok(Self { turns, clients })
    }

    /// Waits for `what` while the clients run.
    ///
    /// # Errors
    /// When a client ends before, or it takes longer than `within`.
    pub async fn alongside<T>(&mut self, within: Duration, what: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            ended = self.clients.join_next() => match ended {
                Some(ended) => {
                    ended??;
                    bail!("a client ended before its time")
                }
                None => bail!("there are no clients"),
            },
            done = what => Ok(done),
            () = tokio::time::sleep(within) => bail!("it takes longer than {within:?}"),
        }
    }

    /// Lets them run for so long.
    ///
    /// # Errors
    /// When a client ends before.
    pub async fn sleep(&mut self, time: Duration) -> Result<()> {
        self.alongside(time + CONNECT, tokio::time::sleep(time)).await
    }

    /// Ends them in order: what is under way is answered first.
    ///
    /// # Errors
    /// The first that a client met, or when it takes longer than 20 s.
    pub async fn end(mut self) -> Result<()> {
        self.turns.end();
        let all = async {
            while let Some(ended) = self.clients.join_next().await {
                ended??;
            }
            Ok(())
        };
        match tokio::time::timeout(DRAIN, all).await {
            Ok(ended) => ended,
            Err(_) => bail!("{} clients have no answer after {DRAIN:?}", self.clients.len()),
        }
    }
}
