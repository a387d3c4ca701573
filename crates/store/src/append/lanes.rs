//! The lanes that a group holds, in order.

use sensock::Position;

use crate::rows::{LaneId, ReadingRow};

/// One lane: its mark as found, then as moved by the works so far, and what will be written to it.
#[derive(Debug, Default)]
pub(super) struct Held<'w> {
    pub(super) mark: Position,
    pub(super) moved: bool,
    /// A work did not fit: nothing of this lane is taken in this group any more.
    pub(super) stopped: bool,
    pub(super) ended: Option<Position>,
    /// Mostly one work's.
    first: &'w [ReadingRow],
    more: Vec<&'w [ReadingRow]>,
}

impl<'w> Held<'w> {
    /// Readings that follow those before.
    pub(super) fn write(&mut self, rows: &'w [ReadingRow]) {
        match self.first {
            [] => self.first = rows,
            _ => self.more.push(rows),
        }
    }

    pub(super) fn readings(&self) -> impl Iterator<Item = &'w [ReadingRow]> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }
}

/// All of them, sorted once: a group of hundreds compares names as seldom as it can.
#[derive(Debug, Default)]
pub(super) struct Lanes<'w> {
    held: Vec<(LaneId, Held<'w>)>,
}

impl<'w> Lanes<'w> {
    /// Lanes with their marks, sorted and without duplicates.
    pub(super) fn new(marks: impl Iterator<Item = (LaneId, Position)>) -> Self {
        let held = marks.map(|(lane, mark)| (lane, Held { mark, ..Held::default() })).collect();
        Self { held }
    }

    pub(super) fn get(&self, lane: &LaneId) -> Option<&Held<'w>> {
        let place = self.held.binary_search_by(|(l, _)| l.cmp(lane)).ok()?;
        Some(&self.held[place].1)
    }

    /// As [`Lanes::get_or_add`], for a lane that is likely to be at this place.
    pub(super) fn near(&mut self, place: usize, lane: &LaneId) -> &mut Held<'w> {
        match self.held.get(place) {
            Some((found, _)) if found == lane => &mut self.held[place].1,
            _ => self.get_or_add(lane),
        }
    }

    /// The lane; one that is not locked begins with nothing.
    pub(super) fn get_or_add(&mut self, lane: &LaneId) -> &mut Held<'w> {
        let place = match self.held.binary_search_by(|(l, _)| l.cmp(lane)) {
            Ok(place) => place,
            Err(place) => {
                self.held.insert(place, (*lane, Held::default()));
                place
            }
        };
        &mut self.held[place].1
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (LaneId, &Held<'w>)> {
        self.held.iter().map(|(lane, held)| (*lane, held))
    }
}
