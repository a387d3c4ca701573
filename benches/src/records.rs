//! Temperature and humidity of a cellar, made up: a drifting walk in steps of 0.01, once a second, give or take 5 ms.
//!
//! In steps of 0.01, with `U[a,b]` a whole number and `U(a,b)` a real one, each drawn evenly:
//! ```text
//! drift = 0.98 drift + U(-0.5,0.5)      T += trunc(drift) + U[-2,2]      RH += U[-4,4]
//! tick of record i = 1000 + 1000 i + (U[-5,5] + U[-5,5]) / 2, halves downwards
//! ```

use sensock::{Catalog, Quantity};
use serde::{Deserialize, Serialize};

/// Air temperature, in steps of 0.01 °C.
pub const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
/// Relative humidity, in steps of 0.01 %RH.
pub const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-2);
/// What the cellar's device says of itself.
pub static CELLAR: Catalog<'static> =
    Catalog::new("bench 1", &[TEMPERATURE.entry(), HUMIDITY.entry()], &[], &[]);

/// One instant, as plain numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plain {
    /// Milliseconds since boot.
    pub tick: u64,
    /// °C.
    pub temperature: f32,
    /// %RH.
    pub humidity: f32,
}

/// What one would write without a library: 15 bytes of postcard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which device.
    pub id: u16,
    /// Milliseconds since 1970.
    pub ts: u64,
    /// °C.
    pub temperature: f32,
    /// %RH.
    pub humidity: f32,
}

impl Row {
    /// The id that every row has: for ours it is the connection's affair.
    pub const ID: u16 = 3;
    /// When the made-up device booted.
    pub const BOOTED: u64 = 1_700_000_000_000;
}

impl From<Plain> for Row {
    fn from(r: Plain) -> Row {
        Row { id: Row::ID, ts: Row::BOOTED + r.tick, temperature: r.temperature, humidity: r.humidity }
    }
}

/// So many records, the same in each run: the [`series`] of seed 1.
pub fn records(count: usize) -> Vec<Plain> {
    series(1, count)
}

/// So many records of the series that this seed makes.
pub fn series(seed: u64, count: usize) -> Vec<Plain> {
    let mut random = Random::new(seed);
    let (mut drift, mut temperature, mut humidity) = (0f64, 2_000i32, 5_600i32);
    (0..count as i64)
        .map(|i| {
            drift = 0.98 * drift + random.unit() - 0.5;
            temperature += drift.trunc() as i32 + random.around(2);
            humidity += random.around(4);
            let jitter = (random.around(5) + random.around(5)).div_euclid(2);
            Plain {
                tick: (1_000 + 1_000 * i + i64::from(jitter)).unsigned_abs(),
                temperature: temperature as f32 / 100.0,
                humidity: humidity as f32 / 100.0,
            }
        })
        .collect()
}

/// xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled".
struct Random(u64);

impl Random {
    /// Neighbouring seeds begin far apart, and none is zero.
    fn new(seed: u64) -> Self {
        Random((seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xd134_2543_de82_ef95) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A whole number from `-most` to `most`.
    fn around(&mut self, most: i32) -> i32 {
        let below = u64::from(most.unsigned_abs()) * 2 + 1;
        ((self.next() >> 33) % below) as i32 - most
    }

    /// From 0 to 1, 1 left out.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_plausible_and_the_same_in_each_run() {
        let made = records(1_000);
        assert_eq!(made, records(1_000));
        assert_ne!(made, series(2, 1_000));
        assert!(made.windows(2).all(|w| w[0].tick < w[1].tick));
        assert!(
            made.iter().all(|r| (-40.0..85.0).contains(&r.temperature) && (0.0..100.0).contains(&r.humidity))
        );
    }

    #[test]
    fn steps_are_spread_as_the_definition_says() {
        let made = series(3, 100_000);
        let step = |of: fn(&Plain) -> f32| {
            made.windows(2).map(|w| ((of(&w[1]) - of(&w[0])) * 100.0).round() as i32).collect::<Vec<_>>()
        };
        let share =
            |steps: &[i32], one: i32| steps.iter().filter(|s| **s == one).count() as f64 / steps.len() as f64;
        let humidity = step(|r| r.humidity);
        for one in -4..=4 {
            assert!((share(&humidity, one) - 1.0 / 9.0).abs() < 0.01, "{one}");
        }
        assert!(humidity.iter().all(|s| s.abs() <= 4));
        // The drift's standard deviation is 0.29 / sqrt(1 - 0.98²) = 1.45: trunc(drift) is 0 half of the time, and seldom beyond 5.
        let temperature = step(|r| r.temperature);
        let outside = temperature.iter().filter(|s| s.abs() > 2).count() as f64 / temperature.len() as f64;
        assert!((0.1..0.4).contains(&outside), "{outside}");
        let late: Vec<_> = (0..).zip(&made).map(|(i, r)| r.tick as i64 - 1_000 - 1_000 * i).collect();
        assert!(late.iter().all(|l| (-5..=5).contains(l)) && late.contains(&-5) && late.contains(&5));
    }
}
