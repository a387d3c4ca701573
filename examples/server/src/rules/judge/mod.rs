//! Judging: from the stored feed to changes of hazards, such that a restart or another server goes on to the bit.
//!
//! ```text
//! task      the loop over the feed            intake    rows of the store in the engine's terms
//! brain     the engine and what it says       late      what came late, and when it is judged again
//! recent    the last minute, in memory        again     judging again from the store
//! log       what was judged, to be replayed   state     what is known, as bytes
//! known     what the store knows of a zone         stored    what is stored of a time, in its order
//! ```
//!
//! A zone has one task. It reads the feed in the order in which the store committed, lane of alarms first, so that an alarm waits
//! behind no backlog: the store commits lane 0 before all others, each lane has its share of every look at the feed, and records of the
//! past are judged again beside the live ones, never before them.

pub(crate) mod again;
pub(crate) mod brain;
pub(crate) mod intake;
pub(crate) mod known;
mod late;
pub(crate) mod log;
pub(crate) mod recent;
pub(crate) mod state;
pub(crate) mod stored;
pub(crate) mod task;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use sensock::{DeviceId, Position};
use sensock_rules::{Key, Reorder};
use sensock_store::{Cursor, FeedItem, LaneId};

use crate::rules::zone::Zone;
use brain::{Brain, Change};
use intake::{Heard, Item, Lane};
use log::{Entry, Segment, lane_number};
use recent::{Found, Recent};

/// Records that may wait for their turn; the earliest goes on when there are more.
const WAITING: usize = 65_536;
/// A record from further in the future than this is not judged: its server's clock was wrong.
const FUTURE_MS: u64 = 60_000;
/// A device's alarm that is older waits for its turn as everything else.
const FRESH_MS: u64 = 60_000;

/// What one zone knows, and what has changed since it was last kept.
pub(crate) struct Judge {
    zone: &'static Zone,
    brain: Brain<'static>,
    reorder: Reorder<Item, Vec<Option<(Key, Item)>>>,
    read: BTreeMap<Lane, u64>,
    begin_ms: u64,
    /// What was over before this only taught what is usual: it is not told.
    told_from_ms: u64,
    /// The earliest of what came too late and was not judged yet.
    late_from_ms: Option<u64>,
    /// From when on it is being judged again.
    again_from_ms: Option<u64>,
    /// Not kept yet: entries, the segment after them, and the changes that they led to.
    entries: Vec<Entry>,
    segment: Segment,
    changes: Vec<Change>,
    /// The last minute, to judge again what comes a little late.
    recent: Recent,
    /// The newest alarm that a device told waits for its turn: nobody else's backlog holds it up.
    alarm_ms: u64,
    /// Records that were not judged, because their time is not known well enough.
    unjudged: u64,
}

impl Judge {
    /// A judge who knows nothing at this time, and begins behind what was read of each lane.
    pub(crate) fn begin(zone: &'static Zone, at_ms: u64, read: BTreeMap<Lane, u64>) -> Option<Self> {
        let brain = Brain::begin(zone, at_ms)?;
        // What is stored already and was not judged may be of any time up to now.
        let recent_from_ms = match read.is_empty() {
            true => at_ms,
            false => at_ms.saturating_add(lateness_ms(zone)).saturating_add(FUTURE_MS),
        };
        let mut judge = Self::with(zone, brain, read, at_ms, recent_from_ms);
        judge.reorder.idle(at_ms.saturating_add(judge.lateness_ms()));
        let read = judge.read.iter().map(|(lane, position)| (*lane, *position)).collect();
        judge.entries.push(Entry::Begin { at_ms, read });
        judge.segment.watermark_ms = at_ms;
        Some(judge)
    }

    fn with(
        zone: &'static Zone,
        brain: Brain<'static>,
        read: BTreeMap<Lane, u64>,
        begin_ms: u64,
        recent_from_ms: u64,
    ) -> Self {
        Self {
            zone,
            brain,
            reorder: Reorder::new(lateness_ms(zone), vec![None; WAITING]),
            read,
            begin_ms,
            told_from_ms: 0,
            late_from_ms: None,
            again_from_ms: None,
            entries: Vec::new(),
            segment: Segment::default(),
            changes: Vec::new(),
            recent: Recent::new(recent_from_ms),
            alarm_ms: 0,
            unjudged: 0,
        }
    }

    /// What is stored from this time on is judged too, as what came late is.
    pub(crate) fn learns_from(&mut self, first_ms: u64, told_from_ms: u64) {
        (self.begin_ms, self.late_from_ms, self.told_from_ms) = (first_ms, Some(first_ms), told_from_ms);
    }

    fn lateness_ms(&self) -> u64 {
        lateness_ms(self.zone)
    }

    /// Takes what the feed gave at once, in the order of event time: lane by lane, the first would make the others late.
    pub(crate) fn take(&mut self, items: &[FeedItem], now_ms: u64) {
        let mut heard: Vec<Heard> = items.iter().filter_map(|item| intake::heard(self.zone, item)).collect();
        heard.sort_by_key(|one| one.judged.as_ref().map(|(key, _)| *key));
        for Heard { lane, last, judged } in heard {
            let read = self.read.entry(lane).or_default();
            *read = last.max(*read);
            self.segment.read.insert(lane_number(lane), *read);
            let Some((key, item)) = judged.filter(|(key, _)| key.at_ms <= now_ms + FUTURE_MS) else {
                self.unjudged += 1;
                self.segment.late(lane, last);
                continue;
            };
            self.recent.hear(key, &item);
            if lane.1 == sensock::Lane::Alarm as u8 {
                self.alarm_ms = self.alarm_ms.max(key.at_ms);
            }
            match self.reorder.push(key, item) {
                Ok(()) => self.go_on(),
                Err(_late) => self.late(key),
            }
        }
    }

    /// Whether an alarm that a device told of late waits for its turn.
    pub(crate) fn has_alarm(&self, now_ms: u64) -> bool {
        self.alarm_ms >= self.watermark_ms() && self.alarm_ms.saturating_add(FRESH_MS) >= now_ms
    }

    /// Everything that is stored was taken at this time.
    pub(crate) fn idle(&mut self, now_ms: u64) {
        self.reorder.idle(now_ms);
        self.go_on();
    }

    fn go_on(&mut self) {
        let said = self.changes.len();
        while let Some((key, item)) = self.reorder.pop() {
            if key.at_ms >= self.reorder.watermark_ms() {
                // Too many wait: time comes to the earliest of them, and what is from before it is late.
                self.reorder.idle(key.at_ms.saturating_add(self.lateness_ms()).saturating_add(1));
            }
            if !self.brain.judge(key, &item, &mut self.changes) {
                self.late(key);
            }
        }
        let watermark_ms = self.reorder.watermark_ms();
        self.segment.watermark_ms = watermark_ms;
        self.brain.advance(watermark_ms, &mut self.changes);
        self.recent.say(self.changes.get(said..).unwrap_or_default());
        if self.late_from_ms.is_none() && self.again_from_ms.is_none() {
            self.recent.know(watermark_ms, &self.brain);
        }
    }

    /// The newest that was known a little while ago, before this.
    pub(crate) fn recent(&self, before_ms: u64) -> Option<(u64, &Brain<'static>)> {
        self.recent.known(before_ms)
    }

    /// Judges again what came late, if all that it needs is in memory.
    pub(crate) fn found_in_memory(&self) -> Option<Found> {
        let from_ms = self.late_from_ms.filter(|_| self.again_from_ms.is_none())?;
        self.recent.judge_again(from_ms, self.watermark_ms())
    }

    fn late(&mut self, key: Key) {
        let Key { at_ms, from } = key;
        self.segment.late((from.device, from.lane), from.position);
        self.late_from_ms = earliest(self.late_from_ms, Some(at_ms));
    }

    /// To which time all was judged.
    pub(crate) fn watermark_ms(&self) -> u64 {
        self.reorder.watermark_ms()
    }

    /// The earliest time from which on something has to be judged again.
    pub(crate) fn late_from_ms(&self) -> Option<u64> {
        self.late_from_ms
    }

    /// What came late is being judged again.
    pub(crate) fn judges_again(&mut self, from_ms: u64) {
        (self.late_from_ms, self.again_from_ms) = (None, Some(from_ms));
    }

    /// That was given up: it has to begin earlier.
    pub(crate) fn gives_up(&mut self, begin_ms: u64) {
        self.begin_ms = self.begin_ms.min(begin_ms);
        self.late_from_ms = earliest(self.late_from_ms, self.again_from_ms.take());
    }

    /// When the next record that waits may go on, if nothing else comes.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        let (first, _) = self.reorder.waiting().next()?;
        Some(first.at_ms.saturating_add(self.lateness_ms()).saturating_add(1))
    }

    /// How far it read.
    pub(crate) fn cursor(&self) -> Cursor {
        let own = self.read.iter().filter_map(|(&(device, lane), &position)| {
            let device = DeviceId::new(self.zone.devices.get(usize::from(device))?).ok()?;
            let lane = sensock::Lane::from_number(lane)?;
            Some((LaneId { device, lane }, Position(position)))
        });
        Cursor { lanes: own.collect() }
    }

    /// Changes that were not kept yet.
    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether anything was read or decided that is not kept yet.
    pub(crate) fn is_news(&self) -> bool {
        !self.segment.is_idle() || !self.entries.is_empty() || !self.changes.is_empty()
    }

    /// The log's entries since what was kept last.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().chain([Entry::Judged(self.segment.clone())]).collect()
    }

    /// All of it is kept now.
    pub(crate) fn kept(&mut self) {
        self.entries.clear();
        self.changes.clear();
        self.segment = Segment { watermark_ms: self.segment.watermark_ms, ..Segment::default() };
    }

    /// Goes on with what judging again has found, up to the very time that was come to.
    pub(crate) fn replace(&mut self, brain: Brain<'static>, begin_ms: u64, from_ms: u64, changes: &[Change]) {
        let segment = std::mem::take(&mut self.segment);
        let to_ms = segment.watermark_ms;
        let told_from_ms = self.told_from_ms;
        self.entries.extend([Entry::Judged(segment), Entry::Again { begin_ms, to_ms, told_from_ms }]);
        self.segment.watermark_ms = to_ms;
        (self.brain, self.begin_ms, self.again_from_ms) = (brain, begin_ms, None);
        self.recent.replace(from_ms, changes);
    }

    /// The same with what was found in memory: nothing is late any more.
    pub(crate) fn replace_recent(&mut self, found: Found) {
        self.late_from_ms = None;
        self.replace(found.brain, self.begin_ms, found.from_ms, &found.changes);
    }
}

fn lateness_ms(zone: &Zone) -> u64 {
    u64::try_from(zone.lateness.as_millis()).unwrap_or(u64::MAX)
}

fn earliest(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}
