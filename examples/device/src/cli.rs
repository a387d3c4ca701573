//! What the command line can say.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, value_parser};
use example_device::credentials::Source;
use example_device::pin::Pin;
use sensock::DeviceId;
use sensock::seal::Credential;

/// A simulated device: replays a recording of real sensors, or makes readings up, and sends them to a sensock server.
///
/// It records whether or not a server is there, and sends what waits when one is. Ctrl-C ends the recording, waits until
/// everything is stored, and leaves; a second Ctrl-C leaves at once.
#[derive(Clone, Debug, Parser)]
#[command(name = "example-device", version)]
pub(crate) struct Cli {
    /// Where the server listens; if given several times, they are tried in turn
    #[arg(long = "server", value_name = "HOST:PORT", required = true, value_parser = address)]
    pub(crate) servers: Vec<String>,
    /// Its key: a file that nobody else can read, with the line that `sensockd keys add` printed, or a keys file or a directory of
    /// such files, where each device finds the line with its name. The line itself (snk1…) is taken too, but whoever lists processes can
    /// read it there
    #[arg(long, env = "SENSOCK_KEY", hide_env_values = true, value_name = "FILE", value_parser = key)]
    pub(crate) key: Option<Source>,
    /// No key, and plain text: a server takes it only if it was started so
    #[arg(long, conflicts_with = "key")]
    pub(crate) insecure: bool,
    /// Dial with TLS 1.3, and take only the server that has this pin, which sensockd prints
    #[arg(long, value_name = "sha256//PIN")]
    pub(crate) tls_pin: Option<Pin>,
    /// The device's name: 1 to 32 letters, digits, '.', '_' and '-'
    #[arg(long, value_name = "NAME", value_parser = device)]
    pub(crate) id: DeviceId,
    /// Several devices in one process: their names end in -1, -2, …
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=200))]
    pub(crate) devices: u16,
    /// Replay this recording (CSV or tab separated, plain or gzip) instead of making readings up
    #[arg(long, value_name = "FILE")]
    pub(crate) replay: Option<PathBuf>,
    /// Divide the pauses of the recording by this; clocks and stored times stay real
    #[arg(long, value_name = "N", default_value_t = 1.0, requires = "replay", value_parser = speed)]
    pub(crate) speed: f64,
    /// The pause between two made-up records, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1_000, conflicts_with = "replay", value_parser = value_parser!(u32).range(1..))]
    pub(crate) interval_ms: u32,
    /// Where records wait: "ram", or a file that outlives the process as flash memory would
    #[arg(long, value_name = "ram|FILE", default_value = "ram")]
    pub(crate) outbox: Outbox,
    /// Count boots in this file, for an outbox in memory; without it the server numbers them
    #[arg(long, value_name = "FILE")]
    pub(crate) boot_file: Option<PathBuf>,
    /// End after so many records of each device
    #[arg(long, value_name = "N")]
    pub(crate) max_records: Option<u64>,
    /// Make every n-th record an alarm as well
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub(crate) alarm_every: Option<u64>,
    /// Make up the same readings again
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The longest pause between two dials, in milliseconds, unless the server asks for more
    #[arg(long, value_name = "MS", default_value_t = 30_000, value_parser = value_parser!(u32).range(10..))]
    pub(crate) redial_ms: u32,
    /// Print each accepted and each acknowledged record, for programs that check
    #[arg(long)]
    pub(crate) report: bool,
}

/// Where records wait for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outbox {
    /// In memory: they are lost with the process.
    Ram,
    /// In a file: they outlive the process.
    File(PathBuf),
}

impl std::str::FromStr for Outbox {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "ram" { Outbox::Ram } else { Outbox::File(text.into()) })
    }
}

/// One device of the process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Its name.
    pub(crate) id: DeviceId,
    /// Where its records wait.
    pub(crate) outbox: Outbox,
    /// Where its boots are counted.
    pub(crate) boot_file: Option<PathBuf>,
    /// Its made-up room.
    pub(crate) seed: u64,
}

impl Cli {
    /// Each device of the process; with several, names, files and rooms differ by their number.
    ///
    /// # Errors
    /// A sentence for people.
    pub(crate) fn plans(&self) -> Result<Vec<Plan>, String> {
        if self.boot_file.is_some() && self.outbox != Outbox::Ram {
            return Err(
                "--boot-file is for an outbox in memory: an outbox in a file counts boots itself".into()
            );
        }
        if self.devices == 1 {
            return Ok(vec![Plan {
                id: self.id,
                outbox: self.outbox.clone(),
                boot_file: self.boot_file.clone(),
                seed: self.seed,
            }]);
        }
        let numbered = |path: &PathBuf, n: u16| {
            let mut name = path.clone().into_os_string();
            name.push(format!("-{n}"));
            PathBuf::from(name)
        };
        let plan = |n: u16| {
            let id = format!("{}-{n}", self.id);
            Ok(Plan {
                id: DeviceId::new(&id).map_err(|error| format!("{id}: {error}"))?,
                outbox: match &self.outbox {
                    Outbox::Ram => Outbox::Ram,
                    Outbox::File(path) => Outbox::File(numbered(path, n)),
                },
                boot_file: self.boot_file.as_ref().map(|path| numbered(path, n)),
                seed: self.seed.wrapping_add(n.into()),
            })
        };
        (1..=self.devices).map(plan).collect()
    }

    /// The keys of these devices, `None` where there shall be none.
    ///
    /// # Errors
    /// A sentence for people.
    pub(crate) fn keys(&self, plans: &[Plan]) -> Result<Vec<Option<Credential>>, String> {
        let Some(source) = &self.key else {
            return match self.insecure {
                true => Ok(vec![None; plans.len()]),
                false => Err(format!(
                    "how does {} prove who it is? name a file with its key, --key FILE (`sensockd keys add {0}` makes one), \
                     or say --insecure for plain text without one",
                    self.id
                )),
            };
        };
        let devices: Vec<DeviceId> = plans.iter().map(|plan| plan.id).collect();
        let keys = source.keys(&devices).map_err(|error| error.to_string())?;
        Ok(keys.into_iter().map(Some).collect())
    }

    /// The pause between two made-up records.
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms.into())
    }
}

fn key(text: &str) -> Result<Source, std::convert::Infallible> {
    Ok(Source::new(text))
}

fn device(text: &str) -> Result<DeviceId, String> {
    DeviceId::new(text).map_err(|error| error.to_string())
}

fn address(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(1..)) => Ok(text.to_owned()),
        _ => Err("expected a host and a port, such as 192.168.1.10:7070".into()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("expected a number above 0, such as 60 for a minute a second".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, String> {
        let words = std::iter::once("example-device").chain(line.split_whitespace());
        Cli::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn several_devices_differ_in_name_files_and_room() {
        let cli = parse("--server a:1 --server b:2 --id cellar --devices 2 --outbox box").unwrap();
        let plans = cli.plans().unwrap();
        assert_eq!(plans.iter().map(|plan| plan.id.as_str()).collect::<Vec<_>>(), ["cellar-1", "cellar-2"]);
        assert_eq!(plans[1].outbox, Outbox::File("box-2".into()));
        assert_ne!(plans[0].seed, plans[1].seed);
        assert_eq!(cli.servers, ["a:1", "b:2"]);
        let one = parse("--server a:1 --id cellar --boot-file boot").unwrap().plans().unwrap();
        assert_eq!((one[0].id.as_str(), one[0].boot_file.clone()), ("cellar", Some("boot".into())));
    }

    #[test]
    fn a_wrong_word_is_answered_with_what_was_expected() {
        let said = |line: &str| parse(line).map(|_| ()).unwrap_err();
        assert!(said("--server localhost --id a").contains("expected a host and a port"));
        assert!(said("--server :7070 --id a").contains("expected a host and a port"));
        assert!(said("--server a:70700 --id a").contains("expected a host and a port"));
        assert!(said("--server a:1 --id cellar/3").contains("a character other than letters"));
        assert!(said("--server a:1 --id a --replay r.csv --speed 0").contains("expected a number above 0"));
        assert!(said("--id a").contains("--server"));
        let both = parse("--server a:1 --id a --outbox box --boot-file boot").unwrap().plans();
        assert!(both.unwrap_err().starts_with("--boot-file is for an outbox in memory"));
        let long = format!("--server a:1 --devices 100 --id {}", "x".repeat(32));
        assert!(parse(&long).unwrap().plans().unwrap_err().contains("longer than 32 bytes"));
    }
}
