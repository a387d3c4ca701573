//! One connection of a device, sans-IO. The numbered diagram is in the module's front page.

mod inbound;
mod leaving;
mod timers;
mod transmit;

use super::FLASH;
use super::outbound::{self, Batch};
use super::outbox::{OutboxMut, Share, Welcomed};
use super::state::{LaneLink, Out, Pace, State};
use crate::catalog::Catalog;
use crate::error::{Misuse, Peer};
use crate::limits::{FRAME_HARD_MAX, FRAME_MIN_MAX, HANDSHAKE_MS, KEEP_MS};
use crate::wire::alive::{self, Bye, Sleep};
use crate::wire::call::{Answer, Ask, Call, SettingValue};
use crate::wire::cursor::{NoRoom, Writer};
use crate::wire::data::Outcome;
use crate::wire::flow::{self, Boots, CatalogPart};
use crate::wire::header::{self, Header, Kind};
use crate::wire::hello::{Account, End, LaneFloor, Refused, Welcome};
use crate::wire::text::Text;
use crate::{Cause, CommandId, DeviceId, Lane, Position, StoreId, Tag, Tick};

/// What a device is: shared by all its connections.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its name.
    pub id: DeviceId,
    /// What it says of itself.
    pub catalog: &'a Catalog<'a>,
    /// The largest frame that it takes: the size of the caller's receive buffer.
    pub max_frame: u16,
}

/// What a session reports to its caller; borrows the frame that brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'f> {
    /// The session is taken up: records flow. Positions that `record` returned are shifted by `shifted_by` boots on the wire.
    Connected {
        /// What changed.
        welcomed: Welcomed,
        /// Commands and settings that wait at the server.
        pending: u16,
    },
    /// Everything of this lane up to `mark` (on the wire) is committed or explained.
    Committed {
        /// Which lane.
        lane: Lane,
        /// Up to where.
        mark: Position,
    },
    /// Run this: ask [`super::OutboxMut::begin`] first, then answer with [`Session::reply`].
    Command(Call<'f>),
    /// Apply this, then say so with [`super::OutboxMut::applied`].
    Setting(SettingValue<'f>),
    /// The answer to a question.
    Answer(Answer<'f>),
    /// The server will not serve now: close, and come back no sooner than it says.
    Refused(Refused<'f>),
    /// The server ends the connection: close, and come back after `retry_ms`.
    Bye(Bye<'f>),
}

/// What to do after [`Session::poll_transmit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// A frame of so many bytes is in the buffer: write all of it, or call the transport lost.
    Frame(usize),
    /// Read items of this lane from flash, from this local position on, and give them to `Session::supply`. Only with the feature `flash`.
    Fetch {
        /// Which lane.
        lane: Lane,
        /// From where.
        from: Position,
    },
    /// Nothing now; poll again after any other call, or at [`Session::poll_timeout`].
    Idle,
}

/// Items that were read from flash into the session's scratch.
#[derive(Clone, Copy, Debug)]
pub struct Supply {
    /// Bytes of whole items, at the start of the scratch.
    pub len: usize,
    /// Local position of the first. If it is higher than what was asked for, the ones between are lost.
    pub first: Position,
    /// Tick that the first item's distance counts from.
    pub tick: Tick,
    /// If `first` is in a later boot: whether the one before ended with nothing lost.
    pub complete: bool,
}

impl Supply {
    /// Nothing.
    const NONE: Self = Supply { len: 0, first: Position::NONE, tick: Tick(0), complete: true };
}

/// One connection of a device.
///
/// All calls take the time (`now`, the device's own tick). After any call, poll [`Session::poll_transmit`] until it is idle, and
/// arm a timer for [`Session::poll_timeout`]. Any order of calls is safe; a wrong one is an error value.
#[derive(Debug)]
pub struct Session<'b> {
    node: Node<'b>,
    scratch: &'b mut [u8],
    state: State,
    out: Out,
    lanes: [LaneLink; Lane::COUNT],
    /// Of the readings lane.
    pace: Pace,
    hello: HelloFacts,
    max_frame: usize,
    ping_interval: u32,
    nonce: u64,
    tag: Tag,
    store: StoreId,
    last_heard: Tick,
    last_sent_data: Tick,
    rtt: u32,
    leaving: Tick,
    held: u8,
    slots: u8,
    /// Commands and settings that Welcome promised and that did not come yet.
    owed: u16,
    /// The last command that was refused without being begun.
    refused: CommandId,
    /// The newest setting that was handed out.
    setting: u32,
    /// Whether these, and what the application has not answered, keep a device awake that wants to sleep.
    patient: bool,
    supply: Option<(Lane, Supply)>,
    fetching: Option<Fetch>,
    asks: u16,
}

/// Before Welcome.
const LANES: [LaneLink; Lane::COUNT] = [LaneLink::NEW; Lane::COUNT];

/// What flash was asked for. Stale once the lane goes on elsewhere: then the answer is of no use.
#[derive(Clone, Copy, Debug)]
struct Fetch {
    lane: Lane,
    #[cfg_attr(
        not(feature = "flash"),
        expect(dead_code, reason = "only what flash gives is held against it")
    )]
    from: Position,
    stale: bool,
}

#[derive(Clone, Copy, Debug)]
struct HelloFacts {
    at: Tick,
    account: Account,
    boots: Boots,
}

impl<'b> Session<'b> {
    /// A session without a connection. `scratch` is where items are copied before they are encoded: as large as a frame or larger.
    ///
    /// # Errors
    /// [`Misuse::Buffer`] if the scratch or the node's largest frame is below 256 bytes, or the frame above 16,383.
    pub fn new(node: Node<'b>, scratch: &'b mut [u8]) -> Result<Self, Misuse> {
        let max = node.max_frame as usize;
        if scratch.len() < FRAME_MIN_MAX || !(FRAME_MIN_MAX..=FRAME_HARD_MAX).contains(&max) {
            return Err(Misuse::Buffer);
        }
        Ok(Session {
            node,
            scratch,
            state: State::Idle,
            out: Out::default(),
            lanes: LANES,
            pace: Pace::NEW,
            hello: HelloFacts { at: Tick(0), account: Account::NONE, boots: Boots::NONE },
            max_frame: FRAME_MIN_MAX,
            ping_interval: 0,
            nonce: 0,
            tag: Tag::NONE,
            store: StoreId(0),
            last_heard: Tick(0),
            last_sent_data: Tick(0),
            rtt: 0,
            leaving: Tick(0),
            held: 0,
            slots: 1,
            owed: 0,
            refused: CommandId(0),
            setting: 0,
            patient: true,
            supply: None,
            fetching: None,
            asks: 0,
        })
    }

    /// (1) A transport is there: Hello is due. Whatever the session did before is forgotten. `boots` lists boots in flash (ignored
    /// without the feature `flash`).
    pub fn start(&mut self, now: Tick, account: Account, boots: Boots) {
        self.out = Out { hello: true, ..Out::default() };
        self.lanes = LANES;
        self.pace = Pace::NEW;
        self.state = State::Hello;
        (self.hello.at, self.hello.account) = (now, account);
        self.last_heard = now;
        self.held = 0;
        (self.owed, self.setting, self.patient) = (0, 0, true);
        if FLASH {
            self.hello.boots = boots;
            self.supply = None;
            self.fetching = None;
        }
    }

    /// (9) The transport is gone, or reported a loss.
    pub fn lost(&mut self) {
        self.state = State::Idle;
        self.out = Out::default();
    }

    /// Whether records flow: Welcome came, and its proof was sent.
    pub fn is_live(&self) -> bool {
        matches!(self.state, State::Live | State::Leaving) && !self.out.proof
    }

    /// Whether Sleep was said.
    pub fn is_leaving(&self) -> bool {
        self.state == State::Leaving
    }

    /// The identity it serves.
    pub fn node(&self) -> &Node<'b> {
        &self.node
    }

    /// Round trip of the handshake, in milliseconds; 0 before.
    pub fn rtt_ms(&self) -> u64 {
        self.rtt.into()
    }

    /// Answers a command: a record in the control lane.
    ///
    /// # Errors
    /// [`Misuse::Body`] or [`Misuse::Full`]: nothing was taken.
    pub fn reply(
        &mut self,
        outbox: &impl Share,
        command: CommandId,
        outcome: Outcome,
        body: &[u8],
    ) -> Result<Position, Misuse> {
        let position = outbox.with(|o| o.reply(command, outcome, body))?;
        self.released();
        Ok(position)
    }

    /// A command that this session handed out was answered through [`super::OutboxMut::reply`] directly.
    pub fn released(&mut self) {
        self.held = self.held.saturating_sub(1);
    }

    /// Writes a question into `out` (a buffer of one frame); returns the frame's length and the question's id.
    ///
    /// # Errors
    /// [`Misuse::State`] if there is no live session, [`Misuse::Body`] if it is too large.
    pub fn ask(&mut self, key: u16, body: &[u8], out: &mut [u8]) -> Result<(usize, u16), Misuse> {
        if self.state != State::Live || self.out.proof {
            return Err(Misuse::State);
        }
        if body.len() > crate::limits::BODY_MAX {
            return Err(Misuse::Body);
        }
        self.asks = self.asks.wrapping_add(1);
        let len = Ask { id: self.asks, key, body }.encode(out)?;
        Ok((len, self.asks))
    }

    /// (8) Ends the connection in order: a Bye is due at once. After it was transmitted, close the transport.
    pub fn close(&mut self, reason: End, ends_boot: bool) {
        if matches!(self.state, State::Live | State::Leaving) {
            self.out.bye = Some((reason, ends_boot));
        }
    }

    /// Whether the last frame was written and nothing will follow.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Items were read from flash into `self.scratch_mut()`, as [`Transmit::Fetch`] asked. What was not asked for, or is not wanted any
    /// more, is ignored; what cannot be read as items counts as [`Session::supply_none`].
    #[cfg(feature = "flash")]
    pub fn supply(&mut self, lane: Lane, supply: Supply) {
        let Some(asked) = self.fetching.filter(|f| f.lane == lane) else { return };
        self.fetching = None;
        if !asked.stale && supply.first >= asked.from && supply.len <= self.scratch.len() {
            self.supply = Some((lane, supply));
        }
    }

    /// Flash holds nothing of this lane from the asked position on: go on with memory.
    pub fn supply_none(&mut self, outbox: &impl Share, lane: Lane) {
        let Some(asked) = self.fetching.filter(|f| FLASH && f.lane == lane) else { return };
        self.fetching = None;
        if !asked.stale {
            let link = &mut self.lanes[lane.index()];
            outbox.with(|o| link.leave_flash(o, lane));
        }
    }

    /// The lane goes on elsewhere: what flash gave, or is about to give, is of no use, and what is under way counts no more.
    fn goes_on_elsewhere(&mut self, lane: Lane) {
        if lane == Lane::Readings {
            self.pace.clear();
        }
        if FLASH {
            self.supply = self.supply.filter(|(l, _)| *l != lane);
            if let Some(asked) = &mut self.fetching {
                asked.stale |= asked.lane == lane;
            }
        }
    }

    /// Where [`Supply`] items go.
    #[cfg(feature = "flash")]
    pub fn scratch_mut(&mut self) -> &mut [u8] {
        self.scratch
    }
}
