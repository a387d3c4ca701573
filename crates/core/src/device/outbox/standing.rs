//! Where the lanes stand against the server.

use super::*;
use crate::device::{FLASH, Node};
use crate::wire::hello::{
    Account, FEATURE_BEGUN_PERSISTS, FEATURE_EARLIER_TAG, FEATURE_OUTBOX_PERSISTS, VERSION,
};

impl OutboxMut<'_> {
    /// Last positions made in this boot, on the wire; of an earlier boot (acknowledged) where there is none.
    pub fn lasts(&self) -> [Position; Lane::COUNT] {
        let mut lasts = self.d.acked;
        for (last, q) in lasts.iter_mut().zip(&self.d.queues) {
            *last = match q.next() {
                0 => self.wire_or_none(*last),
                n => self.wire(self.local(n - 1)),
            };
        }
        lasts
    }

    /// The boot's last positions are said to be final: no record is accepted from here on. `false` takes that back.
    pub(crate) fn end_boot(&mut self, ended: bool) {
        self.d.ended = ended;
    }

    /// Where a lane stands, on the wire.
    pub fn floor(&self, lane: Lane) -> LaneFloor {
        let q = &self.d.queues[lane.index()];
        let ring = self.local(q.first());
        let acked = self.d.acked[lane.index()];
        let since = self.d.since[lane.index()].filter(|_| FLASH && acked == Position::NONE);
        let floor = since.or(self.flash_lowest(lane)).map_or(ring, |lowest| lowest.min(ring));
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

    /// A Hello of this device: what the outbox knows, and what the session does.
    pub(crate) fn hello(&mut self, node: &Node<'_>, now: Tick, account: Account) -> Hello {
        self.d.queues.iter_mut().for_each(|q| q.settle_gap(self.bytes));
        let boot = self.d.boot + self.d.shift;
        let mut hello = Hello {
            versions: (VERSION, VERSION),
            features: 0,
            device: node.id,
            boot: (boot > 0).then_some(boot),
            tag: self.d.tag,
            pending_tag: self.d.pending_tag,
            tick: now,
            lanes: Lane::ALL.map(|lane| self.floor(lane)),
            max_frame: node.max_frame,
            command_slots: self.command_slots(),
            last_begun: if crate::planted!("begun-unsaid") { CommandId(0) } else { self.d.begun },
            catalog: node.catalog.hash(),
            settings: self.d.settings,
            store: self.d.store,
            account: Account { outbox_high_water: self.high_water(), ..account },
        };
        for (&lane, stand) in Lane::ALL.iter().zip(&hello.lanes) {
            self.note_framed(lane, stand.floor);
        }
        if self.d.tag == Tag::NONE && self.d.earlier_tag != Tag::NONE {
            hello.tag = self.d.earlier_tag;
            hello.features |= FEATURE_EARLIER_TAG;
        }
        if self.d.begun_persists {
            hello.features |= FEATURE_BEGUN_PERSISTS;
        }
        if self.has_flash() {
            hello.features |= FEATURE_OUTBOX_PERSISTS;
        }
        hello
    }

    /// Whether Welcome comes from the store that is pinned, and makes sense: boots stay within 32 bits, and no mark lies beyond what was ever framed or stated as dropped.
    pub(crate) fn may_welcome(&self, welcome: &Welcome) -> Result<(), Peer> {
        if self.d.pinned != StoreId(0) && self.d.pinned != welcome.store {
            return Err(Peer::OtherStore);
        }
        let shift = self.d.shift.checked_add(welcome.boot_shift).ok_or(Peer::Limit)?;
        self.boot().checked_add(shift).ok_or(Peer::Limit)?;
        let known = |&lane: &Lane| {
            let mark = welcome.marks[lane.index()];
            let local = Position(mark.0.saturating_sub(u64::from(shift) << 32));
            mark == Position::NONE || mark.boot() < shift || self.framed_local(lane, local)
        };
        if Lane::ALL.iter().all(known) { Ok(()) } else { Err(Peer::AckBeyondSent) }
    }

    /// Takes what Welcome says: shift, tag, marks.
    pub(crate) fn welcomed(&mut self, welcome: &Welcome) -> Welcomed {
        self.d.shift = self.d.shift.saturating_add(welcome.boot_shift);
        if welcome.boot_shift > 0 {
            // What an earlier boot's tag could show has come true: said again, it would move everything once more.
            self.d.earlier_tag = Tag::NONE;
        }
        if self.d.tag != welcome.tag {
            self.d.pending_tag = welcome.tag;
        }
        let other_store = self.d.store != StoreId(0) && self.d.store != welcome.store;
        for &lane in &Lane::ALL {
            let mark = welcome.marks[lane.index()];
            // A mark below what it still holds may be this device's own floor, subtracted and not written yet (rule W): see `confirmed`.
            if mark >= self.floor(lane).floor {
                self.free_to(lane, mark);
            }
        }
        Welcomed { shifted_by: welcome.boot_shift, other_store }
    }

    /// The last tag that a Welcome gave, to this boot or an earlier one: what a device that keeps it has to hold in memory that survives.
    pub fn last_tag(&self) -> Tag {
        if self.d.pending_tag != Tag::NONE {
            return self.d.pending_tag;
        }
        if self.d.tag != Tag::NONE { self.d.tag } else { self.d.earlier_tag }
    }

    /// The device keeps [`OutboxMut::last_tag`] over boots, and says so with [`OutboxMut::tag_kept`] each time; this is what it kept of
    /// earlier boots. A session is proved only after that, so that a tag which a server stored is never unknown to the next boot. Call it
    /// after `start`.
    pub fn tag_persists(&mut self, tag: Tag) {
        self.d.keeps_tag = true;
        (self.d.earlier_tag, self.d.kept_tag) = (tag, tag);
    }

    /// Memory that survives holds this tag.
    pub fn tag_kept(&mut self, tag: Tag) {
        self.d.kept_tag = tag;
    }

    /// Memory that survives has yet to take [`OutboxMut::last_tag`].
    pub fn has_tag_to_keep(&self) -> bool {
        self.d.keeps_tag && self.d.kept_tag != self.last_tag()
    }

    /// The server confirmed the session: the tag is ours, this is the store. What Welcome and the acks since then say is written:
    /// [`OutboxMut::free_to`] follows for each lane.
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
            let more = 1 + u32::from(crate::planted!("ack-frees-more"));
            let end = local.n().saturating_add(more).min(q.next());
            self.d.acked[i] = if end > 0 { Position::new(boot, end - 1) } else { self.d.acked[i] };
            q.free_below(self.bytes, end);
            // An empty lane is not an explained one: the last may have been dropped.
            if self.d.acked[i].next() >= Position::new(boot, q.first()) {
                (q.cause, q.dropped) = (Cause::None, None);
            }
        } else if local.boot() < boot && self.has_flash() {
            self.d.acked[i] = local;
            if self.flash_lowest(lane).is_some_and(|lowest| lowest <= local.next()) {
                let tail = if self.is_whole_from(local) { Cause::None } else { Cause::Power };
                (self.d.queues[i].cause, self.d.queues[i].dropped) = (tail, None);
            }
        }
    }

    /// Everything below this wire position was framed, or stated as dropped.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn note_framed(&mut self, lane: Lane, next: Position) {
        let local = self.local_of(next);
        let framed = &mut self.d.framed[lane.index()];
        *framed = (*framed).max(local);
    }

    /// Whether a server can have this position.
    pub(crate) fn was_framed(&self, lane: Lane, mark: Position) -> bool {
        self.framed_local(lane, self.local_of(mark))
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn framed_local(&self, lane: Lane, local: Position) -> bool {
        local < self.d.framed[lane.index()] || local < self.local(0)
    }

    pub(super) fn has_flash(&self) -> bool {
        FLASH && self.d.has_flash
    }

    /// The lowest position in flash, if it lies below what the ring holds.
    pub(crate) fn in_flash(&self, lane: Lane) -> Option<Position> {
        let ring = self.local(self.d.queues[lane.index()].first());
        self.flash_lowest(lane).filter(|p| *p < ring)
    }

    /// Whether no boot from that of a local position on lost anything with its memory.
    pub(crate) fn is_whole_from(&self, local: Position) -> bool {
        !FLASH || local.boot() >= self.d.whole_since
    }

    /// What flash holds at all: nothing without `with_flash`, and nothing that was never made.
    pub(super) fn flash_lowest(&self, lane: Lane) -> Option<Position> {
        self.d.flash[lane.index()].filter(|p| self.has_flash() && *p < self.next(lane))
    }
}
