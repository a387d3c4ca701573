//! A look over a column, or over a sample of it: everything that the choice of its encoding needs.

use super::predict::Order;
use super::row::zigzag;
use super::source::{CHUNK, Source};
use super::split::{Split, divided};
use crate::limits::SMALL;

/// How many numbers of each length in bits, from none to 32.
pub(super) const LENGTHS: usize = 33;

/// The largest divisor.
const MOST: u32 = 1 << 20;

pub(super) struct Survey {
    pub(super) rows: usize,
    /// How many rows hold regular values.
    pub(super) values: usize,
    /// Of the values seen, as all that follows.
    pub(super) min: i32,
    pub(super) max: i32,
    /// The first values, for the header.
    pub(super) first: i32,
    pub(super) second: i32,
    /// Near the middle of the first chunk.
    pub(super) centre: i32,
    /// The greatest common divisor of all distances from the first value; zero if there are none.
    pub(super) common: u32,
    /// A divisor that most of the first values have in common, and their remainder; one or zero if none.
    pub(super) likely: (u32, u32),
    /// By [`Order`].
    pub(super) lengths: [[u16; LENGTHS]; 3],
    pub(super) seen: u32,
    /// The largest number seen, by [`Order`].
    pub(super) most: [u32; 3],
    /// Whether a value seen was below the one before it.
    pub(super) falls: bool,
}

impl Survey {
    // Zeros throughout: a chip need not keep it in flash.
    pub(super) const NOTHING: Self = Self {
        rows: 0,
        values: 0,
        min: 0,
        max: 0,
        first: 0,
        second: 0,
        centre: 0,
        common: 0,
        likely: (0, 0),
        lengths: [[0; LENGTHS]; 3],
        seen: 0,
        most: [0; 3],
        falls: false,
    };

    /// Looks at all rows, or, of many and if not told to look at the `whole`, at every second or eighth chunk. What it
    /// says of the other chunks then is a guess: that they hold no exceptions, and nothing out of bounds. A chip, which seldom has many,
    /// always looks at the whole.
    ///
    /// It does so in place, because a second survey would be a lot of stack for a small device.
    pub(super) fn look(&mut self, source: &mut dyn Source, split: &Split, count: usize, whole: bool) {
        let stride = match count / CHUNK {
            0..8 => 1,
            _ if whole || SMALL => 1,
            8..24 => 2,
            _ => 8,
        };
        *self = Self::NOTHING;
        let mut chunk = [0; CHUNK];
        let (mut before, mut step) = (0, 0);
        source.rewind();
        loop {
            let filled = split.fill(source, &mut chunk);
            if filled.rows == 0 {
                break;
            }
            let values = &chunk[..filled.values];
            self.rows += filled.rows;
            if let Some(last) = values.last() {
                if self.values == 0 {
                    self.begin(values);
                    step = self.second.wrapping_sub(self.first);
                    before = self.first.wrapping_sub(step);
                } else if self.values == 1 {
                    self.second = values[0];
                }
                self.values += values.len();
                if stride == 1 || self.seen == 0 {
                    let begins = self.seen == 0;
                    self.measure(values, before, step);
                    if begins {
                        // Values that the header has are no numbers.
                        self.lengths[Order::Same as usize][length(zigzag(step))] -= 1;
                        self.lengths[Order::Step as usize][0] -= values.len().min(2) as u16;
                    }
                } else if let [first, second, rest @ ..] = values {
                    self.measure(rest, *second, second.wrapping_sub(*first));
                }
                step = last.wrapping_sub(if values.len() > 1 { values[values.len() - 2] } else { before });
                before = *last;
            }
            if stride > 1 && filled.values == filled.rows {
                let unseen = (count - self.rows.min(count)).min((stride - 1) * CHUNK);
                source.skip(unseen);
                self.rows += unseen;
                self.values += unseen;
            }
        }
    }

    /// The average length in bits of what `order` leaves, in sixteenths.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn average(&self, order: Order) -> u32 {
        let sum: u32 =
            self.lengths[order as usize].iter().zip(0..).map(|(n, bits)| u32::from(*n) * bits).sum();
        sum * 16 / self.seen.max(1)
    }

    /// What regular values may be divided by, and the remainder: of all values, or else of most of the first.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn divisor(&self) -> (u32, u32) {
        match self.common {
            0 | 1 => self.likely,
            2..=MOST => (self.common, divided(self.first, self.common).1),
            _ => (1, 0),
        }
    }

    fn begin(&mut self, values: &[i32]) {
        self.first = values[0];
        (self.min, self.max) = (self.first, self.first);
        self.second = values.get(1).copied().unwrap_or(self.first);
        // Clamped, the distances of a chunk add up to less than 2^31.
        let distance = |value: &i32| value.wrapping_sub(self.first).clamp(-(1 << 25), 1 << 25);
        let sum: i32 = values.iter().map(distance).sum();
        self.centre = self.first.wrapping_add(sum / values.len() as i32);
        self.likely = likely_divisor(values);
    }

    /// One number that an order leaves.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn count(&mut self, order: Order, left: i32) {
        let (number, order) = (zigzag(left), order as usize);
        self.lengths[order][length(number)] += 1;
        self.most[order] = self.most[order].max(number);
    }

    fn measure(&mut self, values: &[i32], mut before: i32, mut step: i32) {
        if SMALL {
            for value in values {
                let next = value.wrapping_sub(before);
                self.count(Order::Base, value.wrapping_sub(self.centre));
                self.count(Order::Same, next);
                self.count(Order::Step, next.wrapping_sub(step));
                self.falls |= next < 0;
                self.min = self.min.min(*value);
                self.max = self.max.max(*value);
                self.common = common_divisor(self.common, value.abs_diff(self.first));
                (before, step) = (*value, next);
            }
            self.seen += values.len() as u32;
            return;
        }
        let [base, same, steps] = &mut self.lengths;
        for value in values {
            let next = value.wrapping_sub(before);
            let numbers = [value.wrapping_sub(self.centre), next, next.wrapping_sub(step)].map(zigzag);
            base[length(numbers[0])] += 1;
            same[length(numbers[1])] += 1;
            steps[length(numbers[2])] += 1;
            for (most, number) in self.most.iter_mut().zip(numbers) {
                *most = number.max(*most);
            }
            self.falls |= next < 0;
            before = *value;
            step = next;
        }
        for value in values {
            self.min = self.min.min(*value);
            self.max = self.max.max(*value);
        }
        if self.common != 1 {
            for value in values {
                self.common = common_divisor(self.common, value.abs_diff(self.first));
            }
        }
        self.seen += values.len() as u32;
    }
}

#[cfg_attr(not(target_pointer_width = "32"), inline)]
#[cfg_attr(target_pointer_width = "32", inline(never))]
fn length(number: u32) -> usize {
    if SMALL {
        return (u32::BITS - number.leading_zeros()) as usize;
    }
    (u64::from(number) << 1 | 1).ilog2() as usize
}

#[cfg_attr(target_pointer_width = "32", inline(never))]
fn common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A majority vote among the steps between values.
fn likely_divisor(values: &[i32]) -> (u32, u32) {
    let (mut divisor, mut votes, mut asked, mut witness) = (0, 0u32, 0u32, 0);
    for pair in values.windows(2) {
        let step = pair[1].abs_diff(pair[0]);
        if step == 0 {
            continue;
        }
        asked += 1;
        let shared = common_divisor(step, divisor);
        if shared > 1 {
            (divisor, votes, witness) = (shared, votes + 1, pair[1]);
        } else if votes > 0 {
            votes -= 1;
        } else {
            (divisor, votes) = (step, 1);
        }
    }
    if asked < 8 || votes * 8 < asked * 5 || !(3..=MOST).contains(&divisor) {
        return (1, 0);
    }
    (divisor, divided(witness, divisor).1)
}
