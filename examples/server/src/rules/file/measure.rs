//! Amounts as people write them, with their units, as the integers that are judged.

use toml::de::DeValue;

use super::decimal::{Decimal, Unfit};
use super::source::{Told, Value};
use crate::show::words::{decimal, unit as display};

/// What an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure<'u> {
    /// Values of a quantity: its unit and its scale.
    Unit(&'u str, i8),
    /// Change of a quantity in a time of so many milliseconds.
    Per(&'u str, i8, u64),
    /// How many times the usual, in 256ths.
    Times,
    /// Time, in steps of so many milliseconds.
    Time(u32),
}

impl Measure<'_> {
    /// An amount within i32.
    pub(super) fn amount(&self, value: Value<'_>) -> Result<i32, Told> {
        let wide = self.wide(value)?;
        i32::try_from(wide).map_err(|_| value.wrong("less: a value has 32 bits"))
    }

    /// An amount that is not negative.
    pub(super) fn size(&self, value: Value<'_>) -> Result<u32, Told> {
        let wide = self.wide(value)?;
        u32::try_from(wide).map_err(|_| value.wrong("0 or more, and no more than 32 bits hold"))
    }

    fn wide(&self, value: Value<'_>) -> Result<i64, Told> {
        if let Self::Time(grid_ms) = self {
            return steps(value, *grid_ms).map(i64::from);
        }
        let text = number_text(value).ok_or_else(|| value.wrong(&self.example()))?;
        let (number, behind) = Decimal::leading(text.trim()).ok_or_else(|| value.wrong(&self.example()))?;
        // A number of TOML's own has no unit; a text may leave it out.
        if !behind.is_empty() && !self.is_unit(behind.trim()) {
            return Err(value.wrong(&self.example()));
        }
        let finer = |keeps: String| value.says(format!("`{}` is {}: {keeps}", value.key, text.trim()));
        let made = match self {
            Self::Unit(_, scale) | Self::Per(_, scale, _) => number.scaled(*scale),
            // Hundredths, cut as `sensock_rules::times` cuts them.
            _ => number.scaled(-2).map(|hundredths| hundredths.saturating_mul(256) / 100),
        };
        made.map_err(|unfit| match (unfit, self) {
            (Unfit::Finer, Self::Unit(unit, scale) | Self::Per(unit, scale, _)) => {
                let last = format!("{} {}", decimal(1, *scale), display(unit));
                finer(format!("its quantity counts in steps of {}", last.trim()))
            }
            (Unfit::Finer, _) => finer("at most two decimals are kept".to_owned()),
            (Unfit::Larger, _) => finer("that is more than a value can hold".to_owned()),
        })
    }

    fn is_unit(&self, text: &str) -> bool {
        match self {
            Self::Unit(unit, _) => is_unit(unit, text),
            Self::Per(unit, _, per) => {
                split_per(text).is_some_and(|(of, time)| (is_unit(unit, of) || of.is_empty()) && time == *per)
            }
            Self::Times => matches!(text, "times" | "deviations" | "x"),
            Self::Time(_) => false,
        }
    }

    fn example(&self) -> String {
        match self {
            Self::Unit("", _) => "a number without a unit, for its quantity has none".to_owned(),
            Self::Unit(unit, _) => format!("an amount, as in \"20 {}\" or 20", display(unit)),
            Self::Per(unit, _, per) => {
                format!("an amount, as in \"20 {}/{}\" or 20", display(unit), per_words(*per))
            }
            Self::Times => "how many times the usual, as in \"6.5 times\" or 6.5".to_owned(),
            Self::Time(_) => TIME.to_owned(),
        }
    }
}

/// What a time is written like.
const TIME: &str = "a time, as in \"250 ms\", \"10 s\", \"1 min\", \"6 h\" or \"2 d\"";

/// A time in whole steps.
pub(super) fn steps(value: Value<'_>, grid_ms: u32) -> Result<u32, Told> {
    let ms = milliseconds(value)?;
    let grid = u64::from(grid_ms.max(1));
    if !ms.is_multiple_of(grid) {
        let grid = crate::show::time::lasting(i64::from(grid_ms) * 1_000);
        return Err(value.wrong(&format!("a whole number of steps of the grid, which are {grid} long")));
    }
    u32::try_from(ms / grid).map_err(|_| value.wrong("a shorter time: 32 bits count its steps"))
}

/// A time in milliseconds.
pub(super) fn milliseconds(value: Value<'_>) -> Result<u64, Told> {
    let text = value.is.as_str().ok_or_else(|| value.wrong(TIME))?;
    span_ms(text).ok_or_else(|| value.wrong(TIME))
}

/// `10 s`, `1.5 min`.
pub(crate) fn span_ms(text: &str) -> Option<u64> {
    let (number, unit) = Decimal::leading(text.trim())?;
    let unit = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    u64::try_from(number.times(unit).ok()?).ok()
}

/// The time that an amount is stated for, if it says so: the `6 h` of `20 mm/6 h`.
pub(super) fn stated_per(value: Value<'_>) -> Option<u64> {
    let (_, behind) = Decimal::leading(value.is.as_str()?.trim())?;
    split_per(behind.trim()).map(|(_, per)| per)
}

/// `%RH/min` as `%RH` and a minute.
fn split_per(text: &str) -> Option<(&str, u64)> {
    let (of, time) = text.rsplit_once('/')?;
    let time = time.trim();
    let ms = span_ms(time).or_else(|| span_ms(&format!("1 {time}")))?;
    (ms > 0).then(|| (of.trim(), ms))
}

/// How a rate's time is said: `min`, `6 h`.
pub(super) fn per_words(ms: u64) -> String {
    match ms {
        1_000 => "s".to_owned(),
        60_000 => "min".to_owned(),
        3_600_000 => "h".to_owned(),
        86_400_000 => "d".to_owned(),
        _ if ms.is_multiple_of(3_600_000) => format!("{} h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{} min", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("{} s", ms / 1_000),
        _ => format!("{ms} ms"),
    }
}

/// A share from 0 to 1 in hundredths, or from -1 on.
pub(super) fn hundredths(value: Value<'_>, least: i64) -> Result<i8, Told> {
    let expected = if least < 0 { "a weight from -1.00 to 1.00" } else { "a score from 0.00 to 1.00" };
    let number = number_text(value).and_then(Decimal::parse).and_then(|number| number.scaled(-2).ok());
    let number = number.filter(|number| (least..=100).contains(number));
    number.and_then(|number| i8::try_from(number).ok()).ok_or_else(|| value.wrong(expected))
}

/// The text of a number, or of an amount in quotes.
fn number_text<'t>(value: Value<'t>) -> Option<&'t str> {
    match value.is {
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str()),
        DeValue::Float(number) => Some(number.as_str()),
        DeValue::String(text) => Some(text),
        _ => None,
    }
}

fn is_unit(unit: &str, text: &str) -> bool {
    text == unit || text == display(unit)
}
