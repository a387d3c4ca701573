//! Numbers of a known bound: all take `w` bits or, the low ones, one bit less (truncated binary).

use super::bits::{Reader, Writer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    bound: u32,
    width: u32,
    /// Numbers below this take one bit less.
    short: u32,
}

impl Packed {
    /// For numbers from zero to `bound` inclusive.
    pub(super) fn new(bound: u32) -> Self {
        let width = 32 - bound.leading_zeros();
        Self { bound, width, short: ((1u64 << width) - 1 - u64::from(bound)) as u32 }
    }

    /// Also the last that is beyond the bound, or what was so `before`; if there is one, what was written is of no use.
    pub(super) fn put_all(self, out: &mut Writer<'_>, values: &[u32], before: u32) -> u32 {
        let last = self.width.saturating_sub(1);
        let code = |value: u32| {
            if value < self.short {
                return Some((value, last));
            }
            let moved = u64::from(value) + u64::from(self.short);
            let bits = (moved >> 1) as u32 | (moved as u32 & 1) << last;
            (value <= self.bound).then_some((bits, self.width))
        };
        let mut beyond = before;
        out.put_each(values, code, |_, value| beyond = value);
        beyond
    }

    /// Takes as many as there are `numbers`.
    #[inline(never)]
    pub(super) fn take_all(self, bits: &mut Reader<'_>, numbers: &mut [u32]) {
        // A local copy stays in registers.
        let mut local = *bits;
        numbers.iter_mut().for_each(|number| *number = self.take(&mut local));
        *bits = local;
    }

    #[inline]
    fn take(self, bits: &mut Reader<'_>) -> u32 {
        if self.width == 0 {
            return 0;
        }
        let word = bits.peek();
        let head = word as u32 & (u32::MAX >> 1 >> (32 - self.width));
        if head < self.short {
            bits.skip(self.width - 1);
            return head;
        }
        bits.skip(self.width);
        (head << 1 | (word >> (self.width - 1)) as u32 & 1).wrapping_sub(self.short)
    }
}
