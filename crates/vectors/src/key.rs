//! Names of fields as numbers, so that a chip compares two bytes instead of a text.

/// The number of a field's name; the build fails if two names of the vectors share one.
pub(crate) const fn number(name: &str) -> u16 {
    let (bytes, mut hash, mut i) = (name.as_bytes(), 0x811c_9dc5u32, 0);
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    (hash ^ hash >> 16) as u16
}
