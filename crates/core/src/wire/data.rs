//! Data: what a lane carries. SPEC section 7; the columns inside a run are section 6 (module `batch`).

mod write;

use super::cursor::{NoRoom, Reader, Writer};
use super::header::{Kind, laned};
use crate::batch::{self, DecodeError, Sink};
use crate::error::Peer;
use crate::limits::{BODY_MAX, READINGS_PER_RECORD, RUN_MAX};
use crate::{Cause, CommandId, Lane, Position, Tick};

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
    /// First tick of the last run of this boot; `None` after a boot step or at the start: the next is absolute.
    pub tick: Option<Tick>,
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
    pub fn alone(first: Position, items: &'a [u8], context: &mut LaneContext) -> Option<Self> {
        // Where there is a tick, there is a shape.
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
    /// Tick and cells of a record that is alone.
    alone: Option<(Tick, &'a [u8])>,
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
            // The shape is that of the run before; the tick is not needed any more.
            let (context, alone) = (*context, Some((run.tick, run.payload)));
            return Ok(Data { lane, first, next: first.plus(1), records: 1, body, context, alone });
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

    /// The items' bytes, for quarantine.
    pub fn bytes(&self) -> &'a [u8] {
        self.body
    }
}

/// Checks all items: the position after the last, how many positions they hold, and the context after them.
#[inline(never)]
fn walk(first: Position, body: &[u8], context: &mut LaneContext) -> Result<(Position, u32), Peer> {
    let mut items = Items::new(body, first, *context);
    let mut records = 0u32;
    if body.is_empty() {
        return Err(Peer::Malformed);
    }
    while !items.reader.is_empty() {
        let from = items.next;
        if !matches!(items.step()?, Item::Boot { .. }) {
            let n = u32::try_from(items.next.0 - from.0).map_err(|_| Peer::Limit)?;
            records = records.checked_add(n).ok_or(Peer::Limit)?;
        }
    }
    *context = items.context;
    Ok((items.next, records))
}

struct Items<'a> {
    reader: Reader<'a>,
    next: Position,
    context: LaneContext,
    alone: Option<(Tick, &'a [u8])>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if let Some((tick, payload)) = self.alone.take() {
            let (first, shape) = (self.next, self.context.shape);
            return Some(Item::Run(Run { first, count: 1, tick, shape, superseded: None, payload }));
        }
        // The structure was checked: nothing fails here.
        if self.reader.is_empty() { None } else { self.step().ok() }
    }
}

impl<'a> Items<'a> {
    fn new(body: &'a [u8], next: Position, context: LaneContext) -> Self {
        Self { reader: Reader::new(body), next, context, alone: None }
    }

    fn take(&mut self, positions: u64) -> Result<Position, Peer> {
        let first = self.next;
        // Positions never leave their boot by counting.
        if u64::from(first.n()) + positions > u64::from(u32::MAX) {
            return Err(Peer::Limit);
        }
        self.next = first.plus(positions);
        Ok(first)
    }

    fn step(&mut self) -> Result<Item<'a>, Peer> {
        let tag = self.reader.u8()?;
        match tag & 7 {
            RUN => self.run(tag),
            _ if tag & !7 != 0 => Err(Peer::Malformed),
            GAP => {
                let count = self.reader.var32()?;
                if count == 0 {
                    return Err(Peer::Malformed);
                }
                let cause = self.reader.u8()?;
                let span = self.reader.span(cause)?;
                let first = self.take(count.into())?;
                Ok(Item::Gap { first, last: self.next.prev(), cause: Cause::from_number(cause & 0x7f), span })
            }
            BOOT => {
                let ahead = self.reader.var32()?;
                let complete = self.reader.flag()?;
                let boot = self.next.boot().checked_add(ahead).filter(|_| ahead > 0).ok_or(Peer::Limit)?;
                let after = self.next.prev();
                self.next = Position::boot_start(boot);
                self.context.tick = None;
                Ok(Item::Boot { after, boot, complete })
            }
            REPLY => {
                let command = CommandId(self.reader.var32()?);
                let outcome = match (self.reader.u8()?, self.reader.u8()?) {
                    (0, 0) => Outcome::Done,
                    (1, 0) => Outcome::Expired,
                    (2, 0) => Outcome::Unknown,
                    (3, code) if code > 0 => Outcome::Refused(code),
                    _ => return Err(Peer::Malformed),
                };
                let body = self.reader.block(BODY_MAX)?;
                Ok(Item::Reply { position: self.take(1)?, command, outcome, body })
            }
            APPLIED => {
                let (revision, code) = (self.reader.var32()?, self.reader.u8()?);
                Ok(Item::Applied { position: self.take(1)?, revision, refused: (code > 0).then_some(code) })
            }
            _ => {
                let count = self.reader.var32()?;
                let bytes = self.reader.block(usize::MAX)?;
                Ok(Item::Unknown { first: self.take(count.into())?, count, bytes })
            }
        }
    }

    fn run(&mut self, tag: u8) -> Result<Item<'a>, Peer> {
        let r = &mut self.reader;
        let count = if tag & MANY != 0 { r.varint()? } else { 1 };
        if count < 1 || count > RUN_MAX as u64 || (count == 1 && tag & MANY != 0) {
            return Err(Peer::Limit);
        }
        let tick = match (tag & TICK_RELATIVE != 0, self.context.tick) {
            (false, _) => Tick(r.varint()?),
            (true, Some(last)) => r.after(last)?,
            (true, None) => return Err(Peer::Malformed),
        };
        if tag & SHAPE_SAME == 0 {
            let n = r.u8()?;
            if n == 0 || n as usize > READINGS_PER_RECORD {
                return Err(Peer::Limit);
            }
            let mut shape = ShapeIds::default();
            for _ in 0..n {
                let id = r.var16()?;
                if shape.as_slice().contains(&id) {
                    return Err(Peer::Malformed);
                }
                shape.push(id);
            }
            self.context.shape = shape;
        }
        if self.context.shape.as_slice().is_empty() {
            return Err(Peer::Malformed);
        }
        let superseded = match tag & SUPERSEDED {
            0 => None,
            _ => {
                let n = r.var32()?;
                let since = tick.0.checked_sub(r.varint()?).ok_or(Peer::Malformed)?;
                Some((n, Tick(since)))
            }
        };
        let payload = if tag & NOT_LAST != 0 { r.block(usize::MAX)? } else { r.bytes(r.rest().len())? };
        self.context.tick = Some(tick);
        let shape = self.context.shape;
        let first = self.take(count)?;
        Ok(Item::Run(Run { first, count: count as usize, tick, shape, superseded, payload }))
    }
}
