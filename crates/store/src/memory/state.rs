//! What a memory store holds, and how a batch changes it.

use std::collections::BTreeMap;

use sensock::{CommandId, DeviceId, Lane, Position, StoreId};

use super::MemoryError;
use crate::batch::Batch;
use crate::rows::*;
use crate::store::Resume;

/// One lane: its mark, and where its boot ended in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LaneEntry {
    pub(super) mark: Position,
    pub(super) ended: Position,
}

/// All tables.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    pub(super) id: StoreId,
    pub(super) latest_us: i64,
    pub(super) lanes: BTreeMap<LaneId, LaneEntry>,
    pub(super) readings: BTreeMap<(LaneId, Position, u16), ReadingRow>,
    pub(super) gaps: BTreeMap<(LaneId, Position), GapRow>,
    pub(super) quarantine: BTreeMap<(LaneId, Position), QuarantineRow>,
    pub(super) devices: BTreeMap<DeviceId, DeviceRow>,
    pub(super) boots: BTreeMap<(DeviceId, u32), BootRow>,
    /// In the order in which they came.
    pub(super) catalogs: BTreeMap<DeviceId, Vec<CatalogRow>>,
    pub(super) anchors: BTreeMap<DeviceId, Vec<AnchorRow>>,
    pub(super) connections: BTreeMap<u64, ConnectionRow>,
    pub(super) commands: BTreeMap<(DeviceId, CommandId), CommandRow>,
    pub(super) settings: BTreeMap<(DeviceId, u16), SettingRow>,
}

impl State {
    pub(super) fn new(id: StoreId) -> State {
        State {
            id,
            latest_us: i64::MIN,
            lanes: BTreeMap::new(),
            readings: BTreeMap::new(),
            gaps: BTreeMap::new(),
            quarantine: BTreeMap::new(),
            devices: BTreeMap::new(),
            boots: BTreeMap::new(),
            catalogs: BTreeMap::new(),
            anchors: BTreeMap::new(),
            connections: BTreeMap::new(),
            commands: BTreeMap::new(),
            settings: BTreeMap::new(),
        }
    }

    pub(super) fn lane(&self, lane: LaneId) -> LaneEntry {
        self.lanes.get(&lane).copied().unwrap_or_default()
    }

    /// Whether the batch could be applied; like a database's keys, refuses a second row at the place of a first.
    pub(super) fn check(&self, batch: &Batch) -> Result<(), MemoryError> {
        let mut readings: Vec<_> = batch.readings.iter().map(|r| (r.lane, r.position, r.quantity)).collect();
        readings.sort_unstable();
        let twice = readings.windows(2).find(|w| w[0] == w[1]).map(|w| w[0]);
        if let Some((lane, position, quantity)) =
            twice.or_else(|| readings.iter().copied().find(|key| self.readings.contains_key(key)))
        {
            return Err(MemoryError::Rejected(format!(
                "quantity {quantity} of {} {} at {position} is there twice",
                lane.device, lane.lane
            )));
        }
        let mut gaps: Vec<_> = batch.gaps.iter().map(|g| (g.lane, g.first)).collect();
        gaps.sort_unstable();
        let twice = gaps.windows(2).find(|w| w[0] == w[1]).map(|w| w[0]);
        if let Some((lane, first)) =
            twice.or_else(|| gaps.iter().copied().find(|k| self.gaps.contains_key(k)))
        {
            let (device, lane) = (lane.device, lane.lane);
            return Err(MemoryError::Rejected(format!(
                "the gap of {device} {lane} at {first} is there twice"
            )));
        }
        Ok(())
    }

    /// Applies a batch that was checked.
    pub(super) fn apply(&mut self, batch: &Batch) {
        for &(lane, mark) in &batch.marks {
            self.lanes.entry(lane).or_default().mark = mark;
        }
        for &(lane, ended) in &batch.ended {
            self.lanes.entry(lane).or_default().ended = ended;
        }
        for r in &batch.readings {
            self.readings.insert((r.lane, r.position, r.quantity), *r);
            self.wrote(r.not_after_us);
        }
        for g in &batch.gaps {
            self.gaps.insert((g.lane, g.first), g.clone());
            self.wrote(g.written_us);
        }
        for q in &batch.quarantine {
            self.quarantine.insert((q.lane, q.first), q.clone());
            self.wrote(q.written_us);
        }
        for d in &batch.devices {
            self.devices.insert(d.device, d.clone());
        }
        for b in &batch.boots {
            self.boots.insert((b.device, b.boot), b.clone());
            self.wrote(b.seen_us);
        }
        for c in &batch.catalogs {
            let known = self.catalogs.entry(c.device).or_default();
            if !known.iter().any(|k| k.hash == c.hash) {
                known.push(c.clone());
            }
        }
        for a in &batch.anchors {
            self.anchors.entry(a.device).or_default().push(*a);
        }
        for c in &batch.connections {
            self.connections.insert(c.id, c.clone());
            self.wrote(c.to_us.unwrap_or(c.from_us));
        }
        for c in &batch.commands {
            self.commands.insert((c.device, c.id), c.clone());
            self.wrote(c.settled_us.unwrap_or(c.created_us));
        }
        for s in &batch.settings {
            self.settings.insert((s.device, s.key), s.clone());
            self.wrote(s.set_us);
        }
    }

    fn wrote(&mut self, at_us: i64) {
        self.latest_us = self.latest_us.max(at_us);
    }

    /// All that a connection needs.
    pub(super) fn resume(&self, device: &DeviceId) -> Resume {
        let lanes = Lane::ALL.map(|lane| self.lane(LaneId { device: *device, lane }));
        let marks = lanes.map(|l| l.mark);
        let lowest = marks.iter().min().copied().unwrap_or_default().boot();
        let all: Vec<&BootRow> = self.boots_of(device).collect();
        let from = all.partition_point(|b| b.boot < lowest).saturating_sub(1);
        let from = from.max(all.len().saturating_sub(64));
        let boots: Vec<BootRow> = all[from..].iter().map(|&b| b.clone()).collect();
        let first = boots.first().map_or(0, |b| b.boot);
        let mut anchors: Vec<AnchorRow> = self.anchors.get(device).cloned().unwrap_or_default();
        anchors.retain(|a| a.boot >= first);
        anchors.sort_by_key(|a| (a.boot, a.tick));
        anchors.drain(..anchors.len().saturating_sub(256));
        let all: Vec<&CommandRow> = self.commands_of(device).collect();
        let mut settled = all.iter().filter(|c| c.state.is_settled()).count();
        let mut commands = Vec::new();
        for c in all {
            if !c.state.is_settled() {
                commands.push(c.clone());
                continue;
            }
            if settled <= 64 {
                commands.push(c.clone());
            }
            settled -= 1;
        }
        Resume {
            device: self.devices.get(device).cloned(),
            marks,
            ended: lanes.map(|l| l.ended),
            catalogs: self.catalogs.get(device).into_iter().flatten().rev().take(4).cloned().collect(),
            boots,
            anchors,
            commands,
            settings: self.settings_of(device).cloned().collect(),
        }
    }

    pub(super) fn boots_of(&self, device: &DeviceId) -> impl DoubleEndedIterator<Item = &BootRow> {
        self.boots.range((*device, 0)..=(*device, u32::MAX)).map(|(_, b)| b)
    }

    pub(super) fn commands_of(&self, device: &DeviceId) -> impl DoubleEndedIterator<Item = &CommandRow> {
        self.commands.range((*device, CommandId(0))..=(*device, CommandId(u32::MAX))).map(|(_, c)| c)
    }

    pub(super) fn settings_of(&self, device: &DeviceId) -> impl DoubleEndedIterator<Item = &SettingRow> {
        self.settings.range((*device, 0)..=(*device, u16::MAX)).map(|(_, s)| s)
    }
}
