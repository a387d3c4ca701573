//! The series that the figures are about: a cellar's slow walk, once a second, give or take some milliseconds.

use serde::{Deserialize, Serialize};

/// What one would send without a library.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub id: u16,
    /// Milliseconds.
    pub tick: u64,
    /// °C.
    pub temperature: f32,
    /// %RH.
    pub humidity: f32,
}

/// The same instant as the codec takes it: values in units of 0.01.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    pub tick: u64,
    pub values: [i32; 2],
}

impl Record {
    pub fn row(self) -> Row {
        let [temperature, humidity] = self.values.map(unscaled);
        Row { id: ID, tick: self.tick, temperature, humidity }
    }
}

/// Whose rows they are.
pub const ID: u16 = 3;

/// A value of scale -2 as the application reads it.
pub fn unscaled(value: i32) -> f32 {
    value as f32 / 100.0
}

/// Ticks as a clock has them that counts from 1970, which is what people put into such a struct: six bytes of varint.
const START: u64 = 1_760_000_000_000;

/// The temperature drifts and has a noise of ±2, the humidity walks in steps of up to ±4; the period is 1 s, with the
/// mean of two errors of ±5 ms.
pub fn series(seed: u64, count: usize) -> Vec<Record> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (mut drift, mut values) = (0.0, [2_345, 5_670]);
    let record = |index: u64| {
        drift = 0.98 * drift + random.unit() - 0.5;
        values[0] += drift as i32 + random.within(2);
        values[1] += random.within(4);
        let jitter = (random.within(5) + random.within(5)) / 2;
        Record { tick: (START + 1_000 * index).wrapping_add_signed(jitter.into()), values }
    };
    (0..count as u64).map(record).collect()
}

/// The xorshift64* generator of Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled".
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    /// From zero to below one.
    fn unit(&mut self) -> f64 {
        self.next() as f64 / (1u64 << 32) as f64
    }

    /// From `-most` to `most`, all as likely.
    fn within(&mut self, most: i32) -> i32 {
        (self.next() % (2 * most as u64 + 1)) as i32 - most
    }
}
