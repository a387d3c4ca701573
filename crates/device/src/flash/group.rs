//! Items as they lie in flash: a few of one boot behind one head.
//!
//! `boot (4 bytes), n of the first position (4), tick that the first item's distance counts from (6), items`, all little-endian. The queue
//! underneath adds length and checksum.

use sensock::device::{Spill, Walked, walk};
use sensock::{Position, Tick};

/// Bytes before the items.
pub(super) const HEAD: usize = 14;
/// Items in one group, at most: the largest item fits.
const ITEMS: usize = 256;
/// A group, and room for a whole word at its end.
pub(super) const MAX: usize = HEAD + ITEMS + 18;
/// A page has to hold a group, and the queue's own marks.
pub(super) const PAGE_MIN: usize = 512;

/// A group, taken apart. Positions are as they were kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group<'a> {
    pub first: Position,
    pub tick: Tick,
    pub items: &'a [u8],
}

impl<'a> Group<'a> {
    /// Reads a group; `None` if it is none.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, items) = bytes.split_first_chunk::<HEAD>()?;
        let [b0, b1, b2, b3, n0, n1, n2, n3, t0, t1, t2, t3, t4, t5] = *head;
        let first = Position::new(u32::from_le_bytes([b0, b1, b2, b3]), u32::from_le_bytes([n0, n1, n2, n3]));
        let tick = Tick(u64::from_le_bytes([t0, t1, t2, t3, t4, t5, 0, 0]));
        let group = Group { first, tick, items };
        group.walk().next().map(|_| group)
    }

    /// Its items.
    pub(super) fn walk(&self) -> impl Iterator<Item = Walked> + use<'a> {
        walk(self.items, self.first, self.tick)
    }

    /// The position after its last, and the tick there.
    pub(super) fn end(&self) -> (Position, Tick) {
        self.walk().last().map_or((self.first, self.tick), |w| (w.next, w.tick))
    }
}

/// Where the items of a new group go.
pub(super) fn room(group: &mut [u8; MAX]) -> &mut [u8] {
    &mut group[HEAD..HEAD + ITEMS]
}

/// Writes the head of a new group, whose items are there already; returns the whole.
pub(super) fn seal<'g>(group: &'g mut [u8; MAX], spill: &Spill) -> &'g [u8] {
    group[..4].copy_from_slice(&spill.position.boot().to_le_bytes());
    group[4..8].copy_from_slice(&spill.position.n().to_le_bytes());
    group[8..HEAD].copy_from_slice(&spill.tick.0.to_le_bytes()[..6]);
    &group[..HEAD + spill.len.min(ITEMS)]
}
