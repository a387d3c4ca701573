//! Times as recordings write them, to milliseconds since 1970.

use super::decimal::Decimal;

/// A whole timestamp: `2015-02-04 17:51:00` (also with `T`, `/`, a fraction, `Z` or an offset such as `+01:00`), or
/// seconds since 1970 such as `1333263600` or `1333263600.25` (from 100,000,000,000 on: milliseconds).
///
/// A time without a zone is taken as it stands; only distances matter here.
pub(super) fn stamp(text: &str) -> Option<i64> {
    if let Some(number) = Decimal::parse(text) {
        let millis = number.scaled(3)?.value;
        return Some(if millis >= 100_000_000_000_000 { millis / 1000 } else { millis });
    }
    let (day, rest) = text.split_once([' ', 'T'])?;
    let (time, offset) = split_offset(rest.trim_start())?;
    date(day)?.checked_add(clock(time)?)?.checked_sub(offset)
}

/// A date such as `2004-03-10` or `2004/03/10`: milliseconds since 1970 at its midnight.
pub(super) fn date(text: &str) -> Option<i64> {
    let separator = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.split(separator);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (year, month, day) = (whole(year)?, whole(month)?, whole(day)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    // Counting years from March puts the leap day last, so that each month begins at a fixed day of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = 365 * year + leap_days + (153 * month + 2) / 5 + day - 1;
    const DAYS_TO_1970: i64 = 719_468; // from 0000-03-01
    Some((days - DAYS_TO_1970) * 86_400_000)
}

/// A time of day such as `17:51`, `17:51:00` or `17:51:00.250`, in milliseconds.
pub(super) fn clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hours, minutes) = (whole(parts.next()?)?, whole(parts.next()?)?);
    let seconds = match parts.next() {
        Some(seconds) if seconds.starts_with(|first: char| first.is_ascii_digit()) => {
            Decimal::parse(seconds)?.scaled(3)?.value
        }
        Some(_) => return None,
        None => 0,
    };
    let whole_clock = parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 61_000;
    whole_clock.then_some((hours * 60 + minutes) * 60_000 + seconds)
}

/// Takes `Z`, `+01:00` or `-0500` off the end; the offset in milliseconds.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix('Z') {
        return Some((time, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let (time, offset) = text.split_at(at);
    let (sign, digits) = offset.split_at(1);
    let digits = digits.replace(':', "");
    let value = whole(&digits)?;
    if digits.len() != 4 || value / 100 > 14 || value % 100 > 59 {
        return None;
    }
    let millis = (value / 100 * 60 + value % 100) * 60_000;
    Some((time.trim_end(), if sign == "-" { -millis } else { millis }))
}

/// One to four digits.
fn whole(text: &str) -> Option<i64> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|d| d.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_known_instants() {
        assert_eq!(stamp("1970-01-01 00:00:00"), Some(0));
        assert_eq!(stamp("2000-03-01 00:00:00"), Some(951_868_800_000));
        assert_eq!(stamp("2015-02-04 17:51:00"), Some(1_423_072_260_000));
        assert_eq!(stamp("1969-12-31T23:59:59.5Z"), Some(-500));
    }

    #[test]
    fn reads_every_way_of_writing_the_same_instant() {
        let expected = Some(1_423_072_260_000);
        for text in [
            "2015-02-04 17:51",
            "2015-02-04T17:51:00Z",
            "2015/02/04 17:51:00.000",
            "2015-02-04T18:51:00+01:00",
            "2015-02-04 12:51:00-0500",
            "1423072260",
            "1423072260.000",
            "1423072260000",
        ] {
            assert_eq!(stamp(text), expected, "{text}");
        }
        assert_eq!(date("2015-02-04").zip(clock("17:51:00")).map(|(d, c)| d + c), expected);
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut expected = date("1999-12-31").unwrap();
        for year in 2000..2009 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(found) = date(&format!("{year}-{month:02}-{day:02}")) {
                        expected += 86_400_000;
                        assert_eq!(found, expected, "{year}-{month}-{day}");
                    }
                }
            }
        }
        assert_eq!(expected, date("2008-12-31").unwrap());
    }

    #[test]
    fn refuses_what_it_cannot_be_sure_of() {
        for text in [
            "",
            "yesterday",
            "04/02/2015 17:51:00",
            "2015-02-30 00:00:00",
            "2015-13-01 00:00:00",
            "2015-02-04 24:00:00",
            "2015-02-04 17:60:00",
            "2015-02-04 17:51:-5",
            "2015-02-04 17.51.00",
            "2015-02-04 17:51:00+1",
            "2015-02-04",
        ] {
            assert_eq!(stamp(text), None, "{text}");
        }
    }
}
