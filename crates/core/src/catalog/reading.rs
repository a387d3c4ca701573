//! One value of one quantity, as the wire and the rules see it: an integer at the quantity's scale.

use super::{Fault, Quantity};
use crate::batch::Cell;

/// One value of one quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The quantity's id in the device's catalogue.
    pub quantity: u16,
    /// The scaled integer, or why there is none.
    pub cell: Cell,
}

/// A Rust type that a quantity can measure in.
pub trait Measure: Copy {
    /// The value as an integer at `scale` (value = integer x 10^scale), or why there is none.
    fn to_cell(self, scale: i8) -> Cell;
}

impl<T: Measure> Quantity<T> {
    /// This quantity's value at one instant. Out of range, not a number and infinities become a [`Fault`].
    pub fn is(&self, value: T) -> Reading {
        let entry = self.entry();
        let cell = match value.to_cell(entry.scale) {
            Cell::Value(v) if v < entry.low => Cell::Fault(Fault::TOO_LOW.0),
            Cell::Value(v) if v > entry.high => Cell::Fault(Fault::TOO_HIGH.0),
            cell => cell,
        };
        Reading { quantity: entry.id, cell }
    }

    /// This quantity could not be measured.
    pub fn fault(&self, fault: Fault) -> Reading {
        Reading { quantity: self.entry().id, cell: Cell::Fault(fault.0) }
    }
}

impl Measure for f64 {
    fn to_cell(self, scale: i8) -> Cell {
        if self.is_nan() {
            return Cell::Fault(Fault::NOT_A_NUMBER.0);
        }
        let mut scaled = self;
        for _ in 0..scale.unsigned_abs().min(18) {
            scaled = if scale < 0 { scaled * 10.0 } else { scaled / 10.0 };
        }
        if scaled < -2_147_483_648.5 {
            return Cell::Fault(Fault::TOO_LOW.0);
        }
        if scaled > 2_147_483_647.5 {
            return Cell::Fault(Fault::TOO_HIGH.0);
        }
        // Round half to even, without a math library.
        let floor = { if (scaled as i64) as f64 > scaled { scaled as i64 - 1 } else { scaled as i64 } };
        let fraction = scaled - floor as f64;
        let up = fraction > 0.5 || (fraction == 0.5 && floor & 1 == 1);
        integer(floor + i64::from(up))
    }
}

impl Measure for f32 {
    fn to_cell(self, scale: i8) -> Cell {
        // Exact: every f32 is an f64. 23.45f32 is 23.450000762..., which rounds to 2345 at scale -2.
        f64::from(self).to_cell(scale)
    }
}

impl Measure for i32 {
    fn to_cell(self, scale: i8) -> Cell {
        let mut scaled = i64::from(self);
        for _ in 0..scale.unsigned_abs().min(10) {
            scaled = if scale < 0 { scaled.saturating_mul(10) } else { scaled / 10 };
        }
        integer(scaled)
    }
}

impl Measure for u32 {
    fn to_cell(self, scale: i8) -> Cell {
        match i32::try_from(self) {
            Ok(v) => v.to_cell(scale),
            Err(_) => f64::from(self).to_cell(scale),
        }
    }
}

impl Measure for u16 {
    fn to_cell(self, scale: i8) -> Cell {
        i32::from(self).to_cell(scale)
    }
}

impl Measure for bool {
    fn to_cell(self, _: i8) -> Cell {
        Cell::Value(i32::from(self))
    }
}

fn integer(v: i64) -> Cell {
    match i32::try_from(v) {
        Ok(v) => Cell::Value(v),
        Err(_) if v < 0 => Cell::Fault(Fault::TOO_LOW.0),
        Err(_) => Cell::Fault(Fault::TOO_HIGH.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_to_even_and_names_what_cannot_be_said() {
        const T: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2).range(-4000, 8500);
        assert_eq!(T.is(23.45).cell, Cell::Value(2345));
        assert_eq!(T.is(-0.125).cell, Cell::Value(-12));
        assert_eq!(T.is(0.375).cell, Cell::Value(38));
        assert_eq!(T.is(f32::NAN).cell, Cell::Fault(Fault::NOT_A_NUMBER.0));
        assert_eq!(T.is(f32::INFINITY).cell, Cell::Fault(Fault::TOO_HIGH.0));
        assert_eq!(T.is(f32::NEG_INFINITY).cell, Cell::Fault(Fault::TOO_LOW.0));
        assert_eq!(T.is(90.0).cell, Cell::Fault(Fault::TOO_HIGH.0));
        assert_eq!(T.is(-41.0).cell, Cell::Fault(Fault::TOO_LOW.0));
        assert_eq!((i32::MAX as f64).to_cell(0), Cell::Value(i32::MAX));
        assert_eq!((i32::MIN as f64).to_cell(0), Cell::Value(i32::MIN));
        assert_eq!(7i32.to_cell(-2), Cell::Value(700));
        assert_eq!(u32::MAX.to_cell(0), Cell::Fault(Fault::TOO_HIGH.0));
        assert_eq!(u32::MAX.to_cell(3), Cell::Value(4_294_967));
    }
}
