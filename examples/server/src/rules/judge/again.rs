//! Judging again: from a time of which is kept what was known, over everything that is stored since, in the order of event time.
//!
//! It goes beside the live judge, some thousand records at a stretch, so that no live alarm waits for it.

use std::collections::BTreeMap;

use anyhow::Result;
use sensock::DeviceId;
use sensock_sql::SqlStore;

use super::brain::{Brain, Change, leave_out};
use super::intake::Lane;
use super::stored::{Stored, stretch};
use crate::rules::alarms::keep::CHECKPOINTS_MS;
use crate::rules::zone::Zone;

/// At these times it is kept what is known.
const CHECKPOINT_MS: u64 = 3_600_000;
/// What is read at once, of event time: so much that about so many records come, since live ones wait meanwhile.
const STRETCH_MS: (u64, u64) = (10_000, 86_400_000);
const RECORDS: usize = 4_000;

/// What was known at a time.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    pub(crate) at_ms: u64,
    pub(crate) state: Vec<u8>,
}

/// A second judge on its way from the past to now.
pub(crate) struct Again {
    zone: &'static Zone,
    pub(crate) brain: Brain<'static>,
    /// What it began with is known since then.
    pub(crate) begin_ms: u64,
    /// Alarms that were over before this are left out.
    pub(crate) told_from_ms: u64,
    /// From here on it has judged …
    pub(crate) from_ms: u64,
    /// … up to here.
    pub(crate) at_ms: u64,
    stretch_ms: u64,
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
        Some(Again::recent(zone, (from_ms, brain), begin_ms))
    }

    /// From what was known a little while ago.
    pub(crate) fn recent(
        zone: &'static Zone,
        (from_ms, brain): (u64, Brain<'static>),
        begin_ms: u64,
    ) -> Again {
        Again {
            zone,
            brain,
            begin_ms,
            told_from_ms: 0,
            from_ms,
            at_ms: from_ms,
            stretch_ms: CHECKPOINT_MS,
            changes: Vec::new(),
            checkpoints: Vec::new(),
        }
    }

    /// Judges the next stretch, at most up to `to_ms`, of what lies before `read`; whether it came that far.
    pub(crate) async fn go_on(
        &mut self,
        store: &SqlStore,
        read: &BTreeMap<Lane, u64>,
        to_ms: u64,
    ) -> Result<bool> {
        // Of earlier times nothing would be kept.
        let kept_from_ms = to_ms.saturating_sub(CHECKPOINTS_MS);
        let next_ms =
            (self.at_ms.max(kept_from_ms) / CHECKPOINT_MS * CHECKPOINT_MS).saturating_add(CHECKPOINT_MS);
        let end_ms = self.at_ms.saturating_add(self.stretch_ms).min(next_ms).min(to_ms);
        let devices: Vec<_> = self.zone.devices.iter().filter_map(|name| DeviceId::new(name).ok()).collect();
        let was_read =
            |stored: Stored<'_>| read.get(&stored.heard.lane).is_some_and(|read| stored.heard.last <= *read);
        let found = stretch(store, self.zone, &devices, (self.at_ms, end_ms), was_read).await?;
        for (key, item) in &found {
            self.brain.judge(*key, item, &mut self.changes);
        }
        self.brain.advance(end_ms, &mut self.changes);
        self.at_ms = end_ms.max(self.at_ms);
        self.stretch_ms = match found.len() {
            n if n > RECORDS => self.stretch_ms / 2,
            n if n < RECORDS / 4 => self.stretch_ms * 2,
            _ => self.stretch_ms,
        };
        self.stretch_ms = self.stretch_ms.clamp(STRETCH_MS.0, STRETCH_MS.1);
        leave_out(&mut self.changes, self.told_from_ms);
        if self.at_ms == next_ms && !found.is_empty() {
            self.checkpoints.push(Checkpoint { at_ms: self.at_ms, state: self.brain.save() });
        }
        Ok(self.at_ms >= to_ms)
    }
}
