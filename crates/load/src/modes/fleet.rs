//! One record at a time from many connections, beside the peers: CPU a record, time of an answer.

use std::collections::BTreeMap;
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

/// What the command line can say.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Connections, all open at once.
    #[arg(long, default_value_t = 100)]
    pub connections: usize,
    /// Records in one exchange; the next begins when it is answered.
    #[arg(long, default_value_t = 1)]
    pub batch: usize,
    /// Records a second of the whole fleet; saturated unless said.
    #[arg(long)]
    pub rate: Option<f64>,
    /// How long each window is.
    #[arg(long, default_value_t = 2.0)]
    pub seconds: f64,
    /// Rounds, interleaved; the middle one counts.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Where our server stores.
    #[arg(long, value_enum, default_value_t)]
    pub store: Storage,
    /// Only our server, sealed, no peers.
    #[arg(long)]
    pub alone: bool,
}

/// One round's figures, by who served.
pub type Round = BTreeMap<Protocol, Measured>;

/// Measures and prints; returns what is limited, if it was measured as the limits say: 100 connections, saturated, one record a frame,
/// SQLite.
///
/// # Errors
/// When a server or a client fails, or what is stored is not what was acknowledged.
pub fn run(programs: &Programs, options: &Options) -> Result<Vec<Limit>> {
    let pinned = Pinned::to_one()?;
    let pace = options.rate.map_or("saturated".into(), |rate| format!("{rate} records/s"));
    println!(
        "fleet: {} connections, {} records an exchange, one outstanding, {pace}, {:?}; both ends on CPU {}",
        options.connections, options.batch, options.store, pinned.cpu
    );
    let rounds = measure(programs, options)?;
    print!("{}", report(&rounds));
    let limited = options.connections == 100
        && options.batch == 1
        && options.rate.is_none()
        && options.store == Storage::Sqlite;
    Ok(if limited && !options.alone { limits(&rounds) } else { vec![] })
}

/// What the rounds are measured by. The peers are plain, so they stand beside ours without keys; what sealing adds is a limit of its own.
fn limits(rounds: &[Round]) -> Vec<Limit> {
    use Protocol::{Echo, Insecure, Mqtt0, Mqtt1};
    let of = |of, to| ratio(rounds, of, to).unwrap_or(f64::NAN);
    vec![
        Limit::at_most(
            "CPU a stored record, insecure, x mosquitto QoS 1 (delivered, not stored)",
            of(Insecure, Mqtt1),
            1.0,
        ),
        Limit::at_most("CPU a stored record, insecure, x tokio echo", of(Insecure, Echo), 2.5),
        Limit::at_most(
            "the run counts: mosquitto QoS 1 / echo, off 3.9 by",
            off(of(Mqtt1, Echo), KNOWN_1),
            0.25,
        ),
        Limit::at_most(
            "the run counts: mosquitto QoS 0 / echo, off 2.0 by",
            off(of(Mqtt0, Echo), KNOWN_0),
            0.25,
        ),
    ]
}

/// All rounds, interleaved.
///
/// # Errors
/// When a server or a client fails, or what is stored is not what was acknowledged.
pub fn measure(programs: &Programs, options: &Options) -> Result<Vec<Round>> {
    usage::allow_files(options.connections as u64 * 2 + 200)?;
    let per_connection =
        |rate: f64| Duration::from_secs_f64(options.batch as f64 * options.connections as f64 / rate);
    let load = Load {
        connections: options.connections,
        first: 0,
        dials: GENTLE,
        pace: Pace { batch: options.batch, every: options.rate.map(per_connection), together: 1 },
        warm_up: Duration::from_secs_f64(options.seconds.min(0.5)),
        window: Duration::from_secs_f64(options.seconds),
    };
    let mut protocols = vec![Protocol::Sensock];
    if !options.alone {
        protocols.extend([Protocol::Echo, Protocol::Insecure]);
        if programs.mosquitto.is_some() {
            protocols.extend([Protocol::Mqtt0, Protocol::Mqtt1, Protocol::Mqtt1Unheard]);
        }
    }
    let mut rounds = vec![];
    for _ in 0..options.rounds {
        let mut round = Round::new();
        for protocol in &protocols {
            round.insert(*protocol, once(programs, *protocol, options.store, &load)?);
        }
        rounds.push(round);
    }
    Ok(rounds)
}

/// One server, from its start to its end.
///
/// # Errors
/// When it or a client fails, or what is stored is not what was acknowledged.
pub fn once(programs: &Programs, protocol: Protocol, storage: Storage, load: &Load) -> Result<Measured> {
    let mut served = Served::start(programs, protocol, storage, load.first + load.connections)?;
    let measured = fleet::run(&served.server, protocol, load);
    let measured = measured.map_err(|error| served.server.explain(error))?;
    served.end(measured.answered)?;
    Ok(measured)
}

/// What a table calls it.
pub fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Echo => "tokio echo",
        Protocol::Sensock => "sensock, sealed (stored)",
        Protocol::Insecure => "sensock, insecure (stored)",
        Protocol::Mqtt0 => "mosquitto QoS 0",
        Protocol::Mqtt1 => "mosquitto QoS 1",
        Protocol::Mqtt1Unheard => "mosquitto QoS 1, no subscriber",
        Protocol::Accept => "tokio accept",
    }
}

/// The middle of a figure over the rounds.
pub fn middle(rounds: &[Round], protocol: Protocol, figure: impl Fn(&Measured) -> f64) -> f64 {
    median(rounds.iter().filter_map(|round| round.get(&protocol)).map(figure))
}

/// The middle, over the rounds, of one server's CPU a record by another's in the same round.
pub fn ratio(rounds: &[Round], of: Protocol, to: Protocol) -> Option<f64> {
    let ratios: Vec<f64> = rounds
        .iter()
        .filter_map(|round| Some(round.get(&of)?.cpu_per_record() / round.get(&to)?.cpu_per_record()))
        .collect();
    (!ratios.is_empty()).then(|| median(ratios))
}

/// The table of all, and whether the run counts.
pub fn report(rounds: &[Round]) -> String {
    let heading =
        ["server", "µs CPU/record", "in kernel", "x echo", "records/s", "p50 µs", "p99 µs", "p99.9 µs"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for protocol in rounds.first().into_iter().flat_map(BTreeMap::keys).copied() {
        let of = |figure: fn(&Measured) -> f64| middle(rounds, protocol, figure);
        rows.push(vec![
            name(protocol).to_owned(),
            format!("{:.2}", of(Measured::cpu_per_record)),
            format!("{:.0} %", 100.0 * of(Measured::system_share)),
            ratio(rounds, protocol, Protocol::Echo).map_or("-".into(), |r| format!("{r:.2}")),
            format!("{:.0}", of(Measured::rate)),
            format!("{:.0}", of(|m| m.latencies.p50.as_secs_f64() * 1e6)),
            format!("{:.0}", of(|m| m.latencies.p99.as_secs_f64() * 1e6)),
            format!("{:.0}", of(|m| m.latencies.p999.as_secs_f64() * 1e6)),
        ]);
    }
    let mut text = columns(&rows);
    if let Some(ratio) = ratio(rounds, Protocol::Sensock, Protocol::Insecure) {
        text += &format!("CPU a record, sealed x insecure: {ratio:.2}; the peers are plain\n");
    }
    if let (Some(qos1), Some(qos0)) =
        (ratio(rounds, Protocol::Mqtt1, Protocol::Echo), ratio(rounds, Protocol::Mqtt0, Protocol::Echo))
    {
        let verdict = if off(qos1, KNOWN_1).max(off(qos0, KNOWN_0)) <= 0.25 { "yes" } else { "no" };
        text += &format!(
            "run counts: {verdict} (mosquitto QoS 1 / echo {qos1:.2}, QoS 0 / echo {qos0:.2}; {KNOWN_1} and {KNOWN_0} are known, within 25 %)\n"
        );
    }
    text
}

/// What the peers are known to cost beside each other.
const KNOWN_1: f64 = 3.9;
const KNOWN_0: f64 = 2.0;

/// By which part of it a figure differs from what is known.
fn off(found: f64, known: f64) -> f64 {
    (found / known - 1.0).abs()
}
