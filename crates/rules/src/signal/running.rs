//! How far a value is from what it usually is: a running mean and a running mean deviation.

use super::fixed::{Fixed, ratio, raw};
use crate::state::Plain;

/// Which way a deviation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Above the usual is positive, below it negative.
    Signed,
    /// How far, either way: never negative.
    Either,
}

/// The distance from the running mean, in 256ths of the running mean absolute deviation.
///
/// Both are exponentially weighted. No squares and no root, so integers give the same bits everywhere: the mean absolute
/// deviation is some 0.8 of the standard deviation for noise that is normal, and outliers pull less at it. What is
/// further out than [`TRUST`] deviations moves both only as far as that: an hour of fire is not learned as usual, and a
/// change that stays is learned in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// The mean follows with 1 / 2^shift a reading: 2^shift readings are its memory. At most 20.
    pub shift: u8,
    /// The deviation counts as at least so much, in the quantity's own scaled unit: the sensor's noise or its resolution.
    pub least: u32,
    /// How many readings make the first baseline; before, there is no deviation.
    pub warm: u16,
    /// Which way counts.
    pub way: Way,
}

/// How many mean deviations a reading may be out and still be believed in full.
pub const TRUST: i64 = 4;

/// 20 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usual {
    mean: Fixed,
    deviation: Fixed,
    readings: u16,
}

impl Usual {
    pub(crate) const NEW: Self =
        Self { mean: Fixed::from_raw(0), deviation: Fixed::from_raw(0), readings: 0 };

    /// How far out the value is; then it is learned.
    pub(crate) fn read(&mut self, running: &Running, value: i32) -> Option<i32> {
        if self.readings == 0 {
            self.mean = Fixed::from_raw(raw(value));
        }
        let warm = self.readings >= running.warm;
        let error = raw(value) - self.mean.raw();
        let least = i64::from(running.least.max(1)) << super::fixed::BITS;
        let deviation = self.deviation.raw().max(least);
        // While it learns its first readings it is a plain mean of them: one in n.
        let young = u32::from(self.readings).saturating_add(1).ilog2();
        let shift = u32::from(running.shift).min(20).min(young);
        let trusted = if warm { error.clamp(-TRUST * deviation, TRUST * deviation) } else { error };
        self.mean.follow(trusted, shift);
        let spread = trusted.abs() - self.deviation.raw();
        self.deviation.follow(spread, shift);
        self.readings = self.readings.saturating_add(1);
        let out = match running.way {
            Way::Signed => error,
            Way::Either => error.abs(),
        };
        warm.then(|| ratio(out, deviation))
    }
}

impl Plain for Usual {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.mean.put(out);
        self.deviation.put(out);
        self.readings.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self { mean: Plain::take(from)?, deviation: Plain::take(from)?, readings: Plain::take(from)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RUNNING: Running = Running { shift: 6, least: 2, warm: 64, way: Way::Signed };

    /// A sawtooth around 1,000 with a mean absolute deviation of 10.
    fn noise(i: i32) -> i32 {
        1_000 + (i * 7) % 41 - 20
    }

    fn learned() -> Usual {
        let mut usual = Usual::NEW;
        for i in 0..1_000 {
            usual.read(&RUNNING, noise(i));
        }
        usual
    }

    #[test]
    fn a_deviation_is_a_multiple_of_the_usual_one() {
        let out = learned().read(&RUNNING, 1_100).unwrap();
        assert!((256 * 8..256 * 12).contains(&out), "100 is about ten times 10: {}", out as f32 / 256.0);
        let below = learned().read(&RUNNING, 900).unwrap();
        assert!((-256 * 12..-256 * 8).contains(&below), "{below}");
        let either = Running { way: Way::Either, ..RUNNING };
        assert_eq!(learned().read(&either, 900), Some(-below));
    }

    #[test]
    fn a_short_outburst_is_not_learned_and_a_new_normal_is() {
        let mut usual = learned();
        for _ in 0..5 {
            usual.read(&RUNNING, 1_000_000);
        }
        let still = usual.read(&RUNNING, 1_100).unwrap();
        assert!(still > 256 * 3, "five absurd readings blind it: {still}");
        for i in 0..1_000 {
            usual.read(&RUNNING, noise(i) + 300);
        }
        let settled = usual.read(&RUNNING, 1_300).unwrap();
        assert!(settled.abs() < 256 * 4, "it never learns: {settled}");
    }

    #[test]
    fn no_word_before_it_is_warm() {
        let mut usual = Usual::NEW;
        assert!((0..64).all(|i| usual.read(&RUNNING, i).is_none()));
        assert!(usual.read(&RUNNING, 0).is_some());
    }

    proptest! {
        /// Any values: no overflow, either way is never negative, and the mean stays among the values.
        #[test]
        fn any_values(values in prop::collection::vec(any::<i32>(), 1..200), shift in 0u8..=20, warm in 0u16..9) {
            let running = Running { shift, least: 1, warm, way: Way::Either };
            let mut usual = Usual::NEW;
            for &value in &values {
                prop_assert!(usual.read(&running, value).is_none_or(|out| out >= 0));
                let mean = usual.mean.raw() >> super::super::fixed::BITS;
                let (least, most) = (values.iter().min().unwrap(), values.iter().max().unwrap());
                prop_assert!((i64::from(*least)..=i64::from(*most)).contains(&mean));
            }
        }
    }
}
