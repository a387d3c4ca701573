//! Decimal text to scaled integers, exactly: no floating point number is between.

/// A number as it was written: `digits` times ten to the power of `exponent`, without zeros at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: i128,
    exponent: i32,
}

/// Why a number is no whole number of a scale's last digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It has more digits than the scale keeps.
    Finer,
    /// It is too large.
    Larger,
}

/// More digits than any quantity has; an i128 has room for them.
const DIGITS: usize = 30;

impl Decimal {
    /// Reads `-12`, `3.50`, `.5` or `1.2e-3`; none for anything else, `inf` and `nan` included.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (number, rest) = Self::leading(text)?;
        rest.is_empty().then_some(number)
    }

    /// The number at the beginning of a text, and what stands behind it.
    pub(super) fn leading(text: &str) -> Option<(Self, &str)> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, rest) = digits(unsigned);
        let (part, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
        if whole.is_empty() && part.is_empty() {
            return None;
        }
        let (power, rest) = power(rest);
        let all = format!("{whole}{part}");
        let shown = all.trim_end_matches('0');
        if shown.trim_start_matches('0').len() > DIGITS {
            return None;
        }
        let magnitude = shown.bytes().fold(0i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        let dropped = i64::try_from(all.len() - shown.len()).ok()?;
        let exponent = i64::from(power?) + dropped - i64::try_from(part.len()).ok()?;
        let exponent = if magnitude == 0 { 0 } else { i32::try_from(exponent).ok()? };
        Some((Self { digits: if negative { -magnitude } else { magnitude }, exponent }, rest))
    }

    /// The number as so many of 10^scale.
    pub(super) fn scaled(self, scale: i8) -> Result<i64, Unfit> {
        let shift = i64::from(self.exponent) - i64::from(scale);
        if self.digits == 0 {
            return Ok(0);
        }
        // There is no zero at its end, so any digit below the last one counts.
        let power = u32::try_from(shift).map_err(|_| Unfit::Finer)?;
        let whole = 10i128.checked_pow(power).and_then(|ten| self.digits.checked_mul(ten));
        whole.and_then(|whole| i64::try_from(whole).ok()).ok_or(Unfit::Larger)
    }

    /// The number times a whole number, as a whole number.
    pub(super) fn times(self, factor: i64) -> Result<i64, Unfit> {
        let digits = self.digits.checked_mul(factor.into()).ok_or(Unfit::Larger)?;
        let (mut digits, mut exponent) = (digits, self.exponent);
        while digits != 0 && digits % 10 == 0 {
            (digits, exponent) = (digits / 10, exponent.saturating_add(1));
        }
        Self { digits, exponent }.scaled(0)
    }
}

/// The digits at the beginning, and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The power of ten at the beginning, 0 if there is none, and the rest; none for one that is out of all proportion.
fn power(text: &str) -> (Option<i32>, &str) {
    let Some(behind) = text.strip_prefix(['e', 'E']) else { return (Some(0), text) };
    let unsigned = behind.strip_prefix(['-', '+']).unwrap_or(behind);
    let (digits, rest) = digits(unsigned);
    if digits.is_empty() {
        // A unit that begins with an e.
        return (Some(0), text);
    }
    let power = digits.parse::<i32>().ok();
    (if behind.starts_with('-') { power.map(|power| -power) } else { power }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scaled(text: &str, scale: i8) -> Option<Result<i64, Unfit>> {
        Decimal::parse(text).map(|number| number.scaled(scale))
    }

    #[test]
    fn what_is_written_is_what_is_meant() {
        assert_eq!(scaled("54", -2), Some(Ok(5_400)));
        assert_eq!(scaled("-0.3", -1), Some(Ok(-3)));
        assert_eq!(scaled("1.50", -1), Some(Ok(15)));
        assert_eq!(scaled("12e2", 0), Some(Ok(1_200)));
        assert_eq!(scaled("1200", 2), Some(Ok(12)));
        assert_eq!(scaled("0.00", 2), Some(Ok(0)));
        assert_eq!(scaled("54.123", -2), Some(Err(Unfit::Finer)));
        assert_eq!(scaled("1250", 2), Some(Err(Unfit::Finer)));
        assert_eq!(scaled("1e19", 0), Some(Err(Unfit::Larger)));
        assert_eq!(scaled("1e999999999", 0), Some(Err(Unfit::Larger)));
        for text in ["", ".", "inf", "nan", "1.2.3", "1_0", "0x1", "1e99999999999", "5 °C"] {
            assert_eq!(scaled(text, 0), None, "{text}");
        }
        assert_eq!(Decimal::leading("5em"), Some((Decimal { digits: 5, exponent: 0 }, "em")));
        assert_eq!(Decimal::parse("1.6").map(|number| number.times(1_000)), Some(Ok(1_600)));
        assert_eq!(Decimal::parse("2.5").map(|number| number.times(60_000)), Some(Ok(150_000)));
    }

    proptest! {
        /// A scaled integer, written out with its decimals, is read as itself: also where a double would not hold it.
        #[test]
        fn exact(raw in -999_999_999_999_999_999i64..=999_999_999_999_999_999, places in 0u32..=18) {
            let unit = 10i64.pow(places);
            let sign = if raw < 0 { "-" } else { "" };
            let (whole, part) = (raw.unsigned_abs() / unit.unsigned_abs(), raw.unsigned_abs() % unit.unsigned_abs());
            let text = format!("{sign}{whole}.{part:0>width$}", width = places as usize);
            let text = text.strip_suffix('.').filter(|_| places == 0).unwrap_or(&text);
            let text = if places == 0 { text.split('.').next().unwrap() } else { text };
            prop_assert_eq!(scaled(text, -(places as i8)), Some(Ok(raw)), "{}", text);
        }

        #[test]
        fn any_text(text in "[-+]?[0-9]{0,40}\\.?[0-9]{0,40}([eE][-+]?[0-9]{0,12})?", scale: i8, factor: i64) {
            if let Some(number) = Decimal::parse(&text) {
                let _ = (number.scaled(scale), number.times(factor));
            }
        }
    }
}
