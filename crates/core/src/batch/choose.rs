//! Which encoding of a column is the smallest.

use super::predict::{Order, Predictor};
use super::rice;
use super::runs::Runs;
use super::source::{CHUNK, Source};
use super::split::Split;
use super::survey::{LENGTHS, Survey};
use crate::limits::SMALL;

/// How the numbers that a predictor leaves are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Rice { k: u32 },
    Runs(Runs),
    Packed { bound: u32 },
}

/// Everything about a column but its values.
pub(super) struct Plan {
    pub(super) split: Split,
    pub(super) rows: usize,
    pub(super) values: usize,
    pub(super) predictor: Predictor,
    pub(super) mode: Mode,
    /// What the values take, in half bits; an estimate where the column is long.
    pub(super) cost: u32,
}

/// What an exception takes beside its gap, in half bits: a new value, or the same again.
const NEW_EXCEPTION: u32 = 50;
const SAME_EXCEPTION: u32 = 6;

impl Plan {
    /// Looks at the whole column or at a sample of it; a plan made from a sample may not hold.
    pub(super) fn new(source: &mut dyn Source, count: usize, whole: bool) -> Self {
        let mut survey = Survey::NOTHING;
        survey.look(source, &Split::PLAIN, count, whole);
        let mut best = Self::of(&mut survey, Split::PLAIN);
        let (mut divisor, mut remainder) = survey.divisor();
        if let Some(value) = sentinel(source, &survey) {
            let split = Split { sentinel: Some(value), ..Split::PLAIN };
            survey.look(source, &split, count, true);
            if best.challenge(&mut survey, split, SAME_EXCEPTION) {
                (divisor, remainder) = survey.divisor();
            }
        }
        if divisor > 1 {
            let split = Split { divisor, remainder, ..best.split };
            survey.look(source, &split, count, true);
            best.challenge(&mut survey, split, NEW_EXCEPTION);
        }
        best
    }

    /// Becomes the plan with `split` if that is smaller, where each exception more takes `exception`.
    fn challenge(&mut self, survey: &mut Survey, split: Split, exception: u32) -> bool {
        let mut other = Self::of(survey, split);
        let more = self.values.saturating_sub(other.values) as u32;
        if more > 0 {
            let gap = rice::parameter(other.values as u32, more) + 1;
            other.cost += more * (exception + 2 * gap);
        }
        if split.divisor > 1 {
            other.cost += 4 * (7 + split.divisor.ilog2());
        }
        let wins = other.cost < self.cost;
        if wins {
            *self = other;
        }
        wins
    }

    fn of(survey: &mut Survey, split: Split) -> Self {
        let mut best = Self {
            split,
            rows: survey.rows,
            values: survey.values,
            predictor: Predictor { order: Order::Same, unsigned: false, before: survey.first, step: 0 },
            mode: Mode::Packed { bound: 0 },
            cost: if survey.values > 1 { u32::MAX } else { 0 },
        };
        let average = |order| survey.average(order);
        let averages = [average(Order::Base), average(Order::Same), average(Order::Step)];
        let least = averages[0].min(averages[1]).min(averages[2]);
        for order in [Order::Base, Order::Same, Order::Step] {
            // An order that leaves a bit more than another on the average is not worth a closer look.
            if averages[order as usize] <= least + 16 {
                best.try_order(survey, order);
            }
        }
        let bound = survey.max.abs_diff(survey.min);
        let predictor = Predictor { order: Order::Base, unsigned: true, before: survey.min, step: 0 };
        best.offer_packed(survey, predictor, bound, 0);
        best
    }

    fn try_order(&mut self, survey: &mut Survey, order: Order) {
        let mut predictor = Predictor { order, unsigned: false, before: survey.first, step: 0 };
        let mut header = 0;
        match order {
            Order::Base => predictor.before = survey.centre,
            Order::Same => predictor.unsigned = !survey.falls,
            Order::Step => {
                predictor.step = survey.second.wrapping_sub(survey.first);
                header = 2 * (7 + predictor.step.unsigned_abs().checked_ilog2().unwrap_or(0));
            }
        }
        let (values, seen) = (survey.values as u32, survey.seen);
        let all = &mut survey.lengths[order as usize];
        let zeros = if predictor.unsigned { all[0] } else { 0 };
        // Without its sign a number is one bit shorter.
        all[1] += zeros;
        let lengths = &all[usize::from(predictor.unsigned)..];
        let (k, cost) = best_rice(lengths);
        self.offer(predictor, Mode::Rice { k }, header + scaled(cost, values, seen) + 10);
        if u32::from(lengths[0]) * 8 > seen {
            let (runs, cost) = best_runs(lengths);
            self.offer(predictor, Mode::Runs(runs), header + scaled(cost + cost / 64, values, seen) + 20);
        }
        all[1] -= zeros;
        let bound = survey.most[order as usize] >> u32::from(predictor.unsigned);
        self.offer_packed(survey, predictor, bound, header);
    }

    fn offer_packed(&mut self, survey: &Survey, predictor: Predictor, bound: u32, header: u32) {
        let numbers = survey.values.saturating_sub(predictor.known()) as u32;
        let mut cost = header + packed_cost(bound, numbers);
        if !SMALL && (survey.seen as usize) < survey.values {
            // A sample seldom shows the largest number of those that thin out towards it; then another way is nearly as small, and
            // holds whatever comes. Where all numbers are as frequent, packing gains more than this.
            cost += cost / 16 + cost / 32;
        }
        self.offer(predictor, Mode::Packed { bound }, cost);
    }

    /// Whether a line that drifts off by `slant` over the whole column may be what costs most.
    pub(super) fn slants(&self, slant: u64) -> bool {
        let bits = self.cost / 2 / self.values.max(1) as u32;
        match self.predictor.order {
            Order::Base => slant >> bits.min(60) > 3,
            _ => slant > 1 && bits < 3,
        }
    }

    fn offer(&mut self, predictor: Predictor, mode: Mode, cost: u32) {
        if cost < self.cost {
            (self.predictor, self.mode, self.cost) = (predictor, mode, cost);
        }
    }
}

/// A value so far away from all others that it means "no value".
fn sentinel(source: &mut dyn Source, survey: &Survey) -> Option<i32> {
    let range = survey.max.abs_diff(survey.min);
    let far = 32 - range.leading_zeros();
    let steps = &survey.lengths[Order::Same as usize];
    // To and from a sentinel the steps are about as long as the range.
    if far < 4 + survey.average(Order::Same) / 16
        || survey.values < 8
        || steps[far as usize..].iter().all(|n| *n == 0)
    {
        return None;
    }
    let (mut low, mut high) = (survey.max, survey.min);
    let mut chunk = [0; CHUNK];
    source.rewind();
    loop {
        let filled = Split::PLAIN.fill(source, &mut chunk);
        if filled.rows == 0 {
            break;
        }
        for value in &chunk[..filled.values] {
            if *value > survey.min {
                low = low.min(*value);
            }
            if *value < survey.max {
                high = high.max(*value);
            }
        }
    }
    if low.abs_diff(survey.min) > range / 2 {
        Some(survey.min)
    } else if high.abs_diff(survey.max) > range / 2 {
        Some(survey.max)
    } else {
        None
    }
}

fn scaled(cost: u32, values: u32, seen: u32) -> u32 {
    if SMALL {
        // It saw all of them.
        return cost;
    }
    // Both are at most 4096, and the cost below 2^20.
    let factor = values * 256 / seen.max(1);
    cost / 16 * factor / 16 + cost % 16 * factor / 256
}

/// The quotient's part of a Rice code, in half bits, by how much longer than `k` a number is.
const QUOTIENTS: [u32; 5] = [2, 4, 7, 13, 25];

fn rice_cost(lengths: &[u16], k: u32) -> u32 {
    let mut cost = 0;
    for (n, length) in lengths.iter().zip(0u32..) {
        let one = match QUOTIENTS.get(length.saturating_sub(k) as usize) {
            Some(quotient) => quotient + 2 * k,
            None => 2 * (rice::ESCAPE + 33),
        };
        cost += u32::from(*n) * one;
    }
    cost
}

/// The best parameter, and what it costs in half bits.
fn best_rice(lengths: &[u16]) -> (u32, u32) {
    let lengths = &lengths[..=longest(lengths)];
    let numbers = lengths.iter().map(|n| u32::from(*n)).sum::<u32>();
    let mut best = (0, u32::MAX);
    // Escapes give the cost more than one minimum, so all are tried, up to where the remainders alone cost as much.
    for k in 0..lengths.len().min(32) as u32 {
        if numbers * (2 * k + 2) >= best.1 {
            break;
        }
        let cost = rice_cost(lengths, k);
        if cost < best.1 {
            best = (k, cost);
        }
    }
    best
}

fn longest(lengths: &[u16]) -> usize {
    lengths.iter().rposition(|n| *n > 0).unwrap_or(0)
}

fn best_runs(lengths: &[u16]) -> (Runs, u32) {
    let zeros = u32::from(lengths[0]);
    let others = lengths[1..].iter().map(|n| u32::from(*n)).sum::<u32>();
    // What ends a run is written less one, by which the smallest number of each length loses a bit.
    let mut ends = [0; LENGTHS];
    let ends = &mut ends[..lengths.len()];
    ends[1..].copy_from_slice(&lengths[1..]);
    for length in 1..ends.len() {
        let shrunk = ends[length] >> (length - 1).min(15);
        ends[length] -= shrunk;
        ends[length - 1] += shrunk;
    }
    let (value, values_cost) = best_rice(ends);
    let gap = rice::parameter(zeros, others + 1);
    let count = others + 1;
    let gaps_cost = count * (2 + 2 * gap) + 2 * (zeros >> gap) - (count - (count >> gap));
    (Runs { gap, value }, gaps_cost + values_cost)
}

/// In half bits, with the header.
fn packed_cost(bound: u32, numbers: u32) -> u32 {
    let width = 32 - bound.leading_zeros();
    if width == 0 {
        return 12;
    }
    // How many of the bound + 1 codes are short, in 1/256, if all are as frequent.
    let fine = width.saturating_sub(16);
    let codes = (bound >> fine) + 1;
    let short = (((1 << (width - fine)) - codes) << 8) / codes;
    numbers * width * 2 - numbers * short / 128 + 12 + 2 * (width - 1)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::super::bits::Writer;
    use super::super::packed::Packed;
    use super::*;

    /// What `write` makes of numbers, in bytes.
    fn size(write: impl FnOnce(&mut Writer<'_>)) -> u32 {
        let mut room = std::vec![0; 1 << 16];
        let mut out = Writer::new(&mut room);
        write(&mut out);
        let (len, fits) = out.finish();
        assert!(fits);
        len as u32
    }

    fn lengths(numbers: &[u32]) -> [u16; LENGTHS] {
        let mut lengths = [0; LENGTHS];
        numbers.iter().for_each(|n| lengths[(32 - n.leading_zeros()) as usize] += 1);
        lengths
    }

    fn in_rice(numbers: &[u32], k: u32) -> u32 {
        size(|out| numbers.iter().for_each(|n| rice::put(out, *n, k)))
    }

    fn in_runs(numbers: &[u32], runs: Runs) -> u32 {
        size(|out| {
            let mut zeros = 0;
            runs.put(out, &mut zeros, numbers);
            runs.finish(out, zeros);
        })
    }

    /// An estimate in half bits, beside what it is in bytes.
    fn is_near(estimate: u32, bytes: u32, words: &str) {
        assert!(
            estimate.abs_diff(bytes * 16) <= bytes * 16 / 8 + 64,
            "{words}: {estimate} half bits, {bytes} bytes"
        );
    }

    /// Numbers that are zero in so many of 64 cases, else about so many bits long.
    fn sparse(seed: u32, zeros: u32, bits: u32) -> Vec<u32> {
        let mut state = seed;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let number = |chance: u32, value: u32, thin: u32| match chance % 64 < zeros {
            true => 0,
            false => 1 + (value >> (32 - bits)) / (1 + thin % 4),
        };
        (0..4_000).map(|_| number(next(), next(), next())).collect()
    }

    /// The survey knows only how long numbers are: what it chooses is nearly as small as the best there is, and of about the size that it expects.
    #[test]
    fn the_parameters_are_nearly_the_best() {
        for (seed, zeros) in (1..).zip([8, 24, 40, 52, 58, 61, 63]) {
            for bits in [1, 2, 3, 5, 8, 12] {
                let numbers = sparse(seed * 77_777 + bits, zeros, bits);
                let lengths = lengths(&numbers);
                let words = std::format!("{zeros} of 64 are zero, the others {bits} bits");

                let (k, cost) = best_rice(&lengths);
                let (taken, best) =
                    (in_rice(&numbers, k), (0..16).map(|k| in_rice(&numbers, k)).min().unwrap());
                assert!(taken * 100 <= best * 103, "{words}: {taken} bytes in Rice codes, {best} can be");
                is_near(cost, taken, &words);

                let (runs, cost) = best_runs(&lengths);
                let all = (0..12).flat_map(|gap| (0..14).map(move |value| Runs { gap, value }));
                let (taken, best) =
                    (in_runs(&numbers, runs), all.map(|r| in_runs(&numbers, r)).min().unwrap());
                assert!(taken * 100 <= best * 105, "{words}: {taken} bytes in runs, {best} can be");
                is_near(cost, taken, &words);
            }
        }
    }

    #[test]
    fn what_packing_takes_is_known() {
        for bound in [1, 2, 5, 6, 7, 100, 127, 128, 1_000, 65_535, 65_537, 1_000_000, u32::MAX] {
            let spread = |i: u64| (i * (u64::from(bound) + 1) / 3_000) as u32;
            let numbers: Vec<u32> = (0..3_000).map(spread).collect();
            let taken = size(|out| {
                Packed::new(bound).put_all(out, &numbers, 0);
            });
            is_near(packed_cost(bound, 3_000), taken, &std::format!("up to {bound}"));
        }
    }
}
