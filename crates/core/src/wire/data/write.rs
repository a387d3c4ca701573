//! Writing a Data frame, item by item. SPEC section 7.

use super::*;
use crate::limits::SMALL;

/// Begins a Data frame whose first item has this position.
#[inline]
pub fn begin(w: &mut Writer<'_>, lane: Lane, first: Position) {
    w.tagged(laned(Kind::Data, lane), first.n().into());
}

/// Writes the head of a run, everything before its columns. `columns` is their length if another item follows; the columns of the
/// last item end the frame. The tick is relative and the shape left out wherever the context allows it. If it does not fit, put the
/// context back to what it was.
#[inline]
pub fn run_head(
    w: &mut Writer<'_>,
    context: &mut LaneContext,
    count: usize,
    tick: Tick,
    shape: &ShapeIds,
    superseded: Option<(u32, Tick)>,
    columns: Option<usize>,
) {
    // Most frames are one record of the shape before.
    match context.tick {
        Some(last)
            if !SMALL
                && (count, superseded, columns) == (1, None, None)
                && last <= tick
                && context.shape == *shape =>
        {
            w.tagged(ALONE, tick.0 - last.0);
            context.tick = Some(tick);
        }
        _ => {
            Head { count, tick, shape, superseded, columns }.put(w, context);
            *context = LaneContext { shape: *shape, tick: Some(tick) };
        }
    }
}

/// What stands before a run's columns, as [`run_head`] has it.
pub(crate) struct Head<'a> {
    pub count: usize,
    pub tick: Tick,
    pub shape: &'a ShapeIds,
    pub superseded: Option<(u32, Tick)>,
    pub columns: Option<usize>,
}

impl Head<'_> {
    /// Writes it after what the lane's context says; that is the caller's to change.
    #[inline(never)]
    pub(crate) fn put(&self, w: &mut Writer<'_>, context: &LaneContext) {
        let (mut tag, mut before) = (RUN, Tick(0));
        if let Some(last) = context.tick
            && last <= self.tick
        {
            (tag, before) = (RUN | TICK_RELATIVE, last);
        }
        let same = (context.shape.len == self.shape.len) & (context.shape.ids == self.shape.ids);
        tag |= if self.count > 1 { MANY } else { 0 };
        tag |= if same { SHAPE_SAME } else { 0 };
        tag |= if self.superseded.is_some() { SUPERSEDED } else { 0 };
        tag |= if self.columns.is_some() { NOT_LAST } else { 0 };
        w.u8(tag);
        if self.count > 1 {
            w.var32(self.count as u32);
        }
        w.varint(self.tick.0 - before.0);
        if !same {
            w.u8(self.shape.len);
            self.shape.as_slice().iter().for_each(|id| w.var32((*id).into()));
        }
        if let Some((n, since)) = self.superseded {
            w.var32(n);
            w.varint(self.tick.since(since));
        }
        if let Some(len) = self.columns {
            w.var32(len as u32);
        }
    }
}

/// Writes a gap item of one position or more.
pub fn gap(w: &mut Writer<'_>, count: u32, cause: Cause, span: Option<(Tick, Tick)>) {
    w.u8(GAP);
    w.var32(count);
    w.span(cause as u8, span);
}

/// Writes a step to a later boot.
pub fn boot(w: &mut Writer<'_>, context: &mut LaneContext, ahead: u32, complete: bool) {
    w.u8(BOOT);
    w.var32(ahead);
    w.u8(u8::from(complete));
    context.tick = None;
}

/// Writes an answer to a command. A refusal with code 0 is written with code 1.
pub fn reply(w: &mut Writer<'_>, command: CommandId, outcome: Outcome, body: &[u8]) {
    said(w, command, outcome.to_bytes(), body);
}

/// As [`reply`], with the outcome as it is written.
pub(crate) fn said(w: &mut Writer<'_>, command: CommandId, outcome: [u8; 2], body: &[u8]) {
    w.u8(REPLY);
    w.var32(command.0);
    w.bytes(&outcome);
    w.block(body);
}

/// Writes that a setting was applied or refused. Code 0 is written as 1.
pub fn applied(w: &mut Writer<'_>, revision: u32, refused: Option<u8>) {
    w.u8(APPLIED);
    w.var32(revision);
    w.u8(refused.map_or(0, |c| c.max(1)));
}
