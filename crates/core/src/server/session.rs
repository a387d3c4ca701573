//! One connection of a server.

mod downlink;
mod inbound;
mod transmit;

use super::state::{Amount, LaneLink, State};
use crate::error::{Misuse, Peer};
use crate::limits::{BODY_MAX, FRAME_HARD_MAX, FRAME_MIN_MAX, HANDSHAKE_MS, HELLO_MAX, PING_RANGE_MS};
use crate::link::Bounds;
use crate::wire::alive::{self, Bye, Sleep};
use crate::wire::call::{Answer, Ask, Call, SettingValue};
use crate::wire::cursor::{NoRoom, Reader};
use crate::wire::data::Data;
use crate::wire::flow::{self, Boots, CatalogPart};
use crate::wire::header::{Header, Kind};
use crate::wire::hello::{End, Grant, Hello, LaneFloor, Refusal, Refused, VERSION, Welcome};
use crate::{Lane, Micros, Position, StoreId, Tag};

/// What a server chooses for its connections.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The largest frame that it takes: 256 to 16,383.
    pub max_frame: u16,
    /// How often it pings while nothing else is said, in milliseconds.
    pub ping_interval_ms: u32,
    /// How much of each lane may be under way: records and bytes. At least one frame.
    pub window: [Grant; Lane::COUNT],
}

impl Default for Config {
    fn default() -> Self {
        let window = Grant { records: 4_096, bytes: 64 << 10 };
        Self {
            max_frame: crate::limits::FRAME_DEFAULT as u16,
            ping_interval_ms: crate::limits::PING_INTERVAL_MS,
            window: [window; Lane::COUNT],
        }
    }
}

/// What the runtime makes of a Hello: the text of Welcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// To be added to the device's boot numbers.
    pub boot_shift: u32,
    /// The tag of the boot.
    pub tag: Tag,
    /// Marks after the floors were subtracted.
    pub marks: [Position; Lane::COUNT],
    /// The store does not know the catalogue: no credit until [`Session::catalog_stored`].
    pub want_catalog: bool,
    /// Commands and settings that wait.
    pub pending: u16,
    /// The store.
    pub store: StoreId,
    /// A random number, fresh for each connection.
    pub nonce: u64,
}

/// What a session reports to its caller; borrows the frame that brought it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'f> {
    /// Look the device up, then call [`Session::welcome`] or [`Session::refuse`].
    Hello(Hello),
    /// The device is live: run the Hello transaction, then call [`Session::confirm`] or [`Session::bye`]. What comes meanwhile waits behind it.
    Proved,
    /// Records: their positions follow what came before on this connection.
    Data(Data<'f>),
    /// A lane's floor rose.
    Floor {
        /// Which lane.
        lane: Lane,
        /// Where it stands.
        floor: LaneFloor,
    },
    /// Boots whose records lie in flash, ahead of those records.
    Boots(Boots),
    /// A piece of a catalogue.
    Catalog(CatalogPart<'f>),
    /// The clock's bounds became tighter: [`Session::bounds`].
    Clock,
    /// The clock's bounds exclude what was known: one of the two clocks stepped. The union of both holds from here on.
    ClockFault,
    /// A question: answer with [`Session::answer`].
    Ask(Ask<'f>),
    /// The device will sleep: store it, then call [`Session::bye`].
    Sleep(Sleep),
    /// The device ends the connection.
    Bye(Bye<'f>),
}

/// What is of use for a part of a connection's life only.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing was proposed yet.
    Strange,
    Proposed(Offer),
    Live(Bounds),
}

/// What is left of a [`Proposal`] to be said; the rest stands with the lanes.
#[derive(Clone, Copy, Debug)]
struct Offer {
    boot_shift: u32,
    tag: Tag,
    want_catalog: bool,
    pending: u16,
    store: StoreId,
    nonce: u64,
}

/// One connection of a server.
///
/// `now` is a steady clock ([`Micros`]). After any call, poll [`Session::poll_transmit`] until it writes nothing, and arm a timer for
/// [`Session::poll_timeout`]. Frames of commands, settings, answers, refusals and goodbyes are rendered by their own calls into a
/// caller's buffer, so that an idle connection holds none.
#[derive(Debug)]
pub struct Session {
    state: State,
    last_heard: Micros,
    lanes: [LaneLink; Lane::COUNT],
    phase: Phase,
    welcome_due: bool,
    /// The largest frame that this end takes, and the device.
    own_max_frame: u16,
    max_frame: u16,
    ping_interval_ms: u32,
    slots: u8,
    held: u8,
    /// When the handshake has to be over; once it is, when the next ping is due.
    due: Micros,
    /// When Welcome or the last ping left, or the proof came; the ping's number; whether it still has no answer.
    pinged_at: Micros,
    pings: u32,
    unanswered: bool,
    pong: Option<u32>,
    confirmed: bool,
    announce: bool,
    has_catalog: bool,
}

impl Session {
    /// (1) A transport was accepted.
    ///
    /// # Errors
    /// [`Misuse::Buffer`] if the configuration is outside of the wire's limits.
    pub fn new(config: Config, now: Micros) -> Result<Self, Misuse> {
        let frame = config.max_frame as usize;
        let window_ok = config.window.iter().all(|w| w.records > 0 && w.bytes > 0);
        if !(FRAME_MIN_MAX..=FRAME_HARD_MAX).contains(&frame)
            || !(PING_RANGE_MS.0..=PING_RANGE_MS.1).contains(&config.ping_interval_ms)
            || !window_ok
        {
            return Err(Misuse::Buffer);
        }
        let lanes =
            config.window.map(|window| LaneLink { window: Amount::window(window), ..LaneLink::default() });
        Ok(Session {
            state: State::AwaitHello,
            last_heard: now,
            lanes,
            phase: Phase::Strange,
            welcome_due: false,
            own_max_frame: config.max_frame,
            max_frame: FRAME_MIN_MAX as u16,
            ping_interval_ms: config.ping_interval_ms,
            slots: 1,
            held: 0,
            due: now.plus_ms(HANDSHAKE_MS),
            pinged_at: now,
            pings: 0,
            unanswered: false,
            pong: None,
            confirmed: false,
            announce: false,
            has_catalog: false,
        })
    }

    /// Whether the device proved itself live.
    pub fn is_live(&self) -> bool {
        self.state == State::Live
    }

    /// Whether the connection is over: write what is left, close the transport.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Bounds of the device's clock, once it proved itself live.
    pub fn bounds(&self) -> Option<Bounds> {
        if let Phase::Live(bounds) = self.phase { Some(bounds) } else { None }
    }

    /// The highest mark of a lane that this connection was told of.
    pub fn mark(&self, lane: Lane) -> Position {
        self.lanes[lane.index()].mark
    }

    /// The largest frame that the device takes.
    pub fn peer_max_frame(&self) -> usize {
        self.max_frame.into()
    }

    /// (3) Welcome is due.
    ///
    /// # Errors
    /// [`Misuse::State`] unless a Hello awaits judgement.
    pub fn welcome(&mut self, proposal: Proposal) -> Result<(), Misuse> {
        if self.state != State::Judging {
            return Err(Misuse::State);
        }
        self.has_catalog = !proposal.want_catalog;
        for (link, mark) in self.lanes.iter_mut().zip(&proposal.marks) {
            link.expected = mark.next();
            (link.mark, link.acked) = (*mark, *mark);
            if self.has_catalog {
                link.raise();
                link.untold = Amount::NONE;
            }
        }
        let Proposal { boot_shift, tag, marks: _, want_catalog, pending, store, nonce } = proposal;
        self.phase = Phase::Proposed(Offer { boot_shift, tag, want_catalog, pending, store, nonce });
        self.welcome_due = true;
        self.state = State::AwaitProof;
        Ok(())
    }

    /// The Hello transaction is committed; marks may have moved since Welcome.
    pub fn confirm(&mut self, marks: [Position; Lane::COUNT]) {
        self.confirmed = true;
        self.announce = true;
        for (lane, mark) in Lane::ALL.into_iter().zip(marks) {
            self.committed(lane, mark);
        }
    }

    /// The catalogue is stored: credit flows.
    pub fn catalog_stored(&mut self) {
        self.has_catalog = true;
        self.lanes.iter_mut().for_each(LaneLink::raise);
    }

    /// Everything up to `mark` is committed: an ack is due.
    pub fn committed(&mut self, lane: Lane, mark: Position) {
        let link = &mut self.lanes[lane.index()];
        link.mark = link.mark.max(mark);
        if link.mark >= link.expected {
            // An earlier connection had brought more than Welcome knew; the ack tells the device to go on from there.
            let asked = link.rewind;
            link.aim(link.mark.next());
            // A rewind that the device was, or was to be, told holds on: what it sent beyond the mark was thrown away.
            (link.rewind, link.rewind_due) = (asked, asked);
        }
    }

    /// The store found that these records do not follow its mark: ask for what does.
    pub fn rewind(&mut self, lane: Lane, expected: Position) {
        let link = &mut self.lanes[lane.index()];
        // What is committed is never asked for again: the device would have to refuse that.
        link.aim(expected.max(link.mark.next()));
        (link.rewind, link.rewind_due) = (true, true);
    }

    /// A Data frame of so many records and bytes is done with (committed, or thrown away): credit may grow.
    pub fn release(&mut self, lane: Lane, records: u32, bytes: usize) {
        let link = &mut self.lanes[lane.index()];
        link.open.take(records, bytes.try_into().unwrap_or(u32::MAX));
        if self.has_catalog {
            link.raise();
        }
    }

    /// How much of a lane may be under way from now on. What was granted stays granted; a smaller window only stops the growth.
    pub fn window(&mut self, lane: Lane, window: Grant) {
        let link = &mut self.lanes[lane.index()];
        link.window = Amount::window(window);
        if self.has_catalog {
            link.raise();
        }
    }
}
