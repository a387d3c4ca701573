//! `sensockd command`: a stored ticket, and what became of it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use sensock::catalog::Values;
use sensock::limits::BODY_MAX;
use sensock::{CommandId, DeviceId};
use sensock_store::work::{CommandWork, Done, Work};
use sensock_store::{CommandRow, CommandState, History, Store};

use super::{Where, issuer};
use crate::database;
use crate::device::Known;
use crate::show::terminal::say;
use crate::show::time::{duration, now_us};
use crate::show::words::outcome;

/// How often the store is asked for the outcome.
const POLL: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
pub(super) struct Send {
    /// For which device.
    device: String,
    /// Which command of its catalogue, or read-now.
    name: String,
    /// Its value, as in: on, 21.5, or 3,on.
    #[arg(default_value = "", allow_hyphen_values = true)]
    value: String,
    /// If the device does not begin it within this time, it expires.
    #[arg(long, default_value = "1h", value_parser = duration)]
    ttl: Duration,
    /// A key of your own: sending again with the same key finds the first command instead of making a second.
    #[arg(long)]
    key: Option<String>,
    /// Keep older commands of the same name that still wait; else this one replaces them.
    #[arg(long)]
    keep_older: bool,
    /// How long to wait for the answer.
    #[arg(long, default_value = "10s", value_parser = duration)]
    wait: Duration,
    #[command(flatten)]
    at: Where,
}

impl Send {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let store = database::existing(&self.at.store).await?;
        let known = Known::find(&store, &self.device).await?;
        let row = self.row(&known, now_us())?;
        let stored = store_command(&store, row).await?;
        let settled = settle(&store, &stored, self.wait).await?;
        let shape = known.command_by_key(settled.key).map(|c| c.answer);
        say(outcome(&settled, shape));
        let settled_well = matches!(settled.state, CommandState::Done);
        if !settled.state.is_settled() {
            say(format!(
                "it is kept for the device; ask again with --key, or see sensockd status {}",
                known.id
            ));
        }
        Ok(if settled_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The row that is stored, its body made by the catalogue's shape.
    fn row(&self, known: &Known, now: i64) -> Result<CommandRow> {
        let entry = known.command(&self.name)?;
        let mut body = [0; BODY_MAX];
        let len = Values::encode_text(entry.request, &self.value, &mut body)
            .with_context(|| format!("{} wants {}, not \"{}\"", entry.name, entry.request, self.value))?;
        let ttl = i64::try_from(self.ttl.as_micros()).map_err(|_| anyhow!("--ttl is too long"))?;
        Ok(CommandRow {
            device: known.id,
            id: CommandId(0),
            key: entry.key,
            name: entry.name.to_owned(),
            policy: entry.policy,
            body: body[..len].to_vec(),
            issuer: issuer(),
            idempotency_key: self.key.clone(),
            keep_all: self.keep_older,
            created_us: now,
            deadline_us: now.saturating_add(ttl),
            state: CommandState::Queued,
            answer: Vec::new(),
            settled_us: None,
        })
    }
}

/// Stores a command; a running server finds it there.
async fn store_command<S: Store>(store: &S, row: CommandRow) -> Result<CommandRow> {
    let work = Work::Command(CommandWork::New(Box::new(row)));
    match database::commit(store, work).await? {
        Done::Command(row, _) => Ok(*row),
        other => bail!("the store answered with {other:?} instead of a command"),
    }
}

/// Waits until the command is settled, at most `wait`.
async fn settle<H: History>(history: &H, row: &CommandRow, wait: Duration) -> Result<CommandRow>
where
    H::Error: 'static,
{
    let (device, id): (DeviceId, CommandId) = (row.device, row.id);
    let until = tokio::time::Instant::now() + wait;
    loop {
        let row = history.command(&device, id).await?;
        let row = row.ok_or_else(|| {
            anyhow!("command {id} is no longer in the store: was it restored from a backup?")
        })?;
        if row.state.is_settled() || tokio::time::Instant::now() >= until {
            return Ok(row);
        }
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::cellar;

    fn send(name: &str, value: &str) -> Send {
        Send {
            device: "cellar-3".to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            ttl: Duration::from_secs(60),
            key: None,
            keep_older: false,
            wait: Duration::ZERO,
            at: Where { store: String::new() },
        }
    }

    #[tokio::test]
    async fn a_command_is_stored_by_the_shape_of_the_catalogue() {
        let store = cellar().await;
        let known = Known::find(&store, "cellar-3").await.unwrap();
        let row = send("relay", "on").row(&known, 5_000_000).unwrap();
        assert_eq!((row.key, &row.body[..], row.deadline_us), (1, &[1][..], 65_000_000));
        let stored = store_command(&store, row).await.unwrap();
        assert_eq!((stored.id, stored.state), (CommandId(1), CommandState::Queued));
        let waiting = settle(&store, &stored, Duration::ZERO).await.unwrap();
        assert_eq!(outcome(&waiting, None), "command 1 (relay) waits until cellar-3 connects");
    }

    #[tokio::test]
    async fn what_the_catalogue_does_not_list_is_answered_with_what_it_does() {
        let store = cellar().await;
        let known = Known::find(&store, "cellar-3").await.unwrap();
        let said = |name, value| format!("{:#}", send(name, value).row(&known, 0).unwrap_err());
        assert_eq!(said("rely", "on"), "cellar-3 has no command `rely`: did you mean `relay`?");
        assert_eq!(
            said("siren", "on"),
            "cellar-3 has no command `siren`: its catalogue lists `relay`, `read-now`"
        );
        assert_eq!(said("relay", "maybe"), "relay wants bool, not \"maybe\": field 1 is not of type bool");
        assert_eq!(
            said("read-now", "please"),
            "read-now wants nothing, not \"please\": 1 fields given, 0 expected (separate them with ',')"
        );
    }
}
