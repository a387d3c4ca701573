//! What one would write by hand: a fixed layout.

use crate::records::Row;

/// Writes 18 bytes.
pub(super) fn put(r: &Row, out: &mut [u8]) -> usize {
    out[..2].copy_from_slice(&r.id.to_le_bytes());
    out[2..10].copy_from_slice(&r.ts.to_le_bytes());
    out[10..14].copy_from_slice(&r.temperature.to_le_bytes());
    out[14..18].copy_from_slice(&r.humidity.to_le_bytes());
    18
}

/// Reads 18 bytes.
pub(super) fn take(b: &[u8]) -> Row {
    let b: &[u8; 18] = b.try_into().unwrap();
    Row {
        id: u16::from_le_bytes([b[0], b[1]]),
        ts: u64::from_le_bytes(b[2..10].try_into().unwrap()),
        temperature: f32::from_le_bytes(b[10..14].try_into().unwrap()),
        humidity: f32::from_le_bytes(b[14..18].try_into().unwrap()),
    }
}
