//! Rule A and the subtraction of floors, on lists.

use std::collections::BTreeMap;

use sensock::batch::{Cell, Sink};
use sensock::wire::data::{Data, Item};
use sensock::wire::hello::{Hello, LaneFloor};
use sensock::{Lane, Position, Tick};

use super::Accepted;

/// A Data frame as the server holds it.
#[derive(Clone, Debug)]
pub struct Batch {
    pub lane: Lane,
    pub first: Position,
    pub records: u32,
    pub bytes: usize,
    items: Vec<Stored>,
}

/// What the store is asked for, in order.
#[derive(Clone, Debug)]
pub enum Work {
    Hello,
    Data(Batch),
    Floor(Lane, LaneFloor),
}

#[derive(Clone, Debug, PartialEq)]
enum Stored {
    Row { at: Position, what: Accepted, superseded: u32 },
    Gap { first: Position, last: Position },
}

#[derive(Clone, Debug, Default)]
pub struct Store {
    pub marks: [Position; Lane::COUNT],
    rows: [Vec<Stored>; Lane::COUNT],
}

impl Store {
    /// Commits what lies above the mark, or says which mark it does not follow.
    pub fn append(&mut self, batch: &Batch) -> Result<Position, Position> {
        let i = batch.lane.index();
        let mark = self.marks[i];
        if batch.first > mark.next() {
            return Err(mark);
        }
        for item in &batch.items {
            let (first, last) = item.range();
            if last > self.marks[i] {
                assert_eq!(first, self.marks[i].next(), "an item begins below the mark and ends above it");
                self.marks[i] = last;
                self.rows[i].push(item.clone());
            }
        }
        Ok(self.marks[i])
    }

    /// The device can deliver nothing below `floor`.
    pub fn subtract(&mut self, lane: Lane, floor: Position) -> Position {
        let i = lane.index();
        if floor > self.marks[i].next() {
            self.rows[i].push(Stored::Gap { first: self.marks[i].next(), last: floor.prev() });
            self.marks[i] = floor.prev();
        }
        self.marks[i]
    }

    pub fn hello(&mut self, hello: &Hello, shift: u32) -> [Position; Lane::COUNT] {
        for lane in Lane::ALL {
            let floor = hello.lanes[lane.index()].floor.plus(u64::from(shift) << 32);
            let mark = &mut self.marks[lane.index()];
            // A device that is seen for the first time begins at its boot's first position.
            *mark = (*mark).max(Position::boot_start(floor.boot()).prev());
            self.subtract(lane, floor);
        }
        self.marks
    }

    /// Each accepted position in exactly one row or gap, in order, with its values; nothing else.
    pub fn verify(&self, lane: Lane, accepted: BTreeMap<u64, &Accepted>) {
        let mut next = accepted.keys().next().copied();
        for item in &self.rows[lane.index()] {
            let (first, last) = item.range();
            assert_eq!(Some(first.0), next, "{lane}: {item:?}");
            next = Some(last.0 + 1);
            if let Stored::Row { at, what, .. } = item {
                assert_eq!(accepted.get(&at.0), Some(&what), "{lane} {at}");
            }
        }
        let end = accepted.keys().next_back().map(|p| p + 1);
        assert_eq!(next, end, "{lane}: rows and gaps end elsewhere than what was accepted");
    }

    /// Of a keep-latest lane: no gaps, the last value is there, and every value is a row or was superseded by one.
    pub fn verify_latest(&self, lane: Lane, records: u64, last: Option<&Accepted>) {
        let rows = &self.rows[lane.index()];
        let mut values = 0;
        let mut before: Option<Tick> = None;
        for item in rows {
            let Stored::Row { what: Accepted::Record(tick, cells), superseded, .. } = item else {
                panic!("{item:?}")
            };
            assert!(before.is_none_or(|t| t <= *tick));
            before = Some(*tick);
            values += cells.len() as u64 + u64::from(*superseded);
        }
        assert_eq!(values, 2 * records, "two values a record");
        let stored = rows.last().map(|item| match item {
            Stored::Row { what, .. } => what,
            gap => panic!("{gap:?}"),
        });
        assert_eq!(stored, last);
    }
}

impl Stored {
    fn range(&self) -> (Position, Position) {
        match self {
            Stored::Row { at, .. } => (*at, *at),
            Stored::Gap { first, last } => (*first, *last),
        }
    }
}

/// A Data frame, read.
pub fn batch(data: &Data<'_>, bytes: usize) -> Batch {
    let mut items = vec![];
    for item in data.items() {
        match item {
            Item::Run(run) => {
                let mut table = Table { ticks: vec![], cells: vec![vec![]; run.count] };
                run.decode(&mut table).unwrap();
                let ids = run.shape.as_slice();
                for (i, (tick, cells)) in table.ticks.iter().zip(&table.cells).enumerate() {
                    let cells = cells.iter().zip(ids).map(|(cell, id)| (*id, *cell)).collect();
                    let superseded = run.superseded.map_or(0, |(n, _)| n);
                    let what = Accepted::Record(Tick(*tick), cells);
                    items.push(Stored::Row { at: run.first.plus(i as u64), what, superseded });
                }
            }
            Item::Gap { first, last, .. } => items.push(Stored::Gap { first, last }),
            Item::Reply { position, command, .. } => {
                items.push(Stored::Row { at: position, what: Accepted::Reply(command.0), superseded: 0 });
            }
            Item::Applied { position, revision, .. } => {
                items.push(Stored::Row { at: position, what: Accepted::Applied(revision), superseded: 0 });
            }
            other => panic!("{other:?}"),
        }
    }
    Batch { lane: data.lane, first: data.first, records: data.records, bytes, items }
}

struct Table {
    ticks: Vec<u64>,
    cells: Vec<Vec<Cell>>,
}

impl Sink for Table {
    fn tick(&mut self, _: usize, tick: u64) {
        self.ticks.push(tick);
    }

    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        assert_eq!(self.cells[row].len(), column);
        self.cells[row].push(cell);
    }
}
