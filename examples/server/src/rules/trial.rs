//! Records judged by a zone on trial: nothing is stored and nothing moves.

use anyhow::{Context as _, Result};
use sensock_rules::{Key, Level, Reorder};

use super::alarms::is_raised;
use super::judge::brain::{self, Brain, Change, Matrix};
use super::judge::intake::{Item, ms};
use super::zone::Zone;

/// Records that may wait for their turn.
const WAITING: usize = 65_536;

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

/// What a running server judges with, behind the same queue.
pub(crate) struct Trial<'z> {
    zone: &'z Zone,
    brain: Brain<'z>,
    reorder: Reorder<Item, Vec<Option<(Key, Item)>>>,
    raised: Vec<Raised>,
    /// The newest reading of each rule's quantity.
    seen: Vec<Option<Seen>>,
    records: u64,
}

impl<'z> Trial<'z> {
    /// One that has judged nothing.
    pub(crate) fn new(zone: &'z Zone) -> Result<Self> {
        let brain = Brain::empty(zone).context("its rules cannot be used")?;
        let lateness_ms = u64::try_from(zone.lateness.as_millis()).unwrap_or(u64::MAX);
        Ok(Self {
            zone,
            brain,
            reorder: Reorder::new(lateness_ms, vec![None; WAITING]),
            raised: Vec::new(),
            seen: vec![None; zone.table.table().rules.len()],
            records: 0,
        })
    }

    /// A record or a gap, in whatever order they come.
    pub(crate) fn push(&mut self, key: Key, item: Item) {
        // What is late is counted; a trial gets its records in order.
        let _late = self.reorder.push(key, item);
        self.judge(|_| {});
    }

    /// Time has come to its end: everything from before is judged.
    pub(crate) fn finish(&mut self, end_ms: u64) {
        let lateness_ms = u64::try_from(self.zone.lateness.as_millis()).unwrap_or(u64::MAX);
        self.reorder.idle(end_ms.saturating_add(lateness_ms).saturating_add(1));
        self.judge(|(brain, changes)| brain.advance(end_ms, changes));
    }

    fn judge(&mut self, then: impl FnOnce((&mut Brain<'z>, &mut Vec<Change>))) {
        let mut changes = Vec::new();
        while let Some((key, item)) = self.reorder.pop() {
            if let Item::Readings(readings) = &item {
                self.records += 1;
                self.see(key, readings);
            }
            // What the queue gives is in order, unless it was full; what is from before is not judged then.
            let _in_order = self.brain.judge(key, &item, &mut changes);
        }
        then((&mut self.brain, &mut changes));
        changes.into_iter().for_each(|change| self.note(change));
    }

    fn see(&mut self, key: Key, readings: &[(u16, Option<i32>)]) {
        for (rule, seen) in self.zone.table.table().rules.iter().zip(&mut self.seen) {
            let reading = readings.iter().find(|(quantity, _)| *quantity == rule.quantity);
            if let Some(&(_, value)) = reading.filter(|_| rule.device == key.from.device) {
                *seen = Some(Seen { at_ms: key.at_ms, value });
            }
        }
    }

    fn note(&mut self, change: Change) {
        let (hazard, at_ms) = (usize::from(change.key.hazard), ms(change.at_us));
        let open =
            self.raised.iter().rposition(|raised| raised.hazard == hazard && raised.ended_ms.is_none());
        let place = open.unwrap_or_else(|| {
            let began_ms = ms(brain::us(self.zone, change.key.began));
            self.raised.push(Raised { hazard, began_ms, ended_ms: None, worst: change.to, said: Vec::new() });
            self.raised.len() - 1
        });
        let Some(raised) = self.raised.get_mut(place) else { return };
        raised.worst = raised.worst.max(change.to);
        raised.said.push((at_ms, change.to, change.words));
        if !is_raised(change.to) {
            raised.ended_ms = Some(at_ms);
        }
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
    pub(crate) fn engine(&self) -> &Matrix<'z> {
        self.brain.engine()
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
