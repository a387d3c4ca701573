//! Items as they lie in an outbox: `length (1 byte), kind (1 byte), fields`.
//!
//! A record's tick is a distance from the item before it, so items are read in order. The same bytes go to flash.

use crate::batch::Cell;
use crate::catalog::Reading;
use crate::error::{Misuse, Peer};
use crate::limits::{BODY_MAX, READINGS_PER_RECORD, RECORD_MAX};
use crate::wire::cursor::{Fields, NoRoom, Reader, Writer, unzigzag, zigzag};
use crate::wire::data::{Outcome, ShapeIds};
use crate::{Cause, CommandId, Position, Tick};

pub(super) const RECORD: u8 = 0;
const GAP: u8 = 1;
const REPLY: u8 = 2;
const APPLIED: u8 = 3;
pub(super) const LATEST: u8 = 4;

/// The largest item, its length byte included.
pub(crate) const ITEM_MAX: usize = 1 + 255;

/// An item, taken apart.
// Its number in a byte: beside a tick the compiler makes 64 bits of it, which a chip compares in pieces.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Stored<'a> {
    /// Readings of one instant, `delta` ms after the item before.
    Record { delta: u64, cells: Cells<'a>, superseded: Option<(u32, u64)> },
    /// Positions that were never kept.
    Gap { count: u32, cause: Cause, span: (Tick, Tick) },
    /// The answer to a command, its outcome as the wire has it.
    Reply { command: CommandId, outcome: [u8; 2], body: &'a [u8] },
    /// A setting was applied or refused.
    Applied { revision: u32, refused: Option<u8> },
}

impl Stored<'_> {
    /// How many positions it takes.
    pub(crate) fn positions(&self) -> u32 {
        if let Stored::Gap { count, .. } = self { *count } else { 1 }
    }
}

/// The readings of a record: ids and cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells<'a> {
    count: u8,
    bytes: &'a [u8],
}

impl<'a> Cells<'a> {
    /// The readings in order. Our own bytes: what cannot be read ends the list.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Reading> + Clone + use<'a> {
        let mut rest = *self;
        core::iter::from_fn(move || rest.take())
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn take(&mut self) -> Option<Reading> {
        self.count = self.count.checked_sub(1)?;
        let mut r = Reader::new(self.bytes);
        let (quantity, coded) = (r.var16().ok()?, r.varint().ok()?);
        self.bytes = r.rest();
        let cell = match coded & 1 {
            0 => Cell::Value(unzigzag(coded >> 1) as i32),
            _ => Cell::Fault((coded >> 1) as u8),
        };
        Some(Reading { quantity, cell })
    }

    /// Its quantities.
    pub(crate) fn shape(&self) -> ShapeIds {
        let mut shape = ShapeIds::default();
        self.iter().for_each(|r| {
            shape.push(r.quantity);
        });
        shape
    }
}

/// Reads the body of an item (after its length byte).
pub(crate) fn read(body: &[u8]) -> Option<Stored<'_>> {
    let mut r = Fields::new(body);
    let stored = match r.u8() {
        kind @ (RECORD | LATEST) => {
            let delta = r.varint();
            let superseded = (kind == LATEST).then(|| (r.var32(), r.varint()));
            let count = r.u8();
            Stored::Record { delta, superseded, cells: Cells { count, bytes: r.rest() } }
        }
        GAP => {
            let (count, cause) = (r.var32(), Cause::from_number(r.u8()));
            r.require(count > 0, Peer::Malformed);
            let first = Tick(r.varint());
            Stored::Gap { count, cause, span: (first, first.plus(r.varint())) }
        }
        REPLY => {
            let (command, outcome) = (CommandId(r.var32()), [r.u8(), r.u8()]);
            r.require(matches!(outcome, [0..=2, 0] | [3, 1..=255]), Peer::Malformed);
            Stored::Reply { command, outcome, body: r.rest() }
        }
        APPLIED => {
            let (revision, code) = (r.var32(), r.u8());
            Stored::Applied { revision, refused: (code > 0).then_some(code) }
        }
        _ => return None,
    };
    r.so_far().is_ok().then_some(stored)
}

/// One item among others, as flash keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked {
    /// Its first position.
    pub first: Position,
    /// The position after it.
    pub next: Position,
    /// Tick that its distance counts from.
    pub before: Tick,
    /// Tick after it: that of a record, else as before.
    pub tick: Tick,
    /// Where its bytes begin.
    pub at: usize,
    /// How many bytes it takes.
    pub len: usize,
}

/// Walks over items that lie one after the other, as `OutboxMut::next_spills` gives them: the position of the first, and the tick
/// that its distance counts from. Ends at the first byte that is no item.
pub fn walk(bytes: &[u8], first: Position, tick: Tick) -> impl Iterator<Item = Walked> + '_ {
    let (mut at, mut first, mut before) = (0, first, tick);
    core::iter::from_fn(move || {
        let len = 1 + *bytes.get(at)? as usize;
        let stored = read(bytes.get(at + 1..at + len)?)?;
        let tick = match stored {
            Stored::Record { delta, .. } => before.plus(delta),
            _ => before,
        };
        let next = first.plus(stored.positions().into());
        let walked = Walked { first, next, before, tick, at, len };
        (at, first, before) = (at + len, next, tick);
        Some(walked)
    })
}

/// An item that is being made, with its length byte.
// In place: it is too large to be handed about on a chip.
pub(crate) struct Made {
    bytes: [u8; ITEM_MAX],
    len: usize,
}

impl Made {
    /// Nothing yet.
    pub(crate) const fn new() -> Made {
        Made { bytes: [0; ITEM_MAX], len: 0 }
    }

    /// The item with its length byte.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Where its fields go, behind the length byte.
    fn fields(&mut self) -> Writer<'_> {
        Writer::new(&mut self.bytes[1..])
    }

    /// All fields are written. Empty if they exceed 255 bytes.
    fn end(&mut self, written: Result<usize, NoRoom>) {
        let len = written.unwrap_or(0);
        self.bytes[0] = len as u8;
        self.len = if len > 0 { 1 + len } else { 0 };
    }

    /// A record. Refuses what no server is bound to take.
    pub(crate) fn record(
        &mut self,
        delta: u64,
        readings: &[Reading],
        superseded: Option<(u32, u64)>,
    ) -> Result<(), Misuse> {
        if readings.is_empty() || readings.len() > READINGS_PER_RECORD {
            return Err(Misuse::Readings);
        }
        for (i, r) in readings.iter().enumerate() {
            if readings[..i].iter().any(|other| other.quantity == r.quantity) {
                return Err(Misuse::Readings);
            }
        }
        let mut w = self.fields();
        w.u8(if superseded.is_some() { LATEST } else { RECORD });
        w.varint(delta);
        if let Some((n, since)) = superseded {
            w.var32(n);
            w.varint(since);
        }
        w.u8(readings.len() as u8);
        for r in readings {
            w.var32(r.quantity.into());
            w.varint(match r.cell {
                Cell::Value(v) => zigzag(v.into()) << 1,
                Cell::Fault(code) => u64::from(code) << 1 | 1,
            });
        }
        let written = w.finish();
        self.end(written);
        if (1..=RECORD_MAX).contains(&self.len) { Ok(()) } else { Err(Misuse::RecordTooLarge) }
    }

    /// A closed gap.
    pub(crate) fn gap(&mut self, count: u32, cause: Cause, span: (Tick, Tick)) {
        let mut w = self.fields();
        w.u8(GAP);
        w.var32(count);
        w.u8(cause as u8);
        w.varint(span.0.0);
        w.varint(span.1.since(span.0));
        let written = w.finish();
        self.end(written);
    }

    /// The answer to a command.
    pub(crate) fn reply(&mut self, command: CommandId, outcome: Outcome, body: &[u8]) -> Result<(), Misuse> {
        if body.len() > BODY_MAX {
            return Err(Misuse::Body);
        }
        let mut w = self.fields();
        w.u8(REPLY);
        w.var32(command.0);
        w.bytes(&outcome.to_bytes());
        w.bytes(body);
        let written = w.finish();
        self.end(written);
        Ok(())
    }

    /// A setting was applied or refused.
    pub(crate) fn applied(&mut self, revision: u32, refused: Option<u8>) {
        let mut w = self.fields();
        w.u8(APPLIED);
        w.var32(revision);
        w.u8(refused.map_or(0, |c| c.max(1)));
        let written = w.finish();
        self.end(written);
    }
}
