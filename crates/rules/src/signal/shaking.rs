//! Short-term over long-term average: how seismologists pick the onset of an earthquake.

use super::fixed::{Fixed, ratio, raw};
use crate::state::Plain;

/// How much more the ground moves now than it usually does: the short-term average of the change from sample to sample
/// over the long-term one, in 256ths.
///
/// The classic trigger of Allen (Bulletin of the Seismological Society of America 68, 1978), with recursive averages.
/// The change from sample to sample takes away the sensor's offset and the slow swell of the sea, which is far larger
/// than the first wave of a distant earthquake and far slower.
///
/// It counts samples, so the sampling must be regular; after a gap it warms up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shaking {
    /// The short average has a memory of 2^short samples; about a second of them.
    pub short: u8,
    /// The long average has a memory of 2^long samples; about a minute or two of them. At most 15.
    pub long: u8,
    /// How many samples it needs before it says anything; at most 65,535.
    pub warm: u16,
    /// The long average counts as at least so much, in raw units: the sensor's own noise.
    pub least: u32,
}

/// 20 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Averages {
    short: Fixed,
    long: Fixed,
    samples: u16,
}

impl Averages {
    pub(crate) const NEW: Self = Self { short: Fixed::from_raw(0), long: Fixed::from_raw(0), samples: 0 };

    /// The ratio at this sample, where the last one was `before`.
    pub(crate) fn read(&mut self, shaking: &Shaking, before: i32, sample: i32) -> Option<i32> {
        let change = (raw(sample) - raw(before)).abs();
        let young = u32::from(self.samples).saturating_add(1).ilog2();
        let (short, long) = (u32::from(shaking.short).min(15), u32::from(shaking.long).min(15));
        self.short.follow(change - self.short.raw(), short.min(young));
        self.long.follow(change - self.long.raw(), long.min(young));
        if self.samples < shaking.warm {
            self.samples += 1;
            return None;
        }
        self.samples = self.samples.saturating_add(1);
        let least = i64::from(shaking.least.max(1)) << super::fixed::BITS;
        Some(ratio(self.short.raw(), self.long.raw().max(least)))
    }
}

impl Plain for Averages {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.short.put(out);
        self.long.put(out);
        self.samples.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self { short: Plain::take(from)?, long: Plain::take(from)?, samples: Plain::take(from)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::v1::*;

    const SHAKING: Shaking = Shaking { short: 5, long: 11, warm: 500, least: 1 };

    #[test]
    fn quiet_ground_is_about_one_and_an_onset_many() {
        let (mut averages, mut before) = (Averages::NEW, 5_000);
        let mut read = |sample| averages.read(&SHAKING, core::mem::replace(&mut before, sample), sample);
        let quiet = |i: i32| 5_000 + (i * 13) % 29;
        let rest: Vec<i32> = (0..4_000).filter_map(|i| read(quiet(i))).collect();
        assert!(
            rest.iter().all(|ratio| (150..400).contains(ratio)),
            "{:?}",
            (rest.iter().min(), rest.iter().max())
        );
        let onset: Vec<i32> = (0..40).filter_map(|i| read(quiet(i) + (i % 2) * 1_000)).collect();
        assert!(onset.iter().any(|ratio| *ratio > 256 * 10), "{onset:?}");
    }

    #[test]
    fn an_offset_or_a_slow_swell_is_not_shaking() {
        let (mut averages, mut before) = (Averages::NEW, 1_000_000);
        for i in 0..10_000i32 {
            // A swell of 200 samples and 100 times the noise.
            let phase = i % 200;
            let swell = if phase < 100 { phase } else { 200 - phase };
            let sample = 1_000_000 + swell * 20 + (i * 13) % 29;
            let ratio = averages.read(&SHAKING, before, sample);
            before = sample;
            assert!(ratio.is_none_or(|ratio| ratio < 512), "{ratio:?} at {i}");
        }
    }

    proptest! {
        #[test]
        fn any_samples(samples in prop::collection::vec(any::<i32>(), 1..300), short in 0u8..9, long in 0u8..=15) {
            let shaking = Shaking { short, long, warm: 3, least: 1 };
            let (mut averages, mut before) = (Averages::NEW, 0);
            for (i, sample) in samples.into_iter().enumerate() {
                let ratio = averages.read(&shaking, before, sample);
                before = sample;
                prop_assert_eq!(ratio.is_some(), i >= 3);
                prop_assert!(ratio.is_none_or(|ratio| ratio >= 0));
            }
        }
    }
}
