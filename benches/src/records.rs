//! Temperature and humidity of a cellar: a slow walk in the sensor's own steps, once a second, give or take 5 ms.

use sensock::{Catalog, Quantity};

/// Air temperature, in steps of 0.01 °C.
pub const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
/// Relative humidity, in steps of 0.1 %RH.
pub const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-1);
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

/// So many records, the same in each run.
pub fn records(count: usize) -> Vec<Plain> {
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = |below: u64| {
        // xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled".
        random ^= random >> 12;
        random ^= random << 25;
        random ^= random >> 27;
        (random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below
    };
    let (mut temperature, mut humidity) = (2_000i32, 560i32);
    (0..count as u64)
        .map(|i| {
            temperature += next(5) as i32 - 2;
            humidity += next(3) as i32 - 1;
            Plain {
                tick: 1_000 + i * 1_000 + next(11),
                temperature: temperature as f32 / 100.0,
                humidity: humidity as f32 / 10.0,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_plausible_and_the_same_in_each_run() {
        let made = records(1_000);
        assert_eq!(made, records(1_000));
        assert!(made.windows(2).all(|w| w[0].tick < w[1].tick));
        assert!(
            made.iter().all(|r| (-40.0..85.0).contains(&r.temperature) && (0.0..100.0).contains(&r.humidity))
        );
    }
}
