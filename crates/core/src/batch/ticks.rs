//! The line that a run's ticks keep close to, and their distances from it.

use super::bits::Writer;
use super::choose::Plan;
use super::source::{CHUNK, Kept, Source, pass};
use super::{EncodeError, column, number};
use crate::limits::SMALL;

/// Fractional bits of a period: the last of 4096 ticks is off by less than a millisecond.
const FRACTION: u32 = 12;

/// A tick for each row: row zero is exact, the others are near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) start: u64,
    /// Milliseconds, times 4096.
    period: u64,
}

impl Line {
    /// With a period as the wire has it: whole milliseconds, or their 4096ths.
    pub(super) fn new(start: u64, fractional: bool, period: u64) -> Self {
        Self { start, period: if fractional { period } else { period << FRACTION } }
    }

    #[inline]
    pub(super) fn at(&self, row: usize) -> u64 {
        self.start.wrapping_add(self.period.wrapping_mul(row as u64) >> FRACTION)
    }
}

/// The ticks of a run: as a column, which holds their distances from a line, and one by one.
pub(super) trait Ticks: Source {
    /// Takes distances from this line from now on.
    fn follow(&mut self, line: Line);
    /// Whether a distance did not fit into 32 bits.
    fn far(&self) -> bool;
    /// Looks at all ticks, or writes the steps between them.
    fn scan(&self, out: Option<&mut Writer<'_>>) -> Result<Scan, EncodeError>;
}

/// What all ticks of a run have in common.
pub(super) struct Scan {
    first: u64,
    last: u64,
    /// The greatest common divisor of all steps; zero if all are zero.
    common: u64,
}

pub(super) struct Distances<T> {
    line: Line,
    all: T,
    next: T,
    count: usize,
    row: usize,
    far: bool,
    kept: Kept,
}

impl<T: Iterator<Item = u64> + Clone> Distances<T> {
    pub(super) fn new(all: T, count: usize) -> Self {
        Self {
            line: Line::new(0, false, 0),
            next: all.clone(),
            all,
            count,
            row: 0,
            far: false,
            kept: Kept::NOTHING,
        }
    }
}

impl<T: Iterator<Item = u64> + Clone> Ticks for Distances<T> {
    fn follow(&mut self, line: Line) {
        (self.line, self.far) = (line, false);
        self.kept.forget();
    }

    fn far(&self) -> bool {
        self.far
    }

    fn scan(&self, mut out: Option<&mut Writer<'_>>) -> Result<Scan, EncodeError> {
        let mut ticks = self.all.clone();
        let first = ticks.next().ok_or(EncodeError::TooFewItems)?;
        let (mut last, mut common) = (first, 0);
        for _ in 1..self.count {
            let tick = ticks.next().ok_or(EncodeError::TooFewItems)?;
            if tick < last {
                return Err(EncodeError::TicksFallBack);
            }
            if let Some(out) = &mut out {
                number::put(out, tick - last);
            } else if common != 1 && tick - last != common {
                // Most steps are like the one before, and a division of 64 bits is dear where there is no instruction for it.
                common = common_divisor(common, tick - last);
            }
            last = tick;
        }
        Ok(Scan { first, last, common })
    }
}

impl<T: Iterator<Item = u64> + Clone> Source for Distances<T> {
    fn rewind(&mut self) {
        self.next = self.all.clone();
        self.row = 0;
    }

    fn fill(&mut self, out: &mut [i32; CHUNK]) -> (usize, u32) {
        let left = self.count - self.row;
        if let Some(given) = self.kept.give(left, out) {
            self.row = self.count;
            return given;
        }
        let want = left.min(CHUNK);
        let mut next = self.next.clone();
        let mut along = self.line.period.wrapping_mul(self.row as u64);
        let (mut n, mut far) = (0, 0);
        while n < want {
            let Some(tick) = next.next() else { break };
            let distance = tick.wrapping_sub(self.line.start).wrapping_sub(along >> FRACTION) as i64;
            along = along.wrapping_add(self.line.period);
            out[n] = distance as i32;
            far |= i64::from(distance as i32) ^ distance;
            n += 1;
        }
        self.next = next;
        self.far |= far != 0;
        self.row += n;
        if n == self.count {
            self.kept.keep(n, 0, out);
        }
        (n, 0)
    }

    fn skip(&mut self, rows: usize) {
        if SMALL {
            return pass(self, rows);
        }
        let rows = rows.min(self.count - self.row);
        if rows > 0 {
            self.next.nth(rows - 1);
        }
        self.row += rows;
    }
}

/// Writes the ticks of a run of two or more.
pub(super) fn put(out: &mut Writer<'_>, count: usize, ticks: &mut dyn Ticks) -> Result<(), EncodeError> {
    let Scan { first, last, common } = ticks.scan(None)?;
    let mark = out.mark();
    let span = last - first;
    if span >> (63 - FRACTION) == 0 {
        follow(out, first, span, common.max(1), count, ticks)?;
        if !ticks.far() {
            return Ok(());
        }
        out.back_to(&mark);
    }
    out.put(1, 1);
    ticks.scan(Some(out))?;
    Ok(())
}

/// Writes a line and the distances of the ticks from it; all steps are multiples of `common`.
fn follow(
    out: &mut Writer<'_>,
    start: u64,
    span: u64,
    common: u64,
    count: usize,
    ticks: &mut dyn Ticks,
) -> Result<(), EncodeError> {
    let steps = count as u64 - 1;
    // Rounded to what all steps have in common.
    let mut period = divided(divided(span, common).0 + steps / 2, steps).0 * common;
    let mut fractional = false;
    let line = Line::new(start, false, period);
    ticks.follow(line);
    let mut plan = Plan::new(ticks, count, false);
    // Rounded up, so that a tick that falls on a whole millisecond is not floored to the one before.
    let (whole, rest) = divided(span, steps);
    let fraction = (whole << FRACTION) + divided((rest << FRACTION) + steps - 1, steps).0;
    let slant = (fraction.abs_diff(period << FRACTION) * steps) >> FRACTION;
    if common == 1 && plan.slants(slant) {
        ticks.follow(Line::new(start, true, fraction));
        let other = Plan::new(ticks, count, false);
        fractional = other.cost + 24 < plan.cost;
        if fractional {
            (plan, period) = (other, fraction);
        } else {
            ticks.follow(line);
        }
    }
    out.put(u32::from(fractional) << 1, 2);
    number::put(out, period);
    column::put(out, ticks, plan, count)
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, divided(a, b).1);
    }
    a
}

/// Quotient and remainder. Numbers beyond what a chip can divide are rare: for them it does not link a division of 64 bits.
#[cfg_attr(target_pointer_width = "32", inline(never))]
fn divided(a: u64, by: u64) -> (u64, u64) {
    if (a | by) >> 32 == 0 {
        let (a, by) = (a as u32, (by as u32).max(1));
        return ((a / by).into(), (a % by).into());
    }
    let (mut quotient, mut rest) = (0, 0);
    for bit in (0..u64::BITS).rev() {
        (quotient, rest) = (quotient << 1, rest << 1 | a >> bit & 1);
        if rest >= by {
            (quotient, rest) = (quotient | 1, rest - by);
        }
    }
    (quotient, rest)
}

#[cfg(test)]
mod tests {
    #[test]
    fn division_is_division() {
        let some = [0, 1, 2, 3, 999, 1000, 4095, u32::MAX.into(), 1 << 32, (1 << 51) + 17, (1 << 63) - 1];
        for a in some {
            for by in some.into_iter().filter(|by| *by > 0) {
                assert_eq!(super::divided(a, by), (a / by, a % by), "{a} / {by}");
            }
        }
    }
}
