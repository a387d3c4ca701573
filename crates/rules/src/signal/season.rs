//! How far a value is from what it was in the same month of past years.

use super::daily::Slot;
use super::fixed::clamp;
use super::gather::Gathered;
use crate::Slots;
use crate::calendar::{day, month_of_year, months};
use crate::divide::divided;
use crate::state::Plain;

/// The distance from the same month of past years, in 256ths of that month's mean deviation. Months are those of the table's calendar.
///
/// The present month is compared with past years only. It is kept apart until it is over; then, if it has readings of enough days, its
/// mean goes into its cell, with 1/2, 1/3 … 1/8 of the way, each day counting the same however often it was measured. A month that is
/// further out than four deviations of a baseline that is believed moves it only as far as that. Where too few years are known there is no
/// baseline: the level is unknown, as in a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Season {
    /// What has a cell: [`Slots::Months`] for what follows the year, as a river; [`Slots::MonthsAndHours`] for what follows the sun
    /// besides, as a temperature.
    pub cells: Slots,
    /// Where this rule's [`memory`](Self::memory) begins in the slots that are lent to the engine for all rules that have some.
    pub first: u16,
    /// The deviation counts as at least so much, in the quantity's own scaled unit.
    pub least: u32,
    /// How many past years a cell must have before it is believed.
    pub needed: u16,
    /// Of how many days a month must have readings, or else it teaches nothing: 2 to 28.
    pub days: u8,
}

impl Season {
    /// How many slots it needs: the cells, as many as may be learned at once, and which month that is. 14 for months, which are 168
    /// bytes, and 313 with the hours of the day: 3,756 bytes.
    pub const fn memory(&self) -> usize {
        1 + self.pending() + self.cells.count()
    }

    /// Where the cell of a local hour is in that memory.
    pub(crate) const fn cell(&self, hour: u32) -> usize {
        1 + self.pending() + self.cells.at(hour)
    }

    /// How many cells are learned at once: one, or one for each hour of the day.
    const fn pending(&self) -> usize {
        match self.cells {
            Slots::MonthsAndHours => 24,
            _ => 1,
        }
    }

    /// What readings are gathered by: the hour or the day.
    fn period(&self, hour: u32) -> u32 {
        match self.cells {
            Slots::MonthsAndHours => hour,
            _ => day(hour),
        }
    }

    /// Of such a period, the place among those that are learned at once.
    fn place(&self, period: u32) -> usize {
        match self.cells {
            Slots::MonthsAndHours => (period - day(period) * 24) as usize,
            _ => 0,
        }
    }
}

/// The hour or day that is being collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period(Gathered);

/// What is lent to one rule: the month that is being learned, so far, and the cells. The first slot says by its mean which month it is.
struct Memory<'m> {
    season: &'m Season,
    head: &'m mut Slot,
    pending: &'m mut [Slot],
    cells: &'m mut [Slot],
}

impl Period {
    pub(crate) const NEW: Self = Self(Gathered::new(0));

    /// How far out the value is for its month; a period that is over is learned, and a month that is over goes to its past.
    pub(crate) fn read(
        &mut self,
        season: &Season,
        memory: &mut [Slot],
        hour: u32,
        value: i32,
    ) -> Option<i32> {
        let (head, rest) = memory.split_first_mut()?;
        let (pending, cells) = rest.split_at_mut_checked(season.pending())?;
        let mut memory = Memory { season, head, pending, cells };
        let (period, month) = (season.period(hour), months(day(hour)));
        if period != self.0.period || self.0.readings == 0 {
            memory.learn(&self.0);
            memory.turn(month);
            self.0 = Gathered::new(period);
        }
        let place = season.place(period);
        let cell = *memory.cells.get(month_of_year(month) * season.pending() + place)?;
        let usual = match cell.learned {
            0 => memory.pending.get(place).map(Days::of).and_then(|days| days.mean()),
            _ => Some(cell.mean),
        };
        let error = usual.map_or(0, |usual| i64::from(value) - i64::from(usual));
        self.0.add(value, error);
        let deviation = i64::from(cell.deviation.max(season.least).max(1));
        (cell.learned >= season.needed.max(1)).then(|| clamp(divided(error * 256, deviation)))
    }
}

impl Memory<'_> {
    /// The period is over.
    fn learn(&mut self, of: &Gathered) {
        let place = self.season.place(of.period);
        if let Some(slot) = self.pending.get_mut(place).filter(|_| of.readings > 0) {
            *slot = Days::of(slot).and(of).slot();
        }
    }

    /// Time has come to this month: what was learned of another goes to its past.
    fn turn(&mut self, month: u32) {
        let begun = Slot { mean: month.cast_signed(), deviation: 0, learned: 1 };
        let before = core::mem::replace(self.head, begun);
        if before == begun {
            return;
        }
        let first = month_of_year(before.mean.cast_unsigned()) * self.pending.len();
        for (pending, cell) in self.pending.iter_mut().zip(self.cells.iter_mut().skip(first)) {
            let days = Days::of(pending);
            if before.learned > 0 && days.days >= i64::from(self.season.days) {
                self.season.learn(cell, &days);
            }
            *pending = Slot::EMPTY;
        }
    }
}

impl Season {
    /// One more year of a cell.
    fn learn(&self, cell: &mut Slot, of: &Days) {
        // Its first day had nothing to be off from, if there were no years before.
        let off = if cell.learned == 0 { of.days - 1 } else { of.days };
        let (mean, mut spread) = (nearest(of.sum, of.days), nearest(of.spread, off));
        if cell.learned == 0 {
            *cell = Slot { mean: clamp(mean), deviation: wide(spread), learned: 1 };
            return;
        }
        let mut error = mean - i64::from(cell.mean);
        if cell.learned >= self.needed.max(1) {
            let most = 4 * i64::from(cell.deviation.max(self.least).max(1));
            (error, spread) = (error.clamp(-most, most), spread.min(most));
        }
        let share = i64::from(cell.learned).saturating_add(1).min(8);
        cell.mean = clamp(i64::from(cell.mean) + nearest(error, share));
        let deviation = i64::from(cell.deviation);
        cell.deviation = wide(deviation + nearest(spread - deviation, share));
        cell.learned = cell.learned.saturating_add(1);
    }
}

/// The sums of a month's days, exact, so that their order makes no difference: a slot has room for a mean, for how many days it is of, and
/// for what divisions by that left over.
struct Days {
    sum: i64,
    spread: i64,
    days: i64,
}

/// A month has no more days, however its clock is set.
const DAYS: i64 = 31;

impl Days {
    fn of(slot: &Slot) -> Self {
        let left = |from: u32| i64::from(slot.learned >> from & 31);
        let days = left(0);
        Self {
            sum: i64::from(slot.mean) * days + left(5),
            spread: i64::from(slot.deviation) * days + left(10),
            days,
        }
    }

    /// The mean so far.
    fn mean(&self) -> Option<i32> {
        (self.days > 0).then(|| clamp(nearest(self.sum, self.days)))
    }

    /// With one day more.
    fn and(mut self, of: &Gathered) -> Self {
        if self.days < DAYS {
            let readings = i64::from(of.readings);
            self.sum += i64::from(clamp(nearest(of.sum.raw(), readings)));
            self.spread += i64::from(wide(nearest(of.spread.raw(), readings)));
            self.days += 1;
        }
        self
    }

    fn slot(&self) -> Slot {
        // Rounded down, so that nothing left over is negative.
        let down = divided(self.sum, self.days);
        let mean = if down * self.days > self.sum { down - 1 } else { down };
        let deviation = divided(self.spread, self.days);
        let (of_mean, of_spread) = (self.sum - mean * self.days, self.spread - deviation * self.days);
        Slot {
            mean: clamp(mean),
            deviation: wide(deviation),
            learned: (self.days | of_mean << 5 | of_spread << 10) as u16,
        }
    }
}

/// `part / whole`, rounded to nearest, halves away from zero.
fn nearest(part: i64, whole: i64) -> i64 {
    let half = divided(whole, 2);
    divided(part.saturating_add(if part < 0 { -half } else { half }), whole)
}

fn wide(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(if number < 0 { 0 } else { u32::MAX })
}

impl Plain for Period {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.0.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Plain::take(from).map(Self)
    }
}

#[cfg(test)]
#[path = "season/tests.rs"]
mod tests;
