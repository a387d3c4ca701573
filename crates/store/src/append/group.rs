//! The state of one transaction under way: marks as locked, devices as loaded, and the rows that will be written.

use std::collections::{BTreeMap, BTreeSet};

use sensock::{Cause, CommandId, DeviceId, Lane, Position};

use super::boot_of_next;
use super::lanes::Lanes;
use crate::batch::Batch;
use crate::rows::*;
use crate::store::Resume;
use crate::work::{Appended, Done, Refuse, Work};

/// A transaction under way.
#[derive(Default)]
pub(super) struct Group<'w> {
    /// The locked lanes.
    pub(super) lanes: Lanes<'w>,
    devices: BTreeMap<DeviceId, Resume>,
    connections: BTreeMap<u64, ConnectionRow>,
    boots: BTreeMap<(DeviceId, u32), BootRow>,
    changed_devices: BTreeSet<DeviceId>,
    changed_commands: BTreeSet<(DeviceId, CommandId)>,
    changed_settings: BTreeSet<(DeviceId, u16)>,
    /// Gaps, quarantine, catalogues and anchors: only ever inserted.
    pub(super) inserts: Batch,
}

impl<'w> Group<'w> {
    pub(super) fn new(marks: impl Iterator<Item = (LaneId, Position)>) -> Self {
        Self { lanes: Lanes::new(marks), ..Self::default() }
    }

    /// The device that must be loaded before this work can be applied.
    pub(super) fn must_know(&self, work: &Work) -> Option<DeviceId> {
        let device = match work {
            Work::Hello(hello) => hello.hello.device,
            Work::Command(command) => command.device(),
            Work::Setting(row) => row.device,
            Work::Floor(floor) => floor.lane.device,
            Work::Records(r) if r.lane.lane == Lane::Control => {
                let boot = boot_of_next(self.mark(r.lane));
                let stays = r.steps.iter().all(|s| boot_of_next(s.range().1) == boot);
                if stays && r.replies.is_empty() && r.applied.is_empty() {
                    return None;
                }
                r.lane.device
            }
            Work::Records(_) | Work::Ended(..) | Work::Rows(_) => return None,
        };
        (!self.knows(device)).then_some(device)
    }

    /// What the store says of a device.
    pub(super) fn know(&mut self, device: DeviceId, resume: Resume) {
        self.devices.insert(device, resume);
    }

    /// Whether the device was loaded.
    pub(super) fn knows(&self, device: DeviceId) -> bool {
        self.devices.contains_key(&device)
    }

    /// What the store says of a device that was loaded ([`Group::must_know`] sees to that), as the works so far changed it.
    pub(super) fn device(&mut self, device: DeviceId) -> &mut Resume {
        let resume = self.devices.entry(device).or_default();
        for lane in Lane::ALL {
            let id = LaneId { device, lane };
            let Some(held) = self.lanes.get(&id) else { continue };
            resume.marks[lane.index()] = held.mark;
            if let Some(ended) = held.ended {
                resume.ended[lane.index()] = ended;
            }
        }
        resume
    }

    pub(super) fn mark(&self, lane: LaneId) -> Position {
        self.lanes.get(&lane).map_or(Position::NONE, |held| held.mark)
    }

    /// Moves a mark forward; a mark never goes back.
    pub(super) fn advance(&mut self, lane: LaneId, mark: Position) {
        let held = self.lanes.get_or_add(&lane);
        if mark > held.mark {
            (held.mark, held.moved) = (mark, true);
        }
    }

    /// Applies a work, one of whose lanes is likely to be at this place of those that are locked.
    pub(super) fn apply(&mut self, work: &'w Work, place: usize) -> Result<Done, Refuse> {
        match work {
            Work::Hello(work) => self.hello(work).map(|done| Done::Hello(Box::new(done))),
            Work::Records(work) => Ok(Done::Appended(self.records(work, place))),
            Work::Floor(work) => Ok(Done::Appended(self.floor(work))),
            Work::Ended(device, last) => Ok(Done::Appended(self.end(*device, last))),
            Work::Command(work) => self.command(work),
            Work::Setting(row) => self.setting(row).map(|row| Done::Setting(Box::new(row))),
            Work::Rows(batch) => {
                for row in &batch.catalogs {
                    if !self.inserts.catalogs.iter().any(|c| (c.device, c.hash) == (row.device, row.hash)) {
                        self.inserts.catalogs.push(row.clone());
                    }
                }
                self.inserts.anchors.extend_from_slice(&batch.anchors);
                batch.connections.iter().for_each(|row| self.put_connection(row.clone()));
                batch.boots.iter().for_each(|row| self.put_boot(row.clone()));
                Ok(Done::Rows)
            }
        }
    }

    /// The device named the last positions of a boot that ends in order. A lane in which it made nothing in this boot has nothing beyond
    /// its mark.
    fn end(&mut self, device: DeviceId, last: &[Position; Lane::COUNT]) -> Appended {
        for lane in Lane::ALL {
            let id = LaneId { device, lane };
            self.put_ended(id, last[lane.index()].max(self.mark(id)));
        }
        let mark = self.mark(LaneId { device, lane: Lane::Control });
        Appended { before: mark, mark, ..Appended::default() }
    }

    pub(super) fn put_ended(&mut self, lane: LaneId, last: Position) {
        self.lanes.get_or_add(&lane).ended = Some(last);
    }

    pub(super) fn put_connection(&mut self, row: ConnectionRow) {
        self.connections.insert(row.id, row);
    }

    pub(super) fn put_boot(&mut self, row: BootRow) {
        self.boots.insert((row.device, row.boot), row);
    }

    pub(super) fn put_device(&mut self, row: DeviceRow) {
        let device = row.device;
        self.changed_devices.insert(device);
        self.devices.entry(device).or_default().device = Some(row);
    }

    /// Stores a command's row; `Resume` keeps them in order of id.
    pub(super) fn put_command(&mut self, row: CommandRow) {
        self.changed_commands.insert((row.device, row.id));
        let commands = &mut self.devices.entry(row.device).or_default().commands;
        match commands.binary_search_by_key(&row.id, |c| c.id) {
            Ok(i) => commands[i] = row,
            Err(i) => commands.insert(i, row),
        }
    }

    pub(super) fn put_setting(&mut self, row: SettingRow) {
        self.changed_settings.insert((row.device, row.key));
        let settings = &mut self.devices.entry(row.device).or_default().settings;
        match settings.iter_mut().find(|s| s.key == row.key) {
            Some(held) => *held = row,
            None => settings.push(row),
        }
    }

    /// Everything that the works changed.
    pub(super) fn into_batch(self) -> Batch {
        let mut batch = self.inserts;
        let lanes = || self.lanes.iter();
        batch.marks = lanes().filter(|(_, held)| held.moved).map(|(lane, held)| (lane, held.mark)).collect();
        batch.ended = lanes().filter_map(|(lane, held)| Some((lane, held.ended?))).collect();
        let readings = || lanes().flat_map(|(_, held)| held.readings());
        batch.readings.reserve_exact(readings().map(|rows| rows.len()).sum());
        readings().for_each(|rows| batch.readings.extend_from_slice(rows));
        batch.connections = self.connections.into_values().collect();
        batch.boots = self.boots.into_values().collect();
        for (device, resume) in self.devices {
            if self.changed_devices.contains(&device) {
                batch.devices.extend(resume.device);
            }
            let changed = |c: &CommandRow| self.changed_commands.contains(&(device, c.id));
            batch.commands.extend(resume.commands.into_iter().filter(changed));
            let changed = |s: &SettingRow| self.changed_settings.contains(&(device, s.key));
            batch.settings.extend(resume.settings.into_iter().filter(changed));
        }
        batch
    }
}

/// A gap's row; the count is exact within a boot unless `count` says otherwise.
pub(super) fn gap_row(lane: LaneId, range: (Position, Position), cause: Cause, now_us: i64) -> GapRow {
    let (first, last) = range;
    GapRow {
        lane,
        first,
        last,
        cause,
        count: (first.boot() == last.boot()).then(|| last.0 - first.0 + 1),
        not_before_us: None,
        not_after_us: Some(now_us),
        written_us: now_us,
        detail: String::new(),
    }
}
