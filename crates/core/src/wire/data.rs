//! Data: what a lane carries. SPEC section 7; the columns inside a run are section 6 (module `batch`).

mod read;
#[cfg(test)]
mod tests;
mod write;

use super::cursor::{Reader, Writer};
use super::header::{Kind, laned};
use crate::batch::{self, DecodeError, Sink};
use crate::error::Peer;
use crate::limits::{BODY_MAX, READINGS_PER_RECORD, RUN_MAX};
use crate::{Cause, CommandId, Lane, Position, Tick};

use read::{Items, walk};
pub(crate) use write::{Head, said};
pub use write::{applied, begin, boot, gap, reply, run_head};

const RUN: u8 = 0;
const GAP: u8 = 1;
const BOOT: u8 = 2;
const REPLY: u8 = 3;
const APPLIED: u8 = 4;

const TICK_RELATIVE: u8 = 0x08;
const SHAPE_SAME: u8 = 0x10;
const SUPERSEDED: u8 = 0x20;
const MANY: u8 = 0x40;
const NOT_LAST: u8 = 0x80;

/// Of the one record that most frames hold.
const ALONE: u8 = RUN | TICK_RELATIVE | SHAPE_SAME;

/// The quantities of a record, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShapeIds {
    ids: [u16; READINGS_PER_RECORD],
    len: u8,
}

impl ShapeIds {
    /// Adds a quantity; `false` if there are 16 already.
    pub fn push(&mut self, id: u16) -> bool {
        match self.ids.get_mut(self.len as usize) {
            Some(slot) => {
                *slot = id;
                self.len += 1;
                true
            }
            None => false,
        }
    }

    /// The quantities' ids.
    #[inline]
    pub fn as_slice(&self) -> &[u16] {
        &self.ids[..self.len as usize]
    }
}

/// What both ends remember of a lane from one Data frame to the next, on one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneContext {
    /// Shape of the last run.
    pub shape: ShapeIds,
    /// First tick of the last run of this boot; `None` after a boot step or at the start: the next is absolute. Where there is a tick,
    /// there is a shape.
    pub tick: Option<Tick>,
}

impl LaneContext {
    /// At the start of a connection.
    pub(crate) const NEW: Self =
        LaneContext { shape: ShapeIds { ids: [0; READINGS_PER_RECORD], len: 0 }, tick: None };
}

/// A run of records of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    /// Position of the first record.
    pub first: Position,
    /// How many records.
    pub count: usize,
    /// Tick of the first record.
    pub tick: Tick,
    /// Quantities of each record.
    pub shape: ShapeIds,
    /// Values that keep-latest overwrote before this record, and the tick of the first of them.
    pub superseded: Option<(u32, Tick)>,
    payload: &'a [u8],
}

impl<'a> Run<'a> {
    /// The record at `first`, if the items are that one record and nothing else, of the shape of the run before: most frames are such.
    /// Updates the context; [`Data::check`] takes all others, and these too.
    #[inline]
    fn alone(first: Position, items: &'a [u8], context: &mut LaneContext) -> Option<Self> {
        let ((&ALONE, after), Some(last), true) = (items.split_first()?, context.tick, first.n() < u32::MAX)
        else {
            return None;
        };
        let mut reader = Reader::new(after);
        let tick = Tick(last.0.checked_add(reader.short_varint().ok()?)?);
        context.tick = Some(tick);
        Some(Run { first, count: 1, tick, shape: context.shape, superseded: None, payload: reader.rest() })
    }

    /// The columns as they came (SPEC 6), for quarantine.
    pub fn columns(&self) -> &'a [u8] {
        self.payload
    }

    /// Decodes ticks and cells into a sink, column by column.
    #[inline(always)]
    pub fn decode(&self, sink: &mut impl Sink) -> Result<(), DecodeError> {
        let (tick, columns) = (self.tick.0, self.shape.len.into());
        let used = match self.count {
            1 => batch::decode_one(self.payload, tick, columns, sink),
            count => batch::decode(self.payload, tick, count, columns, sink),
        }?;
        if used == self.payload.len() { Ok(()) } else { Err(DecodeError::Malformed) }
    }
}

/// How a command ended, as the device says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran.
    Done,
    /// It was not begun: too late.
    Expired,
    /// It was begun, but the answer is gone.
    Unknown,
    /// It was not run, with a code of the application (1 to 255).
    Refused(u8),
}

impl Outcome {
    /// Its kind and code. Refusal with code 0 becomes code 1.
    pub(crate) fn to_bytes(self) -> [u8; 2] {
        match self {
            Outcome::Done => [0, 0],
            Outcome::Expired => [1, 0],
            Outcome::Unknown => [2, 0],
            Outcome::Refused(code) => [3, code.max(1)],
        }
    }
}

/// One item of a Data frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// Records with readings.
    Run(Run<'a>),
    /// These positions will never come.
    Gap {
        /// First position.
        first: Position,
        /// Last position, inclusive.
        last: Position,
        /// Why.
        cause: Cause,
        /// First and last tick of what is missing, if known.
        span: Option<(Tick, Tick)>,
    },
    /// The lane goes on in a later boot.
    Boot {
        /// The position before the step.
        after: Position,
        /// Which.
        boot: u32,
        /// Whether nothing was lost in between.
        complete: bool,
    },
    /// The answer to a command: takes one position.
    Reply {
        /// Where it stands.
        position: Position,
        /// Which command.
        command: CommandId,
        /// How it ended.
        outcome: Outcome,
        /// Body of the answer.
        body: &'a [u8],
    },
    /// A setting was applied or refused: takes one position.
    Applied {
        /// Where it stands.
        position: Position,
        /// Which revision.
        revision: u32,
        /// Refused, with a code.
        refused: Option<u8>,
    },
    /// An item of a later version: takes `count` positions.
    Unknown {
        /// First position.
        first: Position,
        /// How many positions.
        count: u32,
        /// Its bytes.
        bytes: &'a [u8],
    },
}

/// A Data frame whose structure was checked: its items can be walked without errors.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// Which lane.
    pub lane: Lane,
    /// Position of the first item.
    pub first: Position,
    /// The position after the last item.
    pub next: Position,
    /// How many positions it holds.
    pub records: u32,
    body: &'a [u8],
    context: LaneContext,
    /// The record, if it is alone.
    alone: Option<Run<'a>>,
}

impl<'a> Data<'a> {
    /// The position number that a Data body begins with (low 32 bits).
    ///
    /// # Errors
    /// [`Peer::Malformed`] if there is none.
    #[inline]
    pub fn read_n(r: &mut Reader<'_>) -> Result<u32, Peer> {
        u32::try_from(r.short_varint()?).map_err(|_| Peer::Malformed)
    }

    /// Checks the items after the position number, of which the first has position `first`. Updates the lane's context.
    ///
    /// # Errors
    /// [`Peer::Malformed`] or [`Peer::Limit`]; the context is then as it was.
    #[inline]
    pub fn check(
        lane: Lane,
        first: Position,
        body: &'a [u8],
        context: &mut LaneContext,
    ) -> Result<Data<'a>, Peer> {
        if let Some(run) = Run::alone(first, body, context) {
            let (next, context) = (first.plus(1), LaneContext::NEW);
            return Ok(Data { lane, first, next, records: 1, body, context, alone: Some(run) });
        }
        let before = *context;
        let (next, records) = walk(first, body, context)?;
        Ok(Data { lane, first, next, records, body, context: before, alone: None })
    }

    /// How many positions the items account for, as far as they can be read, when what they refer to is not known.
    pub(crate) fn positions(body: &[u8]) -> u32 {
        let mut shape = ShapeIds::default();
        shape.push(0);
        let context = LaneContext { shape, tick: Some(Tick(0)) };
        let mut items = Items::new(body, Position::NONE, context);
        let mut records = 0u64;
        while !items.reader.is_empty() {
            let from = items.next;
            match items.step() {
                Ok(Item::Boot { .. }) => items.context.tick = Some(Tick(0)),
                Ok(_) => records += items.next.0 - from.0,
                Err(_) => break,
            }
        }
        records.min(u32::MAX.into()) as u32
    }

    /// The items, in order of position.
    #[inline]
    pub fn items(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let reader = Reader::new(if self.alone.is_some() { &[] } else { self.body });
        Items { reader, next: self.first, context: self.context, alone: self.alone }
    }

    /// The record, if it is the frame's only item, as in most frames. The quickest way to it; [`Data::items`] gives it too.
    #[inline(always)]
    pub fn alone(&self) -> Option<Run<'a>> {
        self.alone
    }

    /// The items' bytes, for quarantine.
    pub fn bytes(&self) -> &'a [u8] {
        self.body
    }
}
