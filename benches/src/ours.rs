//! Our own side: records as the payload of a Data frame and back, without outbox, session, sealing and transport.
//!
//! Inside the measured part: the frame's header, position, run head, ticks and columns; on the way back the checks that a server makes,
//! and values as `f32` by the catalogue's scale. What a session remembers from one frame to the next (shape and last tick) is there.

use sensock::batch::{Cell, Sink, encode};
use sensock::wire::cursor::{Reader, Writer};
use sensock::wire::data::{Data, Item, LaneContext, ShapeIds, begin, run_head};
use sensock::wire::header::Header;
use sensock::{Lane, Position, Reading, Tick};

use crate::records::{HUMIDITY, Plain, Row, TEMPERATURE};

/// A record as the codec takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Milliseconds.
    pub tick: u64,
    /// Temperature and humidity.
    pub readings: [Reading; 2],
}

impl From<Plain> for Record {
    fn from(r: Plain) -> Record {
        let readings = [TEMPERATURE.is(r.temperature), HUMIDITY.is(r.humidity)];
        Record { tick: Row::BOOTED + r.tick, readings }
    }
}

/// What a device remembers of a lane between two frames.
#[derive(Clone, Debug)]
pub struct Device {
    shape: ShapeIds,
    next: Position,
    context: LaneContext,
}

/// What a server remembers of a lane between two frames.
#[derive(Clone, Debug)]
pub struct Server {
    next: Position,
    context: LaneContext,
}

const NEXT: Position = Position::new(7, 1_234);

impl Device {
    /// Nothing was sent on this connection yet.
    pub fn new(columns: u16) -> Device {
        let mut shape = ShapeIds::default();
        (1..=columns).for_each(|id| assert!(shape.push(id), "16 columns at most"));
        Device { shape, next: NEXT, context: LaneContext::default() }
    }

    /// Writes one frame: a run of records.
    pub fn frame(&mut self, records: &[Record], out: &mut [u8]) -> Option<usize> {
        let ticks = records.iter().map(|r| r.tick);
        self.columns(out, records.len(), ticks, 2, |i| records.iter().map(move |r| r.readings[i].cell))
    }

    /// Writes one frame of so many records, given by column.
    pub fn columns<T, C>(
        &mut self,
        out: &mut [u8],
        count: usize,
        ticks: T,
        columns: usize,
        column: impl Fn(usize) -> C,
    ) -> Option<usize>
    where
        T: Iterator<Item = u64> + Clone,
        C: Iterator<Item = Cell> + Clone,
    {
        let mut w = Writer::new(out);
        begin(&mut w, Lane::Readings, self.next);
        let first = Tick(ticks.clone().next()?);
        run_head(&mut w, &mut self.context, count, first, &self.shape, None, None);
        let len = encode(w.free(), count, ticks, columns, column).ok()?;
        w.advance(len);
        self.next = self.next.plus(count as u64);
        w.finish().ok()
    }
}

impl Server {
    /// Nothing came on this connection yet.
    pub fn new() -> Server {
        Server { next: NEXT, context: LaneContext::default() }
    }

    /// Reads one frame into rows; how many it filled.
    pub fn rows(&mut self, frame: &[u8], rows: &mut [Row]) -> Option<usize> {
        self.read(frame, &mut Rows { rows })
    }

    /// Reads one frame, whatever it holds; how many records.
    pub fn read(&mut self, frame: &[u8], sink: &mut impl Sink) -> Option<usize> {
        let (head, body) = frame.split_first()?;
        let lane = Lane::from_number(Header::parse(*head).ok()?.lane)?;
        let mut reader = Reader::new(body);
        if Data::read_n(&mut reader).ok()? != self.next.n() {
            return None;
        }
        let data = Data::check(lane, self.next, reader.rest(), &mut self.context).ok()?;
        match data.alone() {
            Some(run) => run.decode(sink).ok()?,
            None => runs(data.items(), sink)?,
        }
        self.next = data.next;
        Some(data.records as usize)
    }
}

#[inline(never)]
fn runs<'a>(items: impl Iterator<Item = Item<'a>>, sink: &mut impl Sink) -> Option<()> {
    for item in items {
        let Item::Run(run) = item else { return None };
        run.decode(sink).ok()?;
    }
    Some(())
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

/// Rows as an application wants them.
struct Rows<'a> {
    rows: &'a mut [Row],
}

impl Sink for Rows<'_> {
    fn tick(&mut self, row: usize, tick: u64) {
        let row = &mut self.rows[row];
        (row.id, row.ts) = (Row::ID, tick);
    }

    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        let value = match cell {
            // Both quantities have scale -2. A division, so that 2345 is the number nearest to 23.45.
            Cell::Value(value) => value as f32 / 100.0,
            Cell::Fault(_) => f32::NAN,
        };
        match column {
            0 => self.rows[row].temperature = value,
            _ => self.rows[row].humidity = value,
        }
    }
}
