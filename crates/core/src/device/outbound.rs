//! Items from the outbox as one Data frame. SPEC section 7.

use super::item::{self, Stored};
use crate::batch::{self, Cell};
use crate::wire::cursor::{NoRoom, Writer, varint_len};
use crate::wire::data::{self, LaneContext, ShapeIds};
use crate::{Cause, Lane, Position, Tick};

/// Items to frame: length-prefixed bytes, the position of the first, the tick its distance counts from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch<'a> {
    pub bytes: &'a [u8],
    /// On the wire.
    pub first: Position,
    pub tick: Tick,
    /// Why positions before `first` are missing, if some are; whether the boot before ended with nothing lost.
    pub hole: Cause,
    pub complete: bool,
}

/// What a frame took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Framed {
    /// Length of the frame.
    pub len: usize,
    /// Bytes of items that it holds.
    pub taken: usize,
    /// Positions of those items.
    pub positions: u32,
    /// All positions it accounts for, gap items included.
    pub records: u32,
    /// Tick after the last item.
    pub tick: Tick,
    /// The position that follows.
    pub next: Position,
}

/// Frames as many of the items as fit `out`; `expect` is the position that the server expects next.
pub(crate) fn frame(
    lane: Lane,
    context: &mut LaneContext,
    expect: Position,
    batch: &Batch<'_>,
    out: &mut [u8],
) -> Result<Framed, NoRoom> {
    let mut w = Writer::new(out);
    data::begin(&mut w, lane, expect)?;
    let mut records = 0;
    if expect.boot() < batch.first.boot() {
        data::boot(&mut w, context, batch.first.boot() - expect.boot(), batch.complete)?;
    }
    let from = expect.max(Position::boot_start(batch.first.boot()));
    if from < batch.first {
        let missing = (batch.first.0 - from.0) as u32;
        data::gap(&mut w, missing, if batch.hole == Cause::None { Cause::Mixed } else { batch.hole }, None)?;
        records += missing;
    }
    let mut framed = Framed { len: 0, taken: 0, positions: 0, records, tick: batch.tick, next: batch.first };
    let mut rest = Items { bytes: batch.bytes, tick: batch.tick };
    while let Some((stored, after)) = rest.peek() {
        if framed.positions.saturating_add(stored.positions()) > u32::MAX - batch.first.n() {
            // Not ours: no boot makes so many.
            break;
        }
        let (before, context_before) = (w.len(), *context);
        let step = match stored {
            Stored::Record { superseded, cells, .. } => run(&mut w, context, rest, cells.shape(), superseded),
            Stored::Gap { count, cause, span } => {
                data::gap(&mut w, count, cause, Some(span)).map(|()| (count, after))
            }
            Stored::Reply { command, outcome, body } => {
                data::reply(&mut w, command, outcome, body).map(|()| (1, after))
            }
            Stored::Applied { revision, refused } => {
                data::applied(&mut w, revision, refused).map(|()| (1, after))
            }
        };
        match step {
            Ok((positions, next)) => {
                framed.positions += positions;
                rest = next;
            }
            Err(NoRoom) if framed.positions > 0 => {
                w.truncate(before);
                *context = context_before;
                break;
            }
            Err(NoRoom) => return Err(NoRoom),
        }
    }
    framed.records += framed.positions;
    framed.taken = batch.bytes.len() - rest.bytes.len();
    framed.tick = rest.tick;
    framed.next = batch.first.plus(framed.positions.into());
    framed.len = w.len();
    Ok(framed)
}

/// Writes one run: the records from here on that share a shape, as many as fit.
fn run<'a>(
    w: &mut Writer<'_>,
    context: &mut LaneContext,
    from: Items<'a>,
    shape: ShapeIds,
    superseded: Option<(u32, u64)>,
) -> Result<(u32, Items<'a>), NoRoom> {
    let columns = shape.as_slice().len();
    let same = |(_, stored): &(Tick, Stored<'a>)| match stored {
        Stored::Record { cells, superseded, .. } => superseded.is_none() && cells.shape() == shape,
        _ => false,
    };
    let mut count = match superseded {
        Some(_) => 1,
        None => from.ticked().take_while(same).count().min(batch::MAX_RUN),
    };
    let first = from.ticked().next().map_or(from.tick, |(tick, _)| tick);
    let superseded = superseded.map(|(n, since)| (n, Tick(first.0.saturating_sub(since))));
    let ticks = || from.ticked().map(|(tick, _)| tick.0);
    let column = |c: usize| {
        from.ticked().map(move |(_, stored)| match stored {
            Stored::Record { cells, .. } => cells.iter().nth(c).map_or(Cell::Fault(0), |r| r.cell),
            _ => Cell::Fault(0),
        })
    };
    // The longest head: tag, count, tick, shape, superseded, length.
    let head =
        1 + 2 + 10 + 1 + shape.as_slice().iter().map(|id| varint_len((*id).into())).sum::<usize>() + 15 + 3;
    let room = w.room().saturating_sub(head.min(w.room() / 2));
    let len = loop {
        let len = batch::encoded_len(count, ticks().take(count), columns, |c| column(c).take(count))
            .map_err(|_| NoRoom)?;
        if len <= room || count == 1 {
            break len;
        }
        count = (count * room / len).clamp(1, count - 1);
    };
    let mut next = from;
    for _ in 0..count {
        next.skip_one();
    }
    // If something follows in the items, it may follow in the frame.
    let followed = (!next.bytes.is_empty()).then_some(len);
    data::run_head(w, context, count, first, &shape, superseded, followed)?;
    let written = batch::encode(w.free(), count, ticks().take(count), columns, |c| column(c).take(count));
    w.advance(written.map_err(|_| NoRoom)?);
    Ok((count as u32, next))
}

/// Items one after the other.
#[derive(Clone, Copy, Debug)]
struct Items<'a> {
    bytes: &'a [u8],
    tick: Tick,
}

impl<'a> Items<'a> {
    /// The next item, and what follows it.
    fn peek(&self) -> Option<(Stored<'a>, Items<'a>)> {
        let (len, rest) = self.bytes.split_first()?;
        let body = rest.get(..*len as usize)?;
        let stored = item::read(body)?;
        let tick = match stored {
            Stored::Record { delta, .. } => self.tick.plus(delta),
            _ => self.tick,
        };
        Some((stored, Items { bytes: &rest[body.len()..], tick }))
    }

    fn skip_one(&mut self) {
        if let Some((_, next)) = self.peek() {
            *self = next;
        }
    }

    /// The items with their ticks.
    fn ticked(self) -> impl Iterator<Item = (Tick, Stored<'a>)> + Clone + use<'a> {
        let mut at = self;
        core::iter::from_fn(move || {
            let (stored, next) = at.peek()?;
            at = next;
            Some((next.tick, stored))
        })
    }
}
