//! Items as they lie in an outbox: `length (1 byte), kind (1 byte), fields`.
//!
//! A record's tick is a distance from the item before it, so items are read in order. The same bytes go to flash.

use crate::batch::Cell;
use crate::catalog::Reading;
use crate::error::Misuse;
use crate::limits::{BODY_MAX, READINGS_PER_RECORD, RECORD_MAX};
use crate::wire::cursor::{Fields, NoRoom, Writer, zigzag};
use crate::wire::data::Outcome;
use crate::{Cause, CommandId, Position, Tick};

pub(super) const RECORD: u8 = 0;
pub(super) const GAP: u8 = 1;
pub(super) const REPLY: u8 = 2;
const APPLIED: u8 = 3;
pub(super) const LATEST: u8 = 4;

/// The largest item, its length byte included.
pub(crate) const ITEM_MAX: usize = 1 + 255;

/// An item, taken apart: one set of fields for all kinds. What a kind does not have is of no meaning.
// A variant for each kind would have a chip copy the largest of them about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    /// What it is.
    pub kind: u8,
    /// Of a gap how many positions, of a record how many values it replaced; the command of an answer, the revision of a setting.
    pub number: u32,
    /// Of a record the ms after the item before, of a gap its first tick.
    pub from: u64,
    /// Of a record the ms since the first value that it replaced, of a gap the ms from its first tick to its last.
    pub span: u64,
    /// Of a gap its cause, of an answer its outcome as the wire has it, of a setting 0 or why it was refused; of a record how many readings.
    pub code: [u8; 2],
    /// Of a record its readings, of an answer its body.
    pub rest: &'a [u8],
}

impl<'a> Stored<'a> {
    /// Before one of these is read.
    pub(crate) const fn none(items: &'a [u8]) -> Self {
        Stored { kind: 0, number: 0, from: 0, span: 0, code: [0; 2], rest: items }
    }

    /// Whether it holds readings of one instant.
    pub(crate) fn is_record(&self) -> bool {
        matches!(self.kind, RECORD | LATEST)
    }

    /// How many positions it takes.
    pub(crate) fn positions(&self) -> u32 {
        if self.kind == GAP { self.number } else { 1 }
    }

    /// The tick after it: that of a record, else the one before it.
    pub(crate) fn after(&self, before: Tick) -> Tick {
        if self.is_record() { before.plus(self.from) } else { before }
    }

    /// Reads the body of an item (after its length byte) in place of this one; says whether it is one.
    pub(crate) fn read(&mut self, body: &'a [u8]) -> bool {
        let mut r = Fields::new(body);
        self.kind = r.u8();
        if self.is_record() {
            self.from = r.varint();
        }
        if self.kind != RECORD {
            self.number = r.var32();
        }
        if self.kind == LATEST {
            self.span = r.varint();
        }
        self.code[0] = r.u8();
        if self.kind == REPLY {
            self.code[1] = r.u8();
        }
        if self.kind == GAP {
            (self.from, self.span) = (r.varint(), r.varint());
        }
        self.rest = r.rest();
        let is_sound = match self.kind {
            GAP => self.number > 0,
            REPLY => matches!(self.code, [0..=2, 0] | [3, 1..=255]),
            kind => kind <= LATEST,
        };
        is_sound && r.so_far().is_ok()
    }
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
        let mut stored = Stored::none(bytes);
        if !stored.read(bytes.get(at + 1..at + len)?) {
            return None;
        }
        let tick = stored.after(before);
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
}

impl Made {
    /// Nothing yet.
    pub(crate) const fn new() -> Made {
        Made { bytes: [0; ITEM_MAX] }
    }

    /// The item with its length byte.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..1 + usize::from(self.bytes[0])]
    }

    /// Where its fields go, behind the length byte.
    fn fields(&mut self) -> Writer<'_> {
        Writer::new(&mut self.bytes[1..])
    }

    /// All fields are written. None are there if they exceed 255 bytes.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn end(&mut self, written: Result<usize, NoRoom>) {
        self.bytes[0] = written.unwrap_or(0) as u8;
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
        let mut rest = readings;
        while let [reading, others @ ..] = rest {
            if others.iter().any(|other| other.quantity == reading.quantity) {
                return Err(Misuse::Readings);
            }
            rest = others;
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
        if (2..=RECORD_MAX).contains(&self.as_slice().len()) { Ok(()) } else { Err(Misuse::RecordTooLarge) }
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
