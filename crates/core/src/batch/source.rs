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

/// All of a column that is no longer than a chunk, so that it is walked once: its numbers, and which of them are faults. A chip keeps nothing,
/// and walks again.
pub(super) struct Kept {
    rows: usize,
    faults: u32,
    chunk: [i32; KEPT],
}

const KEPT: usize = if SMALL { 0 } else { CHUNK };

impl Kept {
    pub(super) const NOTHING: Self = Self { rows: 0, faults: 0, chunk: [0; KEPT] };

    /// What [`Source::fill`] gives of all `rows`, if that is kept.
    #[inline]
    pub(super) fn give(&self, rows: usize, out: &mut [i32; CHUNK]) -> Option<(usize, u32)> {
        if SMALL || self.rows == 0 || self.rows != rows {
            return None;
        }
        out[..KEPT].copy_from_slice(&self.chunk);
        Some((rows, self.faults))
    }

    /// Keeps nothing.
    #[inline]
    pub(super) fn forget(&mut self) {
        if !SMALL {
            self.rows = 0;
        }
    }

    /// Keeps what was given, which is all.
    #[inline]
    pub(super) fn keep(&mut self, rows: usize, faults: u32, given: &[i32; CHUNK]) {
        if SMALL {
            return;
        }
        (self.rows, self.faults) = (rows, faults);
        self.chunk.copy_from_slice(&given[..KEPT]);
    }
}

pub(super) struct Cells<C> {
    all: C,
    next: C,
    count: usize,
    left: usize,
    kept: Kept,
}

impl<C: Iterator<Item = Cell> + Clone> Cells<C> {
    pub(super) fn new(all: C, count: usize) -> Self {
        Self { next: all.clone(), all, count, left: count, kept: Kept::NOTHING }
    }
}

impl<C: Iterator<Item = Cell> + Clone> Source for Cells<C> {
    fn rewind(&mut self) {
        self.next = self.all.clone();
        self.left = self.count;
    }

    fn fill(&mut self, out: &mut [i32; CHUNK]) -> (usize, u32) {
        if let Some(given) = self.kept.give(self.left, out) {
            self.left = 0;
            return given;
        }
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
        if n == self.count {
            self.kept.keep(n, faults, out);
        }
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
#[cfg_attr(not(target_pointer_width = "32"), cold, inline(never))]
fn fault(slot: &mut i32, code: u8) -> u32 {
    *slot = i32::from(code);
    1
}
