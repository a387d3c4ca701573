//! A recording as `build.rs` packed it.

use sensock_rules::Reading;

/// The most quantities that a record has.
pub(crate) const QUANTITIES: usize = 4;

/// The readings of one record: as many as the recording has columns, the rest of a quantity that no rule has.
pub(crate) type Readings = [Reading; QUANTITIES];

/// The records that are still to come.
pub(crate) struct Packed {
    rest: &'static [u8],
    columns: usize,
    before: [i32; QUANTITIES],
}

impl Packed {
    pub(crate) fn new(bytes: &'static [u8]) -> Self {
        let (columns, rest) =
            bytes.split_first().map_or((0, bytes), |(columns, rest)| (usize::from(*columns), rest));
        Self { rest, columns, before: [0; QUANTITIES] }
    }

    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 127) << shift;
            if *byte < 128 {
                return Some(number);
            }
            shift = (shift + 7) % 64;
        }
    }
}

impl Iterator for Packed {
    type Item = Readings;

    fn next(&mut self) -> Option<Readings> {
        let mut readings = [Reading { quantity: 0, value: None }; QUANTITIES];
        for column in 0..self.columns.min(QUANTITIES) {
            let number = self.number()?;
            let (reading, before) = (readings.get_mut(column)?, self.before.get_mut(column)?);
            reading.quantity = column as u16 + 1;
            if let Some(zigzag) = number.checked_sub(1) {
                let difference = (zigzag >> 1) as i32 ^ -((zigzag & 1) as i32);
                *before = before.wrapping_add(difference);
                reading.value = Some(*before);
            }
        }
        Some(readings)
    }
}
