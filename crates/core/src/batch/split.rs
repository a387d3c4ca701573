//! Which cells follow the column, and which are exceptions to it.
//!
//! Exceptions are written before the column as a list and are not predicted: faults, one sentinel far away from the
//! other values (a sensor's "no value"), and values that have not the column's common remainder.

use super::bits::{Reader, Writer};
use super::source::{CHUNK, Source};
use super::{Cell, DecodeError, number, rice};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// At least one; regular values are multiples of it plus `remainder`.
    pub(super) divisor: u32,
    pub(super) remainder: u32,
    pub(super) sentinel: Option<i32>,
}

impl Split {
    pub(super) const PLAIN: Self = Self { divisor: 1, remainder: 0, sentinel: None };

    /// What the column predicts in place of the value, if the value is regular.
    #[cfg_attr(not(target_pointer_width = "32"), inline)]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn regular(&self, value: i32) -> Option<i32> {
        if self.sentinel == Some(value) {
            return None;
        }
        if self.divisor == 1 {
            return Some(value);
        }
        let (quotient, remainder) = divided(value, self.divisor);
        (remainder == self.remainder).then_some(quotient)
    }

    /// Gives the next chunk's regular values, divided, and how many; no rows at the end.
    pub(super) fn fill(&self, source: &mut dyn Source, out: &mut [i32; CHUNK]) -> Filled {
        let (rows, faults) = source.fill(out);
        if faults == 0 && *self == Self::PLAIN {
            return Filled { rows, values: rows };
        }
        let mut values = 0;
        for row in 0..rows {
            if faults >> row & 1 == 0
                && let Some(value) = self.regular(out[row])
            {
                out[values] = value;
                values += 1;
            }
        }
        Filled { rows, values }
    }

    /// Writes the list of `exceptions` among `rows`.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn put(&self, out: &mut Writer<'_>, source: &mut dyn Source, rows: usize, exceptions: usize) {
        out.put(u32::from(exceptions > 0), 1);
        if exceptions == 0 {
            return;
        }
        number::put(out, exceptions as u64);
        let k = rice::parameter((rows - exceptions) as u32, exceptions as u32);
        out.put(k, 4);
        let mut chunk = [0; CHUNK];
        let (mut gap, mut last, mut last_value) = (0, (1, 0), 0);
        source.rewind();
        loop {
            let (rows, faults) = source.fill(&mut chunk);
            for (row, item) in chunk.iter().take(rows).enumerate() {
                let cell = (faults >> row & 1, *item);
                if cell.0 == 0 && self.regular(*item).is_some() {
                    gap += 1;
                    continue;
                }
                rice::put(out, gap, k);
                gap = 0;
                out.put(u32::from(cell == last), 1);
                if cell != last {
                    out.put(cell.0, 1);
                    if cell.0 == 1 {
                        out.put(*item as u32, 8);
                    } else {
                        number::put_signed(out, item.wrapping_sub(last_value));
                        last_value = *item;
                    }
                }
                last = cell;
            }
            if rows < CHUNK {
                return;
            }
        }
    }
}

/// Quotient and remainder, which is never negative.
#[inline]
pub(super) fn divided(value: i32, by: u32) -> (i32, u32) {
    let by = (by as i32).max(1);
    (value.div_euclid(by), value.rem_euclid(by) as u32)
}

pub(super) struct Filled {
    pub(super) rows: usize,
    pub(super) values: usize,
}

/// The list of exceptions, read as the rows go by.
#[derive(Clone, Copy)]
pub(super) struct Exceptions<'a> {
    bits: Reader<'a>,
    left: usize,
    k: u32,
    next_row: usize,
    last: Cell,
    last_value: i32,
}

impl<'a> Exceptions<'a> {
    /// Reads over the list, checks it, and leaves `bits` behind it. Also how many there are.
    pub(super) fn new(bits: &mut Reader<'a>, rows: usize) -> Result<(Self, usize), DecodeError> {
        let mut list = Self { bits: *bits, left: 0, k: 0, next_row: 0, last: Cell::Fault(0), last_value: 0 };
        if bits.take(1) == 0 {
            return Ok((list, 0));
        }
        let count = number::take(bits);
        if count == 0 || count > rows as u64 {
            return Err(DecodeError::Malformed);
        }
        list.left = count as usize;
        list.k = bits.take(4) as u32;
        list.bits = *bits;
        let mut ahead = list;
        while let Some((row, _)) = ahead.next() {
            if row >= rows {
                return Err(if ahead.bits.overran() {
                    DecodeError::Truncated
                } else {
                    DecodeError::Malformed
                });
            }
        }
        *bits = ahead.bits;
        Ok((list, count as usize))
    }

    /// The next exception and its row.
    pub(super) fn next(&mut self) -> Option<(usize, Cell)> {
        self.left = self.left.checked_sub(1)?;
        let row = self.next_row.saturating_add(rice::take(&mut self.bits, self.k) as usize);
        self.next_row = row.saturating_add(1);
        if self.bits.take(1) == 0 {
            self.last = if self.bits.take(1) == 1 {
                Cell::Fault(self.bits.take(8) as u8)
            } else {
                self.last_value = self.last_value.wrapping_add(number::take_signed(&mut self.bits));
                Cell::Value(self.last_value)
            };
        }
        Some((row, self.last))
    }
}
