//! A mean that is kept finer than the values it is a mean of.

use crate::divide::divided;
use crate::state::Plain;

/// A number with 24 fractional bits, kept in two words so that a state needs no padding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fixed {
    high: u32,
    low: u32,
}

/// The fractional bits.
pub(crate) const BITS: u32 = 24;

impl Fixed {
    /// Of raw 24-bit fractions.
    pub(crate) const fn from_raw(raw: i64) -> Self {
        Self { high: (raw >> 32) as u32, low: raw as u32 }
    }

    /// The raw 24-bit fractions.
    pub(crate) const fn raw(self) -> i64 {
        ((self.high as i64) << 32) | self.low as i64
    }

    /// Goes `error / 2^shift` of the way, rounded to nearest so that no sign is favoured.
    pub(crate) fn follow(&mut self, error: i64, shift: u32) {
        let half = if shift == 0 { 0 } else { 1i64 << (shift - 1) };
        let way = if error < 0 { -((-error + half) >> shift) } else { (error + half) >> shift };
        self.add(way);
    }

    /// Adds raw fractions; at the end of the range it stays there.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn add(&mut self, raw: i64) {
        *self = Self::from_raw(self.raw().saturating_add(raw));
    }
}

/// A whole value as raw fractions.
pub(crate) const fn raw(value: i32) -> i64 {
    (value as i64) << BITS
}

/// `part / whole` in 256ths, both as raw fractions, within i32; a whole of less than 2^-16 counts as that.
pub(crate) fn ratio(part: i64, whole: i64) -> i32 {
    clamp(divided(part, whole >> 8))
}

/// Into i32, the nearest where it does not fit.
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(crate) fn clamp(wide: i64) -> i32 {
    wide.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

impl Plain for Fixed {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.high.put(out);
        self.low.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self { high: Plain::take(from)?, low: Plain::take(from)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn raw_survives(raw: i64) {
            prop_assert_eq!(Fixed::from_raw(raw).raw(), raw);
        }

        /// Following a constant ends within a millionth of it, from any start, and never runs past it.
        #[test]
        fn following_arrives(from in -1_000_000i32..1_000_000, to in -1_000_000i32..1_000_000) {
            let mut mean = Fixed::from_raw(raw(from));
            for _ in 0..400 {
                let error = raw(to) - mean.raw();
                mean.follow(error, 3);
                let rest = raw(to) - mean.raw();
                prop_assert!(rest.abs() <= error.abs() && rest.signum() * error.signum() >= 0);
            }
            prop_assert!((raw(to) - mean.raw()).abs() < 16);
        }
    }
}
