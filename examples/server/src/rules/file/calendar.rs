//! Where the sensors stand in time: an offset from UTC, and the rule by which it changes.

use jiff::civil::{Date, Weekday, date};
use sensock_rules::Step;

use super::source::{Section, Told, Value};

/// What becomes a table's calendar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) origin_s: i64,
    pub(super) offset_s: i32,
    pub(super) changes: Vec<(Step, i32)>,
}

pub(super) const KEYS: [&str; 3] = ["origin", "time-zone", "summer-time"];

/// Changes are listed from this year on, if the origin is not later.
const FIRST_YEAR: i16 = 2000;
/// For so many years.
const YEARS: i16 = 50;
/// A grid finer than this counts less than a century in 32 bits, so that its origin must be stated.
const FINE_MS: u32 = 1_000;

const ZONE: &str = "an offset from UTC, as in \"+01:00\"";
const DAY: &str = "a day of the year and an hour, as in \"last Sunday of March at 01:00 UTC\"";
const ORIGIN: &str = "the day that steps are counted from, as in \"2026-01-01\"";

/// Reads the keys of a file's top that are about time.
pub(super) fn read(top: &Section<'_>, grid_ms: u32) -> Result<Local, Told> {
    let origin = top.optional("origin", |value| {
        let text =
            value.is.as_str().map(str::to_owned).or_else(|| value.is.as_datetime().map(|d| d.to_string()));
        let day =
            text.and_then(|text| text.parse::<Date>().ok()).filter(|day| (1970..=2200).contains(&day.year()));
        day.ok_or_else(|| value.wrong(ORIGIN))
    });
    let offset = top
        .optional("time-zone", |value| value.is.as_str().and_then(offset_s).ok_or_else(|| value.wrong(ZONE)));
    let summer = top.optional("summer-time", |value| {
        let expected = "a table, as in { offset = \"+02:00\", from = \"last Sunday of March at 01:00 UTC\", \
                        to = \"last Sunday of October at 01:00 UTC\" }";
        let section = value.section("summer time", expected, &["offset", "from", "to"])?;
        let offset = section.required("offset", ZONE, |value| {
            value.is.as_str().and_then(offset_s).ok_or_else(|| value.wrong(ZONE))
        });
        let change =
            |value: Value<'_>| value.is.as_str().and_then(Change::parse).ok_or_else(|| value.wrong(DAY));
        let (from, to) = (section.required("from", DAY, change), section.required("to", DAY, change));
        Ok((offset?, from?, to?))
    });
    let (origin, offset_s, summer) = (origin?, offset?.unwrap_or(0), summer?);
    if origin.is_none() && grid_ms < FINE_MS {
        let years = f64::from(u32::MAX) * f64::from(grid_ms) / 31_556_952_000.0;
        return Err(top.wrong(format!(
            "a grid of {grid_ms} ms counts {years:.1} years, which is too few to count from 1970: \
             add `origin`, {ORIGIN}"
        )));
    }
    let origin_s = origin.map_or(0, |day| seconds(day, 0));
    let mut changes = Vec::new();
    let year = origin.map_or(FIRST_YEAR, |day| day.year()).max(FIRST_YEAR);
    if let Some((summer_s, from, to)) = summer {
        for year in year..year + YEARS {
            let begins = from.in_year(year, offset_s).map(|at| (at, summer_s));
            let ends = to.in_year(year, summer_s).map(|at| (at, offset_s));
            changes.extend([begins, ends].into_iter().flatten());
        }
        changes.sort_unstable();
    }
    let step = |(at, offset): (i64, i32)| {
        let ms = u64::try_from(at.checked_sub(origin_s)?).ok()?.checked_mul(1_000)?;
        Some((Step(u32::try_from(ms / u64::from(grid_ms.max(1))).ok()?), offset))
    };
    Ok(Local { origin_s, offset_s, changes: changes.into_iter().filter_map(step).collect() })
}

/// On which day of each year, and when, the clock is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    /// 1 to 4, or -1 for the last.
    nth: i8,
    weekday: Weekday,
    month: i8,
    second: i32,
    /// Of UTC, not of the local clock before it is set.
    utc: bool,
}

impl Change {
    /// `last Sunday of March at 01:00 UTC`; without `UTC` by the local clock.
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split_whitespace().filter(|word| !matches!(*word, "of" | "at")).collect();
        let (words, utc) = match words.split_last() {
            Some((&"utc", rest)) => (rest, true),
            Some((&"local", rest)) => (rest, false),
            _ => (words.as_slice(), false),
        };
        let &[nth, weekday, month, clock] = words else { return None };
        let place = |list: &[&str], word: &str| list.iter().position(|name| *name == word);
        let nth = match place(&["first", "second", "third", "fourth"], nth) {
            Some(place) => i8::try_from(place).ok()? + 1,
            None if nth == "last" => -1,
            None => return None,
        };
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let weekday = Weekday::from_monday_zero_offset(i8::try_from(place(&days, weekday)?).ok()?).ok()?;
        let months = [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ];
        let month = i8::try_from(place(&months, month)?).ok()? + 1;
        let (hours, minutes) = clock.split_once(':')?;
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        let is_clock = (0..=24).contains(&hours) && (0..60).contains(&minutes);
        is_clock.then_some(Self { nth, weekday, month, second: hours * 3_600 + minutes * 60, utc })
    }

    /// In seconds since 1970, where the clock shows `offset_s` more than UTC until then.
    fn in_year(self, year: i16, offset_s: i32) -> Option<i64> {
        let day = date(year, self.month, 1).nth_weekday_of_month(self.nth, self.weekday).ok()?;
        Some(seconds(day, self.second) - if self.utc { 0 } else { i64::from(offset_s) })
    }
}

/// A second of a day of UTC, since 1970.
fn seconds(day: Date, second: i32) -> i64 {
    let midnight =
        day.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).map_or(0, |at| at.timestamp().as_second());
    midnight + i64::from(second)
}

/// `+01:00`, `-03:30`, `UTC`.
fn offset_s(text: &str) -> Option<i32> {
    if text == "UTC" || text == "Z" {
        return Some(0);
    }
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let two_digits = |part: &str| (part.len() == 2).then(|| part.parse::<u8>().ok()).flatten().map(i32::from);
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// `+01:00`.
pub(crate) fn offset_words(offset_s: i32) -> String {
    let sign = if offset_s < 0 { '-' } else { '+' };
    let minutes = offset_s.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_on_which_clocks_are_set_are_those_of_the_calendar() {
        let at = |text: &str, year, offset_s| Change::parse(text).unwrap().in_year(year, offset_s).unwrap();
        // 2026-03-29T01:00Z and 2026-10-25T01:00Z: all of the European Union at once.
        assert_eq!(at("last Sunday of March at 01:00 UTC", 2026, 3_600), 1_774_746_000);
        assert_eq!(at("last Sunday of October at 01:00 UTC", 2026, 7_200), 1_792_890_000);
        // 2026-03-08T02:00 in New York, where it is 07:00 UTC.
        assert_eq!(at("second Sunday of March at 02:00", 2026, -18_000), 1_772_953_200);
        for text in [
            "",
            "Sunday",
            "fifth Sunday of March at 01:00",
            "last Sunday of March at 25:00",
            "last Sonntag of March at 1:00",
        ] {
            assert_eq!(Change::parse(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_are_read_as_they_are_written() {
        assert_eq!(
            ["+01:00", "-03:30", "UTC", "+5:45", "01:00", "+15:00", "+é:00"].map(offset_s),
            [Some(3_600), Some(-12_600), Some(0), None, None, None, None,]
        );
        assert_eq!(offset_words(-12_600), "-03:30");
    }
}
