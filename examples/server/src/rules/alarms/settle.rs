//! What judging again has found, against what is stored: new alarms are added, others withdrawn. What an alarm has moved stays moved.

use std::collections::{BTreeMap, BTreeSet};

use sensock_sql::{Arg, OwnTx, SqlError, SqlStore};

use super::is_raised;
use super::keep::{Kept, checkpoints, write};
use super::open::{Next, Opened, open};
use crate::rules::judge::Judge;
use crate::rules::judge::again::Checkpoint;
use crate::rules::judge::brain::{self, Change};
use crate::rules::lease::Lease;
use crate::rules::zone::Zone;

/// What was judged again: from when to when, what came out, and what was known on the way.
pub(crate) struct Found<'a> {
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    pub(crate) changes: &'a [Change],
    pub(crate) checkpoints: &'a [Checkpoint],
}

/// Keeps it, together with the judge who goes on from there. `None`: another server holds the zone now, and nothing was written.
pub(crate) async fn settle(
    store: &SqlStore,
    zone: &Zone,
    lease: &Lease,
    judge: &Judge,
    next: Next,
    found: &Found<'_>,
) -> Result<Option<Kept>, SqlError> {
    let Opened { mut tx, now_us, mut kept } = match open(store, zone, lease, judge, next).await? {
        Ok(opened) => opened,
        Err(instead) => return Ok(instead),
    };
    withdraw(&mut tx, zone, found, now_us, &mut kept).await?;
    let mut last: BTreeMap<String, &Change> = BTreeMap::new();
    for change in found.changes {
        let key = brain::text_key(zone, &change.key);
        let find = "SELECT 1 FROM alarm_change WHERE alarm_key = ? AND at_us = ? AND level = ?";
        let args = [Arg::Text(&key), change.at_us.into(), change.to.word().into()];
        if tx.rows(find, &args).await?.is_empty() {
            write(&mut tx, zone, change, next.segment, now_us, &mut kept).await?;
            kept.changes.push(change.clone());
        }
        last.insert(key, change);
    }
    for (key, change) in &last {
        let ended = (!is_raised(change.to)).then_some(change.at_us);
        let update = "UPDATE alarm SET level = ?, changed_us = ?, ended_us = ?, withdrawn_us = NULL WHERE alarm_key = ?";
        let args = [change.to.word().into(), change.at_us.into(), ended.into(), Arg::Text(key)];
        tx.execute(update, &args).await?;
    }
    let delete = "DELETE FROM rule_checkpoint WHERE zone = ? AND at_ms > ?";
    tx.execute(delete, &[Arg::Text(&zone.name), found.from_ms.into()]).await?;
    checkpoints(&mut tx, zone, found.checkpoints).await?;
    tx.commit().await?;
    Ok(Some(kept))
}

/// Alarms of that time that were none. What was done for them is not done once more for those that stand for them.
async fn withdraw(
    tx: &mut OwnTx,
    zone: &Zone,
    found: &Found<'_>,
    now_us: i64,
    kept: &mut Kept,
) -> Result<(), SqlError> {
    let us = |ms: u64| Arg::Int(i64::try_from(ms.saturating_mul(1_000)).unwrap_or(i64::MAX));
    let find = "SELECT alarm_key, hazard FROM alarm WHERE zone = ? AND rules = ? AND began_us >= ? AND began_us < ? \
                AND withdrawn_us IS NULL";
    let args = [Arg::Text(&zone.name), zone.table.hash().into(), us(found.from_ms), us(found.to_ms)];
    let raised: BTreeSet<String> = found.changes.iter().map(|c| brain::text_key(zone, &c.key)).collect();
    for row in tx.rows(find, &args).await? {
        let (key, hazard) = (row.text(0)?, row.text(1)?);
        if raised.contains(&key) {
            continue;
        }
        let update = "UPDATE alarm SET withdrawn_us = ? WHERE alarm_key = ?";
        tx.execute(update, &[now_us.into(), Arg::Text(&key)]).await?;
        let taken = "SELECT action FROM alarm_action WHERE alarm_key = ? AND state IN ('waiting', 'begun', 'done', 'unknown')";
        for row in tx.rows(taken, &[Arg::Text(&key)]).await? {
            kept.taken.insert(row.int(0)?);
        }
        kept.said.push(format!(
            "{hazard}: withdrawn, records that came late show that it was none; what it has moved stays moved ({key})"
        ));
    }
    Ok(())
}
