//! Items from the outbox as one Data frame. SPEC section 7.

use super::FLASH;
use super::item::{GAP, LATEST, REPLY, Stored};
use super::numbers::{Column, Numbers, Ticks};
use crate::batch;
use crate::limits::FRAME_HARD_MAX;
use crate::wire::cursor::Writer;
use crate::wire::data::{self, LaneContext};
use crate::{Cause, CommandId, Lane, Position, Tick};

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

/// Frames as many of the items as fit `out`; `expect` is the position that the server expects next. Where none does, there is no frame: what
/// `out` holds is of no use.
pub(crate) fn frame(
    lane: Lane,
    context: &mut LaneContext,
    expect: Position,
    batch: &Batch<'_>,
    out: &mut [u8],
) -> Framed {
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
    let mut framed = Framed { len: 0, taken: 0, positions: 0, records, tick: batch.tick, next: batch.first };
    let mut rest = Items { bytes: batch.bytes, tick: batch.tick };
    let (mut after, mut stored) = (rest, Stored::none(batch.bytes));
    while w.finish().is_ok() && after.next(&mut stored) {
        let mut positions = stored.positions();
        if framed.positions.saturating_add(positions) > u32::MAX - batch.first.n() {
            // Not ours: no boot makes so many.
            break;
        }
        let before = w.len();
        if stored.is_record() {
            let Some((count, next)) = run(&mut w, context, rest, after.tick, &mut stored) else { break };
            (positions, after) = (count, next);
        } else {
            other(&mut w, &stored);
            if w.finish().is_err() {
                w.truncate(before);
                break;
            }
        }
        framed.positions += positions;
        rest = after;
    }
    framed.records += framed.positions;
    framed.taken = batch.bytes.len() - rest.bytes.len();
    framed.tick = rest.tick;
    framed.next = batch.first.plus(framed.positions.into());
    framed.len = w.len();
    framed
}

/// Writes an item that is no record.
fn other(w: &mut Writer<'_>, stored: &Stored<'_>) {
    let [code, more] = stored.code;
    match stored.kind {
        GAP => {
            let first = Tick(stored.from);
            data::gap(w, stored.number, Cause::from_number(code), Some((first, first.plus(stored.span))));
        }
        REPLY => data::said(w, CommandId(stored.number), [code, more], stored.rest),
        _ => data::applied(w, stored.number, (code > 0).then_some(code)),
    }
}

/// Writes one run: the records from here on that are of the shape of the first, as many as fit; that one was made at `first`. If none does,
/// nothing is written.
fn run<'a>(
    w: &mut Writer<'_>,
    context: &mut LaneContext,
    from: Items<'a>,
    first: Tick,
    stored: &mut Stored<'a>,
) -> Option<(u32, Items<'a>)> {
    let numbers = Numbers { bytes: from.bytes };
    let shape = numbers.shape(stored.code[0]);
    let quantities = shape.as_slice();
    let columns = quantities.len();
    let is_latest = stored.kind == LATEST;
    let superseded = is_latest.then(|| (stored.number, Tick(first.0.saturating_sub(stored.span))));
    let mut count = 1;
    let mut rest = numbers;
    rest.continues(quantities);
    while !is_latest && count < batch::MAX_RUN && rest.continues(quantities) {
        count += 1;
    }
    let start = w.len();
    // The columns' length goes before them: room for the longest is left, and given up afterwards.
    let mut head =
        data::Head { count, tick: first, shape: &shape, superseded, columns: Some(FRAME_HARD_MAX) };
    let (at, len) = loop {
        w.truncate(start);
        head.put(w, context);
        let (at, room) = (w.len(), w.room());
        let fits = w.finish().is_ok();
        let encoded = if head.count == 1 {
            numbers.alone(columns, w);
            Ok((w.len() - at, w.finish().is_ok()))
        } else {
            let column = |index| Column { numbers, index };
            batch::encode_or_len(w.free(), head.count, Ticks { numbers, tick: from.tick }, columns, column)
        };
        match encoded {
            Ok((len, true)) if fits && columns > 0 => break (at, len),
            Ok((len, false)) if fits && head.count > 1 => {
                head.count = (head.count * room / len.max(1)).clamp(1, head.count - 1);
            }
            _ => {
                w.truncate(start);
                return None;
            }
        }
    };
    let mut next = from;
    for _ in 0..head.count {
        next.next(stored);
    }
    // If something follows in the items, it may follow in the frame.
    head.columns = (!next.bytes.is_empty()).then_some(len);
    w.truncate(start);
    head.put(w, context);
    w.pull(at, len);
    *context = LaneContext { shape, tick: Some(first) };
    Some((head.count as u32, next))
}

/// Items one after the other.
#[derive(Clone, Copy, Debug)]
struct Items<'a> {
    bytes: &'a [u8],
    tick: Tick,
}

impl<'a> Items<'a> {
    /// Takes the next item; at the end, or at what is no item, nothing.
    fn next(&mut self, stored: &mut Stored<'a>) -> bool {
        let Some((len, rest)) = self.bytes.split_first() else { return false };
        let Some((body, rest)) = rest.split_at_checked(usize::from(*len)) else { return false };
        if !stored.read(body) {
            return false;
        }
        (self.bytes, self.tick) = (rest, stored.after(self.tick));
        true
    }
}
