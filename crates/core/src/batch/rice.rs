//! Rice codes: the quotient in unary, then `k` bits of remainder; what is far out is written whole.

use super::bits::{PEEKED, Reader, Writer};
use crate::limits::SMALL;

/// Quotients from here on are an escape, followed by all 32 bits.
pub(super) const ESCAPE: u32 = 16;

#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(super) fn put(out: &mut Writer<'_>, value: u32, k: u32) {
    match code(value, k) {
        Some((bits, len)) if !SMALL => out.put(bits, len),
        _ => put_long(out, value, k),
    }
}

/// Also whether no value is above `limit`, which is above all that is not escaped.
pub(super) fn put_all(out: &mut Writer<'_>, values: &[u32], k: u32, limit: u32) -> bool {
    let mut fits = true;
    if SMALL {
        // Nothing is written there that was not looked at.
        values.iter().for_each(|value| put(out, *value, k));
        return true;
    }
    out.put_each(
        values,
        |value| code(value, k),
        |out, value| {
            fits &= value <= limit;
            put_long(out, value, k);
        },
    );
    fits
}

/// Bits and how many, if not more than 32.
#[inline(always)]
fn code(value: u32, k: u32) -> Option<(u32, u32)> {
    let quotient = value >> k;
    if quotient >= ESCAPE.min(32 - k) {
        return None;
    }
    let low = value & ((1 << k) - 1);
    Some(((low << 1 | 1) << quotient, quotient + 1 + k))
}

/// Any value, in two pieces.
#[cfg_attr(not(target_pointer_width = "32"), cold)]
fn put_long(out: &mut Writer<'_>, value: u32, k: u32) {
    let quotient = value >> k;
    if quotient >= ESCAPE {
        out.put(1 << ESCAPE, ESCAPE + 1);
        out.put(value, 32);
    } else {
        out.put(1 << quotient, quotient + 1);
        out.put(value & ((1 << k) - 1), k);
    }
}

#[inline(never)]
pub(super) fn take(bits: &mut Reader<'_>, k: u32) -> u32 {
    let word = bits.peek();
    let quotient = (word | 1 << ESCAPE).trailing_zeros();
    let rest = word >> quotient >> 1;
    if quotient == ESCAPE {
        bits.skip(ESCAPE + 33);
        return rest as u32;
    }
    bits.skip(quotient + 1 + k);
    quotient << k | rest as u32 & ((1 << k) - 1)
}

/// Takes as many codes as there are `numbers`.
pub(super) fn take_all(bits: &mut Reader<'_>, k: u32, numbers: &mut [u32]) {
    let mask = (1 << k) - 1;
    // What a code that is not an escape takes at most.
    let most = ESCAPE + k;
    let (mut word, mut ahead) = (0, 0);
    for number in numbers {
        if ahead < most {
            bits.back(ahead);
            word = bits.peek();
            bits.skip(PEEKED);
            ahead = PEEKED;
        }
        let quotient = (word | 1 << ESCAPE).trailing_zeros();
        let rest = word >> (quotient + 1);
        if quotient == ESCAPE {
            bits.back(ahead);
            ahead = 0;
            *number = take(bits, k);
            continue;
        }
        *number = quotient << k | rest as u32 & mask;
        word = rest >> k;
        ahead -= quotient + 1 + k;
    }
    bits.back(ahead);
}

/// The parameter that suits numbers of this mean.
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(super) fn parameter(sum: u32, count: u32) -> u32 {
    // Half the codes should have quotient zero: 2^k nearest to 0.7 times the mean.
    let target = (sum / 16 * 11 + sum % 16 * 11 / 16) / count.max(1);
    (32 - target.leading_zeros()).min(31)
}
