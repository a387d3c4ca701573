//! The regular values of one column, read in chunks.

use super::bits::Reader;
use super::packed::Packed;
use super::predict::{Order, Predictor};
use super::runs::{Progress, Runs};
use super::source::CHUNK;
use super::{DecodeError, number, rice};

#[derive(Clone, Copy)]
enum Numbers {
    Rice { k: u32 },
    Runs(Runs, Progress),
    Packed(Packed),
}

pub(super) struct Values {
    divisor: u32,
    remainder: u32,
    predictor: Predictor,
    /// How many of the header's values have not been given yet.
    known: usize,
    numbers: Numbers,
    left: usize,
}

impl Values {
    /// Reads the header of a column of `left` regular values.
    pub(super) fn new(bits: &mut Reader<'_>, left: usize) -> Result<Self, DecodeError> {
        let mut it = Self {
            divisor: 1,
            remainder: 0,
            predictor: Predictor { order: Order::Same, unsigned: false, before: 0, step: 0 },
            known: 1,
            numbers: Numbers::Rice { k: 0 },
            left,
        };
        if left == 0 {
            return Ok(it);
        }
        if bits.take(1) == 1 {
            it.divisor = number::take(bits) as u32;
            it.remainder = number::take(bits) as u32;
        }
        it.predictor.before = number::take_signed(bits);
        if left == 1 {
            return Ok(it);
        }
        let order = bits.take(3);
        it.predictor.order = match order & 3 {
            0 => Order::Base,
            1 => Order::Same,
            2 => Order::Step,
            _ => return Err(DecodeError::Malformed),
        };
        it.predictor.unsigned = order & 4 != 0;
        it.known = it.predictor.known();
        if it.predictor.order == Order::Step {
            it.predictor.step = number::take_signed(bits);
        }
        it.numbers = match bits.take(2) {
            0 => Numbers::Rice { k: bits.take(5) as u32 },
            1 => {
                let runs = Runs { gap: bits.take(5) as u32, value: bits.take(5) as u32 };
                Numbers::Runs(runs, Progress::default())
            }
            2 => Numbers::Packed(Packed::new(number::take(bits) as u32)),
            _ => return Err(DecodeError::Malformed),
        };
        Ok(it)
    }

    /// Fills `out`, which is not longer than a chunk, nor than what is left.
    pub(super) fn fill(&mut self, bits: &mut Reader<'_>, out: &mut [u32]) -> Result<(), DecodeError> {
        debug_assert!(out.len() <= CHUNK && out.len() <= self.left);
        let known = self.known.min(out.len());
        let (head, tail) = out.split_at_mut(known);
        for value in head {
            if self.known == 1 && self.predictor.order == Order::Step {
                self.predictor.before = self.predictor.before.wrapping_add(self.predictor.step);
            }
            self.known -= 1;
            *value = self.predictor.before as u32;
        }
        self.left -= known;
        match &mut self.numbers {
            Numbers::Rice { k } => rice::take_all(bits, *k, tail),
            Numbers::Runs(runs, at) => runs.take(bits, at, tail, self.left as u32)?,
            Numbers::Packed(packed) => packed.take_all(bits, tail),
        }
        self.left -= tail.len();
        if bits.overran() {
            return Err(DecodeError::Truncated);
        }
        self.predictor.restore(tail);
        if self.divisor != 1 {
            for value in out {
                *value = value.wrapping_mul(self.divisor).wrapping_add(self.remainder);
            }
        }
        Ok(())
    }
}
