//! What dies with a connection.

use super::outbound::Framed;
use super::outbox::OutboxMut;
use super::queue::Cursor;
use crate::limits::FRAME_MIN_MAX;
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

/// One lane of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneLink {
    /// The position that the server expects next, on the wire.
    pub expect: Position,
    /// The last ack.
    pub acked: Position,
    /// Cumulative credit.
    pub grant: Grant,
    sent: Grant,
    /// Where the ring goes on.
    pub cursor: Cursor,
    /// Where flash goes on, in local numbers, while it has to be read first.
    pub flash: Option<Position>,
    pub context: LaneContext,
}

impl LaneLink {
    /// Before Welcome.
    pub(crate) const NEW: Self = LaneLink {
        expect: Position::NONE,
        acked: Position::NONE,
        grant: Grant { records: 0, bytes: 0 },
        sent: Grant { records: 0, bytes: 0 },
        cursor: Cursor::NEW,
        flash: None,
        context: LaneContext::NEW,
    };

    /// Takes Welcome's mark and first credit.
    pub(crate) fn welcome(&mut self, outbox: &OutboxMut<'_>, lane: Lane, mark: Position, grant: Grant) {
        self.acked = mark;
        self.grant = grant;
        self.aim(outbox, lane, mark.next());
    }

    /// The next thing sent has this wire position.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn aim(&mut self, outbox: &OutboxMut<'_>, lane: Lane, to: Position) {
        self.expect = to;
        self.context = LaneContext::NEW;
        let local = outbox.local_of(to);
        self.flash = outbox.in_flash(lane).map(|lowest| local.max(lowest));
        self.aim_ring(outbox, lane, local);
    }

    /// Flash has nothing more to give: the ring goes on where the server expects it, or at its head if that lies above.
    pub(crate) fn leave_flash(&mut self, outbox: &OutboxMut<'_>, lane: Lane) {
        self.flash = None;
        self.aim_ring(outbox, lane, outbox.local_of(self.expect));
    }

    fn aim_ring(&mut self, outbox: &OutboxMut<'_>, lane: Lane, local: Position) {
        let n = if local.boot() == outbox.boot() { local.n() } else { 0 };
        self.cursor = outbox.cursor_at(lane, n);
    }

    /// Whether something was sent that is not acknowledged.
    pub(crate) fn is_waiting(&self) -> bool {
        self.acked.next() < self.expect
    }

    /// How many bytes the next frame may have, 0 if none may go: by credit, and for readings such that an alarm can overtake.
    pub(crate) fn room(&self, lane: Lane, max_frame: usize, pace: &Pace) -> usize {
        let may_send = if self.is_waiting() {
            self.sent.bytes < self.grant.bytes && self.sent.records < self.grant.records
        } else {
            // Nothing outstanding: one frame may always go, but for a lane that has no credit at all (catalogue not stored yet).
            self.grant.bytes > 0 && self.grant.records > 0
        };
        match may_send {
            true if lane == Lane::Readings && self.is_waiting() => pace.room(max_frame),
            true => max_frame,
            false => 0,
        }
    }

    /// A frame went out.
    pub(crate) fn sent(&mut self, framed: &Framed) {
        self.expect = framed.next;
        self.sent.bytes += framed.len as u64;
        self.sent.records += u64::from(framed.records);
    }
}

/// What a frame takes on a stream besides its own bytes, at most: its length, and the tag of a sealed one.
const AROUND: u32 = 18;

/// Frames under way, merged into at most four entries: the last position, bytes, when.
const FLIGHT: usize = 4;

/// How fast the server takes readings. Other lanes have no need of it: nothing overtakes them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The oldest is at `oldest`, the next ones follow and wrap.
    flight: [Flight; FLIGHT],
    flight_len: usize,
    oldest: usize,
    in_flight: u32,
    /// Bytes acknowledged per ms, times 16.
    rate: u32,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    last: Position,
    bytes: u32,
    /// The low half of a tick: enough for distances.
    at: u32,
}

impl Pace {
    /// Nothing under way, nothing known.
    pub(crate) const NEW: Self = {
        let none = Flight { last: Position::NONE, bytes: 0, at: 0 };
        Pace { flight: [none; FLIGHT], flight_len: 0, oldest: 0, in_flight: 0, rate: 0 }
    };

    /// What is under way counts no more.
    pub(crate) fn clear(&mut self) {
        (self.flight_len, self.in_flight) = (0, 0);
    }

    /// How many bytes may follow what is under way: two frames' worth in all, and no frame once 100 ms of acknowledgements are, at least one
    /// frame's worth. Every item fits the least that is given but 0.
    fn room(&self, max_frame: usize) -> usize {
        if crate::planted!("pace-unbounded") {
            return max_frame;
        }
        // The rate is bounded where it is set.
        let (frame, hundred_ms) = (max_frame as u32, self.rate * 100 / 16);
        let room = if self.in_flight < hundred_ms.max(frame) {
            (2 * frame + AROUND).saturating_sub(self.in_flight).min(frame) as usize
        } else {
            0
        };
        if room < FRAME_MIN_MAX { 0 } else { room }
    }

    /// A frame went out.
    pub(crate) fn sent(&mut self, framed: &Framed, now: Tick) {
        let (last, bytes, at) = (framed.next.prev(), framed.len as u32 + AROUND, now.0 as u32);
        self.in_flight += bytes;
        if self.flight_len < FLIGHT {
            self.flight[(self.oldest + self.flight_len) % FLIGHT] = Flight { last, bytes, at };
            self.flight_len += 1;
        } else {
            let tail = &mut self.flight[(self.oldest + FLIGHT - 1) % FLIGHT];
            *tail = Flight { last, bytes: tail.bytes + bytes, at: tail.at };
        }
    }

    /// An ack came; `all` if nothing is waiting any more.
    pub(crate) fn ack(&mut self, mark: Position, all: bool, now: Tick) {
        while self.flight_len > 0 && self.flight[self.oldest % FLIGHT].last <= mark {
            let Flight { bytes, at, .. } = self.flight[self.oldest % FLIGHT];
            self.oldest = (self.oldest + 1) % FLIGHT;
            self.flight_len -= 1;
            self.in_flight = self.in_flight.saturating_sub(bytes);
            let took = (now.0 as u32).wrapping_sub(at).max(1);
            let rate = (bytes.saturating_mul(16) / took).min(u32::MAX / 200);
            self.rate = if self.rate == 0 { rate } else { (self.rate * 7 + rate) / 8 };
        }
        if all {
            self.clear();
        }
    }
}
