//! What a value leaves when its neighbours have been taken off it. All arithmetic wraps at 32 bits.

use super::row::{unzigzag, zigzag};

/// How many values before it predict the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// None: what is left is the distance from the base.
    Base,
    /// One: the same again.
    Same,
    /// Two: the same step again.
    Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Predictor {
    pub(super) order: Order,
    /// What is left is never negative, and is not zigzagged.
    pub(super) unsigned: bool,
    /// The base, or the value before.
    pub(super) before: i32,
    /// The step before.
    pub(super) step: i32,
}

impl Predictor {
    /// How many values at the start the header has instead.
    pub(super) fn known(&self) -> usize {
        self.order as usize
    }

    /// What is left of the next value, as [`Predictor::reduce`] has it: less flash where there is one loop for all orders.
    #[inline]
    pub(super) fn left(&mut self, value: i32) -> u32 {
        let step = value.wrapping_sub(self.before);
        let mut left = step;
        if self.order == Order::Step {
            left = step.wrapping_sub(self.step);
            self.step = step;
        }
        if self.order != Order::Base {
            self.before = value;
        }
        if self.unsigned { left as u32 } else { zigzag(left) }
    }

    /// What is left of each value.
    #[inline]
    pub(super) fn reduce(&mut self, values: &[i32], left: &mut [u32]) {
        match self.order {
            Order::Base => {
                for (value, left) in values.iter().zip(left.iter_mut()) {
                    *left = value.wrapping_sub(self.before) as u32;
                }
            }
            Order::Same => {
                for (value, left) in values.iter().zip(left.iter_mut()) {
                    *left = value.wrapping_sub(self.before) as u32;
                    self.before = *value;
                }
            }
            Order::Step => {
                for (value, left) in values.iter().zip(left.iter_mut()) {
                    let step = value.wrapping_sub(self.before);
                    *left = step.wrapping_sub(self.step) as u32;
                    self.before = *value;
                    self.step = step;
                }
            }
        }
        if !self.unsigned {
            for left in &mut left[..values.len()] {
                *left = zigzag(*left as i32);
            }
        }
    }

    /// The values again, in place.
    #[inline]
    pub(super) fn restore(&mut self, numbers: &mut [u32]) {
        if !self.unsigned {
            for number in &mut *numbers {
                *number = unzigzag(*number) as u32;
            }
        }
        match self.order {
            Order::Base => {
                for number in numbers {
                    *number = number.wrapping_add(self.before as u32);
                }
            }
            Order::Same => {
                for number in numbers {
                    self.before = self.before.wrapping_add(*number as i32);
                    *number = self.before as u32;
                }
            }
            Order::Step => {
                for number in numbers {
                    self.step = self.step.wrapping_add(*number as i32);
                    self.before = self.before.wrapping_add(self.step);
                    *number = self.before as u32;
                }
            }
        }
    }
}
