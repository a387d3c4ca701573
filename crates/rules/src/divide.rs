//! Division, once.

/// `part / whole`, rounded towards zero as `/` does; a whole below 1 counts as 1.
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(crate) const fn divided(part: i64, whole: i64) -> i64 {
    let quotient =
        quotient(part.unsigned_abs(), if whole < 1 { 1 } else { whole.unsigned_abs() }).cast_signed();
    if part < 0 { quotient.wrapping_neg() } else { quotient }
}

/// `part / whole`, for a whole from 1 to 2^63.
#[cfg(not(target_pointer_width = "32"))]
pub(crate) const fn quotient(part: u64, whole: u64) -> u64 {
    part / whole
}

/// The same bit by bit: with it a small chip links no division of 64 bits, which takes a kilobyte. For a reading or a few it is fast enough.
#[cfg(target_pointer_width = "32")]
#[inline(never)]
pub(crate) const fn quotient(part: u64, whole: u64) -> u64 {
    by_bits(part, whole)
}

/// The rest stays below the whole, so that doubling it never overflows.
#[cfg(any(test, target_pointer_width = "32"))]
const fn by_bits(mut part: u64, whole: u64) -> u64 {
    let (mut rest, mut bits) = (0, u64::BITS);
    while bits > 0 {
        rest = rest << 1 | part >> 63;
        // The quotient grows where the part has gone.
        part <<= 1;
        if rest >= whole {
            rest -= whole;
            part |= 1;
        }
        bits -= 1;
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What a chip does is what the server does.
        #[test]
        fn bit_by_bit_is_division(part: u64, whole in 1..=1u64 << 63, shift in 0u32..63) {
            let (part, whole) = (part >> (shift / 2), (whole >> shift).max(1));
            prop_assert_eq!(by_bits(part, whole), part / whole);
        }

        #[test]
        fn signs_are_as_in_a_division(part: i64, whole in 1..=i64::MAX, shift in 0u32..63) {
            let (part, whole) = (part >> (shift / 2), (whole >> shift).max(1));
            prop_assert_eq!(divided(part, whole), part / whole);
        }
    }

    #[test]
    fn the_ends_of_the_range_are_divided_too() {
        for part in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
            for whole in [1, 2, 1_000, i64::MAX - 1, i64::MAX] {
                assert_eq!(divided(part, whole), part / whole, "{part} / {whole}");
                assert_eq!(by_bits(part as u64, whole as u64), part as u64 / whole as u64);
            }
            assert_eq!((divided(part, 0), divided(part, -5)), (part, part), "a whole below 1 counts as 1");
        }
    }
}
