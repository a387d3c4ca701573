//! What a connection asks of the committer.

use sensock::link::Bounds;
use sensock::wire::hello::Hello;
use sensock::{Lane, Micros, Tick};
use sensock_store::work::{HelloWork, Identity, Meeting, Work};
use sensock_store::{AnchorRow, BootRow};

use super::{Live, intake};
use crate::inbox::Token;
use crate::queue::{Entry, Origin, Queue};

/// A work of so many readings is handed over without waiting for more.
pub(super) const WORK_READINGS: usize = 4_096;
/// Anchors of one boot are stored at most this often, by the device's clock, unless they are twice as tight.
const ANCHOR_EVERY_MS: u64 = 600_000;

impl Live {
    /// The Hello transaction goes behind whatever of this device waits already.
    pub(super) fn propose(
        &mut self,
        hello: Hello,
        identity: Identity,
        firmware: String,
        started: (Option<i64>, Option<i64>),
        now_us: i64,
    ) {
        let work = HelloWork {
            hello,
            proposed: identity,
            firmware,
            started,
            connection: self.row(),
            anchor: self.new_anchor(),
            store: self.shared.store,
            now_us,
        };
        self.outstanding += 1;
        let origin = Origin::Connection(self.own.clone(), Token::Hello);
        self.queue().push([Entry { work: Work::Hello(Box::new(work)), origin }]);
    }

    /// Where the works of its device go.
    pub(super) fn queue(&self) -> &Queue {
        self.shared.queues.of(&self.own.device)
    }

    /// Hands a work to the committer, once the Hello transaction stands.
    pub(super) fn submit(&mut self, work: Work, token: Token) {
        self.outstanding += 1;
        let entry = Entry { work, origin: Origin::Connection(self.own.clone(), token) };
        if self.confirmed {
            self.queue().push([entry]);
        } else {
            self.waiting.get_or_insert_default().held.push(entry);
        }
    }

    pub(super) fn submit_all(&mut self, now: Micros) {
        if !self.intake.is_empty() {
            Lane::ALL.into_iter().for_each(|lane| self.submit_lane(lane));
        }
        if self.confirmed && self.leaving.is_none() {
            let now_us = now.0 as i64 + self.shared.wall.offset();
            let mut works = Vec::new();
            self.down.send_next(self.own.boot, now_us, |work, id| works.push((work, id)));
            for (work, id) in works {
                self.submit(Work::Command(work), Token::Sent(id));
            }
        }
    }

    pub(super) fn submit_lane(&mut self, lane: Lane) {
        let Some(mut pending) = self.intake.take(lane) else { return };
        if !pending.work.readings.is_empty() {
            pending.work.anchors.extend(self.new_anchor());
        }
        let (records, bytes) = (pending.records, pending.bytes);
        let replies = pending.work.replies.iter().map(|r| r.command).collect();
        let applied = pending.work.applied.iter().map(|a| a.revision).collect();
        let epoch = self.epochs[lane.index()];
        let token = Token::Records { lane, records, bytes, epoch, replies, applied };
        self.submit_in_lane(lane, bytes.into(), Work::Records(pending.work), token);
    }

    /// The clock's bounds in wall time.
    pub(super) fn wall_bounds(&self) -> Bounds {
        let offset = self.shared.wall.offset();
        // A session that is live has measured once at least.
        let b = self.session.bounds().unwrap_or(Bounds { tick: Tick(0), lo: 0, hi: 0 });
        Bounds { tick: b.tick, lo: b.lo.saturating_add(offset), hi: b.hi.saturating_add(offset) }
    }

    /// An anchor that is worth storing, if there is one (rule 54).
    pub(super) fn new_anchor(&mut self) -> Option<AnchorRow> {
        let bounds = self.wall_bounds();
        let worth = match self.anchored {
            None => true,
            Some(stored) => {
                let much_better = bounds.width().saturating_mul(2) <= stored.width();
                let aged = stored.aged(bounds.tick).width() >= bounds.width().saturating_mul(2);
                much_better || (aged && bounds.tick.since(stored.tick) >= ANCHOR_EVERY_MS)
            }
        };
        worth.then(|| {
            self.anchored = Some(bounds);
            intake::anchor(self.own.device, self.own.boot, self.shared.id, bounds)
        })
    }
}

/// The boot's row as the Hello transaction wrote it.
pub(super) fn boot_row(
    hello: &Hello,
    identity: &Identity,
    started: (Option<i64>, Option<i64>),
    now_us: i64,
) -> BootRow {
    BootRow {
        device: hello.device,
        boot: identity.boot,
        tag: identity.tag,
        catalog: hello.catalog,
        firmware: String::new(),
        seen_us: now_us,
        started,
        last_tick: hello.tick,
        account: hello.account,
        rebased_by: if identity.meeting == Meeting::Rebased { identity.shift } else { 0 },
    }
}
