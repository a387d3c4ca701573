//! The configuration file: flat TOML whose keys are the long names of `sensockd run`'s options.
//!
//! ```toml
//! listen = "0.0.0.0:7070"
//! store = "sqlite:plants.sqlite"
//! keys = "keys.txt"
//! ping-interval = "20s"
//! ```
//! An option on the command line wins over the file.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::show::time;
use crate::show::words::nearest;

/// What the file says; `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) store: Option<String>,
    pub(crate) keys: Option<PathBuf>,
    pub(crate) insecure: Option<bool>,
    pub(crate) devices: Option<PathBuf>,
    pub(crate) any_device: Option<bool>,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) drain: Option<Duration>,
    pub(crate) max_connections: Option<usize>,
    pub(crate) log: Option<Log>,
    pub(crate) tls_listen: Option<SocketAddr>,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) rules_log_keep: Option<Duration>,
    pub(crate) rules_log_checkpoint: Option<Duration>,
}

/// How much is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Log {
    /// What needs a person.
    Quiet,
    /// Connections, resumes, gaps, refusals.
    #[default]
    Normal,
    /// Every stored reading too.
    Readings,
}

/// Why a configuration file cannot be used: where, what was found, what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    file: String,
    line: Option<usize>,
    what: String,
}

const KEYS: [&str; 15] = [
    "listen",
    "store",
    "keys",
    "insecure",
    "devices",
    "any-device",
    "ping-interval",
    "drain",
    "max-connections",
    "log",
    "tls-listen",
    "tls-cert",
    "tls-key",
    "rules-log-keep",
    "rules-log-checkpoint",
];

impl Config {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Config, ConfigError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Config::parse(&file, &text),
            Err(error) => Err(ConfigError {
                what: format!("cannot be read ({error}): check the path given with --config"),
                line: None,
                file,
            }),
        }
    }

    /// Reads a text; `file` is what errors call it.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Config, ConfigError> {
        let at = |span: Option<Range<usize>>, what: String| ConfigError {
            file: file.to_owned(),
            line: span.map(|s| text.as_bytes().iter().take(s.start).filter(|b| **b == b'\n').count() + 1),
            what,
        };
        let table = DeTable::parse(text).map_err(|error| at(error.span(), error.message().to_owned()))?;
        let mut config = Config::default();
        for (key, value) in table.get_ref() {
            config
                .take(key.get_ref(), value)
                .map_err(|(what, of_key)| at(Some(if of_key { key.span() } else { value.span() }), what))?;
        }
        Ok(config)
    }

    /// Takes one entry; an error says what is wrong, and whether it is the key.
    fn take(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<(), (String, bool)> {
        let value = value.get_ref();
        let wrong = |expected: &str| (format!("`{key}` is {}: expected {expected}", shown(value)), false);
        let text = |expected| value.as_str().ok_or_else(|| wrong(expected));
        let span = |expected| time::duration(text(expected)?).map_err(|_| wrong(expected));
        let address = || {
            let expected = "an address and a port, as in \"0.0.0.0:7070\"";
            text(expected)?.parse().map_err(|_| wrong(expected))
        };
        let path = |expected| text(expected).map(PathBuf::from);
        match key {
            "listen" => self.listen = Some(address()?),
            "tls-listen" => self.tls_listen = Some(address()?),
            "tls-cert" => self.tls_cert = Some(path("the path of a PEM file, as in \"sensockd.crt\"")?),
            "tls-key" => self.tls_key = Some(path("the path of a PEM file, as in \"sensockd.key\"")?),
            "store" => {
                self.store =
                    Some(text("\"sqlite:FILE\" or \"mysql://user:password@host/database\"")?.to_owned());
            }
            "keys" => self.keys = Some(path("the path of a file, as in \"keys.txt\"")?),
            "insecure" => self.insecure = Some(value.as_bool().ok_or_else(|| wrong("true or false"))?),
            "devices" => self.devices = Some(path("the path of a file, as in \"devices.txt\"")?),
            "any-device" => self.any_device = Some(value.as_bool().ok_or_else(|| wrong("true or false"))?),
            "ping-interval" => self.ping_interval = Some(span("a time, as in \"20s\"")?),
            "rules-log-keep" => self.rules_log_keep = Some(span("a time, as in \"30d\"")?),
            "rules-log-checkpoint" => self.rules_log_checkpoint = Some(span("a time, as in \"6h\"")?),
            "drain" => self.drain = Some(span("a time, as in \"5s\"")?),
            "max-connections" => {
                let number =
                    value.as_integer().and_then(|n| usize::from_str_radix(n.as_str(), n.radix()).ok());
                self.max_connections =
                    Some(number.filter(|n| *n > 0).ok_or_else(|| wrong("a whole number above 0"))?);
            }
            "log" => {
                let names = ["quiet", "normal", "readings"];
                let expected = "\"quiet\", \"normal\" or \"readings\"";
                let given = text(expected)?;
                self.log = Some(match given {
                    "quiet" => Log::Quiet,
                    "normal" => Log::Normal,
                    "readings" => Log::Readings,
                    other => {
                        let (what, of_key) = wrong(expected);
                        let meant = nearest(other, names).map(|n| format!("; did you mean \"{n}\"?"));
                        return Err((what + &meant.unwrap_or_default(), of_key));
                    }
                });
            }
            unknown => {
                let meant = match nearest(unknown, KEYS) {
                    Some(key) => format!("did you mean `{key}`?"),
                    None => format!("there are {}", KEYS.map(|k| format!("`{k}`")).join(", ")),
                };
                return Err((format!("there is no key `{unknown}`: {meant}"), true));
            }
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl std::error::Error for ConfigError {}

/// A value as an error names it; never a store's address, which may hold a password.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(s) if s.contains("://") => "a URL".to_owned(),
        DeValue::String(s) => format!("{:?}", s.as_ref()),
        DeValue::Integer(n) => n.as_str().to_owned(),
        DeValue::Float(n) => n.as_str().to_owned(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(d) => d.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        Config::parse("sensockd.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn every_key_is_read() {
        let config = Config::parse(
            "sensockd.toml",
            "listen = \"[::]:7070\"\nstore = \"sqlite:a.db\"\nkeys = \"k.txt\"\ninsecure = true\n\
             devices = \"d.txt\"\nany-device = false\n\
             ping-interval = \"20s\"\ndrain = \"500ms\"\nmax-connections = 1_000\nlog = \"readings\"\n\
             tls-listen = \"[::]:7443\"\ntls-cert = \"a.crt\"\ntls-key = \"a.key\"\n\
             rules-log-keep = \"90d\"\nrules-log-checkpoint = \"1h\"\n",
        )
        .unwrap();
        let expected = Config {
            listen: "[::]:7070".parse().ok(),
            store: Some("sqlite:a.db".to_owned()),
            keys: Some("k.txt".into()),
            insecure: Some(true),
            devices: Some("d.txt".into()),
            any_device: Some(false),
            ping_interval: Some(Duration::from_secs(20)),
            drain: Some(Duration::from_millis(500)),
            max_connections: Some(1000),
            log: Some(Log::Readings),
            tls_listen: "[::]:7443".parse().ok(),
            tls_cert: Some("a.crt".into()),
            tls_key: Some("a.key".into()),
            rules_log_keep: Some(Duration::from_secs(90 * 86_400)),
            rules_log_checkpoint: Some(Duration::from_secs(3_600)),
        };
        assert_eq!(config, expected);
        assert_eq!(Config::parse("empty.toml", "# nothing\n"), Ok(Config::default()));
    }

    #[test]
    fn a_typo_in_a_key_names_the_line_and_the_nearest_key() {
        assert_eq!(
            said("store = \"sqlite:a.db\"\n\nlisen = \"0.0.0.0:7070\"\n"),
            "sensockd.toml, line 3: there is no key `lisen`: did you mean `listen`?"
        );
        assert_eq!(
            said("ping_interval = \"20s\""),
            "sensockd.toml, line 1: there is no key `ping_interval`: did you mean `ping-interval`?"
        );
        assert_eq!(
            said("tls = true"),
            "sensockd.toml, line 1: there is no key `tls`: there are `listen`, `store`, `keys`, `insecure`, `devices`, \
             `any-device`, `ping-interval`, `drain`, `max-connections`, `log`, \
             `tls-listen`, `tls-cert`, `tls-key`, `rules-log-keep`, `rules-log-checkpoint`"
        );
        assert!(
            said("\n[server]\nlisten = 1")
                .starts_with("sensockd.toml, line 2: there is no key `server`: there are ")
        );
    }

    #[test]
    fn a_wrong_value_names_what_was_found_and_what_was_expected() {
        assert_eq!(
            said("listen = \"7070\""),
            "sensockd.toml, line 1: `listen` is \"7070\": expected an address and a port, as in \"0.0.0.0:7070\""
        );
        assert_eq!(
            said("\nping-interval = 20"),
            "sensockd.toml, line 2: `ping-interval` is 20: expected a time, as in \"20s\""
        );
        assert_eq!(
            said("log = \"quite\""),
            "sensockd.toml, line 1: `log` is \"quite\": expected \"quiet\", \"normal\" or \"readings\"; \
             did you mean \"quiet\"?"
        );
        assert_eq!(
            said("max-connections = 0"),
            "sensockd.toml, line 1: `max-connections` is 0: expected a whole number above 0"
        );
        assert!(!said("listen = \"mysql://me:s3cret@db/plants\"").contains("s3cret"));
    }

    #[test]
    fn a_line_that_is_not_toml_is_named() {
        assert!(
            said("listen = \"0.0.0.0:7070\"\nstore = sqlite:a.db\n").starts_with("sensockd.toml, line 2: ")
        );
        assert!(
            said("log = \"quiet\"\nlog = \"quiet\"\n").starts_with("sensockd.toml, line 2: duplicate key")
        );
        let absent = Config::read(Path::new("no/such.toml")).unwrap_err().to_string();
        assert!(
            absent.starts_with("no/such.toml: cannot be read (") && absent.ends_with("given with --config")
        );
    }
}
