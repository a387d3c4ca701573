//! Records as the payload of a Data frame and back, as both sessions do it, and without anything else of a session.

use sensock::batch::{Cell, Sink, encode};
use sensock::wire::cursor::{Reader, Writer};
use sensock::wire::data::{Data, Item, LaneContext, Run, ShapeIds, begin, run_head};
use sensock::wire::header::Header;
use sensock::{Lane, Position, Tick};

use crate::series::{ID, Record, Row, unscaled};

/// What both ends know before the frame that is measured: a frame of one record came before it.
pub struct Ends {
    pub frame: Vec<u8>,
    pub len: usize,
    shape: ShapeIds,
    next: Position,
    device: LaneContext,
    server: LaneContext,
}

impl Ends {
    pub fn new(first: Tick) -> Ends {
        let mut shape = ShapeIds::default();
        assert!(shape.push(1) && shape.push(2));
        let context = LaneContext { shape, tick: Some(first) };
        let next = Position::new(7, 1_234);
        Ends { frame: vec![0; 16 << 10], len: 0, shape, next, device: context, server: context }
    }

    /// Both ends remember no more than that a record with this tick came before; the frame is kept.
    pub fn forget(&mut self, before: Tick) {
        (self.device.tick, self.server.tick) = (Some(before), Some(before));
    }

    /// The device's side.
    pub fn encode(&mut self, records: &[Record]) -> Option<usize> {
        let mut w = Writer::new(&mut self.frame);
        begin(&mut w, Lane::Readings, self.next);
        let tick = Tick(records.first()?.tick);
        run_head(&mut w, &mut self.device, records.len(), tick, &self.shape, None, None);
        w.finish().ok()?;
        let ticks = records.iter().map(|r| r.tick);
        let column = |i: usize| records.iter().map(move |r| Cell::Value(r.values[i]));
        let len = encode(w.free(), records.len(), ticks, 2, column).ok()?;
        w.advance(len);
        self.len = w.len();
        Some(self.len)
    }

    /// The server's side: one run.
    pub fn decode(&mut self, rows: &mut impl Sink) -> Option<()> {
        let (head, body) = self.frame.get(..self.len)?.split_first()?;
        let lane = Lane::from_number(Header::parse(*head).ok()?.lane)?;
        let mut reader = Reader::new(body);
        if Data::read_n(&mut reader).ok()? != self.next.n() {
            return None;
        }
        match Run::alone(self.next, reader.rest(), &mut self.server) {
            Some(run) => run.decode(rows).ok(),
            None => items(lane, self.next, reader.rest(), &mut self.server, rows),
        }
    }
}

/// Any frame's items: here one run.
#[inline(never)]
fn items(
    lane: Lane,
    first: Position,
    body: &[u8],
    context: &mut LaneContext,
    rows: &mut impl Sink,
) -> Option<()> {
    let data = Data::check(lane, first, body, context).ok()?;
    for item in data.items() {
        let Item::Run(run) = item else { return None };
        run.decode(rows).ok()?;
    }
    Some(())
}

impl Sink for Row {
    fn tick(&mut self, _: usize, tick: u64) {
        self.id = ID;
        self.tick = tick;
    }

    fn cell(&mut self, _: usize, column: usize, cell: Cell) {
        let value = match cell {
            Cell::Value(value) => unscaled(value),
            Cell::Fault(_) => f32::NAN,
        };
        match column {
            0 => self.temperature = value,
            _ => self.humidity = value,
        }
    }
}

/// Rows as an application wants them.
pub struct Rows<'a>(pub &'a mut [Row]);

impl Sink for Rows<'_> {
    fn tick(&mut self, row: usize, tick: u64) {
        self.0[row].tick(0, tick);
    }

    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        self.0[row].cell(0, column, cell);
    }
}
