//! What flash reads and says.

use super::*;

impl OutboxMut<'_> {
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

    /// Boots before this local one may have lost records with their memory, after the last one that flash holds of each; from it on
    /// everything that was made is in flash. If that is the boot that begins, the one before it may have. Call it after
    /// [`OutboxMut::with_flash`]; without it nothing was ever lost.
    pub fn whole_since(&mut self, boot: u32) {
        self.d.whole_since = boot;
        if boot >= self.boot() {
            self.d.queues.iter_mut().for_each(|q| q.cause = q.cause.merge(Cause::Power));
        }
    }

    /// The next item that flash does not hold yet.
    pub fn next_spill(&mut self, lane: Lane, out: &mut [u8; 256]) -> Option<Spill> {
        let mut spill = self.next_spills(lane, out)?;
        let first = crate::device::item::walk(&out[..spill.len], spill.position, spill.tick).next()?;
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
        let last = crate::device::item::walk(&out[..copied.len], position, copied.tick).last()?;
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
        self.d.since[lane.index()] = None;
    }
}
