//! A made-up sensor: temperature and humidity of a room, as a random walk.

use catalog::{HUMIDITY, TEMPERATURE};
use sensock::{Reading, batch::Cell};

/// In the catalogue's steps: 0.01 Cel.
const WARMTH: Walk = Walk { home: 2_100, low: 500, high: 3_800, step: 12 };
/// In the catalogue's steps: 0.1 %RH.
const DAMP: Walk = Walk { home: 520, low: 150, high: 980, step: 6 };

/// A room's temperature and humidity, for ever: the quantities of [`catalog::CELLAR`].
///
/// Each reading differs a little from the one before and tends to come back to 21 °C and 52 %RH; warmer air is drier.
/// The same seed always gives the same readings.
#[derive(Debug, Clone)]
pub struct Synthetic {
    random: SplitMix,
    temperature: i32,
    humidity: i32,
}

impl Synthetic {
    /// A room of its own for each seed.
    pub fn new(seed: u64) -> Self {
        let mut random = SplitMix(seed);
        let temperature = WARMTH.home + random.within(400);
        let humidity = DAMP.home + random.within(150);
        Self { random, temperature, humidity }
    }

    /// The next readings, as one record: temperature, then humidity.
    pub fn sample(&mut self) -> [Reading; 2] {
        let before = self.temperature;
        self.temperature = WARMTH.next(before, self.random.within(WARMTH.step));
        // One degree more makes the same water about 6 % of its relative humidity less.
        let drier = (before - self.temperature) * self.humidity / 1_700;
        self.humidity = DAMP.next(self.humidity, self.random.within(DAMP.step) + drier);
        let reading = |quantity, value| Reading { quantity, cell: Cell::Value(value) };
        [reading(TEMPERATURE.entry().id, self.temperature), reading(HUMIDITY.entry().id, self.humidity)]
    }
}

/// A walk that is drawn home, the further away the harder, and does not leave its limits.
struct Walk {
    home: i32,
    low: i32,
    high: i32,
    step: i32,
}

impl Walk {
    fn next(&self, from: i32, step: i32) -> i32 {
        (from + (self.home - from) / 64 + step).clamp(self.low, self.high)
    }
}

/// SplitMix64, as in Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
#[derive(Debug, Clone)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A whole number from -`most` to `most`.
    fn within(&mut self, most: i32) -> i32 {
        let width = u64::from(most.unsigned_abs()) * 2 + 1;
        // Below `width`, which came from an i32.
        i32::try_from(self.next() % width).unwrap_or_default() - most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_room_and_another_seed_another() {
        let walk = |seed| {
            let mut room = Synthetic::new(seed);
            (0..1000).map(|_| room.sample()).collect::<Vec<_>>()
        };
        assert_eq!(walk(7), walk(7));
        assert_ne!(walk(7), walk(8));
    }

    #[test]
    fn a_room_wanders_but_never_jumps_and_stays_a_room() {
        let mut room = Synthetic::new(1);
        let mut before = room.sample();
        let (mut coldest, mut warmest) = (i32::MAX, i32::MIN);
        for _ in 0..100_000 {
            let now = room.sample();
            let [t, h, t0, h0] = [now[0], now[1], before[0], before[1]].map(|reading| match reading.cell {
                Cell::Value(value) => value,
                Cell::Fault(code) => panic!("a made-up sensor has no faults, but this is {code}"),
            });
            assert!((t - t0).abs() <= 60 && (h - h0).abs() <= 40, "{before:?} {now:?}");
            assert!((500..=3_800).contains(&t) && (150..=980).contains(&h), "{now:?}");
            (coldest, warmest) = (coldest.min(t), warmest.max(t));
            before = now;
        }
        assert!(warmest - coldest > 100, "{coldest} {warmest}");
    }

    #[test]
    fn the_generator_is_the_published_one() {
        // First outputs for seed 1234567, as given with the reference implementation.
        let mut random = SplitMix(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }
}
