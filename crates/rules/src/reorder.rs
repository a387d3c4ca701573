//! Records as they arrive become records in the order of event time, or are told to be late.

use core::marker::PhantomData;

use crate::Cause;

/// Where a record stands in the one order of all records: by time, then device, lane and position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Event time, in milliseconds on the application's axis; of a time that is only known within bounds, the later one.
    pub at_ms: u64,
    /// Which record.
    pub from: Cause,
}

/// Holds records back until nothing from before them is still to come, which is so when event time has gone on by the
/// stated lateness.
///
/// The memory is the caller's: an array, a `Vec` or a slice of `None`s. When it is full the earliest record goes on
/// before its time, and what comes later from before it is late.
///
/// ```
/// use sensock_rules::{Cause, Key, Reorder};
/// let mut reorder = Reorder::new(1_000, [None; 8]);
/// let key = |at_ms| Key { at_ms, from: Cause::NONE };
/// for (at_ms, value) in [(5_000, "b"), (4_500, "a"), (6_400, "d"), (5_900, "c")] {
///     reorder.push(key(at_ms), value).unwrap();
/// }
/// // Time has come to 6,400 ms, so all from before 5,400 ms are there.
/// assert_eq!(reorder.pop(), Some((key(4_500), "a")));
/// assert_eq!(reorder.pop(), Some((key(5_000), "b")));
/// assert_eq!(reorder.pop(), None);
/// assert_eq!(reorder.push(key(5_300), "late").map_err(|late| late.item), Err("late"));
/// reorder.idle(7_000);
/// assert_eq!(reorder.pop(), Some((key(5_900), "c")));
/// ```
#[derive(Clone, Debug)]
pub struct Reorder<T, S> {
    lateness_ms: u64,
    /// A heap: each entry before both of its children, at twice its place plus one and two.
    heap: S,
    waiting: usize,
    watermark_ms: u64,
    /// What went on last, while that was before its time.
    forced: Option<Key>,
    late: u64,
    early: u64,
    items: PhantomData<T>,
}

/// A record from before the watermark. It is counted; the alarms are put right by judging again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late<T> {
    /// The record.
    pub item: T,
    /// Up to here all records had gone on.
    pub watermark_ms: u64,
}

impl<T, S: AsMut<[Option<(Key, T)>]>> Reorder<T, S> {
    /// An empty one that waits for `lateness_ms` of event time.
    pub const fn new(lateness_ms: u64, memory: S) -> Self {
        Self {
            lateness_ms,
            heap: memory,
            waiting: 0,
            watermark_ms: 0,
            forced: None,
            late: 0,
            early: 0,
            items: PhantomData,
        }
    }

    /// A record has arrived. Afterwards call [`pop`](Self::pop) until it gives nothing.
    ///
    /// A record's time moves the watermark, so the caller sees to it that it is not in the future.
    ///
    /// # Errors
    /// [`Late`] if it comes too late, or if there is no memory at all.
    pub fn push(&mut self, key: Key, item: T) -> Result<(), Late<T>> {
        let too_late = key.at_ms < self.watermark_ms || self.forced.is_some_and(|forced| key < forced);
        let free = self.heap.as_mut().get_mut(self.waiting);
        let (false, Some(free)) = (too_late, free) else {
            self.late = self.late.saturating_add(1);
            return Err(Late { item, watermark_ms: self.watermark_ms });
        };
        *free = Some((key, item));
        self.waiting += 1;
        self.rise();
        self.idle(key.at_ms);
        Ok(())
    }

    /// Time has come to `now_ms` without a record: the marker that has to be stored with the records, for the live log to
    /// be replayed.
    pub fn idle(&mut self, now_ms: u64) {
        self.watermark_ms = self.watermark_ms.max(now_ms.saturating_sub(self.lateness_ms));
    }

    /// The next record whose turn has come: everything from before it is there, or memory is full.
    pub fn pop(&mut self) -> Option<(Key, T)> {
        let full = self.waiting == self.heap.as_mut().len();
        let (key, _) = self.heap.as_mut().first()?.as_ref()?;
        let key = *key;
        if key.at_ms >= self.watermark_ms {
            if !full {
                return None;
            }
            self.early = self.early.saturating_add(1);
            self.forced = Some(key);
        }
        self.waiting -= 1;
        let heap = self.heap.as_mut();
        heap.swap(0, self.waiting);
        let first = heap.get_mut(self.waiting)?.take();
        self.sink();
        first
    }

    /// What is held back, in no order: for whoever keeps it over a restart and pushes it again.
    pub fn waiting(&self) -> impl Iterator<Item = &(Key, T)>
    where
        S: AsRef<[Option<(Key, T)>]>,
    {
        self.heap.as_ref().iter().take(self.waiting).flatten()
    }

    /// Every record from before this time has gone on, or was late: how far the engine may be advanced.
    pub fn watermark_ms(&self) -> u64 {
        self.watermark_ms
    }

    /// How many records came too late.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// How many went on before their time, because memory was full.
    pub fn early(&self) -> u64 {
        self.early
    }

    fn key(&mut self, at: usize) -> Option<Key> {
        if at >= self.waiting {
            return None;
        }
        self.heap.as_mut().get(at)?.as_ref().map(|(key, _)| *key)
    }

    /// The last entry finds its place among those above it.
    fn rise(&mut self) {
        let mut at = self.waiting - 1;
        while at > 0 {
            let above = (at - 1) / 2;
            if self.key(above) <= self.key(at) {
                return;
            }
            self.heap.as_mut().swap(at, above);
            at = above;
        }
    }

    /// The first entry finds its place among those below it.
    fn sink(&mut self) {
        let mut at = 0;
        loop {
            let below = [2 * at + 1, 2 * at + 2];
            let keys = below.map(|below| self.key(below));
            let (least, key) = match keys {
                [Some(left), Some(right)] if right < left => (below[1], right),
                [Some(left), _] => (below[0], left),
                _ => return,
            };
            if self.key(at) <= Some(key) {
                return;
            }
            self.heap.as_mut().swap(at, least);
            at = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::v1::*;
    use std::vec;

    fn key(at_ms: u64, position: u64) -> Key {
        Key { at_ms, from: Cause { position, ..Cause::NONE } }
    }

    proptest! {
        /// What goes on is in order whatever comes, everything goes on or is told late, and nothing is late that came
        /// within the lateness while there was room.
        #[test]
        fn in_order_or_late(times in prop::collection::vec(0u64..500, 1..80), room in 1usize..90) {
            let lateness = 60;
            let mut reorder = Reorder::new(lateness, vec![None; room]);
            let (mut out, mut newest, mut late) = (Vec::new(), 0, 0);
            for (position, &at_ms) in (0..).zip(&times) {
                let in_time = at_ms + lateness >= newest;
                newest = newest.max(at_ms);
                if reorder.push(key(at_ms, position), ()).is_err() {
                    late += 1;
                    prop_assert!(!in_time || reorder.early() > 0);
                }
                out.extend(core::iter::from_fn(|| reorder.pop()).map(|(key, ())| key));
            }
            reorder.idle(u64::MAX);
            out.extend(core::iter::from_fn(|| reorder.pop()).map(|(key, ())| key));
            prop_assert!(out.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert_eq!(out.len() + late, times.len());
            prop_assert_eq!(reorder.late(), late as u64);
            prop_assert!(room <= times.len() || reorder.early() == 0);
        }
    }
}
