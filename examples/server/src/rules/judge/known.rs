//! What the store knows of a zone that has no judge yet, or needs one of the past.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use sensock::{DeviceId, Lane as StoreLane, Position};
use sensock_sql::{Arg, SqlStore};
use sensock_store::{History, LaneId, Span, Store as _};

use super::again::Checkpoint;
use super::brain::rules_id;
use super::intake::{Lane, number};
use crate::rules::zone::Zone;
use crate::show::time::now_us;

/// How far each lane of the zone is stored.
pub(super) async fn marks(store: &SqlStore, zone: &Zone) -> Result<BTreeMap<Lane, u64>> {
    let mut marks = BTreeMap::new();
    for name in &zone.devices {
        let device = DeviceId::new(name).with_context(|| format!("its device \"{name}\""))?;
        let Some(number) = number(zone, &device) else { continue };
        let resume = store.load(&device).await?;
        for (lane, mark) in StoreLane::ALL.into_iter().zip(resume.marks) {
            if mark.0 > 0 {
                marks.insert((number, lane as u8), mark.0);
            }
        }
    }
    Ok(marks)
}

/// When the first record of the zone is from, within a time.
pub(crate) async fn first_ms<H: History>(
    store: &H,
    zone: &Zone,
    (from_ms, to_ms): (u64, u64),
) -> Result<Option<u64>, H::Error> {
    let us = |ms: u64| i64::try_from(ms.saturating_mul(1_000)).unwrap_or(i64::MAX);
    let span = Span { from_us: us(from_ms), to_us: us(to_ms) };
    let mut first: Option<i64> = None;
    for name in &zone.devices {
        let Ok(device) = DeviceId::new(name) else { continue };
        // The first of each lane: the store gives one lane after the other.
        let behind = |lane| (LaneId { device, lane }, Position(i64::MAX.cast_unsigned()));
        for after in [None, Some(behind(StoreLane::Alarm)), Some(behind(StoreLane::Control))] {
            for row in store.range(&device, span, after, 1).await? {
                first = Some(first.map_or(row.row.not_after_us, |f| f.min(row.row.not_after_us)));
            }
        }
    }
    Ok(first.map(|us| u64::try_from(us / 1_000).unwrap_or(0).clamp(from_ms, to_ms)))
}

/// Alarms of rules that are not judged by any more are over: nothing will end them.
pub(super) async fn end_old_alarms(store: &SqlStore, zone: &Zone) -> Result<u64> {
    let mut tx = store.begin_own().await?;
    let update =
        "UPDATE alarm SET level = 'unknown', ended_us = ? WHERE zone = ? AND rules <> ? AND ended_us IS NULL";
    let args = [now_us().into(), Arg::Text(&zone.name), zone.table.hash().into()];
    let ended = tx.execute(update, &args).await?;
    tx.commit().await?;
    Ok(ended)
}

/// What was known at the last time before this.
pub(super) async fn before(store: &SqlStore, zone: &Zone, at_ms: u64) -> Result<Option<Checkpoint>> {
    let mut tx = store.read_own().await?;
    let find = "SELECT at_ms, state FROM rule_checkpoint WHERE zone = ? AND rules = ? AND at_ms <= ? \
                ORDER BY at_ms DESC LIMIT 1";
    let args = [Arg::Text(&zone.name), rules_id(zone).into(), at_ms.into()];
    let row = tx.rows(find, &args).await?.into_iter().next();
    tx.commit().await?;
    row.map(|row| Ok(Checkpoint { at_ms: row.int(0)?.cast_unsigned(), state: row.bytes(1)? })).transpose()
}
