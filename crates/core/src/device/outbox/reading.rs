//! What a session reads.

use super::*;

impl OutboxMut<'_> {
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

    /// Whether something waits outside of the ring that a later frame will bring.
    pub(crate) fn has_more(&self, lane: Lane) -> bool {
        lane == Lane::Readings && self.has_waiting_slots()
    }

    /// Keep-latest: gives waiting values their positions, once nothing else of the lane is under way.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn number_latest(&mut self) {
        if self.d.slots == 0 || !self.d.queues[2].is_empty() {
            return;
        }
        while self.has_waiting_slots() {
            let q = &self.d.queues[2];
            if q.free() < 1 + READINGS_PER_RECORD * 10 {
                return;
            }
            let last = q.last_tick();
            let mut readings = [Reading { quantity: 0, cell: Cell::Value(0) }; READINGS_PER_RECORD];
            let w = self.slots().take_oldest(&mut readings);
            let superseded = (w.superseded > 0).then(|| (w.superseded, w.tick.since(w.since)));
            // What went into the slots was checked by `record`.
            let mut item = Made::new();
            if item.record(w.tick.since(last), w.readings, superseded).is_ok() {
                let _ = self.push(Lane::Readings, &item, w.tick);
            }
        }
    }

    pub(super) fn has_waiting_slots(&self) -> bool {
        let start = self.d.queues[1].end();
        // Each slot's state, without a division that counts the slots.
        let mut at = start;
        while at < start + self.d.slots {
            if waits(self.bytes[at + STATE]) {
                return true;
            }
            at += SLOT;
        }
        false
    }

    /// They lie between the control lane and the readings.
    pub(super) fn slots(&mut self) -> Slots<'_> {
        let start = self.d.queues[1].end();
        Slots(self.bytes[start..start + self.d.slots].as_chunks_mut().0)
    }
}
