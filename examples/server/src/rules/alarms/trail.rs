//! How much of the log is kept, and where it is played from.
//!
//! ```text
//! segments      1 … 40  41 … 80  81 … 95         what was written before the newest checkpoint that is as old as
//! checkpoints        40       80                  `keep` is deleted, and so are the checkpoints before that one
//! ```

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use sensock_sql::{Arg, OwnTx, SqlError, SqlStore};

use crate::rules::judge::brain::{Change, rules_id};
use crate::rules::judge::log::{Entry, Replay};
use crate::rules::lease::Lease;
use crate::rules::zone::Zone;
use crate::show::time::{Times, lasting};

/// Segments that are deleted in one transaction: nobody else writes meanwhile.
const BATCH: i64 = 500;
/// Segments that are read at once.
const PAGE: i64 = 500;

/// How much of the log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// How often it is kept what is known, to play the log from there. Also once whenever a server begins to judge.
    pub(crate) checkpoint: Duration,
    /// For how long the log can be played back; what is older goes, up to a checkpoint.
    pub(crate) keep: Duration,
}

impl Default for Keeping {
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        Self { checkpoint: hours(6), keep: hours(30 * 24) }
    }
}

impl Keeping {
    /// How long it may take until something that can go is looked for again.
    pub(crate) fn looks_every(&self) -> Duration {
        (self.keep / 24).clamp(Duration::from_secs(1), Duration::from_secs(3_600))
    }
}

/// What became of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pruned {
    /// Nothing more can go now.
    All,
    /// There is more to delete.
    More,
    /// Another server holds the zone, and nothing was deleted.
    NotHeld,
}

/// Deletes a batch of what no replay within the time that is kept needs.
pub(crate) async fn prune(
    store: &SqlStore,
    zone: &Zone,
    lease: &Lease,
    keeping: &Keeping,
) -> Result<Pruned, SqlError> {
    let mut tx = store.begin_own().await?;
    if !lease.renew(&mut tx).await? {
        return Ok(Pruned::NotHeld);
    }
    let keep_us = i64::try_from(keeping.keep.as_micros()).unwrap_or(i64::MAX);
    let old_us = tx.now_us().await?.saturating_sub(keep_us);
    let name = Arg::Text(&zone.name);
    let find = "SELECT MAX(segment) FROM rule_log_checkpoint WHERE zone = ? AND written_us <= ?";
    let start = one(&mut tx, find, &[name, old_us.into()]).await?;
    let first = one(&mut tx, "SELECT MIN(segment) FROM rule_log WHERE zone = ?", &[name]).await?;
    let (Some(start), Some(first)) = (start, first) else { return Ok(Pruned::All) };
    let last = start.min(first.saturating_add(BATCH - 1));
    let delete = "DELETE FROM rule_log WHERE zone = ? AND segment <= ?";
    let deleted = tx.execute(delete, &[name, last.into()]).await?;
    let delete = "DELETE FROM rule_log_checkpoint WHERE zone = ? AND segment <= ? AND segment < ?";
    let deleted = deleted + tx.execute(delete, &[name, last.into(), start.into()]).await?;
    if deleted > 0 {
        tx.commit().await?;
    }
    Ok(if last < start { Pruned::More } else { Pruned::All })
}

async fn one(tx: &mut OwnTx, sql: &'static str, args: &[Arg<'_>]) -> Result<Option<i64>, SqlError> {
    let row = tx.rows(sql, args).await?.into_iter().next();
    row.map_or(Ok(None), |row| row.maybe_int(0))
}

/// The log as it was played.
pub(crate) struct Played {
    /// The segment of the checkpoint that it was played from; 0 without one.
    pub(crate) after: i64,
    /// Each segment behind that, with what it led to.
    pub(crate) segments: Vec<(i64, Vec<Change>)>,
}

/// Plays the log over `replay`, which has heard what is stored of the zone, from the newest checkpoint at or before `at_us` on, so that
/// everything that was written since is among it.
///
/// # Errors
/// The log of that time is not kept: the error says from when on it is, and which key says how long. The store's.
pub(crate) async fn play(
    store: &SqlStore,
    zone: &'static Zone,
    mut replay: Replay,
    at_us: i64,
) -> Result<Played> {
    let mut tx = store.read_own().await?;
    let (name, rules) = (Arg::Text(&zone.name), rules_id(zone));
    let find = "SELECT segment, positions, state FROM rule_log_checkpoint \
                WHERE zone = ? AND rules = ? AND written_us <= ? ORDER BY segment DESC LIMIT 1";
    let row = tx.rows(find, &[name, rules.into(), at_us.into()]).await?.into_iter().next();
    let mut at = match row {
        Some(row) => {
            let known = replay.after(&row.bytes(1)?, &row.bytes(2)?);
            replay = known
                .context("a checkpoint of the log cannot be read: it is damaged, or of another version")?;
            row.int(0)?
        }
        None => {
            whole(&mut tx, zone, at_us).await?;
            0
        }
    };
    let mut played = Played { after: at, segments: Vec::new() };
    loop {
        let find = "SELECT segment, entries FROM rule_log WHERE zone = ? AND rules = ? AND segment > ? ORDER BY segment LIMIT ?";
        let rows = tx.rows(find, &[name, rules.into(), at.into(), PAGE.into()]).await?;
        for row in &rows {
            at = row.int(0)?;
            let entries: Vec<Entry> = serde_json::from_slice(&row.bytes(1)?)?;
            played.segments.push((at, entries.iter().flat_map(|entry| replay.play(entry)).collect()));
        }
        if rows.is_empty() {
            tx.commit().await?;
            return Ok(played);
        }
    }
}

/// From when on the log can be played: any time if its beginning is kept, else that of the oldest checkpoint.
pub(crate) async fn oldest_us(store: &SqlStore, zone: &Zone) -> Result<i64> {
    let mut tx = store.read_own().await?;
    let (first_segment, checkpoint) = oldest(&mut tx, zone).await?;
    tx.commit().await?;
    Ok(if first_segment == Some(1) { i64::MIN } else { checkpoint.unwrap_or(i64::MIN) })
}

/// The oldest segment, and the time of the oldest checkpoint by these rules.
async fn oldest(tx: &mut OwnTx, zone: &Zone) -> Result<(Option<i64>, Option<i64>), SqlError> {
    let (name, rules) = (Arg::Text(&zone.name), rules_id(zone).into());
    let first = one(tx, "SELECT MIN(segment) FROM rule_log WHERE zone = ?", &[name]).await?;
    let find = "SELECT MIN(written_us) FROM rule_log_checkpoint WHERE zone = ? AND rules = ?";
    Ok((first, one(tx, find, &[name, rules]).await?))
}

/// An error unless all is there since these rules were judged by first.
async fn whole(tx: &mut OwnTx, zone: &Zone, at_us: i64) -> Result<()> {
    let (first, kept) = oldest(tx, zone).await?;
    if first == Some(1) {
        return Ok(());
    }
    let (zone, times) = (&zone.name, Times::local());
    match kept {
        Some(from_us) => bail!(
            "the log of zone {zone} is kept from {} on, and {} is {} before that: ask for a later time, or have the server keep more \
             with `rules-log-keep`",
            times.stamp(from_us),
            times.stamp(at_us),
            lasting(from_us.saturating_sub(at_us))
        ),
        None => bail!(
            "no log of zone {zone} by these rules is kept: they were not judged by, or longer ago than `rules-log-keep` says"
        ),
    }
}
