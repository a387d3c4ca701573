//! What dies with a connection.

use super::outbound::Framed;
use super::outbox::OutboxMut;
use super::queue::Cursor;
use crate::wire::data::LaneContext;
use crate::wire::hello::Grant;
use crate::{Lane, Position, Tick};

/// Where a connection stands. The numbers are those of the diagram in the module's front page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No transport.
    Idle,
    /// Hello is due.
    Hello,
    /// Hello is out.
    AwaitWelcome,
    /// Records flow.
    Live,
    /// Sleep is out: the server's Bye is awaited.
    Leaving,
    /// Over: close the transport.
    Closed,
}

/// What is due to be written: flags, so that handling a frame never needs room to send.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Out {
    pub hello: bool,
    pub proof: bool,
    pub boots: bool,
    pub catalog: Option<u16>,
    pub pong: Option<u32>,
    pub ping: bool,
    pub ping_pending: Option<Tick>,
    pub pings: u32,
    pub grease: bool,
    pub sleep: Option<(u32, bool)>,
    pub bye: Option<(crate::wire::hello::End, bool)>,
    pub confirmed: bool,
}

/// Frames under way, merged into at most four entries: the last position, bytes, when.
const FLIGHT: usize = 4;

/// One lane of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LaneLink {
    /// The position that the server expects next, on the wire.
    pub expect: Position,
    /// The last ack.
    pub acked: Position,
    /// Cumulative credit.
    pub grant: Grant,
    sent: Grant,
    flight: [(Position, u32, Tick); FLIGHT],
    flight_len: usize,
    in_flight: u32,
    /// Bytes acknowledged per ms, times 16.
    rate: u32,
    /// Where the ring goes on.
    pub cursor: Cursor,
    /// Where flash goes on, in local numbers, while it has to be read first.
    pub flash: Option<Position>,
    pub context: LaneContext,
}

impl LaneLink {
    /// Takes Welcome's mark and first credit.
    pub(crate) fn welcome(&mut self, outbox: &OutboxMut<'_>, lane: Lane, mark: Position, grant: Grant) {
        self.acked = mark;
        self.grant = grant;
        self.aim(outbox, lane, mark.next());
    }

    /// The next thing sent has this wire position.
    pub(crate) fn aim(&mut self, outbox: &OutboxMut<'_>, lane: Lane, to: Position) {
        self.expect = to;
        self.context = LaneContext::default();
        self.flight_len = 0;
        self.in_flight = 0;
        let local = outbox.local_of(to);
        self.flash = outbox.in_flash(lane).map(|lowest| local.max(lowest));
        let boot = outbox.boot();
        let n = if local.boot() == boot { local.n() } else { 0 };
        self.cursor = outbox.cursor_at(lane, n);
    }

    /// Flash has nothing more to give: the ring goes on where the server expects it, or at its head if that lies above.
    pub(crate) fn leave_flash(&mut self, outbox: &OutboxMut<'_>, lane: Lane) {
        self.flash = None;
        let local = outbox.local_of(self.expect);
        let n = if local.boot() == outbox.boot() { local.n() } else { 0 };
        self.cursor = outbox.cursor_at(lane, n);
    }

    /// Whether one more frame may go: credit, and for readings little enough under way that an alarm can overtake.
    pub(crate) fn may_send(&self, lane: Lane, max_frame: usize) -> bool {
        if self.acked.next() >= self.expect {
            // Nothing outstanding: one frame may always go, but for a lane that has no credit at all (catalogue not stored yet).
            return self.grant.bytes > 0 && self.grant.records > 0;
        }
        let credit = self.sent.bytes < self.grant.bytes && self.sent.records < self.grant.records;
        if lane != Lane::Readings {
            return credit;
        }
        let hundred_ms = self.rate.saturating_mul(100) / 16;
        let window = hundred_ms.clamp(max_frame as u32, 2 * max_frame as u32);
        credit && self.in_flight < window
    }

    /// A frame went out.
    pub(crate) fn sent(&mut self, framed: &Framed, now: Tick) {
        let bytes = framed.len as u32;
        self.expect = framed.next;
        self.sent.bytes = self.sent.bytes.saturating_add(bytes.into());
        self.sent.records = self.sent.records.saturating_add(framed.records.into());
        self.in_flight += bytes;
        let last = framed.next.prev();
        if self.flight_len < FLIGHT {
            self.flight[self.flight_len] = (last, bytes, now);
            self.flight_len += 1;
        } else {
            let tail = &mut self.flight[FLIGHT - 1];
            *tail = (last, tail.1 + bytes, tail.2);
        }
    }

    /// An ack came.
    pub(crate) fn ack(&mut self, mark: Position, now: Tick) {
        self.acked = mark;
        while self.flight_len > 0 && self.flight[0].0 <= mark {
            let (_, bytes, at) = self.flight[0];
            self.flight.copy_within(1.., 0);
            self.flight_len -= 1;
            self.in_flight = self.in_flight.saturating_sub(bytes);
            let rate = (bytes as u64 * 16 / now.since(at).max(1)).min(u32::MAX as u64 / 200) as u32;
            self.rate = if self.rate == 0 { rate } else { (self.rate * 7 + rate) / 8 };
        }
        if mark.next() >= self.expect {
            (self.flight_len, self.in_flight) = (0, 0);
        }
    }
}
