//! A fleet that comes back all at once, against a bare accept loop with the same backlog.
//!
//! A device is back when its session is taken up: Hello, its boot committed, Welcome. A connection of the accept loop is done when it was
//! accepted, and a byte says so. With more dials under way than the backlog is long, the kernel turns some away and tries them again a second later: that is a
//! storm's nature and part of both times, but it hides what the servers do. So there are two storms: as many dials at once as both backlogs
//! hold, and all at once. The accept loop proves nothing, so the one that is compared has no keys; the sealed one stands beside it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::Instant;

use super::fleet::name;
use crate::client::Protocol;
use crate::fleet::{self, Fleet, Load};
use crate::limit::Limit;
use crate::served::{Served, Storage};
use crate::server::Programs;
use crate::table::{columns, median};
use crate::turns::Pace;
use crate::usage;

/// Most times what the accept loop takes.
const LIMIT: f64 = 5.0;
/// As many devices as the limit is stated for.
const FLEET: usize = 10_000;
/// Dials at once that the limit is stated for: a little below the backlog, and all.
const DIALS: [usize; 2] = [1_000, FLEET];
const CONNECT: Duration = Duration::from_secs(180);

/// What the command line can say.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Devices that dial.
    #[arg(long, default_value_t = FLEET)]
    pub connections: usize,
    /// How many of them dial at once: a storm for each.
    #[arg(long, value_delimiter = ',', default_values_t = DIALS)]
    pub dials: Vec<usize>,
    /// Rounds, interleaved; the middle one counts.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Where our server stores.
    #[arg(long, value_enum, default_value_t)]
    pub store: Storage,
}

/// One storm.
#[derive(Clone, Copy, Debug)]
struct Storm {
    wall: Duration,
    cpu: Duration,
}

/// Measures and prints; the limits are for 10,000 devices.
///
/// # Errors
/// When a server or a client fails.
pub fn run(programs: &Programs, options: &Options) -> Result<Vec<Limit>> {
    usage::allow_files(options.connections as u64 + 200)?;
    let mut limits = vec![];
    for dials in &options.dials {
        let ratio = compare(programs, options, *dials)?;
        let what =
            format!("a storm of 10,000 connects without keys, {dials} at once, x a bare accept loop (time)");
        limits.push(Limit::at_most(what, ratio, LIMIT));
    }
    limits.truncate(if options.connections == FLEET { limits.len() } else { 0 });
    Ok(limits)
}

/// Measures one storm on both servers, prints it, and returns our time by the accept loop's.
fn compare(programs: &Programs, options: &Options, dials: usize) -> Result<f64> {
    println!("storm: {} devices, {dials} dials at once, store {:?}", options.connections, options.store);
    let (mut bare, mut ours, mut sealed) = (vec![], vec![], vec![]);
    for _ in 0..options.rounds {
        bare.push(accept(programs, options.connections, dials)?);
        ours.push(sensock(programs, Protocol::Insecure, options, dials)?);
        sealed.push(sensock(programs, Protocol::Sensock, options, dials)?);
    }
    let pairs = || ours.iter().zip(&bare);
    let wall = median(pairs().map(|(a, b)| a.wall.as_secs_f64() / b.wall.as_secs_f64()));
    let cpu = median(pairs().map(|(a, b)| a.cpu.as_secs_f64() / b.cpu.as_secs_f64()));
    let mut rows = vec![["server", "seconds", "µs CPU/device", "devices/s"].map(str::to_owned).to_vec()];
    for (protocol, storms) in
        [(Protocol::Accept, &bare), (Protocol::Insecure, &ours), (Protocol::Sensock, &sealed)]
    {
        let seconds = median(storms.iter().map(|s| s.wall.as_secs_f64()));
        let each = median(storms.iter().map(|s| s.cpu.as_secs_f64() * 1e6 / options.connections as f64));
        rows.push(vec![
            name(protocol).to_owned(),
            format!("{seconds:.2}"),
            format!("{each:.1}"),
            format!("{:.0}", options.connections as f64 / seconds),
        ]);
    }
    println!("{}ours without keys by theirs: time {wall:.2}, CPU {cpu:.2}", columns(&rows));
    Ok(wall)
}

fn load(connections: usize, dials: usize) -> Load {
    Load {
        connections,
        first: 0,
        dials,
        pace: Pace::default(),
        warm_up: Duration::ZERO,
        window: Duration::ZERO,
    }
}

fn accept(programs: &Programs, connections: usize, dials: usize) -> Result<Storm> {
    let served = Served::start(programs, Protocol::Accept, Storage::Memory, 0)?;
    once(served, Protocol::Accept, &load(connections, dials))
}

fn sensock(programs: &Programs, protocol: Protocol, options: &Options, dials: usize) -> Result<Storm> {
    let served = Served::start(programs, protocol, options.store, options.connections)?;
    once(served, protocol, &load(options.connections, dials))
}

fn once(mut served: Served, protocol: Protocol, load: &Load) -> Result<Storm> {
    let server = &served.server;
    let storm = fleet::on_one_thread(async {
        let (before, begun) = (server.cpu()?, Instant::now());
        let mut fleet = Fleet::dial(server, protocol, load)?;
        let turns = fleet.turns.clone();
        fleet.alongside(CONNECT, turns.all_connected()).await.context("while connecting")?;
        let storm = Storm { wall: begun.elapsed(), cpu: server.cpu()?.since(before).total };
        fleet.end().await?;
        Ok(storm)
    });
    let storm = storm.map_err(|error| served.server.explain(error))?;
    served.end(0)?;
    Ok(storm)
}
