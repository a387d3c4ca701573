//! Times as people read and write them: local, unless they say otherwise.

use anyhow::{Context as _, Result, bail};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use sensock_store::Span;

/// How times are shown.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    zone: TimeZone,
    /// With milliseconds.
    fine: bool,
}

impl Times {
    /// In the zone of this machine.
    pub(crate) fn local() -> Self {
        Self { zone: TimeZone::system(), fine: false }
    }

    /// In another zone.
    pub(crate) fn utc() -> Self {
        Self { zone: TimeZone::UTC, fine: false }
    }

    /// With milliseconds, for spans of seconds.
    pub(crate) fn fine(mut self, fine: bool) -> Self {
        self.fine = fine;
        self
    }

    /// `03:12:04`.
    pub(crate) fn clock(&self, us: i64) -> String {
        self.format(us, if self.fine { "%H:%M:%S%.3f" } else { "%H:%M:%S" })
    }

    /// `2026-11-21 03:12:04`.
    pub(crate) fn stamp(&self, us: i64) -> String {
        self.format(us, if self.fine { "%Y-%m-%d %H:%M:%S%.3f" } else { "%Y-%m-%d %H:%M:%S" })
    }

    /// The clock alone if it is of the same day as `near`, else with its date.
    pub(crate) fn near(&self, us: i64, near: i64) -> String {
        let day = |us| self.format(us, "%Y-%m-%d");
        if day(us) == day(near) { self.clock(us) } else { self.stamp(us) }
    }

    /// `2026-11-21T03:12:04.123456Z`, for machines.
    pub(crate) fn rfc3339(us: i64) -> String {
        Timestamp::from_microsecond(us).map_or_else(|_| us.to_string(), |t| format!("{t:.6}"))
    }

    /// What stands behind a heading: `local time, +01:00`.
    pub(crate) fn zone_words(&self, us: i64) -> String {
        format!("local time, {}", self.format(us, "%:z"))
    }

    /// The span that `FROM..TO` means.
    ///
    /// Each end is a time of day (`03:12`, today or, if that is to come, yesterday), a local date and time, RFC 3339 with its zone,
    /// a time ago (`90s`, `40m`, `2h`, `3d`), or `now`.
    pub(crate) fn span(&self, text: &str, now_us: i64) -> Result<Span> {
        let how = "write FROM..TO, as in 03:12..03:40, 2h..now, or 2026-11-21T03:12Z..2026-11-21T03:40Z";
        let Some((from, to)) = text.split_once("..") else {
            bail!("\"{text}\" is no span of time: {how}");
        };
        let now = Timestamp::from_microsecond(now_us).context("the clock of this machine is out of range")?;
        let now = now.to_zoned(self.zone.clone());
        let end = |part: &str| {
            self.moment(part.trim(), &now).with_context(|| format!("\"{part}\" is no time: {how}"))
        };
        let (mut from_at, to_at) = (end(from)?, end(to)?);
        // 23:50..00:10 goes over midnight.
        if from_at > to_at && self.is_clock(from) {
            from_at = from_at.checked_sub(1.day())?;
        }
        if from_at > to_at {
            bail!("\"{text}\" ends before it begins: swap the two");
        }
        Ok(Span { from_us: us(&from_at), to_us: us(&to_at) })
    }

    fn is_clock(&self, text: &str) -> bool {
        text.trim().parse::<Time>().is_ok() && text.trim().parse::<Date>().is_err()
    }

    fn moment(&self, text: &str, now: &Zoned) -> Option<Zoned> {
        if text == "now" {
            return Some(now.clone());
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(at.to_zoned(self.zone.clone()));
        }
        if let Some(ago) = duration_us(text) {
            let at = us(now).checked_sub(ago)?;
            return Some(Timestamp::from_microsecond(at).ok()?.to_zoned(self.zone.clone()));
        }
        if self.is_clock(text) {
            let time = text.parse::<Time>().ok()?;
            let today = self.at(now.date().to_datetime(time))?;
            return if today > *now { today.checked_sub(1.day()).ok() } else { Some(today) };
        }
        self.at(text.parse::<DateTime>().ok()?)
    }

    fn at(&self, civil: DateTime) -> Option<Zoned> {
        self.zone.to_ambiguous_zoned(civil).compatible().ok()
    }

    fn format(&self, us: i64, format: &str) -> String {
        match Timestamp::from_microsecond(us) {
            Ok(at) => at.to_zoned(self.zone.clone()).strftime(format).to_string(),
            Err(_) => "at an unknown time".to_owned(),
        }
    }
}

/// Now, in microseconds since 1970.
pub(crate) fn now_us() -> i64 {
    Timestamp::now().as_microsecond()
}

/// `90s`, `250ms`, `40m`, `2h`, `3d` in microseconds.
pub(crate) fn duration_us(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let unit: i64 = match unit {
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" | "min" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    number.trim().parse::<u32>().ok().and_then(|n| i64::from(n).checked_mul(unit))
}

/// A duration argument; the words of its error say how to write one.
pub(crate) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let us = duration_us(text).ok_or("write a number and ms, s, m, h or d, as in 90s or 2h")?;
    Ok(std::time::Duration::from_micros(us.unsigned_abs()))
}

/// How long something lasted: `27 min 47 s`.
pub(crate) fn lasting(us: i64) -> String {
    let ms = us.max(0) / 1_000;
    let (s, m, h) = (ms / 1_000, ms / 60_000, ms / 3_600_000);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{:.1} s", ms as f64 / 1e3),
        10_000..60_000 => format!("{s} s"),
        60_000..3_600_000 if s % 60 == 0 => format!("{m} min"),
        60_000..3_600_000 => format!("{m} min {} s", s % 60),
        3_600_000..172_800_000 => format!("{h} h {} min", m % 60),
        _ => format!("{} days {} h", h / 24, h % 24),
    }
}

fn us(at: &Zoned) -> i64 {
    at.timestamp().as_microsecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Times {
        Times { zone: TimeZone::fixed(jiff::tz::offset(1)), fine: false }
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn read(text: &str) -> (String, String) {
        let span = berlin().span(text, at("2026-11-21T10:00:00Z")).unwrap();
        (Times::rfc3339(span.from_us), Times::rfc3339(span.to_us))
    }

    fn both(from: &str, to: &str) -> (String, String) {
        (format!("{from}.000000Z"), format!("{to}.000000Z"))
    }

    #[test]
    fn a_span_may_be_written_in_many_ways() {
        assert_eq!(read("03:12..03:40"), both("2026-11-21T02:12:00", "2026-11-21T02:40:00"));
        // To come today: yesterday is meant.
        assert_eq!(read("22:00..23:00"), both("2026-11-20T21:00:00", "2026-11-20T22:00:00"));
        assert_eq!(read("23:50..00:10"), both("2026-11-20T22:50:00", "2026-11-20T23:10:00"));
        assert_eq!(read("2h..now"), both("2026-11-21T08:00:00", "2026-11-21T10:00:00"));
        assert_eq!(
            read("2026-11-20T03:12:04Z..2026-11-20 05:00"),
            both("2026-11-20T03:12:04", "2026-11-20T04:00:00")
        );
    }

    #[test]
    fn a_span_that_cannot_be_read_says_how_to_write_one() {
        let said = |text| format!("{:#}", berlin().span(text, at("2026-11-21T10:00:00Z")).unwrap_err());
        assert!(
            said("yesterday")
                .starts_with("\"yesterday\" is no span of time: write FROM..TO, as in 03:12..03:40")
        );
        assert!(said("3..now").starts_with("\"3\" is no time: write FROM..TO"));
        assert_eq!(said("now..1h"), "\"now..1h\" ends before it begins: swap the two");
    }

    #[test]
    fn durations_are_said_in_at_most_two_units() {
        let said = [850, 5_900, 47_000, 60_000, 1_667_000, 7_380_000, 266_400_000]
            .map(|ms: i64| lasting(ms * 1_000));
        assert_eq!(said, ["850 ms", "5.9 s", "47 s", "1 min", "27 min 47 s", "2 h 3 min", "3 days 2 h"]);
    }
}
