//! Judging: from the stored feed to changes of hazards, such that a restart or another server goes on to the bit.
//!
//! ```text
//! task      the loop over the feed            intake    rows of the store in the engine's terms
//! brain     the engine and what it says       again     judging again what came late
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
mod known;
pub(crate) mod log;
pub(crate) mod state;
pub(crate) mod stored;
pub(crate) mod task;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use sensock::{DeviceId, Position};
use sensock_rules::{Key, Reorder};
use sensock_store::{Cursor, FeedItem, LaneId};

use crate::rules::zone::Zone;
use brain::{Brain, Change};
use intake::{Heard, Item, Lane};
use log::{Entry, Segment, lane_number};

/// Records that may wait for their turn; the earliest goes on when there are more.
const WAITING: usize = 65_536;
/// So often, in event time, and so many times it is remembered what was known.
const RECENT_MS: u64 = 1_000;
const RECENT: usize = 60;
/// A record from further in the future than this is not judged: its server's clock was wrong.
const FUTURE_MS: u64 = 60_000;

/// What one zone knows, and what has changed since it was last kept.
pub(crate) struct Judge {
    zone: &'static Zone,
    brain: Brain<'static>,
    reorder: Reorder<Item, Vec<Option<(Key, Item)>>>,
    read: BTreeMap<Lane, u64>,
    begin_ms: u64,
    /// The earliest of what came too late and was not judged yet.
    late_from_ms: Option<u64>,
    /// From when on it is being judged again.
    again_from_ms: Option<u64>,
    /// Not kept yet: entries, the segment after them, and the changes that they led to.
    entries: Vec<Entry>,
    segment: Segment,
    changes: Vec<Change>,
    /// What was known a little while ago, to judge again from there.
    recent: VecDeque<(u64, Brain<'static>)>,
    /// Records that were not judged, because their time is not known well enough.
    unjudged: u64,
}

impl Judge {
    /// A judge who knows nothing at this time, and begins behind what was read of each lane.
    pub(crate) fn begin(zone: &'static Zone, at_ms: u64, read: BTreeMap<Lane, u64>) -> Option<Self> {
        let brain = Brain::begin(zone, at_ms)?;
        let mut judge = Self::with(zone, brain, read, at_ms);
        judge.reorder.idle(at_ms.saturating_add(judge.lateness_ms()));
        let read = judge.read.iter().map(|(lane, position)| (*lane, *position)).collect();
        judge.entries.push(Entry::Begin { at_ms, read });
        judge.segment.watermark_ms = at_ms;
        Some(judge)
    }

    fn with(zone: &'static Zone, brain: Brain<'static>, read: BTreeMap<Lane, u64>, begin_ms: u64) -> Self {
        let lateness_ms = u64::try_from(zone.lateness.as_millis()).unwrap_or(u64::MAX);
        Self {
            zone,
            brain,
            reorder: Reorder::new(lateness_ms, vec![None; WAITING]),
            read,
            begin_ms,
            late_from_ms: None,
            again_from_ms: None,
            entries: Vec::new(),
            segment: Segment::default(),
            changes: Vec::new(),
            recent: VecDeque::new(),
            unjudged: 0,
        }
    }

    fn lateness_ms(&self) -> u64 {
        u64::try_from(self.zone.lateness.as_millis()).unwrap_or(u64::MAX)
    }

    /// Takes what the feed gave at once, in the order of event time: lane by lane, the first would make the others late. Returns the lanes
    /// that are of no device of the zone.
    pub(crate) fn take(&mut self, items: &[FeedItem], now_ms: u64) -> Vec<LaneId> {
        let (mut heard, mut others) = (Vec::with_capacity(items.len()), Vec::new());
        for item in items {
            match intake::heard(self.zone, item) {
                Some(one) => heard.push(one),
                None => others.extend(intake::lane_of(item)),
            }
        }
        heard.sort_by_key(|one| one.judged.as_ref().map(|(key, _)| *key));
        for Heard { lane, last, judged } in heard {
            let read = self.read.entry(lane).or_default();
            *read = last.max(*read);
            self.segment.read.insert(lane_number(lane), *read);
            let Some((key, item)) = judged.filter(|(key, _)| key.at_ms <= now_ms + FUTURE_MS) else {
                self.unjudged += 1;
                self.segment.late.push((lane, last));
                continue;
            };
            match self.reorder.push(key, item) {
                Ok(()) => self.go_on(),
                Err(_late) => self.late(key),
            }
        }
        others
    }

    /// Everything that is stored was taken at this time.
    pub(crate) fn idle(&mut self, now_ms: u64) {
        self.reorder.idle(now_ms);
        self.go_on();
    }

    fn go_on(&mut self) {
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
        let newest = self.recent.back().map_or(0, |(at_ms, _)| *at_ms);
        let is_pure = self.late_from_ms.is_none() && self.again_from_ms.is_none();
        if is_pure && watermark_ms >= newest.saturating_add(RECENT_MS) {
            self.recent.push_back((watermark_ms, self.brain.clone()));
            if self.recent.len() > RECENT {
                self.recent.pop_front();
            }
        }
    }

    /// The newest that was known a little while ago, before this.
    pub(crate) fn recent(&self, before_ms: u64) -> Option<&(u64, Brain<'static>)> {
        self.recent.iter().rev().find(|(at_ms, _)| *at_ms <= before_ms)
    }

    fn late(&mut self, key: Key) {
        let Key { at_ms, from } = key;
        self.segment.late.push(((from.device, from.lane), from.position));
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

    /// What the feed shall give next; lanes of others are never asked for once they were seen.
    pub(crate) fn cursor(&self, others: impl Iterator<Item = LaneId>) -> Cursor {
        let own = self.read.iter().filter_map(|(&(device, lane), &position)| {
            let device = DeviceId::new(self.zone.devices.get(usize::from(device))?).ok()?;
            let lane = sensock::Lane::from_number(lane)?;
            Some((LaneId { device, lane }, Position(position)))
        });
        Cursor { lanes: own.chain(others.map(|lane| (lane, Position(u64::MAX)))).collect() }
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
    pub(crate) fn replace(&mut self, brain: Brain<'static>, begin_ms: u64, from_ms: u64) {
        let segment = std::mem::take(&mut self.segment);
        let to_ms = segment.watermark_ms;
        self.entries.extend([Entry::Judged(segment), Entry::Again { begin_ms, to_ms }]);
        self.segment.watermark_ms = to_ms;
        (self.brain, self.begin_ms, self.again_from_ms) = (brain, begin_ms, None);
        self.recent.retain(|(at_ms, _)| *at_ms <= from_ms);
    }
}

fn earliest(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}
