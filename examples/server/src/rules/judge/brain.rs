//! One zone's engine, with what it says written down.

use std::collections::BTreeSet;

use sensock_rules::{Alarm, AlarmKey, Cause, Danger, Engine, Key, Level, Record, Row, Slot, Step};

use super::intake::{Item, readings};
use crate::rules::alarms::is_raised;
use crate::rules::zone::Zone;

/// A hazard changed its level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) key: AlarmKey,
    /// When, in us since 1970.
    pub(crate) at_us: i64,
    pub(crate) from: Level,
    pub(crate) to: Level,
    /// In hundredths.
    pub(crate) score: u8,
    pub(crate) words: String,
}

/// The engine of a zone.
#[derive(Clone, Debug)]
pub(crate) struct Brain<'z> {
    zone: &'z Zone,
    engine: Matrix<'z>,
}

/// The engine with memory of its own.
pub(crate) type Matrix<'z> = Engine<'z, Vec<Row>, Vec<Danger>, Vec<Slot>>;

impl<'z> Brain<'z> {
    /// One that knows nothing, whose time begins at `begin_ms`.
    pub(crate) fn begin(zone: &'z Zone, begin_ms: u64) -> Option<Self> {
        let mut brain = Self::empty(zone)?;
        brain.advance(begin_ms, &mut Vec::new());
        Some(brain)
    }

    /// One as another left it.
    pub(crate) fn restore(zone: &'z Zone, bytes: &[u8]) -> Option<Self> {
        let mut brain = Self::empty(zone)?;
        brain.engine.restore(bytes).ok()?;
        Some(brain)
    }

    /// One that knows nothing, whose time begins with the first that it judges.
    pub(crate) fn empty(zone: &'z Zone) -> Option<Self> {
        let table = zone.table.table();
        let (rows, dangers) = (vec![Row::NEW; table.rules.len()], vec![Danger::NEW; table.hazards.len()]);
        // The memory is as large as the table says.
        let engine = Engine::compiled(&zone.table, rows, dangers, vec![Slot::EMPTY; table.slots()]).ok()?;
        Some(Self { zone, engine })
    }

    pub(crate) fn save(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.engine.save(&mut |piece| bytes.extend_from_slice(piece));
        bytes
    }

    /// The engine, for whoever explains what it says.
    pub(crate) fn engine(&self) -> &Matrix<'z> {
        &self.engine
    }

    /// Judges one item; false if its time has passed.
    pub(crate) fn judge(&mut self, key: Key, item: &Item, changes: &mut Vec<Change>) -> bool {
        let (zone, at) = (self.zone, self.zone.table.table().step(key.at_ms));
        let tell = &mut |alarm: &Alarm<'_>| changes.push(change(zone, alarm));
        let judged = match item {
            Item::Readings(of) => {
                self.engine.record(&Record { at, from: key.from, readings: &readings(of) }, tell)
            }
            Item::Lost => self.engine.gap(key.from.device, at, tell),
        };
        judged.is_ok()
    }

    /// Time has come to this, and all before it was judged.
    pub(crate) fn advance(&mut self, to_ms: u64, changes: &mut Vec<Change>) {
        let (zone, to) = (self.zone, self.zone.table.table().step(to_ms));
        // A record that had to go on before its turn may have been later.
        if self.engine.now().is_none_or(|now| now < to) {
            let _in_time = self.engine.advance(to, &mut |alarm| changes.push(change(zone, alarm)));
        }
    }
}

fn change(zone: &Zone, alarm: &Alarm<'_>) -> Change {
    Change {
        key: alarm.key(),
        at_us: us(zone, alarm.at()),
        from: alarm.from,
        to: alarm.to,
        score: alarm.score,
        words: alarm.to_string(),
    }
}

/// Leaves out the alarms that were over before this.
pub(crate) fn leave_out(changes: &mut Vec<Change>, over_before_ms: u64) {
    let before_us = i64::try_from(over_before_ms.saturating_mul(1_000)).unwrap_or(i64::MAX);
    let over = changes.iter().filter(|change| !is_raised(change.to) && change.at_us < before_us);
    let over: BTreeSet<AlarmKey> = over.map(|change| change.key).collect();
    changes.retain(|change| !over.contains(&change.key));
}

/// When a step begins, in us since 1970.
pub(crate) fn us(zone: &Zone, step: Step) -> i64 {
    let table = zone.table.table();
    let steps_us = i64::from(step.0).saturating_mul(i64::from(table.grid_ms)).saturating_mul(1_000);
    table.calendar.origin_s.max(0).saturating_mul(1_000_000).saturating_add(steps_us)
}

/// What an alarm is known by, as text: short enough to be typed, the same for everybody who judges these records by these rules.
pub(crate) fn text_key(zone: &Zone, key: &AlarmKey) -> String {
    let Cause { device, lane, position } = key.start;
    let mut hash = Fnv::new();
    for number in [key.table, key.hazard.into(), key.began.0.into(), device.into(), lane.into(), position] {
        hash.bytes(&number.to_le_bytes());
    }
    format!("{}-{:016x}", zone.name, hash.0)
}

/// Which rules, for which devices: what is known by others is of no use.
pub(crate) fn rules_id(zone: &Zone) -> u64 {
    let mut hash = Fnv::new();
    hash.bytes(&zone.table.hash().to_le_bytes());
    for name in &zone.devices {
        hash.bytes(name.as_bytes());
        hash.bytes(&[0]);
    }
    hash.0
}

struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
