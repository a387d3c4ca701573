//! Columns of a run: any bytes, and every run.

use sensock::batch::{Cell, DecodeError, MAX_RUN, Sink, decode, encode, encoded_len};

use super::input::Input;

/// Any bytes read as a run end in values or an error, and never in more values than were asked for; every run comes back as it was.
///
/// # Panics
/// If not.
pub fn batch(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    if input.flag() {
        let count = (input.number() as usize) % (MAX_RUN + 2);
        let (columns, base) = (input.below(18), input.number());
        let mut table = Table::new(count, columns);
        let bytes = input.rest();
        match decode(bytes, base, count, columns, &mut table) {
            Ok(used) => {
                assert!(used <= bytes.len() && table.calls == count * (columns + 1));
                // What was read is a run: it can be written, and read again.
                round(&table.ticks, &table.cells);
            }
            Err(e) => {
                assert!(table.calls <= count * (columns + 1));
                let possible = (1..=MAX_RUN).contains(&count) && (1..=16).contains(&columns);
                assert!(!possible || !matches!(e, DecodeError::Count | DecodeError::Columns));
            }
        }
        return;
    }
    let (columns, base, style) = (1 + input.below(16), input.number() >> 1, input.byte());
    let (mut ticks, mut cells) = (vec![], vec![vec![]; columns]);
    let mut tick = base;
    let mut value = 0i32;
    while !input.is_empty() && ticks.len() < MAX_RUN {
        let step = if style & 1 == 0 { u64::from(input.byte()) } else { input.number() };
        tick = tick.saturating_add(step);
        ticks.push(tick);
        for column in &mut cells {
            let b = input.byte();
            value = match b {
                0xfe if style & 2 == 0 => input.number() as i32,
                _ => value.wrapping_add(i32::from(b as i8)),
            };
            column.push(if b == 0xff { Cell::Fault(input.byte()) } else { Cell::Value(value) });
        }
    }
    if !ticks.is_empty() {
        round(&ticks, &cells);
    }
}

fn round(ticks: &[u64], cells: &[Vec<Cell>]) {
    let (count, columns) = (ticks.len(), cells.len());
    let column = |c: usize| cells[c].iter().copied();
    let len = encoded_len(count, ticks.iter().copied(), columns, column).unwrap();
    let mut out = vec![0; len];
    assert_eq!(encode(&mut out, count, ticks.iter().copied(), columns, column), Ok(len));
    let mut table = Table::new(count, columns);
    assert_eq!(decode(&out, ticks[0], count, columns, &mut table), Ok(len));
    assert_eq!((&table.ticks[..], &table.cells[..]), (ticks, cells));
    assert!(decode(&out[..len - 1], ticks[0], count, columns, &mut Table::new(count, columns)).is_err());
}

struct Table {
    count: usize,
    calls: usize,
    ticks: Vec<u64>,
    cells: Vec<Vec<Cell>>,
}

impl Table {
    fn new(count: usize, columns: usize) -> Self {
        Self { count, calls: 0, ticks: vec![], cells: vec![vec![]; columns] }
    }
}

impl Sink for Table {
    fn tick(&mut self, row: usize, tick: u64) {
        assert!(row < self.count && row == self.ticks.len());
        assert!(self.ticks.last().is_none_or(|before| *before <= tick), "ticks fall back");
        self.ticks.push(tick);
        self.calls += 1;
    }

    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        assert!(row < self.count && row == self.cells[column].len());
        self.cells[column].push(cell);
        self.calls += 1;
    }
}
