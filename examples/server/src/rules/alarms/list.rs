//! Alarms as they are stored, for people.

use anyhow::{Result, bail};
use sensock_sql::{Arg, SqlStore};

/// One alarm with what was done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) zone: String,
    pub(crate) hazard: String,
    pub(crate) level: String,
    pub(crate) worst: String,
    pub(crate) words: String,
    pub(crate) began_us: i64,
    pub(crate) ended_us: Option<i64>,
    pub(crate) historic: bool,
    pub(crate) withdrawn: bool,
    pub(crate) seen_by: Option<String>,
    pub(crate) actions: Vec<Done>,
}

/// What was decided for one action, and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) what: String,
    pub(crate) state: String,
    pub(crate) detail: String,
}

/// Alarms that began at or after `since_us`, the newest last; with `open`, only those that are not over or that nobody has seen.
pub(crate) async fn alarms(store: &SqlStore, since_us: i64, open: bool) -> Result<Vec<Row>> {
    let mut tx = store.read_own().await?;
    let sql = "SELECT alarm_key, zone, hazard, level, worst, words, began_us, ended_us, historic, withdrawn_us, seen_by FROM alarm \
               WHERE began_us >= ? AND (? = 0 OR (withdrawn_us IS NULL AND (ended_us IS NULL OR seen_us IS NULL))) \
               ORDER BY began_us, alarm_key";
    let mut alarms = Vec::new();
    for row in tx.rows(sql, &[since_us.into(), open.into()]).await? {
        let key = row.text(0)?;
        let sql =
            "SELECT what, state, detail FROM alarm_action WHERE alarm_key = ? ORDER BY decided_us, action";
        let done = tx.rows(sql, &[Arg::Text(&key)]).await?;
        let actions = done
            .iter()
            .map(|row| Ok(Done { what: row.text(0)?, state: row.text(1)?, detail: row.text(2)? }))
            .collect::<Result<_>>()?;
        alarms.push(Row {
            key,
            zone: row.text(1)?,
            hazard: row.text(2)?,
            level: row.text(3)?,
            worst: row.text(4)?,
            words: row.text(5)?,
            began_us: row.int(6)?,
            ended_us: row.maybe_int(7)?,
            historic: row.int(8)? != 0,
            withdrawn: row.maybe_int(9)?.is_some(),
            seen_by: row.maybe_text(10)?,
            actions,
        });
    }
    tx.commit().await?;
    Ok(alarms)
}

/// Takes down that somebody has seen an alarm; a key's end or beginning is enough. Returns the key, and who had seen it before.
pub(crate) async fn acknowledge(
    store: &SqlStore,
    key: &str,
    by: &str,
    now_us: i64,
) -> Result<(String, Option<String>)> {
    let mut tx = store.begin_own().await?;
    let mut found = Vec::new();
    for row in tx.rows("SELECT alarm_key, seen_by FROM alarm", &[]).await? {
        let known = row.text(0)?;
        if known == key {
            found = vec![(known, row.maybe_text(1)?)];
            break;
        }
        if !key.is_empty() && (known.starts_with(key) || known.ends_with(key)) {
            found.push((known, row.maybe_text(1)?));
        }
    }
    let (known, before) = match (found.pop(), found.len()) {
        (Some(one), 0) => one,
        (None, _) => bail!("no alarm has the key \"{key}\": `sensockd alarms` lists them"),
        (Some(_), more) => {
            bail!("{} alarms have a key that begins or ends with \"{key}\": give more of it", more + 1)
        }
    };
    if before.is_none() {
        let update = "UPDATE alarm SET seen_us = ?, seen_by = ? WHERE alarm_key = ?";
        tx.execute(update, &[now_us.into(), by.into(), Arg::Text(&known)]).await?;
    }
    tx.commit().await?;
    Ok((known, before))
}
