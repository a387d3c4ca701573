//! The numbers of records as they lie in an outbox, walked once for each column: a walk passes over all others by their last bytes alone.

use super::item::{LATEST, RECORD};
use crate::Tick;
use crate::batch::Cell;
use crate::wire::cursor::{Writer, unzigzag};
use crate::wire::data::ShapeIds;

/// Items one after the other. They are our own and were read before; of others nothing is true but that the walk ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers<'a> {
    pub(super) bytes: &'a [u8],
}

impl Numbers<'_> {
    /// The kind of the next item, and the numbers in it.
    #[inline]
    fn item(&mut self) -> Option<(u8, Self)> {
        let (len, rest) = self.bytes.split_first()?;
        let (body, rest) = rest.split_at_checked((*len).into())?;
        let (kind, bytes) = body.split_first()?;
        self.bytes = rest;
        Some((*kind, Self { bytes }))
    }

    /// The readings of the next item, a record.
    fn readings(&mut self) -> Self {
        let Some((kind, mut numbers)) = self.item() else { return *self };
        numbers.skip(before_readings(kind));
        numbers
    }

    /// The quantities of the next item, a record of so many: as many of them as there are.
    pub(super) fn shape(mut self, count: u8) -> ShapeIds {
        let mut numbers = self.readings();
        let mut shape = ShapeIds::default();
        for _ in 0..count {
            if numbers.bytes.is_empty() {
                break;
            }
            shape.push(numbers.take() as u16);
            numbers.skip(1);
        }
        shape
    }

    /// Writes the values of the next item, a record of so many, as a run of one record has them (SPEC 6.2).
    pub(super) fn alone(mut self, count: usize, w: &mut Writer<'_>) {
        let mut numbers = self.readings();
        for _ in 0..count {
            numbers.skip(1);
            let coded = numbers.take();
            match coded & 1 {
                0 => w.varint(u64::from((coded >> 1) as u32) + 1),
                _ => w.bytes(&[0, (coded >> 1) as u8]),
            }
        }
    }

    /// Takes the next item if it is a plain record of these quantities.
    pub(super) fn continues(&mut self, shape: &[u16]) -> bool {
        let Some((RECORD, mut numbers)) = self.item() else { return false };
        numbers.skip(1);
        numbers.take() == shape.len() as u64
            && shape.iter().all(|quantity| {
                let same = numbers.take() == u64::from(*quantity);
                numbers.skip(1);
                same
            })
    }

    #[inline]
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    #[inline]
    pub(super) fn skip(&mut self, mut count: usize) {
        while count > 0 {
            count -= usize::from(self.byte() < 0x80);
        }
    }

    /// Most numbers have two bytes or one.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn take(&mut self) -> u64 {
        let low = self.byte();
        if low < 0x80 {
            return low.into();
        }
        let high = self.byte();
        let value = u32::from(low & 0x7f) | u32::from(high & 0x7f) << 7;
        if high < 0x80 { value.into() } else { self.take_more(value.into(), 14) }
    }

    #[cfg_attr(not(target_pointer_width = "32"), cold, inline(never))]
    fn take_more(&mut self, mut value: u64, from: u32) -> u64 {
        for shift in (from..u64::BITS).step_by(7) {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }
}

/// How many numbers of a record are before its readings: the distance, in a keep-latest lane what was superseded, and how many there are.
fn before_readings(kind: u8) -> usize {
    if kind == LATEST { 4 } else { 2 }
}

/// The ticks of records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks<'a> {
    pub(super) numbers: Numbers<'a>,
    /// That of the item before.
    pub(super) tick: Tick,
}

impl Iterator for Ticks<'_> {
    type Item = u64;

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(not(target_pointer_width = "32"), inline)]
    fn next(&mut self) -> Option<u64> {
        let (_, mut numbers) = self.numbers.item()?;
        self.tick = self.tick.plus(numbers.take());
        Some(self.tick.0)
    }
}

/// Of each record one reading.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<'a> {
    pub(super) numbers: Numbers<'a>,
    pub(super) index: usize,
}

impl Iterator for Column<'_> {
    type Item = Cell;

    #[inline]
    fn next(&mut self) -> Option<Cell> {
        let (kind, mut numbers) = self.numbers.item()?;
        // Of each reading its quantity and its value.
        numbers.skip(before_readings(kind) + 2 * self.index + 1);
        let coded = numbers.take();
        Some(match coded & 1 {
            0 => Cell::Value(unzigzag(coded >> 1) as i32),
            _ => Cell::Fault((coded >> 1) as u8),
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::catalog::Reading;
    use crate::device::item::{Made, Stored};
    use proptest::prelude::*;
    use std::vec::Vec;

    const SHAPE: [u16; 3] = [1, 130, 40_000];

    fn readings() -> impl Strategy<Value = Vec<Reading>> {
        let cell = || {
            prop_oneof![
                (-300..300).prop_map(Cell::Value),
                any::<i32>().prop_map(Cell::Value),
                any::<u8>().prop_map(Cell::Fault)
            ]
        };
        (cell(), cell(), cell()).prop_map(|(a, b, c)| {
            SHAPE.into_iter().zip([a, b, c]).map(|(quantity, cell)| Reading { quantity, cell }).collect()
        })
    }

    proptest! {
        /// Ticks and cells are those that the items were made of, whether they replaced others or not.
        #[test]
        fn a_walk_gives_what_was_recorded(
            records in proptest::collection::vec((prop_oneof![0u64..300, 0u64..1 << 62], readings()), 1..9),
            superseded in proptest::option::of((any::<u32>(), any::<u64>())),
        ) {
            let (mut bytes, mut ticks) = (Vec::new(), Vec::new());
            let mut tick = Tick(5);
            for (delta, readings) in &records {
                let mut item = Made::new();
                item.record(*delta, readings, superseded).unwrap();
                bytes.extend_from_slice(item.as_slice());
                tick = tick.plus(*delta);
                ticks.push(tick.0);
            }
            let numbers = Numbers { bytes: &bytes };
            prop_assert_eq!(Ticks { numbers, tick: Tick(5) }.collect::<Vec<_>>(), ticks);
            for index in 0..SHAPE.len() {
                let cells: Vec<Cell> = records.iter().map(|(_, readings)| readings[index].cell).collect();
                prop_assert_eq!(Column { numbers, index }.collect::<Vec<_>>(), cells);
            }
            let mut rest = numbers;
            let alike = core::iter::from_fn(|| rest.continues(&SHAPE).then_some(())).count();
            prop_assert_eq!(alike, if superseded.is_none() { records.len() } else { 0 });
            for other in [&SHAPE[..2], &[1, 130, 40_001]] {
                let mut rest = numbers;
                prop_assert!(!rest.continues(other));
            }
        }

        /// Whatever the bytes, each walk ends, and what continues a run is a record with as many readings.
        #[test]
        fn any_bytes_end_a_walk(bytes in proptest::collection::vec(prop_oneof![0u8..6, any::<u8>()], 0..64)) {
            let numbers = Numbers { bytes: &bytes };
            let ticks = Ticks { numbers, tick: Tick(u64::MAX) }.count();
            let cells = Column { numbers, index: 15 }.count();
            prop_assert!(ticks == cells && cells <= bytes.len() / 2);
            let mut rest = numbers;
            if rest.continues(&[1]) {
                let mut stored = Stored::none(&bytes);
                prop_assert!(!stored.read(&bytes[1..bytes.len() - rest.bytes.len()]) || stored.code[0] == 1);
            }
        }
    }
}
