//! The caller's iterators, in chunks that plain code can work on.

use super::Cell;
use crate::limits::SMALL;

/// How many cells are looked at together.
pub(super) const CHUNK: usize = 32;

/// Cells that can be walked again and again.
pub(super) trait Source {
    /// Begins anew.
    fn rewind(&mut self);
    /// Fills `out` with what comes next: how many (fewer than a chunk only at the end) and, a bit for each, which of
    /// them are faults; there `out` has the code.
    fn fill(&mut self, out: &mut [i32; CHUNK]) -> (usize, u32);
    /// Passes over `rows`: whole chunks, or all that is left.
    fn skip(&mut self, rows: usize);
}

pub(super) struct Cells<C> {
    all: C,
    next: C,
    count: usize,
    left: usize,
}

impl<C: Iterator<Item = Cell> + Clone> Cells<C> {
    pub(super) fn new(all: C, count: usize) -> Self {
        Self { next: all.clone(), all, count, left: count }
    }
}

impl<C: Iterator<Item = Cell> + Clone> Source for Cells<C> {
    fn rewind(&mut self) {
        self.next = self.all.clone();
        self.left = self.count;
    }

    fn fill(&mut self, out: &mut [i32; CHUNK]) -> (usize, u32) {
        let want = self.left.min(CHUNK);
        // A local copy of the iterator stays in registers.
        let mut next = self.next.clone();
        let (mut n, mut faults) = (0, 0);
        while n < want {
            match next.next() {
                Some(Cell::Value(value)) => out[n] = value,
                Some(Cell::Fault(code)) => faults |= fault(&mut out[n], code) << n,
                None => break,
            }
            n += 1;
        }
        self.next = next;
        self.left -= n;
        (n, faults)
    }

    fn skip(&mut self, rows: usize) {
        if SMALL {
            return pass(self, rows);
        }
        let rows = rows.min(self.left);
        if rows > 0 {
            self.next.nth(rows - 1);
        }
        self.left -= rows;
    }
}

/// Passes over `rows`, up to the end of a chunk or of all.
pub(super) fn pass(source: &mut dyn Source, mut rows: usize) {
    let mut chunk = [0; CHUNK];
    while rows > 0 {
        match source.fill(&mut chunk).0 {
            0 => return,
            n => rows = rows.saturating_sub(n),
        }
    }
}

/// Faults are rare; a call keeps them out of the way of values.
#[cold]
#[inline(never)]
fn fault(slot: &mut i32, code: u8) -> u32 {
    *slot = i32::from(code);
    1
}
