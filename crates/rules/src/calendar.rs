//! Hours and months where the sensor stands, for what repeats by the day and by the year.

use crate::Step;
use crate::divide::{divided, quotient};

/// How the table's steps become local time. Everything comes from outside: the rules know no zone names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar<'t> {
    /// Unix time of step 0, in seconds.
    pub origin_s: i64,
    /// Seconds to add to UTC, where no change is listed.
    pub offset_s: i32,
    /// Daylight saving: from that step on, so many seconds are to be added instead. In the order of the steps.
    pub changes: &'t [(Step, i32)],
}

/// What a baseline has a slot for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slots {
    /// One for all times.
    One,
    /// One for each hour of the day: 24.
    Hours,
    /// One for each month: 12.
    Months,
    /// One for each hour of the day in each month: 288, the hours of January first.
    MonthsAndHours,
}

impl Slots {
    /// How many there are.
    pub const fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::Hours => 24,
            Self::Months => 12,
            Self::MonthsAndHours => 288,
        }
    }

    /// The one for a local hour, counted from 1970.
    pub(crate) const fn at(self, hour: u32) -> usize {
        let days = divided(hour as i64, 24) as u32;
        let of_day = (hour - days * 24) as usize;
        match self {
            Self::One => 0,
            Self::Hours => of_day,
            Self::Months => month_of_year(months(days)),
            Self::MonthsAndHours => month_of_year(months(days)) * 24 + of_day,
        }
    }
}

impl Calendar<'_> {
    /// Unix time, and so UTC, with step 0 in 1970.
    pub const UTC: Calendar<'static> = Calendar { origin_s: 0, offset_s: 0, changes: &[] };

    /// The local hour that a step lies in, counted from 1970; 0 for all before.
    pub(crate) fn hour(&self, grid_ms: u32, at: Step) -> u32 {
        let change = self.changes.iter().take_while(|(from, _)| *from <= at).last();
        let offset = change.map_or(self.offset_s, |(_, offset)| *offset);
        let seconds = quotient(u64::from(at.0) * u64::from(grid_ms), 1_000);
        let local = self.origin_s.saturating_add(offset.into()).saturating_add(seconds as i64);
        u32::try_from(divided(local, 3_600)).unwrap_or(if local < 0 { 0 } else { u32::MAX })
    }
}

/// The day that a local hour lies in, both counted from 1970.
pub(crate) const fn day(hour: u32) -> u32 {
    divided(hour as i64, 24) as u32
}

/// Of a month counted from January of 1970, its place in the year; January is 0.
pub(crate) const fn month_of_year(months: u32) -> usize {
    (months - divided(months as i64, 12) as u32 * 12) as usize
}

/// The month that a day lies in, counted from January of 1970, which is 0. Years are counted in cycles of four with one leap day, which
/// holds from 1970 to 2099.
pub(crate) const fn months(days: u32) -> u32 {
    const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    // 1972 was the first leap year: day 0 of a cycle is the first of January of 1970, its third year has the leap day.
    let cycles = divided(days as i64, 1_461) as u32;
    let in_cycle = days - cycles * 1_461;
    let (year, mut day) = match in_cycle {
        0..365 => (0, in_cycle),
        365..730 => (1, in_cycle - 365),
        730..1_096 => (2, in_cycle - 730),
        _ => (3, in_cycle - 1_096),
    };
    let mut month = 0;
    while month < 11 {
        let length = if month == 1 && year == 2 { 29 } else { LENGTHS[month] };
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (cycles * 4 + year) * 12 + month as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_of_known_days() {
        // Days since 1970 of dates that any calendar confirms.
        for (days, expected) in [
            (0, 0),
            (31, 1),
            (58, 1),
            (59, 2),
            (789, 1), // 1972-02-29
            (790, 2),
            (11_016, 1),  // 2000-02-29
            (16_070, 11), // 2013-12-31
            (16_071, 0),
            (20_777, 10), // 2026-11-20
        ] {
            assert_eq!(month_of_year(months(days)), expected, "day {days}");
        }
    }

    #[test]
    fn months_follow_each_other_through_leap_years_and_the_turns_of_years() {
        // Counted day by day, as the calendar on the wall does.
        let (mut day, mut month) = (0, 0);
        for year in 1970..2100 {
            for length in [31, if year % 4 == 0 { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                for _ in 0..length {
                    assert_eq!(months(day), month, "day {day}, in {year}");
                    day += 1;
                }
                month += 1;
            }
        }
        assert_eq!(day, 47_482, "2100-01-01");
    }

    #[test]
    fn a_summer_hour_begins_when_it_is_listed() {
        let berlin = Calendar { origin_s: 1_774_738_800, offset_s: 3_600, changes: &[(Step(7_200), 7_200)] };
        let hour = |step| berlin.hour(1_000, Step(step)) % 24;
        assert_eq!((hour(0), hour(7_199), hour(7_200)), (0, 1, 3), "the night of 2026-03-29");
    }

    #[test]
    fn every_step_of_every_grid_has_a_slot() {
        for grid_ms in [1, 50, 1_000, 300_000, u32::MAX] {
            for at in [Step(0), Step(1), Step::END] {
                for origin_s in [i64::MIN, -1, 0, i64::MAX] {
                    let hour = Calendar { origin_s, ..Calendar::UTC }.hour(grid_ms, at);
                    for slots in [Slots::One, Slots::Hours, Slots::Months, Slots::MonthsAndHours] {
                        assert!(slots.at(hour) < slots.count());
                    }
                }
            }
        }
    }
}
