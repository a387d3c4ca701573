//! Decimal text to whole numbers, exactly.

/// A number as it was written: sign, digits on both sides of the point, power of ten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i32,
}

/// A number times a power of ten, rounded to a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scaled {
    pub(super) value: i64,
    /// False where digits were rounded away.
    pub(super) exact: bool,
}

impl<'a> Decimal<'a> {
    /// Reads `-12`, `3.50`, `.5`, `7.` or `1.2e-3`; `None` for anything else, "inf" and "NaN" included.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, parse_exponent(power)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = whole.bytes().chain(fraction.bytes());
        if whole.len() + fraction.len() == 0 || !digits.clone().all(|d| d.is_ascii_digit()) {
            return None;
        }
        Some(Self { negative, whole, fraction, exponent })
    }

    /// How many decimals it shows, without trailing zeros.
    pub(super) fn decimals(&self) -> u32 {
        let fraction = self.fraction.trim_end_matches('0');
        if fraction.is_empty() && self.whole.trim_start_matches('0').is_empty() {
            return 0;
        }
        let shown = i64::try_from(fraction.len()).unwrap_or(i64::MAX) - i64::from(self.exponent);
        u32::try_from(shown.max(0)).unwrap_or(u32::MAX)
    }

    /// The number times 10^`places`, half-way cases to the even neighbour; `None` beyond 18 digits.
    pub(super) fn scaled(&self, places: i32) -> Option<Scaled> {
        let digits = || self.whole.bytes().chain(self.fraction.bytes()).map(|d| i64::from(d - b'0'));
        // Digits before `cut` make the whole number, those after it only decide the rounding.
        let cut = i64::try_from(self.whole.len()).ok()? + i64::from(self.exponent) + i64::from(places);
        let mut value: i64 = 0;
        let (mut half, mut beyond) = (0, false);
        let mut seen: i64 = 0;
        for digit in digits() {
            if seen < cut {
                value = append(value, digit)?;
            } else if seen == cut {
                half = digit;
            } else {
                beyond |= digit != 0;
            }
            seen += 1;
        }
        if cut < 0 {
            // The first digit lies below the tenth that decides, so the number is less than a half.
            beyond |= half != 0;
            half = 0;
            beyond |= digits().any(|d| d != 0);
        }
        if value != 0 {
            for _ in seen..cut {
                value = append(value, 0)?;
            }
        }
        let up = half > 5 || (half == 5 && (beyond || value % 2 == 1));
        let value = value + i64::from(up);
        Some(Scaled { value: if self.negative { -value } else { value }, exact: half == 0 && !beyond })
    }
}

/// Appends a digit, as long as 18 digits are not exceeded.
fn append(value: i64, digit: i64) -> Option<i64> {
    (value < 100_000_000_000_000_000).then(|| value * 10 + digit)
}

/// The power of ten; one that is out of all proportion is cut, which changes neither "zero" nor "too large".
fn parse_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|d| d.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i32>().unwrap_or(i32::MAX).min(10_000);
    Some(if text.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scaled(text: &str, places: i32) -> Option<(i64, bool)> {
        let scaled = Decimal::parse(text)?.scaled(places)?;
        Some((scaled.value, scaled.exact))
    }

    #[test]
    fn keeps_every_digit_that_the_scale_has_room_for() {
        assert_eq!(scaled("23.45", 2), Some((2345, true)));
        assert_eq!(scaled("-0.5", 1), Some((-5, true)));
        assert_eq!(scaled("1360.0", 0), Some((1360, true)));
        assert_eq!(scaled("295958.832", 3), Some((295_958_832, true)));
        assert_eq!(scaled("2.5e3", 1), Some((25_000, true)));
        assert_eq!(scaled("120", -1), Some((12, true)));
        assert_eq!(scaled("0", -5), Some((0, true)));
    }

    #[test]
    fn rounds_half_to_even_by_the_digits_alone() {
        assert_eq!(scaled("0.125", 2), Some((12, false)));
        assert_eq!(scaled("0.135", 2), Some((14, false)));
        assert_eq!(scaled("0.12500000000000000000000000000001", 2), Some((13, false)));
        assert_eq!(scaled("13.599999904633", 2), Some((1360, false)));
        assert_eq!(scaled("-1.5", 0), Some((-2, false)));
        assert_eq!(scaled("0.004", 1), Some((0, false)));
        assert_eq!(scaled("9", -2), Some((0, false)));
    }

    #[test]
    fn refuses_what_is_no_number_or_too_large() {
        for text in ["", ".", "-", "1,5", "0x10", "1.2.3", "1e", "e5", "inf", "NaN", "--1", "١"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
        assert_eq!(scaled("1e400", 0), None);
        assert_eq!(scaled("999999999999999999", 0), Some((999_999_999_999_999_999, true)));
        assert_eq!(scaled("923", 16), None);
        assert_eq!(scaled("0e400", 0), Some((0, true)));
        assert_eq!(scaled("1e-99999999999", 0), Some((0, false)));
    }

    #[test]
    fn counts_the_decimals_that_matter() {
        for (text, decimals) in [("1360.0", 0), ("23.450", 2), ("5e-3", 3), ("1.5e1", 0), ("0.000", 0)] {
            assert_eq!(Decimal::parse(text).unwrap().decimals(), decimals, "{text}");
        }
    }

    proptest! {
        /// Against the same sum done with 128-bit numbers.
        #[test]
        fn agrees_with_wide_integers(mantissa in -1_000_000_000_000i64..1_000_000_000_000, point in 0usize..9, places in 0u32..6) {
            let digits = format!("{:010}", mantissa.unsigned_abs());
            let (whole, fraction) = digits.split_at(digits.len() - point);
            let sign = if mantissa < 0 { "-" } else { "" };
            let text = format!("{sign}{whole}.{fraction}");
            let (top, bottom) = (i128::from(mantissa) * 10i128.pow(places), 10i128.pow(point as u32));
            let (quotient, rest) = (top.abs() / bottom, top.abs() % bottom);
            let up = rest * 2 > bottom || (rest * 2 == bottom && quotient % 2 == 1);
            let expected = (quotient + i128::from(up)) * top.signum();
            prop_assert_eq!(scaled(&text, places as i32), Some((i64::try_from(expected).unwrap(), rest == 0)));
        }

        #[test]
        fn never_panics(text in "[-+]?[0-9]{0,30}\\.?[0-9]{0,30}(e[-+]?[0-9]{0,12})?", places in -30i32..30) {
            let _ = scaled(&text, places);
        }
    }
}
