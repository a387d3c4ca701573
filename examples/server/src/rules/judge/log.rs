//! The live log: what was judged, in order, small enough to be kept. Played over the stored records it gives the same changes.
//!
//! Records are not in it, only up to which position each lane was read, and to which time all of it was judged. Between two such times
//! the order in which records came makes no difference, as they are judged in the order of event time; what came too late for that is
//! listed.

use std::collections::BTreeMap;

use sensock_rules::Key;
use serde::{Deserialize, Serialize};

use super::brain::{Brain, Change, leave_out};
use super::intake::{Heard, Item, Lane};
use super::state::Known;
use crate::rules::zone::Zone;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// Nothing is known; time begins.
    Begin {
        /// In ms since 1970.
        at_ms: u64,
        /// How far each lane had been read without being judged.
        read: Vec<(Lane, u64)>,
    },
    /// More was read and judged.
    Judged(Segment),
    /// All that was read, late or not, was judged again.
    Again {
        /// From a beginning at this time on.
        begin_ms: u64,
        /// Up to this time.
        to_ms: u64,
        /// Alarms that were over before this are left out.
        #[serde(default)]
        told_from_ms: u64,
    },
}

/// What was read and judged between two commits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// The last position that was read of each lane.
    pub(crate) read: BTreeMap<u16, u64>,
    /// All from before this was judged.
    pub(crate) watermark_ms: u64,
    /// What came too late for it: positions of a lane from the first to the last, since a backlog is late as a whole.
    pub(crate) late: Vec<(Lane, u64, u64)>,
}

/// Runs of late positions that one more may go on with: backlogs of so many lanes at once stay small.
const RUNS: usize = 16;

impl Segment {
    /// This one came too late.
    pub(crate) fn late(&mut self, lane: Lane, position: u64) {
        let mut newest = self.late.iter_mut().rev().take(RUNS);
        match newest.find(|(of, _, last)| *of == lane && last.checked_add(1) == Some(position)) {
            Some((_, _, last)) => *last = position,
            None => self.late.push((lane, position, position)),
        }
    }

    fn is_late(&self, from: sensock_rules::Cause) -> bool {
        let lane = (from.device, from.lane);
        self.late.iter().any(|(of, first, last)| *of == lane && (*first..=*last).contains(&from.position))
    }

    /// Whether nothing happened but that time passed.
    pub(crate) fn is_idle(&self) -> bool {
        self.read.is_empty()
    }
}

/// A lane as one number, which JSON takes for a key.
pub(crate) fn lane_number((device, lane): Lane) -> u16 {
    u16::from(device) << 8 | u16::from(lane)
}

/// What a log is played over: everything that was heard of the zone, by lane and position.
pub(crate) struct Replay {
    zone: &'static Zone,
    heard: BTreeMap<u16, BTreeMap<u64, (u64, Key, Item)>>,
    read: BTreeMap<u16, u64>,
    held: BTreeMap<Key, Item>,
    brain: Option<Brain<'static>>,
}

impl Replay {
    pub(crate) fn new(zone: &'static Zone, heard: impl IntoIterator<Item = Heard>) -> Self {
        let mut by_lane: BTreeMap<u16, BTreeMap<u64, (u64, Key, Item)>> = BTreeMap::new();
        for Heard { lane, last, judged } in heard {
            if let Some((key, item)) = judged {
                by_lane.entry(lane_number(lane)).or_default().insert(key.from.position, (last, key, item));
            }
        }
        Self { zone, heard: by_lane, read: BTreeMap::new(), held: BTreeMap::new(), brain: None }
    }

    /// Goes on behind a checkpoint. None if that is of other rules, or cannot be read.
    pub(crate) fn after(mut self, positions: &[u8], state: &[u8]) -> Option<Self> {
        let (read, mut known, brain) = Known::read(self.zone, positions, state)?;
        self.read = read.into_iter().map(|(lane, position)| (lane_number(lane), position)).collect();
        self.held = known.held().collect();
        self.brain = Some(brain);
        Some(self)
    }

    /// Plays one entry; the changes that it led to. Those of judging again are the whole set, from its beginning on.
    pub(crate) fn play(&mut self, entry: &Entry) -> Vec<Change> {
        let mut changes = Vec::new();
        match entry {
            Entry::Begin { at_ms, read } => {
                self.brain = Brain::begin(self.zone, *at_ms);
                self.read = read.iter().map(|(lane, position)| (lane_number(*lane), *position)).collect();
                self.held.clear();
            }
            Entry::Judged(segment) => self.segment(segment, &mut changes),
            Entry::Again { begin_ms, to_ms, told_from_ms } => {
                self.brain = Brain::begin(self.zone, *begin_ms);
                let known = self.heard.iter().flat_map(|(lane, heard)| {
                    let read = self.read.get(lane).copied().unwrap_or(0);
                    heard.values().filter(move |(last, ..)| *last <= read)
                });
                let in_time = known.filter(|(_, key, _)| (*begin_ms..*to_ms).contains(&key.at_ms));
                let sorted: BTreeMap<Key, &Item> = in_time.map(|(_, key, item)| (*key, item)).collect();
                if let Some(brain) = &mut self.brain {
                    for (key, item) in sorted {
                        brain.judge(key, item, &mut changes);
                    }
                    brain.advance(*to_ms, &mut changes);
                    leave_out(&mut changes, *told_from_ms);
                }
            }
        }
        changes
    }

    fn segment(&mut self, segment: &Segment, changes: &mut Vec<Change>) {
        for (lane, to) in &segment.read {
            let from = self.read.insert(*lane, *to).unwrap_or(0);
            for (last, key, item) in self.heard.get(lane).into_iter().flat_map(BTreeMap::values) {
                let late = segment.is_late(key.from);
                if (from..=*to).contains(last) && *last > from && !late {
                    self.held.insert(*key, item.clone());
                }
            }
        }
        let Some(brain) = &mut self.brain else { return };
        while let Some(first) = self.held.first_entry() {
            let key = *first.key();
            if key.at_ms >= segment.watermark_ms {
                break;
            }
            brain.judge(key, &first.remove(), changes);
        }
        brain.advance(segment.watermark_ms, changes);
    }
}
