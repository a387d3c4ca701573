//! One connection of a server.

use super::state::{LaneLink, State};
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
    /// How often it pings, in milliseconds.
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

/// One connection of a server.
///
/// `now` is a steady clock ([`Micros`]). After any call, poll [`Session::poll_transmit`] until it writes nothing, and arm a timer for
/// [`Session::poll_timeout`]. Frames of commands, settings, answers, refusals and goodbyes are rendered by their own calls into a
/// caller's buffer, so that an idle connection holds none.
#[derive(Debug)]
pub struct Session {
    config: Config,
    state: State,
    started: Micros,
    last_heard: Micros,
    lanes: [LaneLink; Lane::COUNT],
    proposal: Option<Proposal>,
    welcome_due: bool,
    welcomed_at: Micros,
    max_frame: usize,
    slots: u8,
    held: u8,
    ping_at: Micros,
    ping: Option<(u32, Micros)>,
    pings: u32,
    pong: Option<u32>,
    bounds: Option<Bounds>,
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
        Ok(Session {
            config,
            state: State::AwaitHello,
            started: now,
            last_heard: now,
            lanes: Default::default(),
            proposal: None,
            welcome_due: false,
            welcomed_at: now,
            max_frame: FRAME_MIN_MAX,
            slots: 1,
            held: 0,
            ping_at: now,
            ping: None,
            pings: 0,
            pong: None,
            bounds: None,
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
        self.bounds
    }

    /// The largest frame that the device takes.
    pub fn peer_max_frame(&self) -> usize {
        self.max_frame
    }

    /// Takes a whole frame. The event borrows it.
    ///
    /// # Errors
    /// The device broke the protocol: close the transport (after a [`Session::refuse`] if it was a Hello that could not be read).
    pub fn handle_frame<'f>(&mut self, now: Micros, frame: &'f mut [u8]) -> Result<Option<Event<'f>>, Peer> {
        let limit = match self.state {
            State::AwaitHello => HELLO_MAX,
            _ => self.config.max_frame as usize,
        };
        if frame.len() > limit {
            return Err(Peer::Oversized);
        }
        let frame: &'f [u8] = frame;
        let (first, body) = frame.split_first().ok_or(Peer::Malformed)?;
        let header = Header::parse(*first)?;
        self.last_heard = now;
        let Some(kind) = header.kind else { return Ok(None) };
        match (self.state, kind) {
            (State::AwaitHello, Kind::Hello) => {
                let hello = Hello::decode(body)?;
                self.state = State::Judging;
                self.max_frame = hello.max_frame as usize;
                self.slots = hello.command_slots;
                Ok(Some(Event::Hello(hello)))
            }
            (State::AwaitProof, Kind::Pong) if !self.welcome_due => self.proof(now, body).map(Some),
            (State::Live, kind) => self.live_frame(now, kind, header.lane, frame.len(), body),
            _ => Err(Peer::Unexpected),
        }
    }

    fn proof<'f>(&mut self, now: Micros, body: &[u8]) -> Result<Event<'f>, Peer> {
        let (nonce, tick) = alive::read_pong(body)?;
        if self.proposal.is_none_or(|p| p.nonce != nonce) {
            return Err(Peer::Unexpected);
        }
        self.bounds = Some(Bounds::measure(self.welcomed_at, now, tick));
        self.state = State::Live;
        self.ping_at = now.plus_ms(self.config.ping_interval_ms.into());
        Ok(Event::Proved)
    }

    fn live_frame<'f>(
        &mut self,
        now: Micros,
        kind: Kind,
        lane: u8,
        len: usize,
        body: &'f [u8],
    ) -> Result<Option<Event<'f>>, Peer> {
        let lane = || Lane::from_number(lane).ok_or(Peer::Limit);
        Ok(match kind {
            Kind::Data => self.data(lane()?, len, body)?.map(Event::Data),
            Kind::Pong => {
                let (id, tick) = alive::read_pong(body)?;
                match self.ping {
                    Some((expected, sent)) if id == u64::from(expected) => {
                        self.ping = None;
                        Some(self.clock(Bounds::measure(sent, now, tick)))
                    }
                    _ => return Err(Peer::Unexpected),
                }
            }
            Kind::Ping => {
                self.pong = Some(alive::read_ping(body)?);
                None
            }
            Kind::Floor => {
                let lane = lane()?;
                let floor = flow::read_floor(body)?;
                let link = &mut self.lanes[lane.index()];
                if floor.floor > link.expected {
                    link.expected = floor.floor;
                    (link.rewind, link.rewind_due, link.discarded) = (false, false, 0);
                }
                link.context = Default::default();
                Some(Event::Floor { lane, floor })
            }
            Kind::Boots => Some(Event::Boots(Boots::decode(body)?)),
            Kind::Catalog => Some(Event::Catalog(CatalogPart::decode(body)?)),
            Kind::Ask => Some(Event::Ask(Ask::decode(body)?)),
            Kind::Sleep => Some(Event::Sleep(Sleep::decode(body)?)),
            Kind::Bye => {
                self.state = State::Closed;
                Some(Event::Bye(Bye::decode(body)?))
            }
            _ => return Err(Peer::Unexpected),
        })
    }

    fn clock<'f>(&mut self, newer: Bounds) -> Event<'f> {
        match self.bounds.map_or(Ok(newer), |old| old.intersect(newer)) {
            Ok(both) => {
                self.bounds = Some(both);
                Event::Clock
            }
            Err(fault) => {
                self.bounds = Some(fault.0);
                Event::ClockFault
            }
        }
    }

    fn data<'f>(&mut self, lane: Lane, len: usize, body: &'f [u8]) -> Result<Option<Data<'f>>, Peer> {
        let link = &mut self.lanes[lane.index()];
        let outstanding = link.received != link.released;
        let none = link.told.bytes == 0 || link.told.records == 0;
        let spent = link.received.bytes >= link.told.bytes || link.received.records >= link.told.records;
        if none || outstanding && spent {
            return Err(Peer::CreditOverrun);
        }
        let mut reader = Reader::new(body);
        let n = Data::read_n(&mut reader)?;
        link.received.bytes += len as u64;
        let mut context = link.context;
        let checked = match n == link.expected.n() {
            true => Data::check(lane, link.expected, reader.rest(), &mut context),
            false => Err(Peer::Malformed),
        };
        match checked {
            Ok(data) => {
                link.context = context;
                (link.fresh, link.rewind, link.rewind_due, link.discarded) = (false, false, false, 0);
                link.expected = data.next;
                link.received.records += u64::from(data.records);
                Ok(Some(data))
            }
            Err(e) if n == link.expected.n() && !link.fresh => Err(e),
            Err(_) => {
                // A hole, or frames that were under way when one was found, or when a mark overtook what was expected.
                let records = Data::positions(reader.rest());
                link.released.bytes += len as u64;
                link.discard(records)?;
                link.raise();
                Ok(None)
            }
        }
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
        for (link, (mark, window)) in self.lanes.iter_mut().zip(proposal.marks.iter().zip(self.config.window))
        {
            link.expected = mark.next();
            (link.mark, link.acked) = (*mark, *mark);
            link.window = window;
            if self.has_catalog {
                link.raise();
                link.told = link.limit;
            }
        }
        self.proposal = Some(proposal);
        self.welcome_due = true;
        self.state = State::AwaitProof;
        Ok(())
    }

    /// (5) Writes a Refused frame; the connection is over.
    ///
    /// # Errors
    /// [`Misuse::State`] after Welcome (say [`Session::bye`] then), [`Misuse::Buffer`] if `out` is below 256 bytes.
    pub fn refuse(
        &mut self,
        code: Refusal,
        backoff_ms: u32,
        text: &str,
        out: &mut [u8],
    ) -> Result<usize, Misuse> {
        if matches!(self.state, State::AwaitProof | State::Live) {
            return Err(Misuse::State);
        }
        self.state = State::Closed;
        Ok(Refused { code, backoff_ms, versions: (VERSION, VERSION), text }.encode(out)?)
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
            link.aim(link.mark.next());
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
        let records = link.released.records.saturating_add(records.into());
        let bytes = link.released.bytes.saturating_add(bytes as u64);
        link.released =
            Grant { records: records.min(link.received.records), bytes: bytes.min(link.received.bytes) };
        if self.has_catalog {
            link.raise();
        }
    }

    /// How much of a lane may be under way from now on. What was granted stays granted; a smaller window only stops the growth.
    pub fn window(&mut self, lane: Lane, window: Grant) {
        let link = &mut self.lanes[lane.index()];
        link.window = Grant { records: window.records.max(1), bytes: window.bytes.max(1) };
        if self.has_catalog {
            link.raise();
        }
    }

    /// Writes a command.
    ///
    /// # Errors
    /// [`Misuse::State`] before [`Session::confirm`]; [`Misuse::Busy`] if the device holds as many as it can: wait for
    /// [`Session::answered`]; [`Misuse::Body`] if it is larger than the device's frame: it can never be delivered.
    pub fn command(&mut self, call: &Call<'_>, out: &mut [u8]) -> Result<usize, Misuse> {
        self.down(call.body, out)?;
        if self.held >= self.slots {
            return Err(Misuse::Busy);
        }
        let len = self.fit(call.encode(out))?;
        self.held += 1;
        Ok(len)
    }

    /// A command that was sent on this connection was answered, or will not be.
    pub fn answered(&mut self) {
        self.held = self.held.saturating_sub(1);
    }

    /// Whether the device can take one more command.
    pub fn can_command(&self) -> bool {
        self.state == State::Live && self.confirmed && self.held < self.slots
    }

    /// Writes a setting.
    ///
    /// # Errors
    /// As [`Session::command`], but for `Busy`.
    pub fn setting(&mut self, setting: &SettingValue<'_>, out: &mut [u8]) -> Result<usize, Misuse> {
        self.down(setting.body, out)?;
        self.fit(setting.encode(out))
    }

    /// Writes the answer to a question.
    ///
    /// # Errors
    /// As [`Session::setting`].
    pub fn answer(&mut self, answer: &Answer<'_>, out: &mut [u8]) -> Result<usize, Misuse> {
        self.down(answer.result.unwrap_or_default(), out)?;
        self.fit(answer.encode(out))
    }

    fn down(&self, body: &[u8], out: &[u8]) -> Result<(), Misuse> {
        if self.state != State::Live || !self.confirmed {
            return Err(Misuse::State);
        }
        if body.len() > BODY_MAX {
            return Err(Misuse::Body);
        }
        if out.len() < FRAME_MIN_MAX { Err(Misuse::Buffer) } else { Ok(()) }
    }

    fn fit(&self, written: Result<usize, NoRoom>) -> Result<usize, Misuse> {
        match written {
            Ok(len) if len <= self.max_frame => Ok(len),
            Ok(_) => Err(Misuse::Body),
            Err(NoRoom) => Err(Misuse::Buffer),
        }
    }

    /// (6) Writes a Bye; the connection is over. `retry_ms`: when the device shall come back.
    ///
    /// # Errors
    /// [`Misuse::Buffer`] if `out` is below 256 bytes.
    pub fn bye(&mut self, reason: End, retry_ms: u32, text: &str, out: &mut [u8]) -> Result<usize, Misuse> {
        self.state = State::Closed;
        let bye = Bye { reason, retry_ms, ends_boot: false, lasts: Default::default(), text };
        Ok(bye.encode(out)?)
    }

    /// The next moment at which [`Session::handle_timeout`] or [`Session::poll_transmit`] has something to do.
    pub fn poll_timeout(&self) -> Option<Micros> {
        match self.state {
            State::AwaitHello | State::Judging | State::AwaitProof => {
                Some(self.started.plus_ms(HANDSHAKE_MS))
            }
            State::Live => Some(self.ping_at.min(self.silent_at())),
            State::Closed => None,
        }
    }

    /// Time passed.
    ///
    /// # Errors
    /// [`Peer::Silent`]: the handshake took too long, or nothing came for two and a half ping intervals.
    pub fn handle_timeout(&mut self, now: Micros) -> Result<(), Peer> {
        let late = match self.state {
            State::AwaitHello | State::Judging | State::AwaitProof => {
                now >= self.started.plus_ms(HANDSHAKE_MS)
            }
            State::Live => now >= self.silent_at(),
            State::Closed => false,
        };
        if late {
            self.state = State::Closed;
            return Err(Peer::Silent);
        }
        Ok(())
    }

    fn silent_at(&self) -> Micros {
        self.last_heard.plus_ms(u64::from(self.config.ping_interval_ms) * 5 / 2)
    }

    /// Writes the next frame that is due; 0 if none is. Acks are coalesced: poll after a burst of commits, not after each.
    ///
    /// # Errors
    /// [`Misuse::Buffer`] if `out` is below 256 bytes.
    pub fn poll_transmit(&mut self, now: Micros, out: &mut [u8]) -> Result<usize, Misuse> {
        if out.len() < FRAME_MIN_MAX {
            return Err(Misuse::Buffer);
        }
        Ok(self.next_frame(now, out)?)
    }

    fn next_frame(&mut self, now: Micros, out: &mut [u8]) -> Result<usize, NoRoom> {
        if let (State::AwaitProof, true, Some(p)) = (self.state, self.welcome_due, self.proposal) {
            let welcome = Welcome {
                version: VERSION,
                features: 0,
                boot_shift: p.boot_shift,
                tag: p.tag,
                marks: p.marks,
                credit: self.lanes.map(|l| l.told),
                want_catalog: p.want_catalog,
                max_frame: self.config.max_frame,
                ping_interval_ms: self.config.ping_interval_ms,
                pending: p.pending,
                store: p.store,
                nonce: p.nonce,
            };
            self.welcome_due = false;
            self.welcomed_at = now;
            return welcome.encode(out);
        }
        if self.state != State::Live {
            return Ok(0);
        }
        if let Some(id) = self.pong.take() {
            return alive::pong(id.into(), crate::Tick(0), out);
        }
        if core::mem::take(&mut self.announce) {
            // Whatever it grants: this frame tells the device that its session is confirmed.
            let link = &mut self.lanes[Lane::Alarm.index()];
            link.told = if self.has_catalog { link.limit } else { link.told };
            return flow::credit(Lane::Alarm, link.told, out);
        }
        if self.confirmed {
            for (lane, link) in Lane::ALL.into_iter().zip(&mut self.lanes) {
                if link.mark > link.acked {
                    let len = flow::ack(lane, link.acked, link.mark, out)?;
                    link.acked = link.mark;
                    return Ok(len);
                }
                if core::mem::take(&mut link.rewind_due) {
                    return flow::rewind(lane, link.expected, out);
                }
                if self.has_catalog && link.credit_due() {
                    link.told = link.limit;
                    return flow::credit(lane, link.limit, out);
                }
            }
        }
        if now >= self.ping_at {
            self.ping_at = now.plus_ms(self.config.ping_interval_ms.into());
            if self.ping.is_none() {
                self.pings = self.pings.wrapping_add(1).max(1);
                self.ping = Some((self.pings, now));
                return alive::ping(self.pings, out);
            }
        }
        Ok(0)
    }
}
