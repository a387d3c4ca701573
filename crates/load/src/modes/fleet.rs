//! One record at a time from many connections, beside the peers: CPU a record, time of an answer.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::client::Protocol;
use crate::fleet::{self, Load, Measured};
use crate::server::{Programs, Storage};
use crate::table::{columns, median};
use crate::turns::Pace;
use crate::{stored, usage};

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
    /// Only our server, no peers.
    #[arg(long)]
    pub alone: bool,
}

/// One round's figures, by who served.
pub type Round = BTreeMap<Protocol, Measured>;

/// Measures and prints.
///
/// # Errors
/// When a server or a client fails, or what is stored is not what was acknowledged.
#[allow(clippy::print_stdout, reason = "it is what the program is for")]
pub fn run(programs: &Programs, options: &Options) -> Result<()> {
    let cpu = usage::pin_to_one()?;
    println!("both ends on CPU {cpu}; {} connections, one exchange outstanding each", options.connections);
    for line in programs.versions() {
        println!("  {line}");
    }
    let rounds = measure(programs, options)?;
    print!("{}", report(&rounds));
    Ok(())
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
        pace: Pace { batch: options.batch, every: options.rate.map(per_connection), idle: false },
        warm_up: Duration::from_millis(500),
        window: Duration::from_secs_f64(options.seconds),
    };
    let mut protocols = vec![Protocol::Sensock];
    if !options.alone {
        protocols.insert(0, Protocol::Echo);
        if programs.mosquitto.is_some() {
            protocols.extend([Protocol::Mqtt0, Protocol::Mqtt1]);
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
    if protocol != Protocol::Sensock {
        let server = programs.start(protocol, "")?;
        let measured = fleet::run(&server, protocol, load)?;
        server.kill()?;
        return Ok(measured);
    }
    match storage {
        Storage::Sqlite => {
            let directory = tempfile::tempdir()?;
            let file = directory.path().join("load.sqlite");
            let server = programs.start(protocol, &format!("sqlite:{}", file.display()))?;
            let measured = fleet::run(&server, protocol, load)?;
            server.end()?;
            let (records, gaps) = fleet::on_one_thread(stored::in_sqlite(&file))?;
            stored::check(measured.answered, records, gaps)?;
            Ok(measured)
        }
        Storage::Memory => {
            let server = programs.start(protocol, "memory")?;
            let measured = fleet::run(&server, protocol, load)?;
            server.end()?;
            Ok(measured)
        }
        Storage::Mariadb => bail!("not yet"),
    }
}

fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Echo => "tokio echo",
        Protocol::Sensock => "sensock (stored)",
        Protocol::Mqtt0 => "mosquitto QoS 0",
        Protocol::Mqtt1 => "mosquitto QoS 1",
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
    if let Some(peers) = peers(rounds) {
        let verdict = if peers.count { "yes" } else { "no" };
        text += &format!(
            "run counts: {verdict} (mosquitto QoS 1 / echo {:.2}, QoS 0 / echo {:.2}; {KNOWN_1} and {KNOWN_0} are known, within 25 %)\n",
            peers.qos1, peers.qos0
        );
    }
    text
}

/// What the peers are known to cost beside each other.
const KNOWN_1: f64 = 3.9;
const KNOWN_0: f64 = 2.0;

/// The peers beside each other.
#[derive(Clone, Copy, Debug)]
pub struct Peers {
    /// mosquitto at QoS 1 by the echo.
    pub qos1: f64,
    /// mosquitto at QoS 0 by the echo.
    pub qos0: f64,
    /// Whether both are within 25 % of what is known.
    pub count: bool,
}

/// The peers beside each other; `None` if they did not run.
pub fn peers(rounds: &[Round]) -> Option<Peers> {
    let qos1 = ratio(rounds, Protocol::Mqtt1, Protocol::Echo)?;
    let qos0 = ratio(rounds, Protocol::Mqtt0, Protocol::Echo)?;
    let near = |found: f64, known: f64| (found / known - 1.0).abs() <= 0.25;
    Some(Peers { qos1, qos0, count: near(qos1, KNOWN_1) && near(qos0, KNOWN_0) })
}
