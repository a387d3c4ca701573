//! What holds for every run, whatever its encoding.

extern crate std;
use super::*;
use std::{vec, vec::Vec};

#[derive(Default, Debug, PartialEq, Eq, Clone)]
struct Run {
    ticks: Vec<u64>,
    cells: Vec<Vec<Cell>>,
}

impl Run {
    fn encode(&self, base: u64) -> Vec<u8> {
        let count = self.ticks.len();
        let cells = |i: usize| self.cells[i].iter().copied();
        let ticks = self.ticks.iter().copied();
        let len = encoded_len(base, count, ticks.clone(), self.cells.len(), cells).unwrap();
        let mut out = vec![0xa5; len];
        assert_eq!(encode(&mut out, base, count, ticks.clone(), self.cells.len(), cells), Ok(len));
        let short = &mut out.clone()[..len - 1];
        assert_eq!(encode(short, base, count, ticks, self.cells.len(), cells), Err(EncodeError::NoRoom));
        out
    }

    fn decode(bytes: &[u8], base: u64, count: usize, columns: usize) -> Result<(Self, usize), DecodeError> {
        let mut run = Self { ticks: Vec::new(), cells: vec![Vec::new(); columns] };
        let used = decode(bytes, base, count, columns, &mut run)?;
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
    let bytes = run.encode(7);
    assert_eq!(Run::decode(&bytes, 7, 3, 2), Ok((run, bytes.len())));
}
