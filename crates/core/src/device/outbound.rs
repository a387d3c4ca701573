//! Items from the outbox as one Data frame. SPEC section 7.

use super::FLASH;
use super::item::{self, Stored};
use super::numbers::{Column, Numbers, Ticks};
use crate::batch;
use crate::limits::FRAME_HARD_MAX;
use crate::wire::cursor::{NoRoom, Writer};
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
    data::begin(&mut w, lane, expect);
    let mut records = 0;
    // Memory holds nothing of an earlier boot.
    if FLASH && expect.boot() < batch.first.boot() {
        data::boot(&mut w, context, batch.first.boot() - expect.boot(), batch.complete);
    }
    let from = expect.max(Position::boot_start(batch.first.boot()));
    if from < batch.first {
        let missing = (batch.first.0 - from.0) as u32;
        data::gap(&mut w, missing, if batch.hole == Cause::None { Cause::Mixed } else { batch.hole }, None);
        records += missing;
    }
    w.finish()?;
    let mut framed = Framed { len: 0, taken: 0, positions: 0, records, tick: batch.tick, next: batch.first };
    let mut rest = Items { bytes: batch.bytes, tick: batch.tick };
    let mut after = rest;
    while let Some(stored) = after.next() {
        let mut positions = stored.positions();
        if framed.positions.saturating_add(positions) > u32::MAX - batch.first.n() {
            // Not ours: no boot makes so many.
            break;
        }
        let before = w.len();
        let fits = match stored {
            Stored::Record { superseded, cells, .. } => {
                let run = run(&mut w, context, rest, after.tick, cells.shape(), superseded);
                run.map(|(count, next)| (positions, after) = (count, next)).is_ok()
            }
            Stored::Gap { count, cause, span } => {
                data::gap(&mut w, count, cause, Some(span));
                w.finish().is_ok()
            }
            Stored::Reply { command, outcome, body } => {
                data::said(&mut w, command, outcome, body);
                w.finish().is_ok()
            }
            Stored::Applied { revision, refused } => {
                data::applied(&mut w, revision, refused);
                w.finish().is_ok()
            }
        };
        if !fits {
            if framed.positions == 0 {
                return Err(NoRoom);
            }
            w.truncate(before);
            break;
        }
        framed.positions += positions;
        rest = after;
    }
    framed.records += framed.positions;
    framed.taken = batch.bytes.len() - rest.bytes.len();
    framed.tick = rest.tick;
    framed.next = batch.first.plus(framed.positions.into());
    framed.len = w.len();
    Ok(framed)
}

/// Writes one run: the records from here on that share a shape, as many as fit, the first of which was made at `first`. If none does, the
/// context is as it was.
fn run<'a>(
    w: &mut Writer<'_>,
    context: &mut LaneContext,
    from: Items<'a>,
    first: Tick,
    shape: ShapeIds,
    superseded: Option<(u32, u64)>,
) -> Result<(u32, Items<'a>), NoRoom> {
    let columns = shape.as_slice().len();
    let numbers = Numbers { bytes: from.bytes };
    let ticks = Ticks { numbers, tick: from.tick };
    let column = |index| Column { numbers, index };
    let mut count = 1;
    if superseded.is_none() {
        let mut rest = numbers;
        rest.continues(shape.as_slice());
        while count < batch::MAX_RUN && rest.continues(shape.as_slice()) {
            count += 1;
        }
    }
    let superseded = superseded.map(|(n, since)| (n, Tick(first.0.saturating_sub(since))));
    let (start, context_before) = (w.len(), *context);
    let mut head = |w: &mut Writer<'_>, count, followed| {
        *context = context_before;
        w.truncate(start);
        data::run_head(w, context, count, first, &shape, superseded, followed);
        w.finish()
    };
    let (at, len) = loop {
        // The columns' length goes before them: room for the longest is left, and given up afterwards.
        let mut attempt = Err(NoRoom);
        if head(w, count, Some(FRAME_HARD_MAX)).is_ok() {
            let (at, room) = (w.len(), w.room());
            match batch::encode_or_len(w.free(), count, ticks, columns, column) {
                Ok((len, true)) => break (at, len),
                Ok((len, false)) => attempt = Ok(count * room / len),
                Err(_) => {}
            }
        }
        match attempt {
            Ok(fewer) if count > 1 => count = fewer.clamp(1, count - 1),
            _ => {
                *context = context_before;
                return Err(NoRoom);
            }
        }
    };
    let mut last = ticks;
    last.by_ref().take(count).for_each(drop);
    let next = Items { bytes: last.numbers.bytes, tick: last.tick };
    // If something follows in the items, it may follow in the frame.
    head(w, count, (!next.bytes.is_empty()).then_some(len))?;
    w.pull(at, len);
    Ok((count as u32, next))
}

/// Items one after the other.
#[derive(Clone, Copy, Debug)]
struct Items<'a> {
    bytes: &'a [u8],
    tick: Tick,
}

impl<'a> Items<'a> {
    /// Takes the next item; at the end, or at what is no item, nothing.
    fn next(&mut self) -> Option<Stored<'a>> {
        let (len, rest) = self.bytes.split_first()?;
        let (body, rest) = rest.split_at_checked(*len as usize)?;
        let stored = item::read(body)?;
        if let Stored::Record { delta, .. } = stored {
            self.tick = self.tick.plus(delta);
        }
        self.bytes = rest;
        Some(stored)
    }
}
