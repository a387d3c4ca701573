//! What a zone knows as bytes: kept with the alarms in one transaction.
//!
//! A length, JSON of that length, and the engine's own bytes.

use std::collections::BTreeMap;

use sensock_rules::{Cause, Key};
use serde::{Deserialize, Serialize};

use super::Judge;
use super::brain::Brain;
use super::intake::{Item, Lane, key};
use crate::rules::zone::Zone;

/// What a judge knew, but for its engine.
#[derive(Serialize, Deserialize)]
pub(super) struct Known {
    begin_ms: u64,
    #[serde(default)]
    told_from_ms: u64,
    watermark_ms: u64,
    late_from_ms: Option<u64>,
    unjudged: u64,
    /// Records that wait for their turn.
    held: Vec<(u64, Lane, u64, Item)>,
}

impl Known {
    /// What a judge left: how far it read each lane, what it knew, its engine. None if that knew other rules, or nothing that can be read.
    pub(super) fn read<'z>(
        zone: &'z Zone,
        positions: &[u8],
        state: &[u8],
    ) -> Option<(BTreeMap<Lane, u64>, Known, Brain<'z>)> {
        let read: Vec<(Lane, u64)> = serde_json::from_slice(positions).ok()?;
        let (length, rest) = state.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (json, engine) = rest.split_at_checked(length)?;
        let known: Known = serde_json::from_slice(json).ok()?;
        Some((BTreeMap::from_iter(read), known, Brain::restore(zone, engine)?))
    }

    /// What waits for its turn.
    pub(super) fn held(&mut self) -> impl Iterator<Item = (Key, Item)> {
        let held = std::mem::take(&mut self.held).into_iter();
        held.map(|(at_ms, lane, position, item)| (key(at_ms, lane, position), item))
    }
}

impl Judge {
    /// All that it knows, but for how far it read.
    pub(crate) fn state(&self) -> Vec<u8> {
        let held = self.reorder.waiting().map(|(key, item)| {
            let Cause { device, lane, position } = key.from;
            (key.at_ms, (device, lane), position, item.clone())
        });
        let known = Known {
            begin_ms: self.begin_ms,
            told_from_ms: self.told_from_ms,
            watermark_ms: self.reorder.watermark_ms(),
            late_from_ms: super::earliest(self.late_from_ms, self.again_from_ms),
            unjudged: self.unjudged,
            held: held.collect(),
        };
        // Numbers and lists always become JSON.
        let json = serde_json::to_vec(&known).unwrap_or_default();
        let length = u32::try_from(json.len()).unwrap_or(0);
        [&length.to_le_bytes()[..], &json, &self.brain.save()].concat()
    }

    #[cfg(test)]
    pub(crate) fn slots(&self) -> &[sensock_rules::Slot] {
        self.brain.engine().slots()
    }

    /// How far each lane was read.
    pub(crate) fn positions(&self) -> Vec<u8> {
        let read: Vec<(&Lane, &u64)> = self.read.iter().collect();
        serde_json::to_vec(&read).unwrap_or_default()
    }

    /// A judge as another left it; none if that knew other rules, or nothing that can be read.
    pub(crate) fn restore(zone: &'static Zone, positions: &[u8], state: &[u8]) -> Option<Judge> {
        let (read, mut known, brain) = Known::read(zone, positions, state)?;
        let mut judge = Judge::with(zone, brain, read, known.begin_ms, known.watermark_ms);
        for (key, item) in known.held() {
            judge.recent.hear(key, &item);
            // None is late: the watermark comes last.
            let _in_time = judge.reorder.push(key, item);
        }
        judge.reorder.idle(known.watermark_ms.saturating_add(judge.lateness_ms()));
        judge.segment.watermark_ms = judge.reorder.watermark_ms();
        (judge.late_from_ms, judge.unjudged) = (known.late_from_ms, known.unjudged);
        judge.told_from_ms = known.told_from_ms;
        Some(judge)
    }
}
