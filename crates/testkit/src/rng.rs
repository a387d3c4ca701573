//! Seeded random numbers that print their seed.

use crate::require::announce;
use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;

/// A small deterministic generator: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014). For tests, never for keys.
#[derive(Clone, Debug)]
pub struct Rng {
    seed: u64,
    state: u64,
}

impl Rng {
    /// The generator that gives the same numbers for the same `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// Takes the seed from environment variable `name` (decimal, or hexadecimal after `0x`), or draws one, and
    /// prints the line with which the run can be repeated.
    ///
    /// # Panics
    /// When the variable is set and is no number, since a run with another seed would prove nothing.
    pub fn from_env_or_random(name: &str) -> Self {
        let seed = match std::env::var(name) {
            Ok(text) => parse(&text)
                .unwrap_or_else(|| panic!("{name} is {text:?}; expected a number such as 42 or 0x2a")),
            Err(_) => std::hash::RandomState::new().build_hasher().finish(),
        };
        announce(&format!("seed: {name}={seed}"));
        Self::new(seed)
    }

    /// The seed that this generator started from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A generator for one part of a test, independent of how many numbers the other parts draw.
    pub fn fork(&self, part: u64) -> Self {
        let mut other = Self::new(self.seed ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
        let seed = other.next_u64();
        Self::new(seed)
    }

    /// Any number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `range`, which must not be empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        assert!(range.start < range.end, "an empty range holds no number");
        let width = u128::from(range.end - range.start);
        // The high half of a 64x64 product maps evenly but for a bias below width / 2^64.
        range.start + ((u128::from(self.next_u64()) * width) >> 64) as u64
    }

    /// True once in `n` times on average.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.within(0..n) == 0
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.within(0..items.len() as u64) as usize]
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_published_numbers() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!(rng.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn numbers_stay_within_their_range_and_reach_both_ends() {
        let mut rng = Rng::new(7);
        let seen: std::collections::BTreeSet<u64> = (0..500).map(|_| rng.within(3..8)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_fork_does_not_depend_on_what_was_drawn_before() {
        let mut rng = Rng::new(9);
        let before = rng.fork(1).next_u64();
        rng.next_u64();
        assert_eq!(rng.fork(1).next_u64(), before);
        assert_ne!(rng.fork(2).next_u64(), before);
    }

    #[test]
    fn bytes_that_are_no_multiple_of_eight_are_filled() {
        let mut bytes = [0; 11];
        Rng::new(3).fill(&mut bytes);
        assert!(bytes[8..].iter().any(|byte| *byte != 0));
    }

    #[test]
    fn seeds_are_read_in_both_notations() {
        assert_eq!(parse("42"), Some(42));
        assert_eq!(parse("0x2a"), Some(42));
        assert_eq!(parse("forty-two"), None);
    }
}
