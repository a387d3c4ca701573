//! `sensockd keys`: what devices prove themselves with.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use sensock::DeviceId;
use sensock::seal::Credential;

use super::status::seen;
use crate::database;
use crate::keys::{Document, Locked, handout, made, read};
use crate::show::terminal::table;
use crate::show::time::{Times, duration, now_us};
use crate::show::words::{count, nearest};

#[derive(clap::Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Make a device's first key, and print it, once.
    Add(Add),
    /// Show whose keys there are and until when they are valid, never the keys themselves.
    List(List),
    /// Make a device another key; the ones that it has stay valid for a while.
    Rotate(Rotate),
    /// Take a key, or all keys of a device, away; a running server closes its connection.
    Revoke(Revoke),
}

#[derive(clap::Args)]
struct At {
    /// The file of the keys.
    #[arg(long = "keys", env = "SENSOCK_KEYS", value_name = "FILE")]
    file: PathBuf,
}

#[derive(clap::Args)]
struct Add {
    /// Its name: 1 to 32 letters, digits, '.', '_' and '-'.
    #[arg(value_parser = device)]
    device: DeviceId,
    #[command(flatten)]
    at: At,
    /// Print no QR code.
    #[arg(long)]
    no_qr: bool,
}

#[derive(clap::Args)]
struct List {
    #[command(flatten)]
    at: At,
    /// Show also when each device was last seen in this store.
    #[arg(long, env = "SENSOCK_STORE", hide_env_values = true, value_name = "STORE")]
    store: Option<String>,
}

#[derive(clap::Args)]
struct Rotate {
    /// Which device.
    #[arg(value_parser = device)]
    device: DeviceId,
    /// How long the keys that it has stay valid.
    #[arg(long = "for", value_name = "TIME", default_value = "7d", value_parser = duration)]
    overlap: Duration,
    #[command(flatten)]
    at: At,
    /// Print no QR code.
    #[arg(long)]
    no_qr: bool,
}

#[derive(clap::Args)]
struct Revoke {
    /// A device's name, or a key's id as `keys list` shows it.
    #[arg(value_name = "DEVICE|KEY-ID")]
    what: String,
    #[command(flatten)]
    at: At,
}

impl Keys {
    pub(super) async fn run(self) -> Result<ExitCode> {
        match self.what {
            What::Add(add) => add.run()?,
            What::List(list) => list.run().await?,
            What::Rotate(rotate) => rotate.run()?,
            What::Revoke(revoke) => revoke.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    fn run(self) -> Result<()> {
        let mut file = Locked::open(&self.at.file, true)?;
        if let Some(entry) = file.document.of(&self.device).next() {
            bail!(
                "{} has a key, {}: `sensockd keys rotate {0}` makes another, `keys revoke {0}` takes it away",
                self.device,
                entry.credential.id
            );
        }
        let credential = made(&file.document)?;
        file.document.add(self.device, credential.clone());
        file.write()?;
        let end =
            format!("{} has it too; `sensockd run --keys {0}` lets the device in.", self.at.file.display());
        hand_out(&self.device, &credential, self.no_qr, &end)
    }
}

impl Rotate {
    fn run(self) -> Result<()> {
        let mut file = Locked::open(&self.at.file, false)?;
        let old = file.document.of(&self.device).count() as u64;
        if old == 0 {
            return Err(unknown(self.device.as_str(), &file.document, &self.at.file));
        }
        let until = now_us().saturating_add(i64::try_from(self.overlap.as_micros()).unwrap_or(i64::MAX));
        // Whole seconds: people read them.
        let until = until - until.rem_euclid(1_000_000);
        let credential = made(&file.document)?;
        file.document.limit(&self.device, until);
        file.document.add(self.device, credential.clone());
        file.write()?;
        let (end, times) = (count(old, "older key"), Times::local());
        let end = format!("{end} of {} valid until {} at the latest.", self.device, times.stamp(until));
        hand_out(&self.device, &credential, self.no_qr, &end)
    }
}

impl Revoke {
    fn run(self) -> Result<()> {
        let mut file = Locked::open(&self.at.file, false)?;
        let by_name = |document: &mut Document| document.remove(|e| e.device.as_str() == self.what);
        let by_id = |document: &mut Document| {
            document.remove(|e| e.credential.id.to_string() == self.what.to_lowercase())
        };
        let mut gone = by_name(&mut file.document);
        if gone.is_empty() {
            gone = by_id(&mut file.document);
        }
        if gone.is_empty() {
            return Err(unknown(&self.what, &file.document, &self.at.file));
        }
        file.write()?;
        let mut out = std::io::stdout().lock();
        for (device, id) in &gone {
            writeln!(out, "revoked: key {id} of {device}")?;
        }
        writeln!(
            out,
            "A server that runs with this file closes the connections that used it within seconds."
        )?;
        if let Some((device, _)) =
            gone.first().filter(|(device, _)| file.document.of(device).next().is_none())
        {
            writeln!(
                out,
                "{device} has no key left: a server with --insecure --any-device would let it in without one."
            )?;
        }
        Ok(())
    }
}

impl List {
    async fn run(self) -> Result<()> {
        let document = read(&self.at.file)?;
        let store = match &self.store {
            Some(address) => Some(database::existing(address).await?),
            None => None,
        };
        let (now, times) = (now_us(), Times::local());
        let header: &[&str] = match store {
            Some(_) => &["DEVICE", "KEY ID", "VALID", "SEEN"],
            None => &["DEVICE", "KEY ID", "VALID"],
        };
        let mut rows = vec![header.iter().map(|&word| word.to_owned()).collect()];
        for entry in document.entries() {
            let valid = match entry.until_us {
                None => "always".to_owned(),
                Some(until) if entry.is_valid(now) => format!("until {}", times.stamp(until)),
                Some(until) => format!("no more, since {}", times.stamp(until)),
            };
            let mut row = vec![entry.device.to_string(), entry.credential.id.to_string(), valid];
            if let Some(store) = &store {
                row.push(seen(store, &entry.device, now, &times).await?);
            }
            rows.push(row);
        }
        let mut out = std::io::stdout().lock();
        if rows.len() == 1 {
            writeln!(out, "{} holds no keys yet.", self.at.file.display())?;
            return Ok(());
        }
        for line in table(&rows) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

/// Prints a key for the person who carries it to its device.
fn hand_out(device: &DeviceId, credential: &Credential, no_qr: bool, end: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let with_qr = !no_qr && out.is_terminal();
    out.write_all(handout(device, credential, with_qr).as_bytes())?;
    writeln!(out, "\n{end}")?;
    Ok(())
}

fn unknown(what: &str, document: &Document, file: &Path) -> anyhow::Error {
    let mut names: Vec<String> =
        document.entries().flat_map(|e| [e.device.to_string(), e.credential.id.to_string()]).collect();
    names.dedup();
    let hint = match nearest(what, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`sensockd keys list --keys {}` shows what there is", file.display()),
    };
    // What was typed may be a whole key by mistake.
    let what = if what.len() > 32 { "that" } else { what };
    anyhow!("{}: no key of {what}: {hint}", file.display())
}

fn device(text: &str) -> Result<DeviceId, String> {
    DeviceId::new(text).map_err(|error| error.to_string())
}
