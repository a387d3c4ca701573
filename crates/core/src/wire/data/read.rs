//! Reading a Data frame, item by item. SPEC section 7.

use super::*;

/// Checks all items: the position after the last, how many positions they hold, and the context after them.
#[inline(never)]
pub(super) fn walk(first: Position, body: &[u8], context: &mut LaneContext) -> Result<(Position, u32), Peer> {
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

pub(super) struct Items<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) next: Position,
    pub(super) context: LaneContext,
    /// A record that is alone; there is nothing else then.
    pub(super) alone: Option<Run<'a>>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if let Some(run) = self.alone.take() {
            return Some(Item::Run(run));
        }
        // The structure was checked: nothing fails here.
        if self.reader.is_empty() { None } else { self.step().ok() }
    }
}

impl<'a> Items<'a> {
    pub(super) fn new(body: &'a [u8], next: Position, context: LaneContext) -> Self {
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

    pub(super) fn step(&mut self) -> Result<Item<'a>, Peer> {
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
