//! What survives a connection: records that wait, and who this device is. SPEC sections 2, 8 and 12.

use super::carry::Carry;
use super::item::Made;
use super::queue::{Copied, Cursor, Queue};
use super::slots::{SLOT, Slots};
use crate::catalog::Reading;
use crate::error::{Misuse, Peer};
use crate::limits::{BODY_MAX, COMMAND_SLOTS_MAX, READINGS_PER_RECORD};
use crate::wire::data::Outcome;
use crate::wire::hello::{Hello, LaneFloor, Welcome};
use crate::{Cause, CommandId, Lane, Position, StoreId, Tag, Tick};

pub use super::queue::Policy;

/// How application and session reach one outbox: each call is short, and nothing waits inside.
///
/// Implemented for `RefCell<Outbox<N>>`; a runtime implements it with a lock of its own (a critical section on a chip).
pub trait Share {
    /// Runs `f` on the outbox, alone.
    fn with<R>(&self, f: impl FnOnce(&mut OutboxMut<'_>) -> R) -> R;
}

impl<const N: usize> Share for core::cell::RefCell<Outbox<N>> {
    fn with<R>(&self, f: impl FnOnce(&mut OutboxMut<'_>) -> R) -> R {
        f(&mut self.borrow_mut().as_mut())
    }
}

/// `N` bytes of records, and the device's identity. 1,024 bytes at least; a record of two readings takes about 10.
///
/// Alarms and control get an eighth each (256 bytes at least), readings the rest.
#[derive(Debug)]
pub struct Outbox<const N: usize> {
    durable: Durable,
    bytes: [u8; N],
}

impl<const N: usize> Default for Outbox<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Outbox<N> {
    /// An empty outbox of an unknown boot.
    pub const fn new() -> Self {
        const { assert!(N >= 1024 && N <= 1 << 24, "an outbox has 1 KiB to 16 MiB") };
        Self { durable: Durable::new(), bytes: [0; N] }
    }

    /// Access to everything it does.
    pub fn as_mut(&mut self) -> OutboxMut<'_> {
        let mut outbox = OutboxMut { d: &mut self.durable, bytes: &mut self.bytes };
        outbox.place();
        outbox
    }
}

/// The outbox's state besides its bytes.
#[derive(Debug)]
pub struct Durable {
    placed: bool,
    boot: Option<u32>,
    shift: u32,
    tag: Tag,
    pending_tag: Tag,
    store: StoreId,
    queues: [Queue; Lane::COUNT],
    acked: [Position; Lane::COUNT],
    /// In local numbers, the position of each lane below which everything was framed or stated as dropped.
    framed: [Position; Lane::COUNT],
    /// Lowest position of each lane in flash.
    flash: [Option<Position>; Lane::COUNT],
    has_flash: bool,
    /// From where on nothing was made in a lane up to this boot.
    since: [Option<Position>; Lane::COUNT],
    tail_lost: bool,
    begun: CommandId,
    begun_persists: bool,
    settings: u32,
    slots: usize,
    calls: u8,
}

impl Durable {
    const fn new() -> Self {
        Durable {
            placed: false,
            boot: None,
            shift: 0,
            tag: Tag::NONE,
            pending_tag: Tag::NONE,
            store: StoreId(0),
            queues: [
                Queue::new(Policy::DropOldest),
                Queue::new(Policy::Refuse),
                Queue::new(Policy::DropOldest),
            ],
            acked: [Position::NONE; Lane::COUNT],
            framed: [Position::NONE; Lane::COUNT],
            flash: [None; Lane::COUNT],
            has_flash: false,
            since: [None; Lane::COUNT],
            tail_lost: false,
            begun: CommandId(0),
            begun_persists: false,
            settings: 0,
            slots: 0,
            calls: COMMAND_SLOTS_MAX,
        }
    }
}

/// An item on its way to flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spill {
    /// Position of the item (its first, if it takes several), in local numbers.
    pub position: Position,
    /// The position after the item.
    pub next: Position,
    /// Tick that the item's distance counts from.
    pub tick: Tick,
    /// The item's bytes in `out`.
    pub len: usize,
}

/// What Welcome changed for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcomed {
    /// Added to boot numbers just now: positions that `record` returned before are shifted by it on the wire.
    pub shifted_by: u32,
    /// Another store than the one that acknowledged before.
    pub other_store: bool,
}

/// An outbox for the length of one short call.
#[derive(Debug)]
pub struct OutboxMut<'a> {
    d: &'a mut Durable,
    bytes: &'a mut [u8],
}

impl OutboxMut<'_> {
    fn place(&mut self) {
        if !core::mem::replace(&mut self.d.placed, true) {
            let side = (self.bytes.len() / 8).max(256);
            self.d.queues[0].place(0, side);
            self.d.queues[1].place(side, side);
            self.d.queues[2].place(2 * side, self.bytes.len() - 2 * side);
        }
    }

    /// Starts a boot. `Some(n)`: the device persists its boot number and `n` is the new one, never used before. `None`: it has no
    /// memory, the server will number the boot. Call it once, before the first record.
    pub fn start(&mut self, boot: Option<u32>) {
        self.d.boot = boot.filter(|b| *b > 0);
    }

    /// Starts the boot after a deep sleep: its number follows, and so does what was acknowledged. Records that were not are gone with the
    /// memory, and accounted for. Call it once, in the place of [`OutboxMut::start`].
    pub fn woke(&mut self, carry: &Carry) {
        let boot = (carry.boot > 0).then(|| carry.boot.saturating_add(1));
        self.start(boot);
        self.d.begun = carry.begun;
        self.d.settings = carry.settings;
        self.d.store = carry.store;
        if boot.is_some() {
            self.d.acked = carry.acked;
            for (q, (acked, last)) in self.d.queues.iter_mut().zip(carry.acked.iter().zip(&carry.last)) {
                q.cause = if last > acked { Cause::Power } else { Cause::None };
            }
        }
    }

    /// Sets a lane's overflow policy and time to live (ms; 0 for ever). Call it before the first record of the lane.
    pub fn policy(&mut self, lane: Lane, policy: Policy, ttl_ms: u32) {
        let q = &mut self.d.queues[lane.index()];
        (q.policy, q.ttl_ms) = (policy, ttl_ms);
        if lane == Lane::Readings && policy == Policy::KeepLatest && self.d.slots == 0 {
            let side = (self.bytes.len() / 8).max(256);
            let slots = (READINGS_PER_RECORD * SLOT).min((self.bytes.len() - 2 * side) / 2 / SLOT * SLOT);
            let start = 2 * side + slots;
            self.bytes[2 * side..start].fill(0);
            self.d.slots = slots;
            self.d.queues[2].place(start, self.bytes.len() - start);
        }
    }

    /// Accepts a record: readings of one instant. Never waits. Returns its local position ([`Position::NONE`] in a keep-latest lane:
    /// the position is given when it is framed). If the lane is full its policy decides what is lost, and the loss is accounted for.
    ///
    /// # Errors
    /// [`Misuse::Readings`], [`Misuse::RecordTooLarge`]: nothing was taken. [`Misuse::Full`] only in a lane that refuses. A tick that
    /// lies before the lane's last one is [`Misuse::Backwards`].
    pub fn record(&mut self, lane: Lane, tick: Tick, readings: &[Reading]) -> Result<Position, Misuse> {
        let q = &self.d.queues[lane.index()];
        if tick < q.last_tick() {
            return Err(Misuse::Backwards);
        }
        if q.policy == Policy::KeepLatest && self.d.slots > 0 && lane == Lane::Readings {
            Made::record(0, readings, None)?;
            let mut slots = slots(self.d.slots, &self.d.queues[2], self.bytes);
            return match readings.iter().all(|r| slots.put(*r, tick)) {
                true => Ok(Position::NONE),
                false => Err(Misuse::Readings),
            };
        }
        let item = Made::record(tick.since(q.last_tick()), readings, None)?;
        self.push(lane, &item, tick)
    }

    /// Puts the answer to a command into the control lane.
    pub fn reply(&mut self, command: CommandId, outcome: Outcome, body: &[u8]) -> Result<Position, Misuse> {
        let item = Made::reply(command, outcome, body)?;
        let tick = self.d.queues[Lane::Control.index()].last_tick();
        self.push(Lane::Control, &item, tick)
    }

    /// Reports that a setting was applied, or refused with a code, and with it every setting of a lower revision.
    ///
    /// # Errors
    /// [`Misuse::Full`]: nothing was taken.
    pub fn applied(&mut self, revision: u32, refused: Option<u8>) -> Result<Position, Misuse> {
        self.applied_through(revision, refused, revision)
    }

    /// As [`OutboxMut::applied`], where settings of a lower revision still wait: every setting up to `through` is applied or refused. The
    /// server sends the others again after the next Hello.
    ///
    /// # Errors
    /// [`Misuse::Full`]: nothing was taken.
    pub fn applied_through(
        &mut self,
        revision: u32,
        refused: Option<u8>,
        through: u32,
    ) -> Result<Position, Misuse> {
        let tick = self.d.queues[Lane::Control.index()].last_tick();
        let position = self.push(Lane::Control, &Made::applied(revision, refused), tick)?;
        self.d.settings = self.d.settings.max(through);
        Ok(position)
    }

    fn push(&mut self, lane: Lane, item: &Made, tick: Tick) -> Result<Position, Misuse> {
        let n = self.d.queues[lane.index()].push(self.bytes, item, tick)?;
        Ok(self.local(n))
    }

    /// Gives up what is older than its lane's time to live.
    pub fn expire(&mut self, now: Tick) {
        for q in &mut self.d.queues {
            q.expire(self.bytes, now);
        }
    }

    /// When the next record expires.
    pub fn expires_at(&self) -> Option<Tick> {
        self.d.queues.iter().filter_map(|q| q.expires_at(self.bytes)).min()
    }

    /// The command is about to run: persist the returned value before it does, if the device can. `false` if it must not run again.
    pub fn begin(&mut self, command: CommandId) -> bool {
        let fresh = command > self.d.begun;
        self.d.begun = self.d.begun.max(command);
        fresh
    }

    /// The highest command that was begun.
    pub fn begun(&self) -> CommandId {
        self.d.begun
    }

    /// The device persists [`OutboxMut::begun`]; this is what it kept of earlier boots.
    pub fn begun_persists(&mut self, begun: CommandId) {
        self.d.begun_persists = true;
        self.d.begun = self.d.begun.max(begun);
    }

    /// The newest settings revision that was applied.
    pub fn settings(&self) -> u32 {
        self.d.settings
    }

    /// The tag of this boot that a server confirmed.
    pub(crate) fn tag(&self) -> Tag {
        self.d.tag
    }

    /// Flash holds every item of this lane and boot below this local position; `None` without flash.
    pub fn persisted_below(&self, lane: Lane) -> Option<Position> {
        self.d.queues[lane.index()].persisted.map(|n| self.local(n))
    }

    /// The store that last acknowledged.
    pub fn store(&self) -> StoreId {
        self.d.store
    }

    /// How many commands it can hold at once: replies must fit the control lane.
    pub fn command_slots(&self) -> u8 {
        let room = self.d.queues[1].free() + 256;
        (room / (BODY_MAX + 32)).clamp(1, self.d.calls as usize) as u8
    }

    /// The application holds at most so many commands at once (1 to 8; 8 unless told).
    pub fn limit_commands(&mut self, slots: u8) {
        self.d.calls = slots.clamp(1, COMMAND_SLOTS_MAX);
    }

    /// Whether the control lane has room for one more answer of any size.
    pub fn can_reply(&self) -> bool {
        self.d.queues[1].free() > BODY_MAX + 32
    }

    /// Position `n` of this boot, as `record` returns it.
    fn local(&self, n: u32) -> Position {
        Position::new(self.d.boot.unwrap_or(0), n)
    }

    /// A local position as it goes over the wire.
    pub fn wire(&self, local: Position) -> Position {
        local.plus(u64::from(self.d.shift) << 32)
    }

    /// A wire position as the application knows it.
    pub fn local_of(&self, wire: Position) -> Position {
        Position(wire.0.saturating_sub(u64::from(self.d.shift) << 32))
    }

    /// What was added to boot numbers so far; a device that persists its boot number persists the sum of both.
    pub fn shift(&self) -> u32 {
        self.d.shift
    }

    /// This boot's local number; 0 if the device has no memory of one.
    pub fn boot(&self) -> u32 {
        self.d.boot.unwrap_or(0)
    }

    /// The next position of a lane, in local numbers.
    pub fn next(&self, lane: Lane) -> Position {
        self.local(self.d.queues[lane.index()].next())
    }

    /// The highest acknowledged position of a lane, in local numbers.
    pub fn acked(&self, lane: Lane) -> Position {
        self.d.acked[lane.index()]
    }

    /// Whether everything that was accepted in this lane is stored or explained.
    pub fn is_drained(&self, lane: Lane) -> bool {
        let waiting = lane == Lane::Readings && self.has_waiting_slots();
        let q = &self.d.queues[lane.index()];
        // What was dropped is explained once the server's mark lies beyond it.
        let told = q.next() == 0 || self.d.acked[lane.index()] >= self.local(q.next() - 1);
        q.is_empty() && told && self.flash_lowest(lane).is_none() && !waiting
    }

    /// Last positions made in this boot, on the wire; of an earlier boot (acknowledged) where there is none.
    pub fn lasts(&self) -> [Position; Lane::COUNT] {
        Lane::ALL.map(|lane| match self.d.queues[lane.index()].next() {
            0 => self.wire_or_none(self.d.acked[lane.index()]),
            n => self.wire(self.local(n - 1)),
        })
    }

    /// Fill of a lane and the most it ever was, in percent.
    pub fn fill(&self, lane: Lane) -> (u8, u8) {
        self.d.queues[lane.index()].fill()
    }

    /// The most that any lane was ever filled, in percent.
    pub fn high_water(&self) -> u8 {
        self.d.queues.iter().map(|q| q.fill().1).max().unwrap_or(0)
    }

    /// Where a lane stands, on the wire.
    pub fn floor(&self, lane: Lane) -> LaneFloor {
        let q = &self.d.queues[lane.index()];
        let ring = self.local(q.first());
        let acked = self.d.acked[lane.index()];
        let since = self.d.since[lane.index()].filter(|_| acked == Position::NONE);
        let floor = self.flash_lowest(lane).or(since).map_or(ring, |lowest| lowest.min(ring));
        // Nothing was dropped if the floor follows what was acknowledged.
        let dropped = q.cause != Cause::None && floor > acked.next();
        LaneFloor {
            floor: self.wire(floor),
            acked: if acked < floor { self.wire_or_none(acked) } else { Position::NONE },
            cause: if dropped { q.cause } else { Cause::None },
            span: q.dropped.filter(|_| dropped),
        }
    }

    pub(crate) fn wire_or_none(&self, p: Position) -> Position {
        if p == Position::NONE { p } else { self.wire(p) }
    }

    /// Fills in what the outbox knows of a Hello.
    pub(crate) fn fill_hello(&mut self, hello: &mut Hello) {
        self.d.queues.iter_mut().for_each(|q| q.settle_gap(self.bytes));
        hello.boot = self.d.boot.map(|b| b + self.d.shift).or((self.d.shift > 0).then_some(self.d.shift));
        hello.tag = self.d.tag;
        hello.pending_tag = self.d.pending_tag;
        hello.lanes = Lane::ALL.map(|lane| self.floor(lane));
        for lane in Lane::ALL {
            self.note_framed(lane, hello.lanes[lane.index()].floor);
        }
        hello.last_begun = self.d.begun;
        hello.settings = self.d.settings;
        hello.store = self.d.store;
        hello.command_slots = self.command_slots();
        hello.account.outbox_high_water = self.high_water();
        if self.d.begun_persists {
            hello.features |= crate::wire::hello::FEATURE_BEGUN_PERSISTS;
        }
        if self.d.has_flash {
            hello.features |= crate::wire::hello::FEATURE_OUTBOX_PERSISTS;
        }
    }

    /// Whether Welcome makes sense: boots stay within 32 bits, and no mark lies beyond what was ever framed or stated as dropped.
    pub(crate) fn may_welcome(&self, welcome: &Welcome) -> Result<(), Peer> {
        let shift = self.d.shift.checked_add(welcome.boot_shift).ok_or(Peer::Limit)?;
        self.boot().checked_add(shift).ok_or(Peer::Limit)?;
        let known = |lane: Lane| {
            let mark = welcome.marks[lane.index()];
            let local = Position(mark.0.saturating_sub(u64::from(shift) << 32));
            mark == Position::NONE || mark.boot() < shift || self.framed_local(lane, local)
        };
        if Lane::ALL.into_iter().all(known) { Ok(()) } else { Err(Peer::AckBeyondSent) }
    }

    /// Takes what Welcome says: shift, tag, marks.
    pub(crate) fn welcomed(&mut self, welcome: &Welcome) -> Welcomed {
        self.d.shift = self.d.shift.saturating_add(welcome.boot_shift);
        if self.d.tag != welcome.tag {
            self.d.pending_tag = welcome.tag;
        }
        let other_store = self.d.store != StoreId(0) && self.d.store != welcome.store;
        for lane in Lane::ALL {
            self.free_to(lane, welcome.marks[lane.index()]);
        }
        Welcomed { shifted_by: welcome.boot_shift, other_store }
    }

    /// The server confirmed the session: the tag is ours, and this is the store.
    pub(crate) fn confirmed(&mut self, tag: Tag, store: StoreId) {
        (self.d.tag, self.d.pending_tag, self.d.store) = (tag, Tag::NONE, store);
    }

    /// Everything up to this wire position is stored or explained.
    pub(crate) fn free_to(&mut self, lane: Lane, mark: Position) {
        // A mark of a boot before the shift says nothing of what this device holds.
        let Some(local) = mark.0.checked_sub(u64::from(self.d.shift) << 32).map(Position) else { return };
        let i = lane.index();
        // Not "below or equal": the first record of a boot without a number is 0/0, which reads as "none".
        if mark == Position::NONE || local < self.d.acked[i] {
            return;
        }
        let boot = self.boot();
        let q = &mut self.d.queues[i];
        if local.boot() == boot {
            let end = local.n().saturating_add(1).min(q.next());
            self.d.acked[i] = if end > 0 { Position::new(boot, end - 1) } else { self.d.acked[i] };
            q.free_below(self.bytes, end);
            if self.d.acked[i].next() >= Position::new(boot, q.first()) || q.is_empty() {
                (q.cause, q.dropped) = (Cause::None, None);
            }
        } else if local.boot() < boot && self.d.has_flash {
            self.d.acked[i] = local;
        }
    }

    /// Everything below this wire position was framed, or stated as dropped.
    pub(crate) fn note_framed(&mut self, lane: Lane, next: Position) {
        let local = self.local_of(next);
        let framed = &mut self.d.framed[lane.index()];
        *framed = (*framed).max(local);
    }

    /// Whether a server can have this position.
    pub(crate) fn was_framed(&self, lane: Lane, mark: Position) -> bool {
        self.framed_local(lane, self.local_of(mark))
    }

    fn framed_local(&self, lane: Lane, local: Position) -> bool {
        local < self.d.framed[lane.index()] || local < self.local(0)
    }

    // ---- what a session reads

    /// A cursor at a local position of this boot.
    pub(crate) fn cursor_at(&self, lane: Lane, n: u32) -> Cursor {
        self.d.queues[lane.index()].cursor_at(self.bytes, n)
    }

    pub(crate) fn has_at(&self, lane: Lane, cursor: &Cursor) -> bool {
        self.d.queues[lane.index()].has_at(cursor)
    }

    pub(crate) fn is_behind(&self, lane: Lane, cursor: &Cursor) -> bool {
        self.d.queues[lane.index()].is_behind(cursor)
    }

    /// Makes what still waits outside of the ring (an open gap, keep-latest values) ready to be framed, if there is room.
    pub(crate) fn prepare(&mut self, lane: Lane) {
        self.d.queues[lane.index()].settle_gap(self.bytes);
        if lane == Lane::Readings {
            self.number_latest();
        }
    }

    pub(crate) fn copy(&self, lane: Lane, cursor: &Cursor, out: &mut [u8]) -> Copied {
        self.d.queues[lane.index()].copy(self.bytes, cursor, out)
    }

    /// Keep-latest: gives waiting values their positions, once nothing else of the lane is under way.
    fn number_latest(&mut self) {
        if self.d.slots == 0 || !self.d.queues[2].is_empty() {
            return;
        }
        loop {
            let q = &self.d.queues[2];
            if q.free() < 1 + READINGS_PER_RECORD * 10 {
                return;
            }
            let last = q.last_tick();
            let Some(w) = slots(self.d.slots, q, self.bytes).take_oldest() else { return };
            let superseded = w.superseded.map(|(n, since)| (n, w.tick.since(since)));
            // What went into the slots was checked by `record`.
            let made = Made::record(w.tick.since(last), &w.readings[..w.count], superseded);
            if let Ok(item) = made {
                let _ = self.push(Lane::Readings, &item, w.tick);
            }
        }
    }

    fn has_waiting_slots(&self) -> bool {
        let start = 2 * (self.bytes.len() / 8).max(256);
        self.d.slots > 0 && self.bytes[start..start + self.d.slots].chunks_exact(SLOT).any(|s| s[2] & 1 != 0)
    }

    // ---- what flash reads and says

    /// This outbox has flash behind it: a record is framed only once [`OutboxMut::persisted`] says that it is there, and a full ring
    /// lets go of what is there. `lowest` are the lowest positions that flash holds (of any boot), per lane.
    pub fn with_flash(&mut self, lowest: [Option<Position>; Lane::COUNT]) {
        self.d.has_flash = true;
        self.d.flash = lowest;
        self.d.queues.iter_mut().for_each(|q| q.persisted = Some(0));
    }

    /// Nothing was made in this lane from this local position up to this boot, and flash holds nothing of it: the lane can go on from there,
    /// whatever a server has. Call it after [`OutboxMut::with_flash`].
    pub fn nothing_since(&mut self, lane: Lane, since: Position) {
        self.d.since[lane.index()] = Some(since);
    }

    /// The boot before this one may have lost records with its memory, after the last one that flash holds. Call it after
    /// [`OutboxMut::with_flash`].
    pub fn tail_lost(&mut self) {
        self.d.tail_lost = true;
        self.d.queues.iter_mut().for_each(|q| q.cause = q.cause.merge(Cause::Power));
    }

    /// The next item that flash does not hold yet.
    pub fn next_spill(&mut self, lane: Lane, out: &mut [u8; 256]) -> Option<Spill> {
        let mut spill = self.next_spills(lane, out)?;
        let first = super::item::walk(&out[..spill.len], spill.position, spill.tick).next()?;
        (spill.next, spill.len) = (first.next, first.len);
        Some(spill)
    }

    /// The next items that flash does not hold yet, as many as fit: 256 bytes at least, or the largest may not.
    pub fn next_spills(&mut self, lane: Lane, out: &mut [u8]) -> Option<Spill> {
        let q = &mut self.d.queues[lane.index()];
        let from = q.persisted?;
        q.settle_gap(self.bytes);
        q.persisted = None;
        let cursor = q.cursor_at(self.bytes, from);
        let copied = q.copy(self.bytes, &cursor, out);
        q.persisted = Some(from);
        if copied.len == 0 || cursor.n < from {
            return None;
        }
        let position = self.local(copied.n);
        let last = super::item::walk(&out[..copied.len], position, copied.tick).last()?;
        Some(Spill { position, next: last.next, tick: copied.tick, len: copied.len })
    }

    /// Flash holds everything of this lane and boot below `next`; `lowest` is the lowest position that it holds at all.
    pub fn persisted(&mut self, lane: Lane, next: Position, lowest: Option<Position>) {
        let boot = self.boot();
        let i = lane.index();
        if next.boot() == boot {
            let q = &mut self.d.queues[i];
            q.persisted = q.persisted.map(|p| p.max(next.n()));
        }
        self.d.flash[i] = lowest;
    }

    /// Flash had to give up its oldest items, or found them unreadable: `lowest` is what it still holds.
    pub fn flash_lost(&mut self, lane: Lane, lowest: Option<Position>, cause: Cause) {
        let q = &mut self.d.queues[lane.index()];
        q.cause = q.cause.merge(cause);
        self.d.flash[lane.index()] = lowest;
    }

    /// The lowest position in flash, if it lies below what the ring holds.
    pub(crate) fn in_flash(&self, lane: Lane) -> Option<Position> {
        let ring = self.local(self.d.queues[lane.index()].first());
        self.flash_lowest(lane).filter(|p| *p < ring)
    }

    /// Whether nothing was lost between the boot before and this one.
    pub(crate) fn tail_complete(&self) -> bool {
        !self.d.tail_lost
    }

    /// What flash holds at all: nothing without [`OutboxMut::with_flash`], and nothing that was never made.
    fn flash_lowest(&self, lane: Lane) -> Option<Position> {
        self.d.flash[lane.index()].filter(|p| self.d.has_flash && *p < self.next(lane))
    }
}

fn slots<'a>(len: usize, _: &Queue, bytes: &'a mut [u8]) -> Slots<'a> {
    let start = 2 * (bytes.len() / 8).max(256);
    Slots(&mut bytes[start..start + len])
}
