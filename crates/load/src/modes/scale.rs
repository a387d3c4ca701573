//! What a record costs as the fleet grows, at one total rate and one size of commits.
//!
//! Ten devices send a record each in the same moment, and the next ten a little later, whatever the size of the fleet: the server sees the
//! same frames in the same groups, of ever more devices. What grows is what it keeps. The window begins when each device has sent once: what
//! its first record costs beyond the others (rows that describe it) is not counted.

use std::time::Duration;

use anyhow::Result;

use crate::client::Protocol;
use crate::fleet::{self, GENTLE, Load, Measured};
use crate::limit::Limit;
use crate::served::{Served, Storage};
use crate::server::Programs;
use crate::table::{columns, median};
use crate::turns::Pace;
use crate::usage::{self, Pinned};

/// Most times the cheapest fleet's cost that the dearest one's may be.
const LIMIT: f64 = 1.5;
/// Fleets that the limit is stated for.
const FLEETS: [usize; 4] = [10, 100, 1_000, 10_000];
/// Devices that send in the same moment: the size of a commit.
const TOGETHER: usize = 10;

/// What the command line can say.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Sizes of the fleet.
    #[arg(long, value_delimiter = ',', default_values_t = FLEETS)]
    pub devices: Vec<usize>,
    /// Records a second of the whole fleet, ten at a time.
    #[arg(long, default_value_t = 1_000.0)]
    pub rate: f64,
    /// How long each window is.
    #[arg(long, default_value_t = 8.0)]
    pub seconds: f64,
    /// Rounds, interleaved; the middle one counts.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Ours without keys and in plain text.
    #[arg(long)]
    pub insecure: bool,
    /// Where our server stores.
    #[arg(long, value_enum, default_value_t)]
    pub store: Storage,
}

/// Measures and prints; the limit is for 10, 100, 1,000 and 10,000 devices.
///
/// # Errors
/// When the server or a client fails, or what is stored is not what was acknowledged.
pub fn run(programs: &Programs, options: &Options) -> Result<Vec<Limit>> {
    let pinned = Pinned::to_one()?;
    println!(
        "scale: {} records/s in all, {TOGETHER} at a time, {:?}; both ends on CPU {}",
        options.rate, options.store, pinned.cpu
    );
    usage::allow_files(options.devices.iter().copied().max().unwrap_or(0) as u64 + 200)?;
    let mut rounds: Vec<Vec<Measured>> = vec![];
    for _ in 0..options.rounds {
        let mut round = vec![];
        for &devices in &options.devices {
            round.push(once(programs, options, devices)?);
        }
        rounds.push(round);
    }
    let heading = ["devices", "µs CPU/record", "in kernel", "records/s", "p50 µs", "p99 µs"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (i, devices) in options.devices.iter().enumerate() {
        let of = |figure: fn(&Measured) -> f64| median(rounds.iter().filter_map(|r| r.get(i)).map(figure));
        rows.push(vec![
            devices.to_string(),
            format!("{:.1}", of(Measured::cpu_per_record)),
            format!("{:.0} %", 100.0 * of(Measured::system_share)),
            format!("{:.0}", of(Measured::rate)),
            format!("{:.0}", of(|m| m.latencies.p50.as_secs_f64() * 1e6)),
            format!("{:.0}", of(|m| m.latencies.p99.as_secs_f64() * 1e6)),
        ]);
    }
    print!("{}", columns(&rows));
    let limit = Limit::at_most(
        "CPU a record, dearest of 10 to 10,000 devices x cheapest",
        median(rounds.iter().map(spread)),
        LIMIT,
    );
    Ok(if options.devices == FLEETS { vec![limit] } else { vec![] })
}

/// The dearest by the cheapest.
#[allow(clippy::ptr_arg, reason = "it is mapped over a list of rounds")]
fn spread(round: &Vec<Measured>) -> f64 {
    let costs = || round.iter().map(Measured::cpu_per_record);
    costs().fold(f64::NAN, f64::max) / costs().fold(f64::NAN, f64::min)
}

fn once(programs: &Programs, options: &Options, devices: usize) -> Result<Measured> {
    let protocol = Protocol::ours(options.insecure);
    let mut served = Served::start(programs, protocol, options.store, devices)?;
    let every = Duration::from_secs_f64(devices as f64 / options.rate);
    let load = Load {
        connections: devices,
        first: 0,
        dials: GENTLE,
        pace: Pace { batch: 1, every: Some(every), together: TOGETHER },
        warm_up: every + Duration::from_secs(1),
        window: Duration::from_secs_f64(options.seconds),
    };
    let measured = fleet::run(&served.server, protocol, &load);
    let measured = measured.map_err(|error| served.server.explain(error))?;
    served.end(measured.answered)?;
    Ok(measured)
}
