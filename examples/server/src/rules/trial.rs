//! Records judged by a zone on trial: nothing is stored and nothing moves.

use sensock_rules::{
    Alarm, BadTable, Cause, Danger, Engine, Key, Level, Reading, Record, Reorder, Row, Slot, Step,
};

use super::zone::Zone;

/// Records that may wait for their turn.
const WAITING: usize = 65_536;

/// What is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A record's readings.
    Readings(Vec<Reading>),
    /// Readings of the device up to here were lost.
    Lost,
}

/// A hazard from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raised {
    /// The hazard, by its place in the table.
    pub(crate) hazard: usize,
    /// When it was raised, in ms of the records' time.
    pub(crate) began_ms: u64,
    /// When it was over, if it was.
    pub(crate) ended_ms: Option<u64>,
    /// The worst that it was at.
    pub(crate) worst: Level,
    /// What was said at each change of its level.
    pub(crate) said: Vec<(u64, Level, String)>,
}

/// The newest reading of a rule's quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at_ms: u64,
    /// None for a fault that the device told.
    pub(crate) value: Option<i32>,
}

/// The engine of a zone, behind the same queue as a running server's.
pub(crate) struct Trial<'z> {
    zone: &'z Zone,
    engine: Engine<'z, Vec<Row>, Vec<Danger>, Vec<Slot>>,
    reorder: Reorder<Item, Vec<Option<(Key, Item)>>>,
    raised: Vec<Raised>,
    /// The newest reading of each rule's quantity.
    seen: Vec<Option<Seen>>,
    records: u64,
}

impl<'z> Trial<'z> {
    /// One that has judged nothing.
    pub(crate) fn new(zone: &'z Zone) -> Result<Self, BadTable> {
        let table = zone.table.table();
        let (rows, dangers) = (vec![Row::NEW; table.rules.len()], vec![Danger::NEW; table.hazards.len()]);
        let engine = Engine::compiled(&zone.table, rows, dangers, vec![Slot::EMPTY; table.slots()])?;
        let lateness_ms = u64::try_from(zone.lateness.as_millis()).unwrap_or(u64::MAX);
        let reorder = Reorder::new(lateness_ms, vec![None; WAITING]);
        Ok(Self {
            zone,
            engine,
            reorder,
            raised: Vec::new(),
            seen: vec![None; table.rules.len()],
            records: 0,
        })
    }

    /// A record or a gap, in whatever order they come.
    pub(crate) fn push(&mut self, key: Key, item: Item) {
        // What is late is counted; a trial gets its records in order.
        let _late = self.reorder.push(key, item);
        self.judge();
    }

    /// Time has come to its end: everything from before is judged.
    pub(crate) fn finish(&mut self, end_ms: u64) {
        let lateness_ms = u64::try_from(self.zone.lateness.as_millis()).unwrap_or(u64::MAX);
        self.reorder.idle(end_ms.saturating_add(lateness_ms).saturating_add(1));
        self.judge();
        let to = self.step(end_ms);
        let mut raised = std::mem::take(&mut self.raised);
        // The end of time lies behind all that was judged, or nothing is left to do.
        let _passed = self.engine.advance(to, &mut |alarm| note(&mut raised, self.zone, alarm));
        self.raised = raised;
    }

    fn judge(&mut self) {
        let mut raised = std::mem::take(&mut self.raised);
        while let Some((key, item)) = self.reorder.pop() {
            let at = self.step(key.at_ms);
            let tell = &mut |alarm: &Alarm<'_>| note(&mut raised, self.zone, alarm);
            let judged = match &item {
                Item::Readings(readings) => {
                    self.records += 1;
                    self.see(key, readings);
                    self.engine.record(&Record { at, from: key.from, readings }, tell)
                }
                Item::Lost => self.engine.gap(key.from.device, at, tell),
            };
            // What the queue gives is in order, unless it was full; what is from before is not judged then.
            let _in_order = judged;
        }
        self.raised = raised;
    }

    fn see(&mut self, key: Key, readings: &[Reading]) {
        for (rule, seen) in self.zone.table.table().rules.iter().zip(&mut self.seen) {
            let reading = readings.iter().find(|reading| reading.quantity == rule.quantity);
            if let Some(reading) = reading.filter(|_| rule.device == key.from.device) {
                *seen = Some(Seen { at_ms: key.at_ms, value: reading.value });
            }
        }
    }

    fn step(&self, at_ms: u64) -> Step {
        self.zone.table.table().step(at_ms)
    }

    /// Forgets alarms of other hazards than this, if one is named.
    pub(crate) fn keep(&mut self, hazard: Option<usize>) {
        self.raised.retain(|raised| hazard.is_none_or(|hazard| raised.hazard == hazard));
    }

    /// What was raised, in the order of its beginning.
    pub(crate) fn raised(&self) -> &[Raised] {
        &self.raised
    }

    /// The engine, as it is.
    pub(crate) fn engine(&self) -> &Engine<'z, Vec<Row>, Vec<Danger>, Vec<Slot>> {
        &self.engine
    }

    /// The newest reading of each rule's quantity.
    pub(crate) fn seen(&self) -> &[Option<Seen>] {
        &self.seen
    }

    /// How many records were judged.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// How many records came too late to be judged, or went on before their time.
    pub(crate) fn late(&self) -> u64 {
        self.reorder.late().saturating_add(self.reorder.early())
    }
}

/// When a step begins, in ms since 1970.
pub(crate) fn step_ms(zone: &Zone, at: Step) -> u64 {
    let table = zone.table.table();
    let origin_ms = u64::try_from(table.calendar.origin_s).unwrap_or(0).saturating_mul(1_000);
    origin_ms.saturating_add(u64::from(at.0).saturating_mul(table.grid_ms.into()))
}

/// Where a record stands.
pub(crate) fn key(at_ms: u64, device: u8, lane: u8, position: u64) -> Key {
    Key { at_ms, from: Cause { device, lane, position } }
}

fn note(raised: &mut Vec<Raised>, zone: &Zone, alarm: &Alarm<'_>) {
    let (hazard, at_ms) = (usize::from(alarm.index), step_ms(zone, alarm.at()));
    let open = raised.iter().rposition(|raised| raised.hazard == hazard && raised.ended_ms.is_none());
    let place = open.unwrap_or_else(|| {
        let began_ms = step_ms(zone, alarm.began);
        raised.push(Raised { hazard, began_ms, ended_ms: None, worst: alarm.to, said: Vec::new() });
        raised.len() - 1
    });
    let Some(raised) = raised.get_mut(place) else { return };
    raised.worst = raised.worst.max(alarm.to);
    raised.said.push((at_ms, alarm.to, alarm.to_string()));
    if alarm.to < Level::Warning {
        raised.ended_ms = Some(at_ms);
    }
}
