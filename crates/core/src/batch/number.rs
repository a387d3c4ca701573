//! Numbers of any size: six bits say how many bits follow.

use super::bits::{Reader, Writer};
use super::row::{unzigzag, zigzag};

/// From this many bits on, a number is written whole.
const WHOLE: u32 = 63;

pub(super) fn put(out: &mut Writer<'_>, number: u64) {
    let len = 64 - number.leading_zeros();
    if len >= WHOLE {
        out.put(WHOLE, 6);
        out.put(number as u32, 32);
        out.put((number >> 32) as u32, 32);
        return;
    }
    out.put(len, 6);
    // The highest bit is known to be one, and stays at home.
    let rest = len.saturating_sub(1);
    let low = number & ((1 << rest) - 1);
    out.put(low as u32, rest.min(32));
    out.put((low >> 32) as u32, rest.saturating_sub(32));
}

pub(super) fn take(bits: &mut Reader<'_>) -> u64 {
    let len = bits.take(6) as u32;
    if len == WHOLE {
        return bits.take(32) | bits.take(32) << 32;
    }
    if len == 0 {
        return 0;
    }
    let rest = len - 1;
    let low = bits.take(rest.min(32));
    low | bits.take(rest.saturating_sub(32)) << 32 | 1 << rest
}

pub(super) fn put_signed(out: &mut Writer<'_>, number: i32) {
    put(out, u64::from(zigzag(number)));
}

/// Numbers beyond 32 bits lose what is above; no encoder writes them.
pub(super) fn take_signed(bits: &mut Reader<'_>) -> i32 {
    unzigzag(take(bits) as u32)
}
