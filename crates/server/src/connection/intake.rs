//! From Data frames to rows: what a store is asked to append.
//!
//! Nothing is guessed: a run under a catalogue that nobody has, with a quantity that it does not list, or whose columns are damaged, goes to
//! quarantine with its bytes, and its positions with it, so that the lane moves on.

use std::sync::Arc;

use sensock::batch::{Cell, Sink};
use sensock::error::Peer;
use sensock::link::Bounds;
use sensock::wire::data::{Data, Item, Outcome, Run};
use sensock::{DeviceId, Fault, Lane, Position, Tick};
use sensock_store::work::{Applied, RecordsWork, Reply, Step};
use sensock_store::{AnchorRow, CommandState, LaneId, ReadingRow};

use super::sheet::{Column, Sheet};
use super::times::{Between, Times};

/// Cells that one frame may unfold to; honest frames hold some ten thousand at most.
const CELLS_MAX: usize = 65_536;

/// What decoding needs to know.
pub(crate) struct Facts<'a> {
    pub(crate) device: DeviceId,
    pub(crate) boot: u32,
    pub(crate) times: &'a Times,
    pub(crate) sheet: Option<&'a Sheet>,
    pub(crate) older: &'a [Arc<Sheet>],
    /// The live boot's bounds in wall time, and wall time.
    pub(crate) now: (Bounds, i64),
}

impl Facts<'_> {
    fn sheet(&self, boot: u32) -> Result<&Sheet, String> {
        if boot == self.boot || sensock::planted!("new-catalogue") {
            return self.sheet.ok_or_else(|| "the device's catalogue is not known".to_owned());
        }
        if !self.times.knows(boot) {
            return Err(format!("nothing is known of boot {boot}, so neither is its catalogue"));
        }
        let hash = self.times.catalog(boot);
        let own = self.sheet.filter(|s| s.hash == hash);
        own.or_else(|| self.older.iter().map(Arc::as_ref).find(|s| s.hash == hash))
            .ok_or_else(|| format!("the catalogue {hash:016x} of boot {boot} is not known"))
    }

    fn at(&self, boot: u32, tick: Tick) -> Between {
        self.times.at(boot, tick, self.now)
    }

    /// Bounds of what lies between two ticks.
    pub(crate) fn between(&self, boot: u32, span: Option<(Tick, Tick)>) -> (Option<i64>, Option<i64>) {
        match span {
            Some((first, last)) if self.times.knows(boot) => {
                (self.at(boot, first).0, Some(self.at(boot, last).1))
            }
            _ => (None, None),
        }
    }
}

/// Records of one lane that were not handed to the committer yet.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) work: Box<RecordsWork>,
    pub(crate) records: u32,
    pub(crate) bytes: u32,
}

/// What came in one round of reading, by lane: one work for many frames.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    lanes: [Option<Pending>; Lane::COUNT],
}

impl Intake {
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.iter().all(Option::is_none)
    }

    pub(crate) fn take(&mut self, lane: Lane) -> Option<Pending> {
        self.lanes[lane.index()].take()
    }

    /// Adds a frame; returns how many readings the lane has pending.
    ///
    /// # Errors
    /// The device broke the protocol: the frame unfolds to too much, or lies in a boot that is not yet.
    pub(crate) fn add(&mut self, facts: &Facts<'_>, data: &Data<'_>, len: usize) -> Result<usize, Peer> {
        let pending = self.lanes[data.lane.index()].get_or_insert_with(|| {
            let work = RecordsWork {
                lane: LaneId { device: facts.device, lane: data.lane },
                steps: Vec::new(),
                readings: Vec::new(),
                replies: Vec::new(),
                applied: Vec::new(),
                anchors: Vec::new(),
                raw: Vec::new(),
                now_us: facts.now.1,
            };
            Pending { work: Box::new(work), records: 0, bytes: 0 }
        });
        pending.records = pending.records.saturating_add(data.records);
        pending.bytes = pending.bytes.saturating_add(len as u32);
        pending.work.now_us = facts.now.1;
        pending.work.raw.extend_from_slice(data.bytes());
        if let Some(run) = data.alone() {
            pending.item(facts, Item::Run(run), data)?;
            return Ok(pending.work.readings.len());
        }
        let mut cells = 0;
        for item in data.items() {
            if let Item::Run(run) = &item {
                cells += run.count * run.shape.as_slice().len();
            }
            if cells > CELLS_MAX {
                return Err(Peer::Limit);
            }
            pending.item(facts, item, data)?;
        }
        Ok(pending.work.readings.len())
    }
}

impl Pending {
    fn item(&mut self, facts: &Facts<'_>, item: Item<'_>, data: &Data<'_>) -> Result<(), Peer> {
        match item {
            Item::Run(run) => {
                if run.first.boot() > facts.boot {
                    return Err(Peer::Limit);
                }
                match self.run(facts, &run) {
                    Ok(()) => self.step(run.first, run.count as u32),
                    Err(reason) => {
                        let last = run.first.plus(run.count as u64).prev();
                        self.quarantine(run.first, last, reason, data.bytes());
                    }
                }
            }
            Item::Gap { first, last, cause, span } => {
                let between_us = facts.between(first.boot(), span);
                self.work.steps.push(Step::Gap { first, last, cause, between_us });
            }
            Item::Boot { after, boot, complete } => {
                if boot > facts.boot {
                    return Err(Peer::Limit);
                }
                self.work.steps.push(Step::Boot { after, boot, complete });
            }
            Item::Reply { position, command, outcome, body } => {
                let state = match outcome {
                    Outcome::Done => CommandState::Done,
                    Outcome::Expired => CommandState::Expired,
                    Outcome::Unknown => CommandState::Unknown,
                    Outcome::Refused(code) => CommandState::Refused(code),
                };
                self.work.replies.push(Reply { position, command, state, answer: body.to_vec() });
                self.step(position, 1);
            }
            Item::Applied { position, revision, refused } => {
                self.work.applied.push(Applied { position, revision, refused });
                self.step(position, 1);
            }
            Item::Unknown { first, count, bytes } => {
                if count > 0 {
                    let reason =
                        "an item of a later version: this server is older than the device".to_owned();
                    self.quarantine(first, first.plus(count.into()).prev(), reason, bytes);
                }
            }
        }
        Ok(())
    }

    /// Records follow those of the step before, where they can.
    fn step(&mut self, at: Position, n: u32) {
        match self.work.steps.last_mut() {
            Some(Step::Records { first, count }) if first.plus((*count).into()) == at => *count += n,
            _ => self.work.steps.push(Step::Records { first: at, count: n }),
        }
    }

    fn quarantine(&mut self, first: Position, last: Position, reason: String, raw: &[u8]) {
        self.work.steps.push(Step::Quarantine { first, last, reason, raw: raw.to_vec() });
    }

    /// Decodes a run; on an error nothing of it was taken.
    fn run(&mut self, facts: &Facts<'_>, run: &Run<'_>) -> Result<(), String> {
        let boot = run.first.boot();
        let sheet = facts.sheet(boot)?;
        let mut columns = [None; sensock::limits::READINGS_PER_RECORD];
        for (slot, id) in columns.iter_mut().zip(run.shape.as_slice()) {
            let column = sheet.column(*id);
            *slot = Some(
                *column
                    .ok_or_else(|| format!("quantity {id} is not in the catalogue {:016x}", sheet.hash))?,
            );
        }
        let width = run.shape.as_slice().len();
        let readings = &mut self.work.readings;
        let base = readings.len();
        readings.reserve(run.count * width);
        let mut rows = Rows {
            readings,
            base,
            columns: &columns[..width],
            lane: self.work.lane,
            first: run.first,
            sheet,
            facts,
        };
        match run.decode(&mut rows) {
            Ok(()) => Ok(()),
            Err(damage) => {
                self.work.readings.truncate(base);
                Err(damage.to_string())
            }
        }
    }
}

/// Makes rows of what the columns hold.
struct Rows<'a> {
    readings: &'a mut Vec<ReadingRow>,
    base: usize,
    columns: &'a [Option<Column>],
    lane: LaneId,
    first: Position,
    sheet: &'a Sheet,
    facts: &'a Facts<'a>,
}

impl Sink for Rows<'_> {
    fn tick(&mut self, row: usize, tick: u64) {
        let tick = Tick(tick);
        let (not_before_us, not_after_us) = self.facts.at(self.first.boot(), tick);
        let position = self.first.plus(row as u64);
        let (lane, catalog) = (self.lane, self.sheet.hash);
        self.readings.extend(self.columns.iter().flatten().map(|column| ReadingRow {
            lane,
            position,
            quantity: column.id,
            catalog,
            raw: 0,
            fault: Some(Fault::NO_VALUE),
            value: f64::NAN,
            tick,
            not_before_us,
            not_after_us,
        }));
    }

    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        let Some(Some(quantity)) = self.columns.get(column) else { return };
        let Some(reading) = self.readings.get_mut(self.base + row * self.columns.len() + column) else {
            return;
        };
        let value = match cell {
            Cell::Value(raw) => quantity.value(raw).map(|value| (raw, value)),
            Cell::Fault(code) => Err(Fault(code)),
        };
        (reading.raw, reading.value, reading.fault) = match value {
            Ok((raw, value)) => (raw, value, None),
            Err(fault) => (0, f64::NAN, Some(fault)),
        };
    }
}

/// An anchor's row from bounds in wall time.
pub(crate) fn anchor(device: DeviceId, boot: u32, server: u64, wall: Bounds) -> AnchorRow {
    AnchorRow { device, boot, tick: wall.tick, lo_us: wall.lo, hi_us: wall.hi, server }
}
