//! What this server committed of late, in memory: feeds that keep up take it from here, without asking the store.
//!
//! Positions decide what belongs to a reader, not luck: each part says where its lane stood before and after. A reader whose cursor lies
//! between the two takes what lies behind its cursor; one whose cursor lies before both has missed something (another server's commit, or
//! parts that were dropped here) and asks the store.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sensock::Position;
use sensock_store::{FeedItem, GapRow, LaneId, ReadingRow};

use crate::inbox::lock;

/// Bytes that are kept at most, about: some 60,000 readings.
const WEIGHT_MAX: usize = 8 << 20;

/// What one work did to its lane.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) lane: LaneId,
    /// The lane's mark as the work found it.
    pub(crate) before: Position,
    /// The mark as it left it.
    pub(crate) mark: Position,
    /// Readings between the two, in order.
    pub(crate) rows: Arc<Vec<ReadingRow>>,
    pub(crate) gaps: Vec<GapRow>,
}

impl Part {
    fn weight(&self) -> usize {
        size_of::<Part>() + self.rows.len() * size_of::<ReadingRow>() + self.gaps.len() * size_of::<GapRow>()
    }

    /// Records and gaps behind a position, in order.
    pub(crate) fn items(&self, after: Position) -> Vec<FeedItem> {
        let from = self.rows.partition_point(|row| row.position <= after);
        let new = self.rows.get(from..).unwrap_or_default();
        let records = new.chunk_by(|a, b| a.position == b.position);
        let mut items: Vec<FeedItem> = records.map(|record| FeedItem::Record(record.to_vec())).collect();
        let gaps = self.gaps.iter().filter(|gap| gap.last > after).cloned().map(FeedItem::Gap);
        let before = items.len();
        items.extend(gaps);
        if items.len() > before {
            items.sort_by_key(FeedItem::last);
        }
        items
    }
}

/// The works of one transaction, in the order in which they were done.
pub(crate) type Group = Arc<Vec<Part>>;

#[derive(Debug, Default)]
pub(crate) struct Tail {
    inner: Mutex<Inner>,
    readers: AtomicUsize,
}

#[derive(Debug, Default)]
struct Inner {
    /// The number of the first group.
    first: u64,
    groups: VecDeque<Group>,
    weight: usize,
}

impl Tail {
    /// Whether anybody reads.
    pub(crate) fn is_read(&self) -> bool {
        self.readers.load(Ordering::Acquire) > 0
    }

    /// What was committed together. What is too much for memory is dropped, the oldest first.
    pub(crate) fn push(&self, parts: Vec<Part>) {
        if parts.is_empty() {
            return;
        }
        let mut inner = lock(&self.inner);
        inner.weight += parts.iter().map(Part::weight).sum::<usize>();
        inner.groups.push_back(Arc::new(parts));
        while inner.weight > WEIGHT_MAX || (!self.is_read() && !inner.groups.is_empty()) {
            let Some(group) = inner.groups.pop_front() else { break };
            inner.weight -= group.iter().map(Part::weight).sum::<usize>();
            inner.first += 1;
        }
    }

    fn end(&self) -> u64 {
        let inner = lock(&self.inner);
        inner.first + inner.groups.len() as u64
    }
}

/// One reader's place in the tail.
#[derive(Debug)]
pub(crate) struct Reader {
    tail: Arc<Tail>,
    next: u64,
}

impl Reader {
    /// From now on.
    pub(crate) fn new(tail: Arc<Tail>) -> Self {
        tail.readers.fetch_add(1, Ordering::AcqRel);
        let next = tail.end();
        Reader { tail, next }
    }

    /// Groups that were not read, and whether some were dropped before them.
    pub(crate) fn unread(&mut self) -> (Vec<Group>, bool) {
        let inner = lock(&self.tail.inner);
        let missed = self.next < inner.first;
        let from = usize::try_from(self.next.max(inner.first) - inner.first).unwrap_or(usize::MAX);
        let groups = inner.groups.range(from.min(inner.groups.len())..).cloned().collect();
        self.next = inner.first + inner.groups.len() as u64;
        (groups, missed)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.tail.readers.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::{Cause, DeviceId, Lane, Tick};

    const LANE: (&str, Lane) = ("a", Lane::Readings);

    fn lane() -> LaneId {
        LaneId { device: DeviceId::new(LANE.0).unwrap(), lane: LANE.1 }
    }

    fn row(n: u64, quantity: u16) -> ReadingRow {
        ReadingRow {
            lane: lane(),
            position: Position(n),
            quantity,
            catalog: 1,
            raw: 0,
            fault: None,
            value: 0.0,
            tick: Tick(n),
            not_before_us: None,
            not_after_us: 0,
        }
    }

    fn gap(first: u64, last: u64) -> GapRow {
        GapRow {
            lane: lane(),
            first: Position(first),
            last: Position(last),
            cause: Cause::Overflow,
            count: Some(last - first + 1),
            not_before_us: None,
            not_after_us: None,
            written_us: 0,
            detail: String::new(),
        }
    }

    fn part(before: u64, mark: u64, rows: Vec<ReadingRow>, gaps: Vec<GapRow>) -> Part {
        Part { lane: lane(), before: Position(before), mark: Position(mark), rows: Arc::new(rows), gaps }
    }

    #[test]
    fn records_and_gaps_come_in_order_from_any_position_on() {
        let rows = [1, 2, 5, 6].into_iter().flat_map(|n| [row(n, 1), row(n, 2)]).collect();
        let part = part(0, 8, rows, vec![gap(3, 4), gap(7, 8)]);
        for after in 0..9 {
            let items = part.items(Position(after));
            let last: Vec<u64> = items.iter().filter_map(FeedItem::last).map(|p| p.0).collect();
            let wanted: Vec<u64> = [1, 2, 4, 5, 6, 8].into_iter().filter(|n| *n > after).collect();
            assert_eq!(last, wanted);
            let is_whole = |item: &FeedItem| !matches!(item, FeedItem::Record(rows) if rows.len() != 2);
            assert!(items.iter().all(is_whole));
        }
    }

    #[test]
    fn memory_is_bounded_and_a_slow_reader_hears_that_it_missed_something() {
        let tail = Arc::new(Tail::default());
        tail.push(vec![part(0, 1, vec![row(1, 1)], vec![])]);
        assert_eq!(lock(&tail.inner).groups.len(), 0, "nothing is kept for nobody");
        let (mut quick, mut slow) = (Reader::new(tail.clone()), Reader::new(tail.clone()));
        let mut mark = 1;
        for _ in 0..300 {
            let rows: Vec<ReadingRow> = (mark + 1..=mark + 1_000).map(|n| row(n, 1)).collect();
            tail.push(vec![part(mark, mark + 1_000, rows, vec![])]);
            mark += 1_000;
            let (groups, missed) = quick.unread();
            assert_eq!((groups.len(), missed), (1, false));
            assert!(lock(&tail.inner).weight <= WEIGHT_MAX);
        }
        let (groups, missed) = slow.unread();
        assert!(missed && !groups.is_empty() && groups.len() < 300);
        assert_eq!(groups.last().and_then(|g| g.last()).map(|p| p.mark.0), Some(mark));
        assert_eq!(slow.unread().0.len(), 0);
        drop((quick, slow));
        tail.push(vec![part(mark, mark + 1, vec![row(mark + 1, 1)], vec![])]);
        let inner = lock(&tail.inner);
        assert_eq!((inner.groups.len(), inner.weight), (0, 0));
    }
}
