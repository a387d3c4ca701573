//! CRC-32 as in IEEE 802.3 (reflected polynomial 0xEDB88320), four bits at a time by a table of 64 bytes, on a chip bit by bit.

use crate::limits::SMALL;

const TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        let (mut c, mut bits) = (i as u32, 0);
        while bits < 4 {
            c = bit(c);
            bits += 1;
        }
        table[i] = c;
        i += 1;
    }
    table
};

/// Takes one bit out.
const fn bit(crc: u32) -> u32 {
    crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
}

/// CRC-32 of the bytes.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc32_parts(&[bytes])
}

/// CRC-32 of pieces, one after the other.
pub(super) fn crc32_parts(parts: &[&[u8]]) -> u32 {
    let mut crc = !0;
    for byte in parts.iter().copied().flatten() {
        crc ^= u32::from(*byte);
        if SMALL {
            (0..8).for_each(|_| crc = bit(crc));
        } else {
            (0..2).for_each(|_| crc = TABLE[(crc & 15) as usize] ^ (crc >> 4));
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    #[test]
    fn check_value() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
    }
}
