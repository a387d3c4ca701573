//! The readings of one hour or one day, while it lasts.

use super::fixed::Fixed;
use crate::state::Plain;

/// What is collected of the present hour or day: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gathered {
    /// The values' sum.
    pub(super) sum: Fixed,
    /// The sum of their distances from what they are compared with.
    pub(super) spread: Fixed,
    /// Which hour or day it is, counted from 1970.
    pub(super) period: u32,
    /// How many there are.
    pub(super) readings: u32,
}

impl Gathered {
    /// Nothing of that hour or day.
    pub(super) const fn new(period: u32) -> Self {
        Self { sum: Fixed::from_raw(0), spread: Fixed::from_raw(0), period, readings: 0 }
    }

    /// One more value, and how far it is out.
    pub(super) fn add(&mut self, value: i32, error: i64) {
        self.sum.add(value.into());
        self.spread.add(error.abs());
        self.readings = self.readings.saturating_add(1);
    }
}

impl Plain for Gathered {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.sum.put(out);
        self.spread.put(out);
        self.period.put(out);
        self.readings.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self {
            sum: Plain::take(from)?,
            spread: Plain::take(from)?,
            period: Plain::take(from)?,
            readings: Plain::take(from)?,
        })
    }
}
