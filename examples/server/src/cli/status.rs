//! `sensockd status`: all devices at a glance.

use std::cmp::Reverse;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use sensock::DeviceId;
use sensock_store::{ConnectionRow, DeviceRow, History, Span};

use super::Where;
use crate::database;
use crate::show::terminal::table;
use crate::show::time::{Times, lasting, now_us};
use crate::show::words::{count, reading};

/// How far back the newest connection is looked for first.
const RECENT_US: i64 = 86_400_000_000;
/// A connected device that is silent for longer is told so: it may hang, or the server that held it died without a word.
const SILENT_US: i64 = 60_000_000;
/// How many commands are looked through for waiting ones: a store keeps at most 64 unsettled.
const COMMANDS: usize = 256;

#[derive(clap::Args)]
pub(super) struct Status {
    /// Only this device, with all of its latest readings.
    device: Option<String>,
    #[command(flatten)]
    at: Where,
}

impl Status {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let store = database::existing(&self.at.store).await?;
        let mut out = std::io::stdout().lock();
        match &self.device {
            None => all(&store, now_us(), &Times::local(), &mut out).await?,
            Some(name) => {
                let known = crate::device::Known::find(&store, name).await?;
                one(&store, &known.id, now_us(), &Times::local(), &mut out).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A line for each device.
async fn all<H: History>(history: &H, now: i64, times: &Times, out: &mut impl Write) -> Result<()>
where
    H::Error: 'static,
{
    let devices = history.devices().await?;
    if devices.is_empty() {
        writeln!(out, "No device has connected to this store yet.")?;
        return Ok(());
    }
    let header = ["DEVICE", "STATE", "BOOT", "LAST READING", "WAITING"].map(str::to_owned).to_vec();
    let mut rows = vec![header];
    for device in &devices {
        rows.push(line(history, device, now, times).await?);
    }
    for line in table(&rows) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

async fn line<H: History>(history: &H, device: &DeviceRow, now: i64, times: &Times) -> Result<Vec<String>>
where
    H::Error: 'static,
{
    let id = &device.device;
    let latest = history.latest(id).await?;
    let newest = latest.iter().max_by_key(|r| (r.row.not_after_us, Reverse(r.row.quantity)));
    let last = match newest {
        Some(r) => format!("{}, {} ago", reading(r), lasting(now - r.row.not_after_us)),
        None => "none yet".to_owned(),
    };
    Ok(vec![
        id.to_string(),
        state(
            newest_connection(history, id, now).await?.as_ref(),
            newest.map(|r| r.row.not_after_us),
            now,
            times,
        ),
        device.boot.to_string(),
        last,
        waiting(history, id).await?,
    ])
}

/// One device in full.
async fn one<H: History>(
    history: &H,
    id: &DeviceId,
    now: i64,
    times: &Times,
    out: &mut impl Write,
) -> Result<()>
where
    H::Error: 'static,
{
    let connection = newest_connection(history, id, now).await?;
    let latest = history.latest(id).await?;
    let heard = latest.iter().map(|r| r.row.not_after_us).max();
    writeln!(out, "{id}: {}", state(connection.as_ref(), heard, now, times))?;
    if let Some(c) = &connection {
        writeln!(out, "  latest connection from {}, {} over it", c.peer, count(c.records, "record"))?;
    }
    if let Some(boot) = history.boots(id).await?.last() {
        let firmware = if boot.firmware.is_empty() { "firmware unknown" } else { &boot.firmware };
        writeln!(out, "  boot {}, {firmware}, first heard {}", boot.boot, times.stamp(boot.seen_us))?;
    }
    for r in &latest {
        writeln!(out, "  {}, {} ago", reading(r), lasting(now - r.row.not_after_us))?;
    }
    writeln!(out, "  waiting: {}", waiting(history, id).await?)?;
    Ok(())
}

/// Whether a device is connected, or since when not.
pub(super) async fn seen<H: History>(history: &H, id: &DeviceId, now: i64, times: &Times) -> Result<String>
where
    H::Error: 'static,
{
    let newest = newest_connection(history, id, now).await?;
    Ok(state(newest.as_ref(), Some(now), now, times))
}

/// The connection that began last.
async fn newest_connection<H: History>(
    history: &H,
    id: &DeviceId,
    now: i64,
) -> Result<Option<ConnectionRow>, H::Error> {
    let recent = Span { from_us: now - RECENT_US, to_us: i64::MAX };
    let mut rows = history.connections(id, recent).await?;
    if rows.is_empty() {
        rows = history.connections(id, Span::ALL).await?;
    }
    Ok(rows.into_iter().max_by_key(|c| c.from_us))
}

/// Connected, asleep or offline, since when; `heard_us` is the time of its newest reading.
fn state(newest: Option<&ConnectionRow>, heard_us: Option<i64>, now: i64, times: &Times) -> String {
    match newest {
        None => "never connected".to_owned(),
        Some(c) => match (c.to_us, c.asleep_until_us) {
            (None, _) => {
                let silent = now - heard_us.unwrap_or(c.from_us).max(c.from_us);
                let silent = match silent > SILENT_US {
                    true => format!(", silent for {} (or its server is gone)", lasting(silent)),
                    false => String::new(),
                };
                format!("connected for {}{silent}", lasting(now - c.from_us))
            }
            (Some(_), Some(until)) if until >= now => format!("asleep until {}", times.near(until, now)),
            (Some(to), Some(until)) if until >= to => {
                format!("should have woken {} ago", lasting(now - until))
            }
            (Some(to), _) => format!("offline for {}", lasting(now - to)),
        },
    }
}

/// What waits for the device.
async fn waiting<H: History>(history: &H, id: &DeviceId) -> Result<String, H::Error> {
    let commands = history.commands(id, COMMANDS).await?;
    let commands = commands.iter().filter(|c| !c.state.is_settled()).count() as u64;
    let settings = history.settings(id).await?;
    let settings = settings.iter().filter(|s| s.applied_us.is_none() && s.refused.is_none()).count() as u64;
    Ok(match (commands, settings) {
        (0, 0) => "nothing".to_owned(),
        (0, s) => count(s, "setting"),
        (c, 0) => count(c, "command"),
        (c, s) => format!("{}, {}", count(c, "command"), count(s, "setting")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::wire::hello::Account;

    fn connection(from_s: i64, to_s: Option<i64>, asleep_s: Option<i64>) -> ConnectionRow {
        ConnectionRow {
            id: 1,
            device: DeviceId::new("cellar-3").unwrap(),
            boot: 1,
            server: 1,
            peer: "10.0.0.7:4711".to_owned(),
            from_us: from_s * 1_000_000,
            to_us: to_s.map(|s| s * 1_000_000),
            reason: String::new(),
            asleep_until_us: asleep_s.map(|s| s * 1_000_000),
            account: Account::default(),
            records: 0,
            bytes: 0,
        }
    }

    #[test]
    fn a_state_says_since_when() {
        let (heard, now) = (Some(990 * 1_000_000), 1_000 * 1_000_000);
        let said = |c: &ConnectionRow| state(Some(c), heard, now, &Times::utc());
        assert_eq!(said(&connection(100, None, None)), "connected for 15 min");
        assert_eq!(said(&connection(100, Some(940), None)), "offline for 1 min");
        assert_eq!(said(&connection(100, Some(940), Some(1_060))), "asleep until 00:17:40");
        assert_eq!(said(&connection(100, Some(940), Some(970))), "should have woken 30 s ago");
        assert_eq!(state(None, None, 0, &Times::utc()), "never connected");
        let silent = state(Some(&connection(100, None, None)), Some(700 * 1_000_000), now, &Times::utc());
        assert_eq!(silent, "connected for 15 min, silent for 5 min (or its server is gone)");
    }

    #[tokio::test]
    async fn an_empty_store_is_said_to_be_empty() {
        let store = sensock_store::MemoryStore::new(sensock::StoreId(1));
        let mut out = Vec::new();
        all(&store, 0, &Times::utc(), &mut out).await.unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "No device has connected to this store yet.\n");
    }
}
