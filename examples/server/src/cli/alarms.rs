//! `sensockd alarms`: what the rules said, what was done about it, and that somebody has seen it.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use sensock_sql::SqlStore;

use super::{Where, issuer};
use crate::database;
use crate::rules::alarms::list::{self, Row};
use crate::show::terminal::say;
use crate::show::time::{Times, duration, lasting, now_us};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Alarms {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(clap::Subcommand)]
enum What {
    /// Show alarms: the newest last, each with what was done about it.
    List(List),
    /// Take down that an alarm was seen.
    Ack(Ack),
}

#[derive(clap::Args)]
struct List {
    /// Alarms that began within so much time.
    #[arg(long, default_value = "7d", value_parser = duration, value_name = "TIME")]
    since: std::time::Duration,
    /// Only those that are not over, or that nobody has seen.
    #[arg(long)]
    open: bool,
    /// The store: sqlite:FILE or mysql://user:password@host/database.
    #[arg(long, env = "SENSOCK_STORE", hide_env_values = true, value_name = "STORE")]
    store: Option<String>,
}

#[derive(clap::Args)]
struct Ack {
    /// The alarm's key, or an end of it that no other alarm has.
    key: String,
    /// Who has seen it; the user of this command unless said.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    at: Where,
}

impl Alarms {
    pub(super) async fn run(self) -> Result<ExitCode> {
        match self.what {
            Some(What::Ack(ack)) => ack.run().await,
            Some(What::List(list)) => list.run().await,
            None => self.list.run().await,
        }
    }
}

impl List {
    async fn run(self) -> Result<ExitCode> {
        let Some(address) = &self.store else {
            anyhow::bail!("no store is named: say --store sqlite:plants.sqlite");
        };
        let store = database::existing(address).await?;
        let now = now_us();
        let since_us = now.saturating_sub(i64::try_from(self.since.as_micros()).unwrap_or(i64::MAX));
        let alarms = list::alarms(&store, since_us, self.open).await?;
        write(&alarms, self.open, now, &Times::local(), &mut std::io::stdout().lock())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Ack {
    async fn run(self) -> Result<ExitCode> {
        let store = database::existing(&self.at.store).await?;
        say(acknowledge(&store, &self.key, self.by).await?);
        Ok(ExitCode::SUCCESS)
    }
}

/// Takes it down, and says so.
async fn acknowledge(store: &SqlStore, key: &str, by: Option<String>) -> Result<String> {
    let by = by.unwrap_or_else(issuer);
    Ok(match list::acknowledge(store, key, &by, now_us()).await? {
        (key, None) => format!("{key}: seen by {by}"),
        (key, Some(before)) => format!("{key}: {before} has seen it already"),
    })
}

/// First things first: what it is and why, then when, then what was done.
fn write(alarms: &[Row], open: bool, now: i64, times: &Times, out: &mut impl Write) -> Result<()> {
    if alarms.is_empty() {
        writeln!(out, "{}", if open { "No alarm is open." } else { "No alarm within that time." })?;
    }
    for alarm in alarms {
        let state = match (alarm.withdrawn, alarm.ended_us) {
            (true, _) => "withdrawn: records that came late show that it was none".to_owned(),
            (false, None) => format!("NOT OVER, {} for {}", alarm.level, lasting(now - alarm.began_us)),
            (false, Some(ended)) => {
                format!("over after {}, was {}", lasting(ended - alarm.began_us), alarm.worst)
            }
        };
        writeln!(out, "{}  {}", times.stamp(alarm.began_us), alarm.words)?;
        let historic =
            if alarm.historic { "; historic: too old to move anything when it was found" } else { "" };
        writeln!(out, "    zone {}: {state}{historic}", alarm.zone)?;
        for done in &alarm.actions {
            let detail = if done.detail.is_empty() { String::new() } else { format!(": {}", done.detail) };
            writeln!(out, "    {}: {}{detail}", done.what, done.state)?;
        }
        match &alarm.seen_by {
            Some(by) => writeln!(out, "    seen by {by}")?,
            None => writeln!(out, "    not seen yet: sensockd alarms ack {}", alarm.key)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::alarms::list::Done;

    #[test]
    fn an_alarm_says_first_what_it_is() {
        let done = Done {
            what: "command to fan-1: relay true".to_owned(),
            state: "done".to_owned(),
            detail: "command 1, answered true".to_owned(),
        };
        let row = Row {
            key: "kitchen-0123456789abcdef".to_owned(),
            zone: "kitchen".to_owned(),
            hazard: "fire".to_owned(),
            level: "critical".to_owned(),
            worst: "critical".to_owned(),
            words: "fire 0.90: temperature critical for 40 s".to_owned(),
            began_us: 0,
            ended_us: None,
            historic: false,
            withdrawn: false,
            seen_by: None,
            actions: vec![done],
        };
        let mut out = Vec::new();
        write(&[row], false, 90_000_000, &Times::utc(), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "1970-01-01 00:00:00  fire 0.90: temperature critical for 40 s\n    \
             zone kitchen: NOT OVER, critical for 1 min 30 s\n    \
             command to fan-1: relay true: done: command 1, answered true\n    \
             not seen yet: sensockd alarms ack kitchen-0123456789abcdef\n"
        );
    }
}
