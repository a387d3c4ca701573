//! Commands and settings.

use sensock::catalog::Policy;
use sensock::{CommandId, DeviceId};
use sensock_store::{Batch, CommandRow, CommandState, SettingRow};
use sqlx::{AssertSqlSafe, Error};

use crate::error::Fail;
use crate::session::{Arg, Row, Session};
use crate::tables::{COMMAND, SETTING};
use crate::transaction::SqlTx;

/// Reads commands of a device. `which` is what follows WHERE device = ?, its first argument.
pub(crate) async fn commands(
    session: &mut Session<'_>,
    device: &DeviceId,
    which: &str,
    more: Option<i64>,
) -> Result<Vec<CommandRow>, Error> {
    let sql = format!("SELECT {} FROM command WHERE device = ? {which}", COMMAND.columns.join(", "));
    let args = [Arg::Text(device), Arg::from(more)];
    let rows = session.rows(AssertSqlSafe(sql), &args[..1 + usize::from(more.is_some())]).await?;
    rows.iter().map(|row| command(row, device)).collect()
}

/// A command's row, in the order of the table's columns.
pub(crate) fn command(row: &Row, device: &DeviceId) -> Result<CommandRow, Error> {
    Ok(CommandRow {
        device: *device,
        id: CommandId(row.small(1)?),
        key: row.small(2)?,
        name: row.text(3)?,
        policy: if row.int(4)? == Policy::Idempotent as i64 { Policy::Idempotent } else { Policy::Once },
        body: row.bytes(5)?,
        issuer: row.text(6)?,
        idempotency_key: row.maybe_text(7)?,
        keep_all: row.int(8)? != 0,
        created_us: row.int(9)?,
        deadline_us: row.int(10)?,
        state: state(&row.text(11)?, row.maybe_int(12)?)?,
        answer: row.bytes(14)?,
        settled_us: row.maybe_int(15)?,
    })
}

fn words(state: CommandState) -> (&'static str, Option<u32>) {
    match state {
        CommandState::Queued => ("queued", None),
        CommandState::Sent(boot) => ("sent", Some(boot)),
        CommandState::Done => ("done", None),
        CommandState::Refused(code) => ("refused", Some(code.into())),
        CommandState::Expired => ("expired", None),
        CommandState::Undeliverable => ("undeliverable", None),
        CommandState::Unknown => ("unknown", None),
    }
}

fn state(word: &str, detail: Option<i64>) -> Result<CommandState, Error> {
    let bad = || Error::Decode(format!("table command has a state {word:?} with detail {detail:?}").into());
    let detail = detail.map(u32::try_from).transpose().map_err(|_| bad())?;
    Ok(match (word, detail) {
        ("queued", _) => CommandState::Queued,
        ("sent", Some(boot)) => CommandState::Sent(boot),
        ("done", _) => CommandState::Done,
        ("refused", Some(code)) => CommandState::Refused(code.try_into().map_err(|_| bad())?),
        ("expired", _) => CommandState::Expired,
        ("undeliverable", _) => CommandState::Undeliverable,
        ("unknown", _) => CommandState::Unknown,
        _ => return Err(bad()),
    })
}

/// Reads settings of a device, in order of their keys.
pub(crate) async fn settings(session: &mut Session<'_>, device: &DeviceId) -> Result<Vec<SettingRow>, Error> {
    let columns = SETTING.columns.join(", ");
    let sql = format!("SELECT {columns} FROM setting WHERE device = ? ORDER BY number");
    let rows = session.rows(AssertSqlSafe(sql), &[Arg::Text(device)]).await?;
    rows.iter().map(|row| setting(row, device)).collect()
}

/// A setting's row, in the order of the table's columns.
pub(crate) fn setting(row: &Row, device: &DeviceId) -> Result<SettingRow, Error> {
    Ok(SettingRow {
        device: *device,
        key: row.small(1)?,
        name: row.text(2)?,
        revision: row.small(3)?,
        body: row.bytes(4)?,
        issuer: row.text(5)?,
        set_us: row.int(6)?,
        applied_us: row.maybe_int(7)?,
        refused: row.maybe_small(8)?,
    })
}

impl SqlTx {
    pub(crate) async fn write_commands(&mut self, batch: &Batch) -> Result<(), Fail> {
        let shared = self.handle.shared.clone();
        let mut session = self.begun.session()?;
        let mut args = Vec::new();
        for row in &batch.commands {
            let (state, detail) = words(row.state);
            args.extend([
                Arg::Text(&row.device),
                row.id.0.into(),
                row.key.into(),
                Arg::Text(&row.name),
                Arg::from(row.policy as u8),
                Arg::Bytes(&row.body),
                Arg::Text(&row.issuer),
                row.idempotency_key.as_ref().into(),
                row.keep_all.into(),
                row.created_us.into(),
                row.deadline_us.into(),
                state.into(),
                detail.into(),
                Arg::from(!row.state.is_settled()),
                Arg::Bytes(&row.answer),
                row.settled_us.into(),
            ]);
        }
        shared.insert(&mut session, &COMMAND, &args).await?;
        args.clear();
        for row in &batch.settings {
            args.extend([
                Arg::Text(&row.device),
                row.key.into(),
                Arg::Text(&row.name),
                row.revision.into(),
                Arg::Bytes(&row.body),
                Arg::Text(&row.issuer),
                row.set_us.into(),
                row.applied_us.into(),
                row.refused.into(),
            ]);
        }
        shared.insert(&mut session, &SETTING, &args).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_as_it_was_written() {
        use CommandState::*;
        for s in
            [Queued, Sent(0), Sent(u32::MAX), Done, Refused(0), Refused(255), Expired, Undeliverable, Unknown]
        {
            let (word, detail) = words(s);
            assert_eq!(state(word, detail.map(i64::from)).unwrap(), s);
        }
        assert!(state("sent", None).is_err());
        assert!(state("refused", Some(256)).is_err());
        assert!(state("lost", None).is_err());
    }
}
