//! `sensockd setting`: desired state, applied now or when the device connects.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use sensock::catalog::Values;
use sensock::limits::BODY_MAX;
use sensock_store::work::{Done, Work};
use sensock_store::{History, SettingRow, Store};

use super::{Where, issuer};
use crate::database;
use crate::device::Known;
use crate::show::terminal::say;
use crate::show::time::{duration, now_us};
use crate::show::words::refusal;

const POLL: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
pub(super) struct Set {
    /// For which device.
    device: String,
    /// Which setting of its catalogue.
    name: String,
    /// Its value, as in: 60, on, or 3,on.
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// How long to wait until the device has applied it.
    #[arg(long, default_value = "10s", value_parser = duration)]
    wait: Duration,
    #[command(flatten)]
    at: Where,
}

impl Set {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let store = database::existing(&self.at.store).await?;
        let known = Known::find(&store, &self.device).await?;
        let row = store_setting(&store, self.row(&known, now_us())?).await?;
        let row = applied(&store, row, self.wait).await?;
        say(words(&row, &self.value));
        Ok(if row.refused.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn row(&self, known: &Known, now: i64) -> Result<SettingRow> {
        let entry = known.setting(&self.name)?;
        let mut body = [0; BODY_MAX];
        let len = Values::encode_text(entry.shape, &self.value, &mut body)
            .with_context(|| format!("{} wants {}, not \"{}\"", entry.name, entry.shape, self.value))?;
        Ok(SettingRow {
            device: known.id,
            key: entry.key,
            name: entry.name.to_owned(),
            revision: 0,
            body: body[..len].to_vec(),
            issuer: issuer(),
            set_us: now,
            applied_us: None,
            refused: None,
        })
    }
}

async fn store_setting<S: Store>(store: &S, row: SettingRow) -> Result<SettingRow> {
    match database::commit(store, Work::Setting(Box::new(row))).await? {
        Done::Setting(row) => Ok(*row),
        other => bail!("the store answered with {other:?} instead of a setting"),
    }
}

/// Waits until the device has applied or refused this revision, at most `wait`; another one may have replaced it meanwhile.
async fn applied<H: History>(history: &H, row: SettingRow, wait: Duration) -> Result<SettingRow>
where
    H::Error: 'static,
{
    let until = tokio::time::Instant::now() + wait;
    loop {
        let rows = history.settings(&row.device).await?;
        let now = rows.into_iter().find(|s| s.key == row.key).unwrap_or_else(|| row.clone());
        let settled = now.applied_us.is_some() || now.refused.is_some() || now.revision != row.revision;
        if settled || tokio::time::Instant::now() >= until {
            return Ok(now);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn words(row: &SettingRow, value: &str) -> String {
    let (device, name) = (&row.device, &row.name);
    match (row.refused, row.applied_us) {
        (Some(code), _) => format!("{device} refused {name} = {value}: {}", refusal(code)),
        (None, Some(_)) => format!("{device} applied {name} = {value}"),
        (None, None) => format!("{name} = {value} is stored; {device} applies it when it connects"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::cellar;

    #[tokio::test]
    async fn a_setting_is_stored_and_waits_for_the_device() {
        let store = cellar().await;
        let known = Known::find(&store, "cellar-3").await.unwrap();
        let set = |name: &str, value: &str| Set {
            device: "cellar-3".to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            wait: Duration::ZERO,
            at: Where { store: String::new() },
        };
        let row = store_setting(&store, set("interval-s", "60").row(&known, 5).unwrap()).await.unwrap();
        assert_eq!((row.revision, &row.body[..]), (1, &[60][..]));
        let row = applied(&store, row, Duration::ZERO).await.unwrap();
        assert_eq!(words(&row, "60"), "interval-s = 60 is stored; cellar-3 applies it when it connects");
        let wrong = set("intervall", "60").row(&known, 5).unwrap_err();
        assert_eq!(wrong.to_string(), "cellar-3 has no setting `intervall`: did you mean `interval-s`?");
        let wrong = format!("{:#}", set("interval-s", "fast").row(&known, 5).unwrap_err());
        assert_eq!(wrong, "interval-s wants u32, not \"fast\": field 1 is not of type u32");
    }
}
