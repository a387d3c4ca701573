//! One connection of a device, sans-IO. The numbered diagram is in the module's front page.

use super::outbound::{self, Batch};
use super::outbox::{Share, Welcomed};
use super::state::{LaneLink, Out, State};
use crate::catalog::Catalog;
use crate::error::{Misuse, Peer};
use crate::limits::{FRAME_HARD_MAX, FRAME_MIN_MAX, HANDSHAKE_MS};
use crate::wire::alive::{self, Bye, Sleep};
use crate::wire::call::{Answer, Ask, Call, SettingValue};
use crate::wire::cursor::{NoRoom, Writer};
use crate::wire::data::Outcome;
use crate::wire::flow::{self, Boots, CatalogPart};
use crate::wire::header::{self, Header, Kind};
use crate::wire::hello::{Account, End, Hello, LaneFloor, Refused, VERSION, Welcome};
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
    /// Read items of this lane from flash, from this local position on, and give them to [`Session::supply`].
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
    hello: HelloFacts,
    max_frame: usize,
    ping_interval: u64,
    nonce: u64,
    tag: Tag,
    store: StoreId,
    last_heard: Tick,
    last_sent_data: Tick,
    rtt: u64,
    leaving: Tick,
    held: u8,
    slots: u8,
    supply: Option<(Lane, Supply)>,
    fetching: Option<Fetch>,
    asks: u16,
}

/// What flash was asked for. Stale once the lane goes on elsewhere: then the answer is of no use.
#[derive(Clone, Copy, Debug)]
struct Fetch {
    lane: Lane,
    from: Position,
    stale: bool,
}

#[derive(Clone, Copy, Debug, Default)]
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
            lanes: Default::default(),
            hello: HelloFacts::default(),
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
            supply: None,
            fetching: None,
            asks: 0,
        })
    }

    /// (1) A transport is there: Hello is due. Whatever the session did before is forgotten. `boots` lists boots in flash.
    pub fn start(&mut self, now: Tick, account: Account, boots: Boots) {
        self.out = Out { hello: true, ..Out::default() };
        self.lanes = Default::default();
        self.state = State::Hello;
        self.hello = HelloFacts { at: now, account, boots };
        self.last_heard = now;
        self.held = 0;
        self.supply = None;
        self.fetching = None;
    }

    /// (9) The transport is gone, or reported a loss.
    pub fn lost(&mut self) {
        self.state = State::Idle;
        self.out = Out::default();
    }

    /// Whether records flow.
    pub fn is_live(&self) -> bool {
        matches!(self.state, State::Live | State::Leaving)
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
        self.rtt
    }

    /// Takes a whole frame. The event borrows it.
    ///
    /// # Errors
    /// The server broke the protocol: close the transport. Nothing that was accepted is lost.
    pub fn handle_frame<'f>(
        &mut self,
        outbox: &impl Share,
        now: Tick,
        frame: &'f mut [u8],
    ) -> Result<Option<Event<'f>>, Peer> {
        if self.state == State::Idle || self.state == State::Closed {
            return Err(Peer::Unexpected);
        }
        let limit = match self.state {
            State::Live | State::Leaving => self.node.max_frame as usize,
            _ => FRAME_MIN_MAX,
        };
        if frame.len() > limit {
            return Err(Peer::Oversized);
        }
        self.last_heard = now;
        let frame: &'f [u8] = frame;
        let (first, body) = frame.split_first().ok_or(Peer::Malformed)?;
        let head = Header::parse(*first)?;
        let Some(kind) = head.kind else { return Ok(None) };
        match (self.state, kind) {
            (State::AwaitWelcome, Kind::Welcome) => self.welcome(outbox, now, body).map(Some),
            (State::AwaitWelcome, Kind::Refused) => {
                self.state = State::Closed;
                Refused::decode(body).map(|r| Some(Event::Refused(r)))
            }
            (_, Kind::Bye) => {
                self.state = State::Closed;
                Bye::decode(body).map(|b| Some(Event::Bye(b)))
            }
            (State::Live | State::Leaving, kind) => self.live_frame(outbox, now, kind, head.lane, body),
            _ => Err(Peer::Unexpected),
        }
    }

    fn welcome<'f>(&mut self, outbox: &impl Share, now: Tick, body: &'f [u8]) -> Result<Event<'f>, Peer> {
        let welcome = Welcome::decode(body)?;
        outbox.with(|o| o.may_welcome(&welcome))?;
        self.rtt = now.since(self.hello.at);
        self.max_frame = welcome.max_frame as usize;
        self.ping_interval = welcome.ping_interval_ms.into();
        (self.nonce, self.tag, self.store) = (welcome.nonce, welcome.tag, welcome.store);
        let lanes = &mut self.lanes;
        let welcomed = outbox.with(|o| {
            let welcomed = o.welcomed(&welcome);
            for lane in Lane::ALL {
                let mark = welcome.marks[lane.index()];
                let link = &mut lanes[lane.index()];
                link.welcome(o, lane, mark, welcome.credit[lane.index()]);
            }
            welcomed
        });
        self.out.proof = true;
        self.out.boots = !self.hello.boots.as_slice().is_empty();
        self.out.catalog = welcome.want_catalog.then_some(0);
        self.out.grease = welcome.nonce & 3 == 0;
        self.state = State::Live;
        Ok(Event::Connected { welcomed, pending: welcome.pending })
    }

    fn live_frame<'f>(
        &mut self,
        outbox: &impl Share,
        now: Tick,
        kind: Kind,
        lane: u8,
        body: &'f [u8],
    ) -> Result<Option<Event<'f>>, Peer> {
        let lane = || Lane::from_number(lane).ok_or(Peer::Limit);
        match kind {
            Kind::Ping => self.out.pong = Some(alive::read_ping(body)?),
            Kind::Pong => {
                alive::read_pong(body)?;
                self.out.ping_pending = None;
            }
            Kind::Ack => {
                let lane = lane()?;
                let link = &mut self.lanes[lane.index()];
                let mark = flow::read_ack(link.acked, body)?;
                if !outbox.with(|o| o.was_framed(lane, mark)) {
                    return Err(Peer::AckBeyondSent);
                }
                link.ack(mark, now);
                // A connection before this one had sent more than Welcome knew.
                let beyond = mark >= link.expect;
                outbox.with(|o| {
                    o.free_to(lane, mark);
                    if beyond {
                        link.aim(o, lane, mark.next());
                    }
                });
                if beyond {
                    self.forget_flash(lane);
                }
                self.confirm(outbox);
                return Ok(Some(Event::Committed { lane, mark }));
            }
            Kind::Credit => {
                let link = &mut self.lanes[lane()?.index()];
                let grant = flow::read_credit(body)?;
                link.grant.records = link.grant.records.max(grant.records);
                link.grant.bytes = link.grant.bytes.max(grant.bytes);
                self.confirm(outbox);
            }
            Kind::Rewind => {
                let lane = lane()?;
                let to = flow::read_rewind(body)?;
                let link = &mut self.lanes[lane.index()];
                if to <= link.acked || !outbox.with(|o| o.was_framed(lane, to.prev())) {
                    return Err(Peer::AckBeyondSent);
                }
                outbox.with(|o| link.aim(o, lane, to));
                self.forget_flash(lane);
            }
            Kind::Call => return self.call(outbox, now, Call::decode(body)?),
            Kind::Setting => {
                let setting = SettingValue::decode(body)?;
                let news = outbox.with(|o| setting.revision > o.settings());
                return Ok(news.then_some(Event::Setting(setting)));
            }
            Kind::Answer => return Ok(Some(Event::Answer(Answer::decode(body)?))),
            _ => return Err(Peer::Unexpected),
        }
        Ok(None)
    }

    /// The server wrote something that only a confirmed session gets: the tag is ours.
    fn confirm(&mut self, outbox: &impl Share) {
        if !core::mem::replace(&mut self.out.confirmed, true) {
            outbox.with(|o| o.confirmed(self.tag, self.store));
        }
    }

    fn call<'f>(
        &mut self,
        outbox: &impl Share,
        now: Tick,
        call: Call<'f>,
    ) -> Result<Option<Event<'f>>, Peer> {
        let once = call.policy == crate::catalog::Policy::Once;
        outbox.with(|o| {
            if once && call.id <= o.begun() {
                // It ran, or runs: its answer is in the control lane, or the server judges by `last_begun`.
                return Ok(None);
            }
            let refuse = if call.not_after.is_some_and(|t| now > t) {
                Some(Outcome::Expired)
            } else if !o.can_reply() {
                Some(Outcome::Refused(crate::limits::REFUSED_BUSY))
            } else {
                None
            };
            if let Some(outcome) = refuse {
                // If there is no room even for this, the server sends the command again at the next Hello.
                let _ = o.reply(call.id, outcome, &[]);
                return Ok(None);
            }
            if self.held >= self.slots {
                return Err(Peer::Limit);
            }
            self.held += 1;
            Ok(Some(Event::Command(call)))
        })
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
        if self.state != State::Live {
            return Err(Misuse::State);
        }
        if body.len() > crate::limits::BODY_MAX {
            return Err(Misuse::Body);
        }
        self.asks = self.asks.wrapping_add(1);
        let len = Ask { id: self.asks, key, body }.encode(out)?;
        Ok((len, self.asks))
    }

    /// (7) The device will sleep for so many milliseconds: Sleep is due once everything is acknowledged; the server answers with a Bye.
    pub fn sleep(&mut self, for_ms: u32, ends_boot: bool) {
        if self.state == State::Live {
            self.out.sleep = Some((for_ms, ends_boot));
        }
    }

    /// (8) Ends the connection in order: a Bye is due at once. After it was transmitted, close the transport.
    pub fn close(&mut self, reason: End, ends_boot: bool) {
        if self.is_live() {
            self.out.bye = Some((reason, ends_boot));
        }
    }

    /// Whether the last frame was written and nothing will follow.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Items were read from flash into `self.scratch_mut()`, as [`Transmit::Fetch`] asked. What was not asked for, or is not wanted any
    /// more, is ignored; what cannot be read as items counts as [`Session::supply_none`].
    pub fn supply(&mut self, lane: Lane, supply: Supply) {
        let Some(asked) = self.fetching.filter(|f| f.lane == lane) else { return };
        self.fetching = None;
        if !asked.stale && supply.first >= asked.from && supply.len <= self.scratch.len() {
            self.supply = Some((lane, supply));
        }
    }

    /// Flash holds nothing of this lane from the asked position on: go on with memory.
    pub fn supply_none(&mut self, outbox: &impl Share, lane: Lane) {
        let Some(asked) = self.fetching.filter(|f| f.lane == lane) else { return };
        self.fetching = None;
        if !asked.stale {
            let link = &mut self.lanes[lane.index()];
            outbox.with(|o| link.leave_flash(o, lane));
        }
    }

    /// The lane goes on elsewhere: what flash gave, or is about to give, is of no use.
    fn forget_flash(&mut self, lane: Lane) {
        self.supply = self.supply.filter(|(l, _)| *l != lane);
        if let Some(asked) = &mut self.fetching {
            asked.stale |= asked.lane == lane;
        }
    }

    /// Where [`Supply`] items go.
    pub fn scratch_mut(&mut self) -> &mut [u8] {
        self.scratch
    }

    /// The next moment at which [`Session::handle_timeout`] and [`Session::poll_transmit`] have something to do.
    pub fn poll_timeout(&self) -> Option<Tick> {
        match self.state {
            State::Idle | State::Closed => None,
            State::Hello | State::AwaitWelcome => Some(self.hello.at.plus(HANDSHAKE_MS)),
            State::Leaving => Some(self.left_at()),
            State::Live => {
                let idle = self.last_heard.plus(self.idle_limit());
                let probe = self.probe_at();
                Some(probe.map_or(idle, |p| p.min(idle)))
            }
        }
    }

    /// Time passed.
    ///
    /// # Errors
    /// [`Peer::Silent`]: nothing came for too long; close the transport. A server that does not answer Sleep with its Bye is no error: the
    /// session is closed, the device may sleep.
    pub fn handle_timeout(&mut self, now: Tick) -> Result<(), Peer> {
        let late = match self.state {
            State::Idle | State::Closed => false,
            State::Leaving => {
                if now >= self.left_at() {
                    self.state = State::Closed;
                }
                return Ok(());
            }
            State::Hello | State::AwaitWelcome => now.since(self.hello.at) >= HANDSHAKE_MS,
            State::Live => {
                let unanswered = self.out.ping_pending.is_some_and(|at| now.since(at) >= self.probe_after());
                now.since(self.last_heard) >= self.idle_limit() || unanswered
            }
        };
        if late {
            self.state = State::Closed;
            return Err(Peer::Silent);
        }
        if self.probe_at().is_some_and(|t| now >= t) && self.out.ping_pending.is_none() {
            self.out.ping = true;
        }
        Ok(())
    }

    /// A device that said Sleep waits for the Bye this long.
    fn left_at(&self) -> Tick {
        self.leaving.plus(self.rtt.saturating_mul(2).saturating_add(200))
    }

    fn idle_limit(&self) -> u64 {
        self.ping_interval * 5 / 2
    }

    fn probe_after(&self) -> u64 {
        self.rtt.saturating_mul(2).saturating_add(2_000)
    }

    /// Unacknowledged data, and nothing heard: ask whether the server is there (it answers even while its store is away).
    fn probe_at(&self) -> Option<Tick> {
        if let Some(at) = self.out.ping_pending {
            return Some(at.plus(self.probe_after()));
        }
        let waiting = self.lanes.iter().any(|l| l.acked.next() < l.expect);
        (self.state == State::Live && waiting)
            .then(|| self.last_sent_data.max(self.last_heard).plus(self.probe_after()))
    }

    /// Writes the next frame into `out`, which has room for a frame of the server's size (256 bytes until Welcome).
    pub fn poll_transmit(&mut self, outbox: &impl Share, now: Tick, out: &mut [u8]) -> Transmit {
        // A frame that does not fit is a buffer below 256 bytes: the caller broke the contract, nothing can be sent.
        match self.next_frame(outbox, now, out) {
            Ok(Some(Transmit::Frame(len))) if len > 0 => Transmit::Frame(len),
            Ok(Some(Transmit::Fetch { lane, from })) => Transmit::Fetch { lane, from },
            _ => Transmit::Idle,
        }
    }

    fn next_frame(
        &mut self,
        outbox: &impl Share,
        now: Tick,
        out: &mut [u8],
    ) -> Result<Option<Transmit>, NoRoom> {
        let frame = |len: usize| Ok(Some(Transmit::Frame(len)));
        if self.state == State::Hello && self.out.hello {
            let len = self.say_hello(outbox, now).encode(out)?;
            self.out.hello = false;
            self.hello.at = now;
            self.state = State::AwaitWelcome;
            return frame(len);
        }
        if !self.is_live() {
            return Ok(None);
        }
        let room = out.len().min(self.max_frame);
        let out = &mut out[..room];
        if core::mem::take(&mut self.out.proof) {
            return frame(alive::pong(self.nonce, now, out)?);
        }
        if let Some(id) = self.out.pong.take() {
            return frame(alive::pong(id.into(), now, out)?);
        }
        if core::mem::take(&mut self.out.boots) {
            return frame(self.hello.boots.encode(out)?);
        }
        if let Some(offset) = self.out.catalog {
            let catalog = self.node.catalog;
            let total = catalog.len();
            let mut w = Writer::new(out);
            CatalogPart::head(catalog.hash(), total as u16, offset, &mut w)?;
            let n = catalog.copy_at(offset.into(), w.free());
            w.advance(n);
            let next = offset as usize + n;
            self.out.catalog = (next < total).then_some(next as u16);
            return frame(w.len());
        }
        if core::mem::take(&mut self.out.ping) {
            self.out.ping_pending = Some(now);
            self.out.pings = self.out.pings.wrapping_add(1);
            return frame(alive::ping(self.out.pings, out)?);
        }
        if core::mem::take(&mut self.out.grease) {
            let mut w = Writer::new(out);
            w.u8(header::grease((self.nonce >> 2) as u8))?;
            w.u8(self.nonce as u8)?;
            return frame(w.len());
        }
        if let Some((reason, ends_boot)) = self.out.bye.take() {
            let lasts = outbox.with(|o| o.lasts());
            let bye = Bye { reason, retry_ms: 0, ends_boot, lasts, text: "" };
            self.state = State::Closed;
            return frame(bye.encode(out)?);
        }
        outbox.with(|o| o.expire(now));
        for lane in Lane::ALL {
            if let Some(transmit) = self.lane_frame(outbox, now, lane, out)? {
                return Ok(Some(transmit));
            }
        }
        if let Some((for_ms, ends_boot)) = self.out.sleep {
            let waiting = self.lanes.iter().any(|l| l.acked.next() < l.expect);
            if !waiting && self.state == State::Live {
                self.out.sleep = None;
                self.state = State::Leaving;
                self.leaving = now;
                let lasts = outbox.with(|o| o.lasts());
                return frame(Sleep { for_ms, ends_boot, lasts }.encode(out)?);
            }
        }
        Ok(None)
    }

    fn say_hello(&mut self, outbox: &impl Share, now: Tick) -> Hello {
        let mut hello = Hello {
            versions: (VERSION, VERSION),
            features: 0,
            device: self.node.id,
            boot: None,
            tag: Tag::NONE,
            pending_tag: Tag::NONE,
            tick: now,
            lanes: [LaneFloor::default(); Lane::COUNT],
            max_frame: self.node.max_frame,
            command_slots: 1,
            last_begun: CommandId(0),
            catalog: self.node.catalog.hash(),
            settings: 0,
            store: StoreId(0),
            account: self.hello.account,
        };
        outbox.with(|o| o.fill_hello(&mut hello));
        self.slots = hello.command_slots;
        hello
    }

    fn lane_frame(
        &mut self,
        outbox: &impl Share,
        now: Tick,
        lane: Lane,
        out: &mut [u8],
    ) -> Result<Option<Transmit>, NoRoom> {
        let i = lane.index();
        let (max_frame, scratch) = (self.max_frame, &mut *self.scratch);
        if !self.lanes[i].may_send(lane, max_frame) || self.fetching.is_some_and(|f| f.lane == lane) {
            return Ok(None);
        }
        // Under the outbox's lock: only copying.
        let link = &mut self.lanes[i];
        let supply = self.supply.filter(|(l, _)| *l == lane).map(|(_, s)| s);
        let held = self.supply.is_some() || self.fetching.is_some();
        enum Found {
            Nothing,
            Floor(LaneFloor),
            Fetch(Position),
            Items(Supply),
            Unread,
        }
        let found = outbox.with(|o| {
            o.prepare(lane);
            let floor = o.floor(lane);
            if floor.floor > link.expect {
                o.note_framed(lane, floor.floor);
                link.aim(o, lane, floor.floor);
                return Found::Floor(floor);
            }
            if let Some(supply) = supply {
                return if supply.first <= o.next(lane) { Found::Items(supply) } else { Found::Unread };
            }
            match link.flash.map(|from| (from, o.in_flash(lane))) {
                // The scratch holds another lane's items: wait for its turn.
                Some((_, Some(_))) if held => return Found::Nothing,
                Some((from, Some(lowest))) => return Found::Fetch(from.max(lowest)),
                Some((_, None)) => link.leave_flash(o, lane),
                None => {}
            }
            if held || !o.has_at(lane, &link.cursor) {
                return Found::Nothing;
            }
            if o.is_behind(lane, &link.cursor) {
                // The ring let go of what flash holds.
                link.flash = Some(Position::new(o.boot(), link.cursor.n));
                return Found::Fetch(Position::new(o.boot(), link.cursor.n));
            }
            let copied = o.copy(lane, &link.cursor, scratch);
            let first = Position::new(o.boot(), copied.n);
            let complete = o.tail_complete();
            Found::Items(Supply { len: copied.len, first, tick: copied.tick, complete })
        });
        let items = match found {
            Found::Nothing => return Ok(None),
            Found::Floor(floor) => {
                self.forget_flash(lane);
                return Ok(Some(Transmit::Frame(flow::floor(lane, &floor, out)?)));
            }
            Found::Fetch(from) => {
                self.fetching = Some(Fetch { lane, from, stale: false });
                return Ok(Some(Transmit::Fetch { lane, from }));
            }
            Found::Unread => return self.unread(outbox, now, lane, out),
            Found::Items(items) => items,
        };
        if items.len == 0 {
            return if supply.is_some() { self.unread(outbox, now, lane, out) } else { Ok(None) };
        }
        let link = &mut self.lanes[i];
        let first = outbox.with(|o| o.wire(items.first));
        if first < link.expect {
            // Never: the cursor stands where the server expects the next. What it has is not framed under another position.
            return Ok(None);
        }
        // Outside of the lock: encoding.
        let batch = Batch {
            bytes: &self.scratch[..items.len],
            first,
            tick: items.tick,
            hole: Cause::Flash,
            complete: items.complete,
        };
        let framed = match outbound::frame(lane, &mut link.context, link.expect, &batch, out) {
            Ok(framed) if framed.positions > 0 => framed,
            // Every item of ours fits the smallest frame.
            _ if supply.is_some() && out.len() >= FRAME_MIN_MAX => {
                return self.unread(outbox, now, lane, out);
            }
            _ => return Err(NoRoom),
        };
        link.sent(&framed, now);
        outbox.with(|o| o.note_framed(lane, framed.next));
        self.last_sent_data = now;
        if supply.is_some() {
            let rest = items.len - framed.taken;
            self.scratch.copy_within(framed.taken..items.len, 0);
            let first = items.first.plus(framed.positions.into());
            link.flash = Some(first);
            self.supply =
                (rest > 0).then_some((lane, Supply { len: rest, first, tick: framed.tick, complete: true }));
        } else {
            super::queue::Queue::advance(&mut link.cursor, framed.taken, framed.positions, framed.tick);
        }
        Ok(Some(Transmit::Frame(framed.len)))
    }

    /// What flash gave cannot be read as items: the lane goes on with memory, and what lies between becomes a gap. Nothing in memory is ever
    /// unreadable.
    fn unread(
        &mut self,
        outbox: &impl Share,
        now: Tick,
        lane: Lane,
        out: &mut [u8],
    ) -> Result<Option<Transmit>, NoRoom> {
        self.supply = None;
        let link = &mut self.lanes[lane.index()];
        outbox.with(|o| link.leave_flash(o, lane));
        self.lane_frame(outbox, now, lane, out)
    }
}
