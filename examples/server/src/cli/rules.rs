//! `sensockd rules`: what a rule file says, and what it would have said.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use sensock::catalog::READ_NOW;
use sensock_store::{History, Span, Store};

use super::Where;

use crate::database;
use crate::device::Known;
use crate::rules::backtest::{self, Clock};
use crate::rules::file::{Catalogue, Catalogues, Listed, Loaded, devices, load};
use crate::rules::recorded::{self, Recorded};
use crate::rules::trial::Trial;
use crate::rules::zone::Zone;
use crate::rules::{check, explain, labels, past, replay};
use crate::show::time::{Times, duration, now_us};
use crate::show::words::{count, nearest};

#[derive(clap::Args)]
pub(super) struct Rules {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Show how rule files are understood, or everything that is wrong with them.
    Check(Check),
    /// Judge recordings or what is stored, and show the alarms; with labels, what was found, missed or false.
    Backtest(Backtest),
    /// Explain why a hazard was raised at a time, or why it was not.
    Explain(Explain),
    /// Play the log of what was judged over what is stored, and see whether it leads to what was said.
    Replay(Replay),
}

#[derive(clap::Args)]
struct Replay {
    /// The rule file.
    file: PathBuf,
    /// From when on at the latest, as in 2h, 14:03, or an RFC 3339 time. If it is not given, all of the log that is kept.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    #[command(flatten)]
    stored: Where,
}

#[derive(clap::Args)]
struct Explain {
    /// The rule file.
    file: PathBuf,
    /// Which hazard of it.
    hazard: String,
    /// When, as in 14:03, 2h, now, or an RFC 3339 time.
    at: String,
    /// The time before it that is judged anew, as in 7d: averages and baselines begin there. If it is not given, as much as a running server
    /// learns from.
    #[arg(long, value_parser = duration)]
    from: Option<Duration>,
    #[command(flatten)]
    stored: Where,
}

#[derive(clap::Args)]
struct Check {
    /// Rule files; those that a server runs together are checked together.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Take ids, scales and intervals from the catalogues in this store.
    #[arg(long, env = "SENSOCK_STORE", hide_env_values = true, value_name = "STORE")]
    store: Option<String>,
}

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("records").required(true).args(["csv", "store"])))]
struct Backtest {
    /// The rule file.
    file: PathBuf,
    /// A recording of the zone's device, or DEVICE=FILE. Recordings without a device are judged one by one, those with one together.
    #[arg(long, value_name = "RECORDING", num_args = 1..)]
    csv: Vec<String>,
    /// Judge what is stored here: sqlite:FILE or mysql://user:password@host/database.
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Which part of the store, as in 03:12..03:40, 7d..now, or with RFC 3339 times.
    #[arg(long, value_name = "FROM..TO", default_value = "7d..now")]
    span: String,
    /// Hold the alarms against these spans of time: a line FROM..TO for each, as times or as in 11715s..12300s after the first record.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Only alarms of this hazard.
    #[arg(long, value_name = "NAME")]
    hazard: Option<String>,
}

impl Rules {
    pub(super) async fn run(self) -> Result<ExitCode> {
        match self.what {
            What::Check(check) => check.run().await,
            What::Backtest(backtest) => backtest.run().await,
            What::Explain(explain) => explain.run().await,
            What::Replay(replay) => replay.run().await,
        }
    }
}

impl Check {
    async fn run(self) -> Result<ExitCode> {
        let catalogues = match &self.store {
            Some(address) => catalogues(&database::existing(address).await?, &devices(&self.files)).await?,
            None => Catalogues::default(),
        };
        let mut out = std::io::stdout().lock();
        match load(&self.files, &catalogues) {
            Ok(zones) => {
                for (i, loaded) in zones.iter().enumerate() {
                    if i > 0 {
                        writeln!(out)?;
                    }
                    check::write(loaded, &mut out)?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(errors) => {
                for error in &errors.0 {
                    eprintln!("{error}");
                }
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

impl Backtest {
    async fn run(self) -> Result<ExitCode> {
        let store = match &self.store {
            Some(address) => Some(database::existing(address).await?),
            None => None,
        };
        let loaded = one(&self.file, store.as_ref()).await?;
        let hazard = self.hazard.as_deref().map(|name| hazard(&loaded, name)).transpose()?;
        let mut out = std::io::stdout().lock();
        let Some(store) = store else { return self.recordings(&loaded, hazard, &mut out) };
        let times = Times::local();
        let span = times.span(&self.span, now_us())?;
        let mut trial = Trial::new(&loaded.zone)?;
        let met = past::play(&store, &loaded, span, &mut trial).await?;
        writeln!(out, "{} over {} to {}", loaded.file, times.stamp(span.from_us), times.stamp(span.to_us))?;
        for words in met.words(&loaded) {
            writeln!(out, "{words}")?;
        }
        let began_ms = u64::try_from(span.from_us / 1_000).unwrap_or(0);
        let labels = self.labels.as_deref().map(|path| labels::read(path, began_ms)).transpose()?;
        trial.keep(hazard);
        backtest::write(&loaded, &trial, &Clock::Dated(times), labels.as_deref(), &mut out)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Recordings that name no device are judged each for itself.
    fn recordings(&self, loaded: &Loaded, hazard: Option<usize>, out: &mut impl Write) -> Result<ExitCode> {
        let named = |given: &String| match given.split_once('=') {
            Some((device, path)) => (Some(device.to_owned()), PathBuf::from(path)),
            None => (None, PathBuf::from(given)),
        };
        let given: Vec<(Option<String>, PathBuf)> = self.csv.iter().map(named).collect();
        let (together, alone): (Vec<_>, Vec<_>) = given.into_iter().partition(|(device, _)| device.is_some());
        let runs = alone.into_iter().map(|one| vec![one]).chain((!together.is_empty()).then_some(together));
        for (i, run) in runs.enumerate() {
            let open =
                |(device, path): &(Option<String>, PathBuf)| Recorded::open(path, loaded, device.as_deref());
            let recordings: Vec<Recorded> = run.iter().map(open).collect::<Result<_>>()?;
            let began_ms = recordings.iter().map(|one| one.began_ms).min().unwrap_or(0);
            let ended_ms = recordings.iter().map(Recorded::ended_ms).max().unwrap_or(0);
            let mut trial = Trial::new(&loaded.zone)?;
            recorded::play(&recordings, &mut trial);
            trial.finish(ended_ms);
            let dated = recordings.iter().all(Recorded::is_dated);
            let clock = if dated { Clock::Dated(Times::utc()) } else { Clock::Since(began_ms) };
            if i > 0 {
                writeln!(out)?;
            }
            let names: Vec<String> = run.iter().map(|(_, path)| path.display().to_string()).collect();
            writeln!(out, "{} over {}", loaded.file, names.join(" and "))?;
            let labels = self.labels.as_deref().map(|path| labels::read(path, began_ms)).transpose()?;
            trial.keep(hazard);
            backtest::write(loaded, &trial, &clock, labels.as_deref(), out)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Explain {
    async fn run(self) -> Result<ExitCode> {
        let times = Times::local();
        let at_us = times.span(&format!("{0}..{0}", self.at), now_us())?.to_us;
        let store = database::existing(&self.stored.store).await?;
        let loaded = one(&self.file, Some(&store)).await?;
        let before = self.from.unwrap_or(Duration::from_millis(loaded.zone.look_back_ms()));
        let before_us = i64::try_from(before.as_micros()).context("--from is too long")?;
        let span = Span { from_us: at_us.saturating_sub(before_us), to_us: at_us };
        let hazard = hazard(&loaded, &self.hazard)?;
        let mut trial = Trial::new(&loaded.zone)?;
        let met = past::play(&store, &loaded, span, &mut trial).await?;
        let mut out = std::io::stdout().lock();
        for words in met.words(&loaded) {
            writeln!(out, "{words}")?;
        }
        let (judged, from) = (count(trial.records(), "record"), times.stamp(span.from_us));
        writeln!(out, "{judged} judged, from {from} on ({})", times.zone_words(at_us))?;
        let at_ms = u64::try_from(at_us / 1_000).unwrap_or(0);
        explain::write(&loaded, &trial, hazard, at_ms, &Clock::Dated(times), &mut out)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Replay {
    async fn run(self) -> Result<ExitCode> {
        let times = Times::local();
        let from_us = match &self.from {
            Some(from) => Some(times.span(&format!("{from}..{from}"), now_us())?.from_us),
            None => None,
        };
        let store = database::existing(&self.stored.store).await?;
        // The program ends with it.
        let zone: &'static Zone = Box::leak(Box::new(one(&self.file, Some(&store)).await?.zone));
        let outcome = replay::replay(&store, zone, from_us).await?;
        outcome.write(zone, &times, &mut std::io::stdout().lock())?;
        Ok(if outcome.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// One rule file, with what the store's catalogues say of its devices.
async fn one(file: &Path, store: Option<&sensock_sql::SqlStore>) -> Result<Loaded> {
    let files = [file.to_owned()];
    let catalogues = match store {
        Some(store) => catalogues(store, &devices(&files)).await?,
        None => Catalogues::default(),
    };
    load(&files, &catalogues)?.pop().context("no file was given")
}

/// The hazard of that name, by its place.
fn hazard(loaded: &Loaded, name: &str) -> Result<usize> {
    let names = || loaded.zone.table.table().hazards.iter().map(|hazard| hazard.name);
    names().position(|hazard| hazard == name).ok_or_else(|| match nearest(name, names()) {
        Some(near) => anyhow!("{} has no hazard {name}: did you mean {near}?", loaded.file),
        None => {
            anyhow!("{} has no hazard {name}: it has {}", loaded.file, names().collect::<Vec<_>>().join(", "))
        }
    })
}

/// What the store's catalogues say of these devices; of a device that it does not know, nothing.
pub(crate) async fn catalogues<S: Store + History>(store: &S, devices: &[String]) -> Result<Catalogues>
where
    <S as History>::Error: 'static,
{
    let known = store.devices().await?.iter().map(|row| row.device.to_string()).collect();
    let mut catalogues = Catalogues { devices: known, ..Catalogues::default() };
    for name in devices.iter().filter(|name| catalogues.devices.contains(*name)) {
        let known = Known::find(store, name).await?;
        let Ok(catalog) = known.catalog() else { continue };
        let quantities = catalog.quantities().map(|quantity| Listed {
            id: quantity.id,
            name: quantity.name.to_owned(),
            unit: quantity.unit.to_owned(),
            scale: quantity.scale,
            interval_ms: quantity.interval_ms,
        });
        let commands =
            catalog.commands().chain([READ_NOW.entry()]).map(|one| (one.name.to_owned(), one.request));
        let settings = catalog.settings().map(|one| (one.name.to_owned(), one.shape));
        let (quantities, commands, settings) = (quantities.collect(), commands.collect(), settings.collect());
        catalogues.of.insert(name.clone(), Catalogue { quantities, commands, settings });
    }
    Ok(catalogues)
}
