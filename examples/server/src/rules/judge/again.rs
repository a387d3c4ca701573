//! Judging again: from a time of which is kept what was known, over everything that is stored since, in the order of event time.
//!
//! It goes beside the live judge, an hour of event time at a stretch, so that no live alarm waits for it.

use std::collections::BTreeMap;

use anyhow::Result;
use sensock::{DeviceId, Position};
use sensock_rules::Key;
use sensock_sql::SqlStore;
use sensock_store::{FeedItem, History as _, LaneId, ReadingRow, Span};

use super::brain::{Brain, Change};
use super::intake::{self, Item, Lane};
use crate::rules::zone::Zone;

/// What is read at once, of event time.
const STRETCH_MS: u64 = 3_600_000;
/// Readings that one query gives.
const PAGE: usize = 4_000;

/// What was known at a time.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    pub(crate) at_ms: u64,
    pub(crate) state: Vec<u8>,
}

/// A second judge on its way from the past to now.
pub(crate) struct Again {
    zone: &'static Zone,
    pub(crate) brain: Brain,
    /// What it began with is known since then.
    pub(crate) begin_ms: u64,
    /// From here on it has judged …
    pub(crate) from_ms: u64,
    /// … up to here.
    pub(crate) at_ms: u64,
    pub(crate) changes: Vec<Change>,
    pub(crate) checkpoints: Vec<Checkpoint>,
}

impl Again {
    /// From a checkpoint on, or else from a new beginning.
    pub(crate) fn from(zone: &'static Zone, checkpoint: Option<Checkpoint>, begin_ms: u64) -> Option<Again> {
        let known = checkpoint.and_then(|c| Some((Brain::restore(zone, &c.state)?, c.at_ms)));
        let (brain, from_ms) = match known {
            Some(known) => known,
            None => (Brain::begin(zone, begin_ms)?, begin_ms),
        };
        let (changes, checkpoints) = (Vec::new(), Vec::new());
        Some(Again { zone, brain, begin_ms, from_ms, at_ms: from_ms, changes, checkpoints })
    }

    /// Judges the next stretch, at most up to `to_ms`, of what lies before `read`; whether it came that far.
    pub(crate) async fn go_on(
        &mut self,
        store: &SqlStore,
        read: &BTreeMap<Lane, u64>,
        to_ms: u64,
    ) -> Result<bool> {
        let end_ms = (self.at_ms / STRETCH_MS * STRETCH_MS).saturating_add(STRETCH_MS).min(to_ms);
        let mut found = BTreeMap::new();
        for name in &self.zone.devices {
            let Ok(device) = DeviceId::new(name) else { continue };
            stretch(self.zone, store, &device, read, (self.at_ms, end_ms), &mut found).await?;
        }
        for (key, item) in &found {
            self.brain.judge(*key, item, &mut self.changes);
        }
        self.brain.advance(end_ms, &mut self.changes);
        self.at_ms = end_ms.max(self.at_ms);
        if self.at_ms.is_multiple_of(STRETCH_MS) && !found.is_empty() {
            self.checkpoints.push(Checkpoint { at_ms: self.at_ms, state: self.brain.save() });
        }
        Ok(self.at_ms >= to_ms)
    }
}

/// All of a device from a stretch of time, as far as it was read, in order of event time.
async fn stretch(
    zone: &Zone,
    store: &SqlStore,
    device: &DeviceId,
    read: &BTreeMap<Lane, u64>,
    (from_ms, end_ms): (u64, u64),
    found: &mut BTreeMap<Key, Item>,
) -> Result<()> {
    let us = |ms: u64| i64::try_from(ms.saturating_mul(1_000)).unwrap_or(i64::MAX);
    let span = Span { from_us: us(from_ms), to_us: us(end_ms) };
    let mut keep = |item: FeedItem| {
        let Some(heard) = intake::heard(zone, &item) else { return };
        let known = read.get(&heard.lane).is_some_and(|read| heard.last <= *read);
        if let Some((key, item)) =
            heard.judged.filter(|(key, _)| known && (from_ms..end_ms).contains(&key.at_ms))
        {
            found.insert(key, item);
        }
    };
    let mut after: Option<(LaneId, Position)> = None;
    loop {
        let rows = store.range(device, span, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = Some((last.row.lane, last.row.position));
        let rows: Vec<ReadingRow> = rows.into_iter().map(|named| named.row).collect();
        for record in rows.chunk_by(|a, b| (a.lane, a.position) == (b.lane, b.position)) {
            keep(FeedItem::Record(record.to_vec()));
        }
    }
    for gap in store.gaps(device, span).await? {
        keep(FeedItem::Gap(gap));
    }
    Ok(())
}
