//! What a frame does.

use super::*;

impl<'b> Session<'b> {
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
            (State::AwaitWelcome, Kind::Welcome) => outbox.with(|o| self.welcome(o, now, body)).map(Some),
            (State::AwaitWelcome, Kind::Refused) => {
                self.state = State::Closed;
                Refused::decode(body).map(|r| Some(Event::Refused(r)))
            }
            (_, Kind::Bye) => {
                self.state = State::Closed;
                Bye::decode(body).map(|b| Some(Event::Bye(b)))
            }
            (State::Live | State::Leaving, kind) => {
                outbox.with(|o| self.live_frame(o, now, kind, head.lane, body))
            }
            _ => Err(Peer::Unexpected),
        }
    }

    fn welcome<'f>(&mut self, o: &mut OutboxMut<'_>, now: Tick, body: &'f [u8]) -> Result<Event<'f>, Peer> {
        let mut welcome = Welcome::default();
        welcome.read(body)?;
        o.may_welcome(&welcome)?;
        self.rtt = now.since(self.hello.at).min(u32::MAX.into()) as u32;
        self.max_frame = welcome.max_frame as usize;
        self.ping_interval = welcome.ping_interval_ms;
        (self.nonce, self.tag, self.store) = (welcome.nonce, welcome.tag, welcome.store);
        let welcomed = o.welcomed(&welcome);
        for &lane in &Lane::ALL {
            let mark = welcome.marks[lane.index()];
            self.lanes[lane.index()].welcome(o, lane, mark, welcome.credit[lane.index()]);
        }
        self.owed = welcome.pending;
        self.out.proof = true;
        if FLASH {
            // They were listed before this shift.
            self.hello.boots.shift_by(welcome.boot_shift);
        }
        self.out.boots = FLASH && !self.hello.boots.as_slice().is_empty();
        self.out.catalog = welcome.want_catalog.then_some(0);
        self.out.grease = welcome.nonce & 3 == 0;
        self.state = State::Live;
        Ok(Event::Connected { welcomed, pending: welcome.pending })
    }

    fn live_frame<'f>(
        &mut self,
        o: &mut OutboxMut<'_>,
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
                if !o.was_framed(lane, mark) {
                    return Err(Peer::AckBeyondSent);
                }
                link.acked = mark;
                if lane == Lane::Readings {
                    self.pace.ack(mark, !link.is_waiting(), now);
                }
                // A connection before this one had sent more than Welcome knew.
                let beyond = mark >= link.expect;
                o.free_to(lane, mark);
                if beyond {
                    link.aim(o, lane, mark.next());
                    self.goes_on_elsewhere(lane);
                }
                self.confirm(o);
                return Ok(Some(Event::Committed { lane, mark }));
            }
            Kind::Credit => {
                let link = &mut self.lanes[lane()?.index()];
                let grant = flow::read_credit(body)?;
                link.grant.records = link.grant.records.max(grant.records);
                link.grant.bytes = link.grant.bytes.max(grant.bytes);
                self.confirm(o);
            }
            Kind::Rewind => {
                let lane = lane()?;
                let to = flow::read_rewind(body)?;
                let link = &mut self.lanes[lane.index()];
                if to <= link.acked || !o.was_framed(lane, to.prev()) {
                    return Err(Peer::AckBeyondSent);
                }
                link.aim(o, lane, to);
                self.goes_on_elsewhere(lane);
                self.stay(o);
            }
            Kind::Call => return self.call(o, now, Call::decode(body)?),
            Kind::Setting => {
                let setting = SettingValue::decode(body)?;
                let news = setting.revision > o.settings();
                self.owed = self.owed.saturating_sub(1);
                if news {
                    self.setting = self.setting.max(setting.revision);
                    self.stay(o);
                }
                return Ok(news.then_some(Event::Setting(setting)));
            }
            Kind::Answer => return Ok(Some(Event::Answer(Answer::decode(body)?))),
            _ => return Err(Peer::Unexpected),
        }
        Ok(None)
    }

    /// The server wrote something that only a confirmed session gets: the tag is ours.
    fn confirm(&mut self, o: &mut OutboxMut<'_>) {
        if !core::mem::replace(&mut self.out.confirmed, true) {
            o.confirmed(self.tag, self.store);
            for (&lane, link) in Lane::ALL.iter().zip(&self.lanes) {
                o.free_to(lane, link.acked);
            }
        }
    }

    fn call<'f>(
        &mut self,
        o: &mut OutboxMut<'_>,
        now: Tick,
        call: Call<'f>,
    ) -> Result<Option<Event<'f>>, Peer> {
        self.owed = self.owed.saturating_sub(1);
        self.stay(o);
        let once = call.policy == crate::catalog::Policy::Once;
        let begun = once && call.id <= o.begun();
        if begun || call.id <= self.refused && !o.is_drained(Lane::Control) {
            // It ran, or runs, or was refused: its answer is in the control lane, or the server judges by `last_begun`.
            return Ok(None);
        }
        let refuse = if call.not_after.is_some_and(|t| now > t) && !crate::planted!("late-command") {
            Some(Outcome::Expired)
        } else if !o.can_reply() {
            Some(Outcome::Refused(crate::limits::REFUSED_BUSY))
        } else {
            None
        };
        if let Some(outcome) = refuse {
            // If there is no room even for this, the server sends the command again at the next Hello. Else it must not run while this is on its
            // way, also if another server sends it by another clock: its caller will hear of the refusal.
            if o.reply(call.id, outcome, &[]).is_ok() {
                self.refused = call.id;
            }
            return Ok(None);
        }
        if self.held >= self.slots {
            return Err(Peer::Limit);
        }
        self.held += 1;
        Ok(Some(Event::Command(call)))
    }
}
