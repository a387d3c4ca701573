//! What a connection weighs that does nothing: the server's own memory, beyond the kernel's.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::fleet::name;
use crate::client::Protocol;
use crate::fleet::{self, Fleet, GENTLE, Load};
use crate::limit::Limit;
use crate::served::{Served, Storage};
use crate::server::Programs;
use crate::table::columns;
use crate::turns::Pace;
use crate::usage;

/// Most bytes of a connection.
const LIMIT_KIB: f64 = 2.0;
/// As many connections as the limit is stated for.
const FLEET: usize = 10_000;
const CONNECT: Duration = Duration::from_secs(180);

/// What the command line can say.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Connections, all open at once.
    #[arg(long, default_value_t = FLEET)]
    pub connections: usize,
    /// How long they are idle before memory is read: long enough for a ping of each.
    #[arg(long, default_value_t = 12.0)]
    pub seconds: f64,
    /// Where our server stores.
    #[arg(long, value_enum, default_value_t)]
    pub store: Storage,
}

/// Measures and prints; the limit is for 10,000 connections.
///
/// # Errors
/// When a server or a client fails.
pub fn run(programs: &Programs, options: &Options) -> Result<Vec<Limit>> {
    println!("idle: {} connections, {} s, store {:?}", options.connections, options.seconds, options.store);
    usage::allow_files(options.connections as u64 + 200)?;
    let mut protocols = vec![Protocol::Echo, Protocol::Sensock, Protocol::Insecure];
    if programs.mosquitto.is_some() {
        protocols.push(Protocol::Mqtt0);
    }
    let heading = ["server", "KiB/connection", "before, KiB", "after, KiB"];
    let (mut rows, mut ours) = (vec![heading.map(str::to_owned).to_vec()], f64::NAN);
    for protocol in protocols {
        let (before, after) = once(programs, protocol, options)?;
        let each = after.saturating_sub(before) as f64 / options.connections as f64 / 1024.0;
        if protocol == Protocol::Sensock {
            ours = each;
        }
        let kib = |bytes: u64| (bytes / 1024).to_string();
        rows.push(vec![name(protocol).to_owned(), format!("{each:.2}"), kib(before), kib(after)]);
    }
    print!("{}", columns(&rows));
    let limit = Limit::at_most("KiB of server memory an idle connection", ours, LIMIT_KIB);
    Ok(if options.connections == FLEET { vec![limit] } else { vec![] })
}

/// Memory of one server before and after all connected, in bytes.
fn once(programs: &Programs, protocol: Protocol, options: &Options) -> Result<(u64, u64)> {
    let mut served = Served::start(
        programs,
        protocol,
        options.store,
        options.connections + options.connections.div_ceil(100),
    )?;
    // A few devices come and go first, so that what a server makes once is not counted as theirs.
    let load = |first: usize, connections: usize, seconds: f64| Load {
        connections,
        first,
        dials: GENTLE,
        pace: Pace::default(),
        warm_up: Duration::ZERO,
        window: Duration::from_secs_f64(seconds),
    };
    fleet::run(&served.server, protocol, &load(options.connections, options.connections.div_ceil(100), 0.2))?;
    let before = served.server.memory()?;
    let after = fleet::on_one_thread(async {
        let load = load(0, options.connections, options.seconds);
        let mut fleet = Fleet::dial(&served.server, protocol, &load)?;
        let turns = fleet.turns.clone();
        fleet.alongside(CONNECT, turns.all_connected()).await.context("while connecting")?;
        fleet.sleep(load.window).await?;
        let after = served.server.memory()?;
        fleet.end().await?;
        Ok(after)
    });
    let after = after.map_err(|error| served.server.explain(error))?;
    served.end(0)?;
    Ok((before, after))
}
