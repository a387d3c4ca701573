//! One lane of an outbox: a ring of items over a part of the outbox's bytes.

use super::FLASH;
use super::item::{GAP, LATEST, Made, RECORD};
use super::numbers::Numbers;
use crate::error::Misuse;
use crate::limits::SMALL;
use crate::{Cause, Tick};

/// What happens when a lane is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The oldest records make room: the floor rises.
    #[default]
    DropOldest,
    /// The new record is dropped: one open gap at the tail absorbs records until an eighth of the lane is free.
    DropNewest,
    /// Only the newest value of each quantity waits; it gets its position when it is framed. For the readings lane.
    KeepLatest,
    /// The call fails. For the control lane.
    Refuse,
}

/// A gap at the tail that still grows.
#[derive(Clone, Copy, Debug)]
struct OpenGap {
    count: u32,
    first: Tick,
    last: Tick,
}

/// Where a reader stands in the ring. Survives drops at the head: then [`Queue::read`] says so.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    /// Number of the next item's first position.
    pub n: u32,
    offset: u32,
    /// Tick that the next item's distance counts from.
    pub tick: Tick,
}

impl Cursor {
    /// At the beginning of everything.
    pub(crate) const NEW: Cursor = Cursor { n: 0, offset: 0, tick: Tick(0) };
}

/// An item that was looked at.
struct Head {
    /// Where the next one begins.
    after: Cursor,
    /// When it was made; of a gap the end, of an answer never: those do not grow old.
    made: Tick,
    is_record: bool,
}

/// Items copied out of the ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copied {
    /// Bytes copied: whole items.
    pub len: usize,
    /// Number of the first.
    pub n: u32,
    /// Tick that the first item's distance counts from.
    pub tick: Tick,
}

/// The fields of any item, its length byte included: what follows is a record's readings or a reply's body.
const FIELDS: usize = 32;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    start: usize,
    cap: usize,
    head: usize,
    len: usize,
    popped: u32,
    first: u32,
    next: u32,
    head_tick: Tick,
    last_tick: Tick,
    open: Option<OpenGap>,
    /// What happens when it is full.
    pub policy: Policy,
    /// Records older than this are given up, in ms; 0 for never.
    pub ttl_ms: u32,
    /// Why the floor rose since the last ack beyond it.
    pub cause: Cause,
    /// Ticks of what the floor passed.
    pub dropped: Option<(Tick, Tick)>,
    /// Positions below this number lie in flash; `None` without flash.
    pub persisted: Option<u32>,
    high_water: usize,
}

impl Queue {
    pub(crate) const fn new() -> Self {
        Queue {
            start: 0,
            cap: 0,
            head: 0,
            len: 0,
            popped: 0,
            first: 0,
            next: 0,
            head_tick: Tick(0),
            last_tick: Tick(0),
            open: None,
            policy: Policy::DropOldest,
            ttl_ms: 0,
            cause: Cause::None,
            dropped: None,
            persisted: None,
            high_water: 0,
        }
    }

    /// Gives the lane its part of the bytes, empty.
    pub(crate) fn place(&mut self, start: usize, cap: usize) {
        (self.start, self.cap, self.head, self.len) = (start, cap, 0, 0);
    }

    /// Where the lane's part of the bytes ends.
    pub(crate) fn end(&self) -> usize {
        self.start + self.cap
    }

    /// Number of the first position that is still held; equals `next` if none is.
    pub(crate) fn first(&self) -> u32 {
        self.first
    }

    /// Number of the next position to be made.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// Whether it holds nothing, not even an open gap.
    pub(crate) fn is_empty(&self) -> bool {
        self.first == self.next
    }

    /// Positions below this number lie in flash; `None` without flash.
    pub(crate) fn persisted(&self) -> Option<u32> {
        self.persisted.filter(|_| FLASH)
    }

    pub(crate) fn free(&self) -> usize {
        self.cap - self.len
    }

    /// How full it is, and the most that it ever was, in percent.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn fill(&self) -> (u8, u8) {
        let percent = |n: usize| (n * 100).checked_div(self.cap).unwrap_or(0) as u8;
        (percent(self.len), percent(self.high_water))
    }

    /// The tick that a new item's distance counts from.
    pub(crate) fn last_tick(&self) -> Tick {
        self.last_tick
    }

    /// Takes a new item of one position, or applies the policy. The item's tick is `tick`.
    pub(crate) fn push(&mut self, bytes: &mut [u8], item: &Made, tick: Tick) -> Result<u32, Misuse> {
        let n = self.next;
        if n == u32::MAX {
            return Err(Misuse::Exhausted);
        }
        let mut is_kept = self.open.is_none() || self.close_gap(bytes);
        while is_kept && self.free() < item.as_slice().len() {
            if self.policy == Policy::Refuse && self.persisted().is_none() {
                return Err(Misuse::Full);
            }
            let may_evict = self.policy != Policy::DropNewest || self.persisted().is_some();
            if may_evict && self.evict(bytes) {
                continue;
            }
            if self.policy == Policy::Refuse {
                return Err(Misuse::Full);
            }
            is_kept = false;
        }
        if is_kept {
            self.write(bytes, item);
            self.last_tick = tick;
        } else {
            self.absorb(tick);
        }
        self.next += 1;
        Ok(n)
    }

    /// Makes an open gap an item, if there is room for it and an eighth of the lane besides. True if none is open any more.
    fn close_gap(&mut self, bytes: &mut [u8]) -> bool {
        let Some(open) = self.open else { return true };
        if crate::planted!("open-gap-stays") {
            return false;
        }
        if self.free() < self.cap / 8 + 32 && self.len > 0 {
            return false;
        }
        let mut item = Made::new();
        item.gap(open.count, Cause::Overflow, (open.first, open.last));
        if self.free() < item.as_slice().len() {
            return false;
        }
        self.write(bytes, &item);
        self.open = None;
        true
    }

    fn absorb(&mut self, tick: Tick) {
        let open = self.open.get_or_insert(OpenGap { count: 0, first: tick, last: tick });
        open.count += 1;
        open.last = tick;
    }

    /// Makes room at the head: what flash holds may go, the rest raises the floor. False if nothing may go.
    fn evict(&mut self, bytes: &[u8]) -> bool {
        match self.persisted() {
            _ if self.len == 0 => false,
            Some(persisted) if self.first >= persisted => false,
            Some(_) => self.pop(bytes).is_some(),
            None => self.drop_head(bytes, Cause::Overflow),
        }
    }

    /// Gives up the oldest item: the floor rises.
    fn drop_head(&mut self, bytes: &[u8], cause: Cause) -> bool {
        let Some(tick) = self.pop(bytes) else { return false };
        self.cause = self.cause.merge(cause);
        self.dropped = Some(self.dropped.map_or((tick, tick), |(first, _)| (first, tick)));
        true
    }

    /// Frees everything below number `n`.
    pub(crate) fn free_below(&mut self, bytes: &[u8], n: u32) {
        while self.first < n
            && let Some(head) = self.oldest(bytes)
        {
            if head.after.n > n {
                break;
            }
            self.remove(&head);
        }
        if self.len == 0 && self.open.is_none() {
            self.first = self.next;
        }
    }

    /// Gives up what is older than the time to live.
    pub(crate) fn expire(&mut self, bytes: &[u8], now: Tick) {
        while self.ttl_ms > 0
            && let Some(head) = self.oldest(bytes)
            && now.since(head.made) > u64::from(self.ttl_ms)
        {
            self.drop_head(bytes, Cause::Expired);
        }
    }

    /// When the oldest record expires.
    pub(crate) fn expires_at(&self, bytes: &[u8]) -> Tick {
        if self.ttl_ms > 0
            && let Some(Head { made, is_record: true, .. }) = self.oldest(bytes)
        {
            return made.plus(u64::from(self.ttl_ms) + 1);
        }
        Tick::NEVER
    }

    /// The number from which on nothing may be framed yet: what flash does not hold, and what an open gap still absorbs.
    fn framable(&self) -> u32 {
        let open = self.open.map_or(0, |o| o.count);
        self.persisted().unwrap_or(u32::MAX).min(self.next - open)
    }

    /// A cursor at the head.
    pub(crate) fn head_cursor(&self) -> Cursor {
        Cursor { n: self.first, offset: self.popped, tick: self.head_tick }
    }

    /// A cursor at the item that begins with number `n`, if the ring holds it; the head's if it lies below.
    pub(crate) fn cursor_at(&self, bytes: &[u8], n: u32) -> Cursor {
        let mut cursor = self.head_cursor();
        while cursor.n < n
            && let Some(head) = self.look(bytes, cursor)
        {
            cursor = head.after;
        }
        cursor
    }

    /// Whether there is something to frame at the cursor (or the cursor fell behind the head).
    pub(crate) fn has_at(&self, cursor: &Cursor) -> bool {
        cursor.n < self.first || cursor.n < self.framable()
    }

    /// Whether the cursor fell behind the head: the floor rose over it.
    pub(crate) fn is_behind(&self, cursor: &Cursor) -> bool {
        cursor.n < self.first
    }

    /// Copies whole framable items from the cursor on, as many as fit. The cursor must not be behind.
    pub(crate) fn copy(&self, bytes: &[u8], cursor: &Cursor, out: &mut [u8]) -> Copied {
        let (mut at, mut len) = (*cursor, 0);
        while at.n < self.framable()
            && let Some(head) = self.look(bytes, at)
        {
            let more = len + head.after.offset.wrapping_sub(at.offset) as usize;
            if more > out.len() {
                break;
            }
            (at, len) = (head.after, more);
        }
        self.copy_range(bytes, cursor.offset.wrapping_sub(self.popped) as usize, &mut out[..len]);
        Copied { len, n: cursor.n, tick: cursor.tick }
    }

    /// Moves the cursor over items that were framed: `len` bytes, `positions` numbers, up to `tick`.
    pub(crate) fn advance(cursor: &mut Cursor, len: usize, positions: u32, tick: Tick) {
        cursor.offset = cursor.offset.wrapping_add(len as u32);
        cursor.n += positions;
        cursor.tick = tick;
    }

    /// Closes an open gap at the tail if there is room, so that it can be framed once everything before it was.
    pub(crate) fn settle_gap(&mut self, bytes: &mut [u8]) {
        self.close_gap(bytes);
    }

    /// Reads the item at the head.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn oldest(&self, bytes: &[u8]) -> Option<Head> {
        self.look(bytes, self.head_cursor())
    }

    /// Reads the item at the cursor, as far as it says where the next one stands.
    fn look(&self, bytes: &[u8], cursor: Cursor) -> Option<Head> {
        let at = cursor.offset.wrapping_sub(self.popped) as usize;
        if at >= self.len {
            return None;
        }
        let mut copied = [0; FIELDS];
        let fields = match self.in_place(bytes, at) {
            Some(fields) if !SMALL => fields,
            _ => {
                self.copy_range(bytes, at, &mut copied[..FIELDS.min(self.len - at)]);
                &copied
            }
        };
        let [size, kind, numbers @ ..] = fields;
        let mut numbers = Numbers { bytes: numbers };
        let (mut positions, mut tick, mut made) = (1, cursor.tick, Tick::NEVER);
        let is_record = matches!(*kind, RECORD | LATEST);
        if is_record {
            tick = tick.plus(numbers.take());
            made = tick;
        } else if *kind == GAP {
            positions = numbers.take() as u32;
            // Its cause.
            numbers.skip(1);
            made = Tick(numbers.take()).plus(numbers.take());
        }
        let mut after = cursor;
        Self::advance(&mut after, 1 + usize::from(*size), positions, tick);
        Some(Head { after, made, is_record })
    }

    /// The bytes from here on, if so many lie in one piece.
    fn in_place<'a>(&self, bytes: &'a [u8], at: usize) -> Option<&'a [u8; FIELDS]> {
        let from = self.head + at;
        let from = if from >= self.cap { from - self.cap } else { from };
        bytes.get(self.start + from..self.end())?.first_chunk()
    }

    /// Removes the head item; returns its tick.
    fn pop(&mut self, bytes: &[u8]) -> Option<Tick> {
        let head = self.oldest(bytes)?;
        self.remove(&head);
        Some(head.after.tick)
    }

    fn remove(&mut self, head: &Head) {
        let size = head.after.offset.wrapping_sub(self.popped) as usize;
        self.head += size;
        if self.head >= self.cap {
            self.head -= self.cap;
        }
        self.len -= size;
        (self.popped, self.first, self.head_tick) = (head.after.offset, head.after.n, head.after.tick);
    }

    fn write(&mut self, bytes: &mut [u8], item: &Made) {
        let item = item.as_slice();
        let mut at = self.head + self.len;
        if SMALL {
            for byte in item {
                if at >= self.cap {
                    at -= self.cap;
                }
                bytes[self.start + at] = *byte;
                at += 1;
            }
        } else {
            if at >= self.cap {
                at -= self.cap;
            }
            let run = item.len().min(self.cap - at);
            let region = &mut bytes[self.start..self.start + self.cap];
            region[at..at + run].copy_from_slice(&item[..run]);
            region[..item.len() - run].copy_from_slice(&item[run..]);
        }
        self.len += item.len();
        self.high_water = self.high_water.max(self.len);
    }

    fn copy_range(&self, bytes: &[u8], at: usize, out: &mut [u8]) {
        let mut from = self.head + at;
        if from >= self.cap {
            from -= self.cap;
        }
        let region = &bytes[self.start..self.start + self.cap];
        let run = out.len().min(self.cap - from);
        out[..run].copy_from_slice(&region[from..from + run]);
        let rest = out.len() - run;
        out[run..].copy_from_slice(&region[..rest]);
    }
}
