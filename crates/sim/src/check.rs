//! The invariants, held against the store.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use sensock::batch::Cell;
use sensock::{Lane, Position};
use sensock_store::{
    CommandRow, Cursor, FeedItem, GapRow, History as _, LaneId, ReadingRow, Span, Store as _,
};

use crate::board::{Accepted, BoardId};
use crate::world::World;

/// What a check counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Records that boards accepted.
    pub accepted: usize,
    /// Of these, stored.
    pub stored: usize,
    /// Of these, in a gap.
    pub in_gaps: usize,
    /// Of these, neither yet: they lie above the mark.
    pub waiting: usize,
}

impl World {
    /// Rows of a board's lane, in order.
    pub fn rows(&self, board: BoardId, lane: Lane) -> Vec<(Position, Vec<ReadingRow>)> {
        self.feed(board, lane)
            .into_iter()
            .filter_map(|item| match item {
                FeedItem::Record(rows) => rows.first().map(|r| r.position).map(|p| (p, rows)),
                FeedItem::Gap(_) => None,
            })
            .collect()
    }

    /// Gaps of a board's lane, in order.
    pub fn gaps(&self, board: BoardId, lane: Lane) -> Vec<GapRow> {
        self.feed(board, lane)
            .into_iter()
            .filter_map(|item| if let FeedItem::Gap(gap) = item { Some(gap) } else { None })
            .collect()
    }

    /// Everything of a board's lane as a reader of the store gets it.
    fn feed(&self, board: BoardId, lane: Lane) -> Vec<FeedItem> {
        let id = LaneId { device: self.boards[board.0].id, lane };
        let (items, _) = ready(self.store.feed(&Cursor::default(), usize::MAX));
        let of = |item: &FeedItem| match item {
            FeedItem::Record(rows) => rows.first().map(|r| r.lane),
            FeedItem::Gap(gap) => Some(gap.lane),
        };
        items.into_iter().filter(|i| of(i) == Some(id)).collect()
    }

    /// The mark of a board's lane.
    pub fn mark(&self, board: BoardId, lane: Lane) -> Position {
        ready(self.store.load(&self.boards[board.0].id)).marks[lane.index()]
    }

    /// Commands of a board as stored, the newest first.
    pub fn commands(&self, board: BoardId) -> Vec<CommandRow> {
        ready(self.store.commands(&self.boards[board.0].id, 1_000))
    }

    /// All gaps of a board whatever their time.
    pub fn all_gaps(&self, board: BoardId) -> Vec<GapRow> {
        ready(self.store.gaps(&self.boards[board.0].id, Span::ALL))
    }

    /// Positions that a board's accepted records have on the wire.
    pub fn wire(&self, board: BoardId, accepted: &Accepted) -> Position {
        let shift = self.boards[board.0].lives[accepted.life].shift;
        Position(accepted.local.0 + (u64::from(shift) << 32))
    }

    /// Holds the invariants for one board.
    ///
    /// # Panics
    /// With the trace, if one is broken.
    pub fn check(&self, board: BoardId) -> Report {
        let b = &self.boards[board.0];
        let mut report = Report { accepted: b.accepted.len(), ..Report::default() };
        for lane in Lane::ALL {
            let rows = self.rows(board, lane);
            let gaps = self.gaps(board, lane);
            let mark = self.mark(board, lane);
            for pair in rows.windows(2) {
                self.demand(pair[0].0 < pair[1].0, || {
                    format!("{lane}: {} stored twice or out of order", pair[1].0)
                });
            }
            for gap in &gaps {
                let inside = rows.iter().filter(|(p, _)| (gap.first..=gap.last).contains(p)).count();
                self.demand(inside == 0, || {
                    format!("{lane}: {inside} stored rows in gap {}..{}", gap.first, gap.last)
                });
                self.demand(gap.last <= mark, || format!("{lane}: gap {} beyond the mark {mark}", gap.last));
            }
            for pair in gaps.windows(2) {
                self.demand(pair[0].last < pair[1].first, || {
                    format!("{lane}: gaps overlap at {}", pair[1].first)
                });
            }
            let stored: BTreeMap<Position, &Vec<ReadingRow>> = rows.iter().map(|(p, r)| (*p, r)).collect();
            let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
            for accepted in b.accepted.iter().filter(|a| a.lane == lane) {
                let at = self.wire(board, accepted);
                let gap = gaps.iter().position(|g| (g.first..=g.last).contains(&at));
                match (stored.get(&at), gap) {
                    (Some(rows), None) => {
                        report.stored += 1;
                        self.same(accepted, rows);
                    }
                    (None, Some(i)) => {
                        report.in_gaps += 1;
                        *counts.entry(i).or_default() += 1;
                    }
                    (None, None) if at > mark => report.waiting += 1,
                    (None, None) => {
                        self.demand(false, || format!("{lane}: {at} is lost silently (mark {mark})"))
                    }
                    (Some(_), Some(_)) => {
                        self.demand(false, || format!("{lane}: {at} is stored and in a gap"))
                    }
                }
            }
            for (i, n) in counts {
                let exact = gaps[i].count.is_none_or(|count| count == n);
                self.demand(exact, || {
                    format!("{lane}: gap {} counts {:?}, {n} are missing", gaps[i].first, gaps[i].count)
                });
            }
        }
        report
    }

    fn same(&self, accepted: &Accepted, rows: &[ReadingRow]) {
        let cells: Vec<(u16, Cell)> = rows
            .iter()
            .map(|r| (r.quantity, r.fault.map_or(Cell::Value(r.raw), |f| Cell::Fault(f.0))))
            .collect();
        let mut expected = accepted.cells.clone();
        expected.sort_by_key(|(id, _)| *id);
        let mut cells = cells;
        cells.sort_by_key(|(id, _)| *id);
        self.demand(cells == expected, || format!("{} holds {cells:?}, not {expected:?}", accepted.local));
        for row in rows {
            let truth = accepted.true_us as i64;
            let after = row.not_before_us.is_none_or(|t| t <= truth);
            self.demand(after && truth <= row.not_after_us, || {
                format!(
                    "{}: true time {truth} outside of {:?}..{}",
                    row.position, row.not_before_us, row.not_after_us
                )
            });
        }
    }

    fn demand(&self, holds: bool, words: impl FnOnce() -> String) {
        assert!(holds, "{}\n{}", words(), self.trace());
    }
}

/// A memory store never waits.
pub(crate) fn ready<T, E: std::fmt::Debug>(future: impl Future<Output = Result<T, E>>) -> T {
    match future.now_or_never() {
        Some(Ok(value)) => value,
        Some(Err(error)) => panic!("the memory store failed in a check: {error:?}"),
        None => panic!("the memory store waits: a transaction was left open"),
    }
}
