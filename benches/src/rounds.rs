//! Medians of interleaved rounds.
//!
//! Each round times every case once, one after the other, so that a slow minute of the machine slows all of them. A round's figure is the
//! median of short slices, which an interruption cannot move far; the result is the median of the rounds, with the least and the
//! greatest beside it.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How often, and how long each time.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    rounds: usize,
    slices: usize,
    slice: Duration,
}

/// What a call took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Time {
    /// Median of the rounds, in ns.
    pub median: f64,
    /// The fastest round, in ns.
    pub least: f64,
    /// The slowest round, in ns.
    pub most: f64,
}

impl Time {
    /// The same for one of so many.
    pub fn each(self, of: usize) -> Time {
        let of = of as f64;
        Time { median: self.median / of, least: self.least / of, most: self.most / of }
    }
}

impl Rounds {
    /// Five rounds of 21 slices of 1 ms.
    pub const FULL: Rounds = Rounds { rounds: 5, slices: 21, slice: Duration::from_millis(1) };
    /// Each function once: to see that it works.
    pub const ONCE: Rounds = Rounds { rounds: 1, slices: 1, slice: Duration::ZERO };

    /// By the command line, as criterion does: full only under `cargo bench`, and once if that is given `--test`.
    pub fn from_args() -> Rounds {
        let given = |flag| std::env::args().any(|arg| arg == flag);
        if given("--bench") && !given("--test") { Rounds::FULL } else { Rounds::ONCE }
    }

    /// Whether each function runs once.
    pub fn is_once(&self) -> bool {
        self.rounds == 1
    }

    /// Times all functions, in turns.
    pub fn run(&self, functions: &mut [&mut dyn FnMut()]) -> Vec<Time> {
        let mut found = vec![Vec::with_capacity(self.rounds); functions.len()];
        for _ in 0..self.rounds {
            for (function, found) in functions.iter_mut().zip(&mut found) {
                found.push(self.round(function));
            }
        }
        found.into_iter().map(time).collect()
    }

    fn round(&self, function: &mut dyn FnMut()) -> f64 {
        let mut slices: Vec<f64> = (0..self.slices).map(|_| self.slice(function)).collect();
        median(&mut slices)
    }

    /// Doubles the number of calls until they fill the slice, so that reading the clock costs next to nothing.
    fn slice(&self, function: &mut dyn FnMut()) -> f64 {
        let (mut calls, mut spent) = (1u32, Duration::ZERO);
        loop {
            let begun = Instant::now();
            for _ in 0..calls {
                black_box(&mut *function)();
            }
            let took = begun.elapsed();
            spent += took;
            if spent >= self.slice {
                return took.as_nanos() as f64 / f64::from(calls);
            }
            calls = calls.saturating_mul(2);
        }
    }
}

fn time(mut rounds: Vec<f64>) -> Time {
    let median = median(&mut rounds);
    let (least, most) = (rounds.first().copied(), rounds.last().copied());
    Time { median, least: least.unwrap_or(median), most: most.unwrap_or(median) }
}

/// Sorts; 0 of nothing.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_round_moves_the_most_and_not_the_median() {
        let found = time(vec![3.0, 1.0, 100.0, 2.0, 4.0]);
        assert_eq!((found.least, found.median, found.most), (1.0, 3.0, 100.0));
        assert_eq!(found.each(2).median, 1.5);
    }

    #[test]
    fn once_is_once() {
        let (mut first, mut second) = (0, 0);
        let found = Rounds::ONCE.run(&mut [&mut || first += 1, &mut || second += 1]);
        assert_eq!((found.len(), first, second), (2, 1, 1));
    }
}
