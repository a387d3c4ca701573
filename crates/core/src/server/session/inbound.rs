//! What a frame does.

use super::*;

impl Session {
    /// Takes a whole frame. The event borrows it.
    ///
    /// # Errors
    /// The device broke the protocol: close the transport (after a [`Session::refuse`] if it was a Hello that could not be read).
    pub fn handle_frame<'f>(&mut self, now: Micros, frame: &'f mut [u8]) -> Result<Option<Event<'f>>, Peer> {
        let limit = match self.state {
            State::AwaitHello => HELLO_MAX,
            _ => self.own_max_frame.into(),
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
                self.max_frame = hello.max_frame;
                self.slots = hello.command_slots;
                Ok(Some(Event::Hello(hello)))
            }
            (State::AwaitProof, Kind::Pong) if !self.welcome_due => self.proof(now, body).map(Some),
            (State::Live, kind) => self.live_frame(now, kind, header.lane, frame.len(), body),
            _ => Err(Peer::Unexpected),
        }
    }

    pub(super) fn proof<'f>(&mut self, now: Micros, body: &[u8]) -> Result<Event<'f>, Peer> {
        let (nonce, tick) = alive::read_pong(body)?;
        if !matches!(self.phase, Phase::Proposed(p) if p.nonce == nonce) {
            return Err(Peer::Unexpected);
        }
        self.phase = Phase::Live(Bounds::measure(self.pinged_at, now, tick));
        self.state = State::Live;
        (self.pinged_at, self.due) = (now, now.plus_ms(self.ping_interval_ms.into()));
        Ok(Event::Proved)
    }

    pub(super) fn live_frame<'f>(
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
                if !self.unanswered || id != u64::from(self.pings) {
                    return Err(Peer::Unexpected);
                }
                self.unanswered = false;
                Some(self.clock(Bounds::measure(self.pinged_at, now, tick)))
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
                (link.context, link.fresh) = (Default::default(), true);
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

    pub(super) fn clock<'f>(&mut self, newer: Bounds) -> Event<'f> {
        let (bounds, event) = match self.bounds().map_or(Ok(newer), |old| old.intersect(newer)) {
            Ok(both) => (both, Event::Clock),
            Err(fault) => (fault.0, Event::ClockFault),
        };
        self.phase = Phase::Live(bounds);
        event
    }

    pub(super) fn data<'f>(
        &mut self,
        lane: Lane,
        len: usize,
        body: &'f [u8],
    ) -> Result<Option<Data<'f>>, Peer> {
        let link = &mut self.lanes[lane.index()];
        let (outstanding, told) = (link.open != Amount::NONE, link.told());
        let none = told.bytes == 0 || told.records == 0;
        let spent = link.received.bytes >= told.bytes || link.received.records >= told.records;
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
                link.open.add(data.records, len as u32);
                if crate::planted!("ack-before-commit") {
                    link.mark = link.mark.max(data.next.prev());
                }
                Ok(Some(data))
            }
            Err(e) if n == link.expected.n() && !link.fresh => Err(e),
            Err(_) => {
                // A hole, or frames that were under way when one was found, or when a mark overtook what was expected.
                let records = Data::positions(reader.rest());
                link.discard(records)?;
                link.raise();
                Ok(None)
            }
        }
    }
}
