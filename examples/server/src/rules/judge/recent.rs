//! The last minute, in memory: what was known each second of it, what was heard since, and what was said. Records that come a little too
//! late are judged again from here, without asking the store.

use std::collections::{BTreeMap, VecDeque};

use sensock_rules::{Cause, Key};

use super::brain::{Brain, Change};
use super::intake::Item;

/// So often, in event time, and so many times it is remembered what was known.
const EVERY_MS: u64 = 1_000;
const TIMES: usize = 60;
/// Records that are kept at most: some 7 MB a zone.
const RECORDS: usize = 65_536;

/// What was known at a time.
struct Known {
    at_ms: u64,
    brain: Brain<'static>,
    /// How many changes had been said.
    said: usize,
}

pub(crate) struct Recent {
    /// Whatever was heard that is not from before this is here.
    from_ms: u64,
    heard: BTreeMap<Key, Item>,
    known: VecDeque<Known>,
    said: VecDeque<Change>,
}

/// What judging again from memory has found.
pub(crate) struct Found {
    pub(crate) from_ms: u64,
    pub(crate) brain: Brain<'static>,
    pub(crate) changes: Vec<Change>,
    /// How many changes of the first time these stand for, the newest ones …
    pub(crate) instead_of: usize,
    /// … and whether they are the same.
    pub(crate) is_same: bool,
}

impl Recent {
    /// Nothing that is heard from now on and from before `from_ms` will be here.
    pub(crate) fn new(from_ms: u64) -> Self {
        Self { from_ms, heard: BTreeMap::new(), known: VecDeque::new(), said: VecDeque::new() }
    }

    /// Something to be judged was heard, late or not.
    pub(crate) fn hear(&mut self, key: Key, item: &Item) {
        if key.at_ms >= self.from_ms {
            self.heard.insert(key, item.clone());
        }
        while self.heard.len() > RECORDS
            && let Some((key, _)) = self.heard.pop_first()
        {
            self.from_ms = key.at_ms.saturating_add(1);
        }
    }

    /// Changes were said.
    pub(crate) fn say(&mut self, changes: &[Change]) {
        if !self.known.is_empty() {
            self.said.extend(changes.iter().cloned());
        }
    }

    /// Everything from before this time was judged, and nothing was late.
    pub(crate) fn know(&mut self, at_ms: u64, brain: &Brain<'static>) {
        let newest_ms = self.known.back().map_or(0, |known| known.at_ms);
        if at_ms < newest_ms.saturating_add(EVERY_MS) {
            return;
        }
        self.known.push_back(Known { at_ms, brain: brain.clone(), said: self.said.len() });
        if self.known.len() > TIMES {
            self.known.pop_front();
        }
        let Some(first) = self.known.front() else { return };
        let (first_ms, said) = (first.at_ms, first.said);
        self.said.drain(..said.min(self.said.len()));
        self.known.iter_mut().for_each(|known| known.said -= said);
        if self.from_ms < first_ms {
            self.heard = self.heard.split_off(&Key { at_ms: first_ms, from: Cause::NONE });
            self.from_ms = first_ms;
        }
    }

    /// The newest that was known before this.
    pub(crate) fn known(&self, before_ms: u64) -> Option<(u64, &Brain<'static>)> {
        let known = self.known.iter().rev().find(|known| known.at_ms <= before_ms)?;
        Some((known.at_ms, &known.brain))
    }

    /// Judges again from before this time on, up to `to_ms`; `None` if not all of it is in memory.
    pub(crate) fn judge_again(&self, before_ms: u64, to_ms: u64) -> Option<Found> {
        let known = self.known.iter().rev().find(|known| known.at_ms <= before_ms)?;
        let from_ms = known.at_ms;
        if from_ms < self.from_ms || to_ms < from_ms {
            return None;
        }
        let (mut brain, mut changes) = (known.brain.clone(), Vec::new());
        let key = |at_ms| Key { at_ms, from: Cause::NONE };
        for (key, item) in self.heard.range(key(from_ms)..key(to_ms)) {
            brain.judge(*key, item, &mut changes);
        }
        brain.advance(to_ms, &mut changes);
        let said = self.said.range(known.said.min(self.said.len())..);
        let (instead_of, is_same) = (said.len(), said.eq(changes.iter()));
        Some(Found { from_ms, brain, changes, instead_of, is_same })
    }

    /// What was known after this time was wrong; these are the changes since.
    pub(crate) fn replace(&mut self, from_ms: u64, changes: &[Change]) {
        self.known.retain(|known| known.at_ms <= from_ms);
        match self.known.back() {
            Some(last) if last.at_ms == from_ms => self.said.truncate(last.said),
            _ => {
                self.known.clear();
                self.said.clear();
            }
        }
        self.say(changes);
    }
}
