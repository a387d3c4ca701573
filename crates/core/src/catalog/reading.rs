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
        // In integers, taken apart as IEEE 754 says: firmware without a floating-point unit would link some 3 KB for the same in
        // doubles. 23.45f32 is 23.450000762..., which rounds to 2345 at scale -2.
        let (bits, negative) = (self.to_bits(), self.is_sign_negative());
        let (exponent, fraction) = ((bits >> 23 & 0xff) as i32, bits & 0x7f_ffff);
        match (exponent, fraction) {
            (0xff, 0) if negative => Cell::Fault(Fault::TOO_LOW.0),
            (0xff, 0) => Cell::Fault(Fault::TOO_HIGH.0),
            (0xff, _) => Cell::Fault(Fault::NOT_A_NUMBER.0),
            (0, _) => rounded(negative, fraction, -149, scale),
            _ => rounded(negative, fraction | 1 << 23, exponent - 150, scale),
        }
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
            Err(_) => rounded(false, self, 0, scale),
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

/// `mantissa` x 2^`exponent` as an integer at `scale`, rounded half to even.
fn rounded(negative: bool, mantissa: u32, mut exponent: i32, scale: i8) -> Cell {
    let mut m = u64::from(mantissa);
    // 10 is 5 x 2, and the 2 is the exponent's. The lowest bit also stands for all that was below it.
    for _ in 0..scale.unsigned_abs().min(18) {
        if scale < 0 {
            if m >> 61 != 0 {
                m = m >> 3 | u64::from(m & 7 != 0);
                exponent += 3;
            }
            m *= 5;
            exponent += 1;
        } else {
            let room = m.leading_zeros().min(63);
            m <<= room;
            m = (m / 5) | u64::from(!m.is_multiple_of(5));
            exponent -= room as i32 + 1;
        }
    }
    let magnitude = match exponent {
        0.. if m == 0 => 0,
        0.. if m.leading_zeros() < 31 + exponent as u32 => u64::MAX,
        0.. => m << exponent,
        -64..0 => {
            let whole = m.checked_shr(exponent.unsigned_abs()).unwrap_or(0);
            let rest = m << (64 + exponent);
            let half = 1 << 63;
            whole + u64::from(rest > half || rest == half && whole & 1 == 1)
        }
        _ => 0,
    };
    let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
    integer(if negative { -magnitude } else { magnitude })
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
        assert_eq!(3_000_000_500u32.to_cell(3), Cell::Value(3_000_000), "half to even");
        assert_eq!(0.5f32.to_cell(0), Cell::Value(0));
        assert_eq!(0.75f32.to_cell(0), Cell::Value(1));
        assert_eq!(1.0e-30f32.to_cell(-18), Cell::Value(0));
        assert_eq!(1.0e-12f32.to_cell(-18), Cell::Value(1_000_000));
        assert_eq!(f32::MAX.to_cell(18), Cell::Fault(Fault::TOO_HIGH.0));
        assert_eq!(i32::MIN as f32, -2_147_483_648.0);
        assert_eq!((i32::MIN as f32).to_cell(0), Cell::Value(i32::MIN));
        assert_eq!(2_147_483_648.0f32.to_cell(0), Cell::Fault(Fault::TOO_HIGH.0));
    }

    proptest::proptest! {
        #[test]
        fn a_single_rounds_as_the_same_double(bits: u32, near in -3.0e9f32..3.0e9, scale in -8i8..=8) {
            for value in [f32::from_bits(bits), near, near / 1e3, near / 1e7] {
                proptest::prop_assert_eq!(value.to_cell(scale), f64::from(value).to_cell(scale), "{} at {}", value, scale);
            }
        }
    }
}
