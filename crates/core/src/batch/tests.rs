//! What holds for every run, whatever its encoding.

extern crate std;
use super::*;
use proptest::prelude::*;
use std::{vec, vec::Vec};

#[derive(Default, Debug, PartialEq, Eq, Clone)]
struct Run {
    ticks: Vec<u64>,
    cells: Vec<Vec<Cell>>,
}

impl Run {
    fn encode(&self) -> Vec<u8> {
        let count = self.ticks.len();
        let cells = |i: usize| self.cells[i].iter().copied();
        let ticks = self.ticks.iter().copied();
        let len = encoded_len(count, ticks.clone(), self.cells.len(), cells).unwrap();
        let mut out = vec![0xa5; len];
        assert_eq!(encode(&mut out, count, ticks.clone(), self.cells.len(), cells), Ok(len));
        let short = &mut out.clone()[..len - 1];
        assert_eq!(encode(short, count, ticks, self.cells.len(), cells), Err(EncodeError::NoRoom));
        out
    }

    fn decode(bytes: &[u8], first: u64, count: usize, columns: usize) -> Result<(Self, usize), DecodeError> {
        let mut run = Self { ticks: Vec::new(), cells: vec![Vec::new(); columns] };
        let used = decode(bytes, first, count, columns, &mut run)?;
        Ok((run, used))
    }
}

impl Sink for Run {
    fn tick(&mut self, row: usize, tick: u64) {
        assert_eq!(row, self.ticks.len());
        self.ticks.push(tick);
    }
    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        assert_eq!(row, self.cells[column].len());
        self.cells[column].push(cell);
    }
}

#[test]
fn extremes_and_faults_come_back() {
    let run = Run {
        ticks: vec![7, 7, u64::MAX],
        cells: vec![
            vec![Cell::Value(i32::MIN), Cell::Value(i32::MAX), Cell::Fault(255)],
            vec![Cell::Fault(0), Cell::Value(0), Cell::Value(-1)],
        ],
    };
    let bytes = run.encode();
    assert_eq!(Run::decode(&bytes, run.ticks[0], 3, 2), Ok((run, bytes.len())));
}

/// Values as sensors give them: steps of some size, on a grid or not, with sentinels, faults and wild values between.
fn column(count: usize) -> impl Strategy<Value = Vec<Cell>> {
    let kind =
        (0u32..33, 0u32..33, any::<i32>(), prop_oneof![Just(1), 2..40, Just(1_000_000)], any::<bool>());
    let odd = prop_oneof![Just(0u8), 0u8..60, Just(255)];
    let steps = proptest::collection::vec((any::<i32>(), any::<u8>()), count);
    (kind, odd, steps).prop_map(|((step, wild, start, grid, drifts), odd, steps)| {
        let shrink = |value: i32, bits: u32| if bits == 0 { 0 } else { value >> (32 - bits) };
        let mut at = start;
        let cells = steps.into_iter().map(|(random, pick)| {
            let moved = shrink(random, step).wrapping_mul(grid);
            at = if drifts { at.wrapping_add(moved) } else { start.wrapping_add(moved) };
            match pick {
                _ if pick >= odd => Cell::Value(at),
                pick if pick % 4 == 0 => Cell::Fault(pick / 64),
                pick if pick % 4 == 1 => Cell::Value(-20_000),
                _ => Cell::Value(at.wrapping_add(shrink(random, wild))),
            }
        });
        cells.collect()
    })
}

fn ticks(count: usize) -> impl Strategy<Value = Vec<u64>> {
    let step = prop_oneof![Just(0u64), Just(1000), 0u64..100_000, 0u64..1 << 53];
    let jitter = proptest::collection::vec(any::<u64>(), count);
    (any::<u64>(), step, 0u32..65, jitter).prop_map(|(start, step, bits, jitter)| {
        let mut at = start >> 8;
        let ticks = jitter.into_iter().map(|random| {
            at = at.saturating_add(step).saturating_add(random.checked_shr(bits).unwrap_or(0));
            at
        });
        ticks.collect()
    })
}

fn run() -> impl Strategy<Value = Run> {
    let count = prop_oneof![4 => 1usize..6, 4 => 6usize..200, 1 => 200usize..1200, 1 => Just(MAX_RUN)];
    (count, 1usize..4).prop_flat_map(|(count, columns)| {
        (ticks(count), proptest::collection::vec(column(count), columns))
            .prop_map(|(ticks, cells)| Run { ticks, cells })
    })
}

/// Counts what it is given and checks that rows come in order.
#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn tick(&mut self, row: usize, _: u64) {
        assert!(row < MAX_RUN);
        self.0 += 1;
    }
    fn cell(&mut self, row: usize, column: usize, _: Cell) {
        assert!(row < MAX_RUN && column < MAX_COLUMNS);
        self.0 += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_run_comes_back(run in run()) {
        let bytes = run.encode();
        let (again, used) = Run::decode(&bytes, run.ticks[0], run.ticks.len(), run.cells.len()).unwrap();
        prop_assert_eq!(used, bytes.len());
        prop_assert_eq!(again, run);
    }

    #[test]
    fn a_run_ends_where_it_says(run in run(), more in proptest::collection::vec(any::<u8>(), 0..20)) {
        let mut bytes = run.encode();
        let len = bytes.len();
        bytes.extend(more);
        prop_assert_eq!(Run::decode(&bytes, run.ticks[0], run.ticks.len(), run.cells.len()), Ok((run, len)));
    }

    #[test]
    fn a_truncated_run_is_told(run in run(), cut in any::<prop::sample::Index>()) {
        let bytes = run.encode();
        let short = &bytes[..cut.index(bytes.len())];
        prop_assert!(decode(short, run.ticks[0], run.ticks.len(), run.cells.len(), &mut Count::default()).is_err());
    }

    #[test]
    fn damage_is_bounded(run in run(), flips in proptest::collection::vec(any::<prop::sample::Index>(), 1..8)) {
        let mut bytes = run.encode();
        for flip in flips {
            let bit = flip.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let mut count = Count::default();
        let _ = decode(&bytes, run.ticks[0], run.ticks.len(), run.cells.len(), &mut count);
        prop_assert!(count.0 <= run.ticks.len() * (run.cells.len() + 1));
    }

    #[test]
    fn any_bytes_are_safe(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        first in any::<u64>(), count in 0usize..5000, columns in 0usize..20,
    ) {
        let mut calls = Count::default();
        let result = decode(&bytes, first, count, columns, &mut calls);
        prop_assert!(calls.0 <= count * (columns + 1));
        prop_assert!(result.is_err() || (1..=MAX_RUN).contains(&count) && (1..=MAX_COLUMNS).contains(&columns));
    }
}

#[test]
fn every_step_between_extremes_comes_back() {
    let extremes = [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX - 1, i32::MAX];
    for a in extremes {
        for b in extremes {
            for quiet in [0, 1, 9, 300] {
                let mut cells = vec![Cell::Value(a); quiet];
                cells.extend([a, b, a, a, b, b].map(Cell::Value));
                let ticks = (0..cells.len() as u64).collect();
                let run = Run { ticks, cells: vec![cells] };
                let bytes = run.encode();
                assert_eq!(Run::decode(&bytes, run.ticks[0], run.ticks.len(), 1), Ok((run, bytes.len())));
            }
        }
    }
}

#[test]
fn what_is_not_a_run_is_refused() {
    let tick = |ticks: &'static [u64]| ticks.iter().copied();
    let cells = |_| [Cell::Value(1); 4].into_iter();
    assert_eq!(encoded_len(0, tick(&[]), 1, cells), Err(EncodeError::Count));
    assert_eq!(encoded_len(MAX_RUN + 1, tick(&[]), 1, cells), Err(EncodeError::Count));
    assert_eq!(encoded_len(1, tick(&[1]), 0, cells), Err(EncodeError::Columns));
    assert_eq!(encoded_len(2, tick(&[1, 2]), 17, cells), Err(EncodeError::Columns));
    assert_eq!(encoded_len(3, tick(&[1, 3, 2]), 1, cells), Err(EncodeError::TicksFallBack));
    assert_eq!(encoded_len(3, tick(&[1, 2]), 1, cells), Err(EncodeError::TooFewItems));
    assert_eq!(encoded_len(5, tick(&[1, 2, 3, 4, 5]), 1, cells), Err(EncodeError::TooFewItems));
    assert_eq!(decode(&[0; 9], 0, 0, 1, &mut Count::default()), Err(DecodeError::Count));
    assert_eq!(decode(&[0; 9], 0, 4097, 1, &mut Count::default()), Err(DecodeError::Count));
    assert_eq!(decode(&[0; 9], 0, 2, 17, &mut Count::default()), Err(DecodeError::Columns));
}

/// Long runs are planned from a sample of their chunks; what it did not show is found while writing.
#[test]
fn what_a_sample_did_not_show_comes_back() {
    for odd in [9, 10, 36, 37, -1, -200, i32::MAX, i32::MIN] {
        for at in [40, 100, 999] {
            let count = 1_000;
            // All values from 0 to 8 in each chunk of 32 rows: one way to pack them is clearly the best.
            let mut cells: Vec<Cell> = (0..count).map(|row| Cell::Value(row as i32 * 7 % 9)).collect();
            cells[at] = Cell::Value(odd);
            let ticks =
                (0..count as u64).map(|row| row * 1_000 + u64::from(row as usize == at) * 9).collect();
            let run = Run { ticks, cells: vec![cells] };
            let bytes = run.encode();
            assert_eq!(Run::decode(&bytes, 0, count, 1), Ok((run, bytes.len())), "{odd} at {at}");
            assert!(bytes.len() < 800, "{} bytes with {odd} at {at}", bytes.len());
        }
    }
}

#[test]
fn one_record_reads_varints_that_are_longer_than_they_must_be() {
    // SPEC 6.3 asks of a varint no more than that it has at most ten bytes: the bytes 80 00 are zero, so a fault follows.
    let read = |bytes: &[u8]| Run::decode(bytes, 5, 1, 1).map(|(run, len)| (run.cells[0][0], len));
    assert_eq!(read(&[0x80, 0, 9]), Ok((Cell::Fault(9), 3)));
    assert_eq!(read(&[0x81, 0]), Ok((Cell::Value(0), 2)));
    assert_eq!(read(&[0x80, 1]), Ok((Cell::Value(-64), 2)));
    assert_eq!(read(&[0x80]), Err(DecodeError::Truncated));
    assert_eq!(read(&[0]), Err(DecodeError::Truncated));
    assert_eq!(read(&[0xff; 10]), Err(DecodeError::Malformed));
}
