//! What survives a connection: records that wait, and who this device is. SPEC sections 2, 8 and 12.

#[cfg(feature = "flash")]
mod flash;
mod reading;
mod standing;

use super::carry::Carry;
use super::item::Made;
use super::queue::{Copied, Cursor, Queue};
use super::slots::{SLOT, STATE, Slots, waits};
use crate::batch::Cell;
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
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub fn as_mut(&mut self) -> OutboxMut<'_> {
        let mut outbox = OutboxMut { d: &mut self.durable, bytes: &mut self.bytes };
        if !outbox.d.placed {
            outbox.place();
        }
        outbox
    }
}

/// The outbox's state besides its bytes: an outbox over memory whose size is known at run time only.
#[derive(Debug)]
pub struct Durable {
    placed: bool,
    /// 0 while it is not known.
    boot: u32,
    shift: u32,
    tag: Tag,
    pending_tag: Tag,
    /// The last tag of an earlier boot.
    earlier_tag: Tag,
    /// What memory that survives holds.
    kept_tag: Tag,
    keeps_tag: bool,
    store: StoreId,
    /// 0 for any.
    pinned: StoreId,
    queues: [Queue; Lane::COUNT],
    acked: [Position; Lane::COUNT],
    /// In local numbers, the position of each lane below which everything was framed or stated as dropped.
    framed: [Position; Lane::COUNT],
    /// Lowest position of each lane in flash.
    flash: [Option<Position>; Lane::COUNT],
    has_flash: bool,
    /// From where on nothing was made in a lane up to this boot.
    since: [Option<Position>; Lane::COUNT],
    /// Boots before this one may have lost what they held in memory at their end.
    whole_since: u32,
    ended: bool,
    begun: CommandId,
    begun_persists: bool,
    settings: u32,
    slots: usize,
    calls: u8,
}

impl Durable {
    /// An outbox of an unknown boot that has no bytes yet.
    // Zeros throughout: a static outbox costs no flash. `OutboxMut::place` gives what is not zero.
    pub const fn new() -> Self {
        Durable {
            placed: false,
            boot: 0,
            shift: 0,
            tag: Tag::NONE,
            pending_tag: Tag::NONE,
            earlier_tag: Tag::NONE,
            kept_tag: Tag::NONE,
            keeps_tag: false,
            store: StoreId(0),
            pinned: StoreId(0),
            queues: [const { Queue::new() }; Lane::COUNT],
            acked: [Position::NONE; Lane::COUNT],
            framed: [Position::NONE; Lane::COUNT],
            flash: [None; Lane::COUNT],
            has_flash: false,
            since: [None; Lane::COUNT],
            whole_since: 0,
            ended: false,
            begun: CommandId(0),
            begun_persists: false,
            settings: 0,
            slots: 0,
            calls: 0,
        }
    }
}

impl Default for Durable {
    fn default() -> Self {
        Self::new()
    }
}

impl Durable {
    /// Access to everything that an outbox does. The bytes are the same each time; what they hold at first does not matter.
    ///
    /// # Errors
    /// [`Misuse::Buffer`] if there are fewer than 1,024 bytes, or more than 16 MiB, or another number of them than at the first call.
    pub fn over<'a>(&'a mut self, bytes: &'a mut [u8]) -> Result<OutboxMut<'a>, Misuse> {
        let fits = match self.placed {
            true => self.queues[2].end() == bytes.len(),
            false => (1024..=1 << 24).contains(&bytes.len()),
        };
        if !fits {
            return Err(Misuse::Buffer);
        }
        let mut outbox = OutboxMut { d: self, bytes };
        if !outbox.d.placed {
            outbox.place();
        }
        Ok(outbox)
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
    /// Gives the lanes of an outbox that was never used their bytes, and what does not begin as zero.
    #[cold]
    #[cfg_attr(not(target_pointer_width = "32"), inline(never))]
    fn place(&mut self) {
        let side = (self.bytes.len() / 8).max(256);
        self.d.placed = true;
        self.d.calls = COMMAND_SLOTS_MAX;
        self.d.queues[1].policy = Policy::Refuse;
        self.d.queues[0].place(0, side);
        self.d.queues[1].place(side, side);
        self.d.queues[2].place(2 * side, self.bytes.len() - 2 * side);
    }

    /// Starts a boot. `Some(n)`: the device persists its boot number and `n` is the new one, never used before. `None`: it has no
    /// memory, the server will number the boot. Call it once, before the first record.
    pub fn start(&mut self, boot: Option<u32>) {
        self.d.boot = boot.unwrap_or(0);
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
            self.d.earlier_tag = carry.tag;
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
            let sides = self.d.queues[1].end();
            let slots = (READINGS_PER_RECORD * SLOT).min((self.bytes.len() - sides) / 2 / SLOT * SLOT);
            let start = sides + slots;
            self.bytes[sides..start].fill(0);
            self.d.slots = slots;
            self.d.queues[2].place(start, self.bytes.len() - start);
        }
    }

    /// Accepts a record: readings of one instant. Never waits. Returns its local position ([`Position::NONE`] in a keep-latest lane:
    /// the position is given when it is framed). If the lane is full its policy decides what is lost, and the loss is accounted for.
    ///
    /// # Errors
    /// [`Misuse::Readings`], [`Misuse::RecordTooLarge`]: nothing was taken. [`Misuse::Full`] only in a lane that refuses. A tick that
    /// lies before the lane's last one is [`Misuse::Backwards`]. [`Misuse::State`] once a Sleep or Bye was said that ends the boot.
    pub fn record(&mut self, lane: Lane, tick: Tick, readings: &[Reading]) -> Result<Position, Misuse> {
        if self.d.ended {
            return Err(Misuse::State);
        }
        let q = &self.d.queues[lane.index()];
        if tick < q.last_tick() {
            return Err(Misuse::Backwards);
        }
        let is_latest = q.policy == Policy::KeepLatest && self.d.slots > 0 && lane == Lane::Readings;
        let mut item = Made::new();
        item.record(if is_latest { 0 } else { tick.since(q.last_tick()) }, readings, None)?;
        if !is_latest {
            return self.push(lane, &item, tick);
        }
        let mut slots = self.slots();
        match readings.iter().all(|r| slots.put(*r, tick)) {
            true => Ok(Position::NONE),
            false => Err(Misuse::Readings),
        }
    }

    /// Puts the answer to a command into the control lane.
    pub fn reply(&mut self, command: CommandId, outcome: Outcome, body: &[u8]) -> Result<Position, Misuse> {
        let mut item = Made::new();
        item.reply(command, outcome, body)?;
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
        let mut item = Made::new();
        item.applied(revision, refused);
        let position = self.push(Lane::Control, &item, tick)?;
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
        let first = self.d.queues.iter().fold(Tick::NEVER, |first, q| first.min(q.expires_at(self.bytes)));
        first.or_never()
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
        self.d.queues[lane.index()].persisted().map(|n| self.local(n))
    }

    /// The store that last acknowledged.
    pub fn store(&self) -> StoreId {
        self.d.store
    }

    /// Pins one store: the Welcome of a server with another is refused ([`Peer::OtherStore`]), so that no half of the records goes astray
    /// when a name points at two places. Nothing is lost: the device dials again after its backoff. Call it after `start`;
    /// `StoreId(0)` takes the pin away.
    pub fn pin(&mut self, store: StoreId) {
        self.d.pinned = store;
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
        Position::new(self.d.boot, n)
    }

    /// A local position as it goes over the wire.
    pub fn wire(&self, local: Position) -> Position {
        local.plus(u64::from(self.d.shift) << 32)
    }

    /// A wire position as the application knows it.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub fn local_of(&self, wire: Position) -> Position {
        Position(wire.0.saturating_sub(u64::from(self.d.shift) << 32))
    }

    /// What was added to boot numbers so far; a device that persists its boot number persists the sum of both.
    pub fn shift(&self) -> u32 {
        self.d.shift
    }

    /// This boot's local number; 0 if the device has no memory of one.
    pub fn boot(&self) -> u32 {
        self.d.boot
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

    /// Fill of a lane and the most it ever was, in percent.
    pub fn fill(&self, lane: Lane) -> (u8, u8) {
        self.d.queues[lane.index()].fill()
    }

    /// The most that any lane was ever filled, in percent.
    pub fn high_water(&self) -> u8 {
        self.d.queues.iter().map(|q| q.fill().1).max().unwrap_or(0)
    }
}
