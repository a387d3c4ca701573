//! The connection's side of a device: bytes in, bytes out, one deadline.

use sensock::catalog::{Policy, READ_NOW, Shape, Shaped};
use sensock::deframe::{Length, PREFACE, PREFIX_MAX, prefixed};
use sensock::device::{Event, Transmit};
use sensock::error::Peer;
use sensock::limits::{BODY_MAX, FRAME_MIN_MAX, REFUSED_SHAPE, REFUSED_UNKNOWN};
use sensock::seal::{Cover, Margins};
use sensock::wire::cursor::NoRoom;
use sensock::wire::data::Outcome;
use sensock::wire::flow::Boots;
use sensock::wire::hello::{End, UNSEALED_BACKOFF_MAX_MS};
use sensock::wire::text::Text;
use sensock::{CommandId, Tick};

use crate::device::{Ask, Device, Link, Sleep, misuse};
use crate::news::{Command, Pending, Stage};
use crate::text::{self, Line};
use crate::types::{Error, SENSOCK_FOREVER, What};
use crate::values::{self, Given};

/// A connection that lasted so long was worth it, even if nothing was stored: the next failure is a first one.
const WORTH_MS: u64 = 10_000;

impl Device {
    /// A transport is there.
    ///
    /// # Errors
    /// [`Error::NoRandom`]; then there is no connection.
    pub(crate) fn connected(&mut self, now: u32) -> Result<(), Error> {
        let now = self.clock.tick(now);
        if self.link != Link::Down {
            self.down(now, End::Transport);
        }
        self.cover = self.covers.next(self.boot(), now.0)?;
        self.dials = self.dials.saturating_add(1);
        self.dials_since = self.dials_since.saturating_add(1);
        self.calls.generation = self.calls.generation.wrapping_add(1);
        self.news.connecting();
        self.session.start(now, self.hello_account(now), Boots::default());
        (self.deframer, self.preface_due, self.unsent) = (Length::new(), true, 0..0);
        (self.link, self.sleep) = (Link::Handshake, None);
        Ok(())
    }

    /// The transport is gone.
    pub(crate) fn lost(&mut self, now: u32) {
        let now = self.clock.tick(now);
        if self.link != Link::Down {
            self.down(now, End::Transport);
        }
    }

    /// Takes bytes until something is to be told; returns how many.
    pub(crate) fn receive(&mut self, now: u32, bytes: &[u8]) -> Result<usize, Error> {
        let now = self.tick(now);
        self.report_setting();
        if self.link == Link::Down {
            return Err(Error::State);
        }
        let mut rest = bytes;
        while !rest.is_empty() && self.news.pending.is_none() && self.link != Link::Down {
            match self.deframer.feed(rest, self.rx) {
                Ok((used, frame)) => {
                    rest = rest.get(used..).unwrap_or_default();
                    if let Some(len) = frame {
                        self.frame(now, len);
                    }
                }
                Err(peer) => self.broke(now, peer),
            }
        }
        Ok(bytes.len() - rest.len())
    }

    /// What is to be written now.
    pub(crate) fn transmit(&mut self, now: u32) -> &[u8] {
        let now = self.tick(now);
        self.report_setting();
        if self.unsent.is_empty() && self.link != Link::Down {
            self.unsent = 0..0;
            self.fill(now);
            if self.unsent.is_empty() && self.session.is_closed() {
                // What had to be said was said and written.
                match self.sleep {
                    Some(_) => self.end(now, End::Slept, What::Slept, 0, End::Slept.words()),
                    None => self.end(now, End::Closed, What::Ended, End::Closed as u32, End::Closed.words()),
                }
            }
        }
        self.tx.get(self.unsent.clone()).unwrap_or_default()
    }

    /// So much of it was written.
    pub(crate) fn transmitted(&mut self, len: usize) -> Result<(), Error> {
        if len > self.unsent.len() {
            return Err(Error::Size);
        }
        self.unsent.start += len;
        Ok(())
    }

    /// In how many milliseconds something is due though nothing comes.
    pub(crate) fn wait_ms(&mut self, now: u32) -> u32 {
        let now = self.clock.tick(now);
        if self.news.pending.is_some() || self.news.ended.is_some() || !self.unsent.is_empty() {
            return 0;
        }
        let due = [self.session.poll_timeout(), self.ask.map(|a| a.deadline)];
        let due = due.into_iter().flatten().min();
        due.map_or(SENSOCK_FOREVER, |at| u32::try_from(at.since(now)).unwrap_or(SENSOCK_FOREVER - 1))
    }

    /// Time passed.
    pub(crate) fn tick(&mut self, now: u32) -> Tick {
        let now = self.clock.tick(now);
        if self.link != Link::Down
            && let Err(peer) = self.session.handle_timeout(now)
        {
            match self.link {
                Link::Live(_) => self.broke(now, peer),
                _ => {
                    self.end(now, End::Handshake, What::Ended, End::Handshake as u32, End::Handshake.words())
                }
            }
        }
        if let Some(ask) = self.ask.filter(|a| now >= a.deadline) {
            self.ask = None;
            self.news.no_answer = Some((ask.id, ask.key, 0));
        }
        now
    }

    /// Puts a question; returns its number.
    pub(crate) fn ask(
        &mut self,
        now: u32,
        key: u16,
        given: &[Given<'_>],
        within_ms: u32,
    ) -> Result<u16, Error> {
        let now = self.tick(now);
        let listed = self.catalog.asks.iter().find(|a| a.key == key).ok_or(Error::Unlisted)?;
        let mut body = [0; BODY_MAX];
        let len = values::encode(listed.request, given, &mut body)?;
        if !self.is_live() {
            return Err(Error::State);
        }
        if self.unsent.is_empty() {
            self.unsent = 0..0;
        }
        let room = self.tx.get_mut(self.unsent.end..).unwrap_or_default();
        let around = self.cover.margins();
        if self.ask.is_some() || room.len() < least(around) {
            return Err(Error::Full);
        }
        let body = body.get(..len).unwrap_or_default();
        let (len, id) = self.session.ask(key, body, inside(room, around)).map_err(misuse)?;
        self.unsent.end += framed(&mut self.cover, room, len).map_err(|NoRoom| Error::State)?;
        self.ask = Some(Ask { id, key, deadline: now.plus(within_ms.into()) });
        Ok(id)
    }

    /// Answers a command that the application holds, by the shape that the catalogue states.
    pub(crate) fn reply(&mut self, id: u32, given: &[Given<'_>]) -> Result<(), Error> {
        let id = CommandId(id);
        let key = self.calls.key(id).ok_or(Error::Unlisted)?;
        let listed = self.catalog.commands.iter().find(|c| c.key == key).ok_or(Error::Unlisted)?;
        let mut body = [0; BODY_MAX];
        let len = values::encode(listed.answer, given, &mut body)?;
        let body = body.get(..len).unwrap_or_default();
        self.calls.answer(&self.held, &mut self.session, id, Outcome::Done, body)
    }

    /// Refuses a command that the application holds.
    pub(crate) fn refuse(&mut self, id: u32, code: u8) -> Result<(), Error> {
        let outcome = Outcome::Refused(code.max(1));
        self.calls.answer(&self.held, &mut self.session, CommandId(id), outcome, &[])
    }

    /// The device will be silent for so long. `Err` if nobody can be told.
    pub(crate) fn fall_asleep(&mut self, now: u32, for_ms: u32, ends_boot: bool) -> Result<(), Error> {
        let now = self.tick(now);
        if !self.is_live() {
            return Err(Error::State);
        }
        self.session.sleep(for_ms, ends_boot);
        self.sleep = Some(Sleep { until: now.plus(for_ms.into()), ends_boot });
        Ok(())
    }

    /// Whether there is nothing left to do: all is stored, and what the server had waiting was received and answered.
    pub(crate) fn is_settled(&self) -> bool {
        let open = self.calls.any() || self.news.pending.is_some() || self.news.setting.is_some();
        self.is_live() && !open && self.news.awaited == 0 && self.is_drained()
    }

    /// A whole frame is in `rx`.
    fn frame(&mut self, now: Tick, len: usize) {
        let generation = self.calls.generation;
        let Some(message) = self.rx.get_mut(..len) else { return };
        let Ok(opened) = self.cover.open(message) else {
            return self.end(now, End::Protocol, What::Ended, End::Protocol as u32, text::FORGED);
        };
        let end = opened.frame.end;
        let Some(frame) = message.get_mut(opened.frame) else { return };
        // What nobody proved to have said may not keep the device away for long.
        let longest_ms = if opened.proved { u32::MAX } else { UNSEALED_BACKOFF_MAX_MS };
        let event = match self.session.handle_frame(&self.held, now, frame) {
            Ok(Some(event)) => event,
            Ok(None) => return,
            Err(peer) => return self.broke(now, peer),
        };
        // A body ends its frame.
        let at = |body: &[u8]| end - body.len()..end;
        match event {
            Event::Connected { welcomed, pending } => {
                self.link = Link::Live(now);
                self.sessions = self.sessions.saturating_add(1);
                self.dials_since = 0;
                self.news.awaited = pending;
                let shifted_by = welcomed.shifted_by;
                self.news.pending = Some(Pending::Connected { shifted_by, waiting: pending });
            }
            Event::Committed { .. } => {
                self.backoff.succeeded();
                self.news.stored = true;
            }
            Event::Command(call) => {
                let once = call.policy == Policy::Once;
                let listed = match call.key == READ_NOW.key() {
                    true => Some(<()>::SHAPE),
                    false => self.catalog.commands.iter().find(|c| c.key == call.key).map(|c| c.request),
                };
                let fits = listed.is_some_and(|shape| values::decode(shape, call.body).is_some());
                let stage = if once && self.calls.keeps { Stage::Arrived } else { Stage::Ready };
                let (shape, body) = (listed.unwrap_or(Shape::UNIT), at(call.body));
                let (id, key, not_after) = (call.id, call.key, call.not_after);
                let command = Command { id, key, once, not_after, generation, shape, body, stage };
                match (listed, fits) {
                    // It was sent again over a new connection, and is under way.
                    _ if self.calls.holds(id) => self.session.released(),
                    (None, _) => self.turn_down(&command, Outcome::Refused(REFUSED_UNKNOWN)),
                    (_, false) => self.turn_down(&command, Outcome::Refused(REFUSED_SHAPE)),
                    _ => self.news.pending = Some(Pending::Command(command)),
                }
            }
            Event::Setting(setting) => {
                let (key, revision, body) = (setting.key, setting.revision, at(setting.body));
                let listed = self.catalog.settings.iter().find(|s| s.key == key).map(|s| s.shape);
                let fits = listed.is_some_and(|shape| values::decode(shape, setting.body).is_some());
                match (listed, fits) {
                    // The report of another one waits for room: the server sends this one again after the next Hello.
                    _ if self.news.setting.is_some() => self.news.passed_over = true,
                    (Some(shape), true) => {
                        self.news.pending = Some(Pending::Setting { key, revision, shape, body });
                    }
                    _ => {
                        let code = if listed.is_none() { REFUSED_UNKNOWN } else { REFUSED_SHAPE };
                        self.news.setting = Some((revision, Some(code)));
                        self.news.awaited = self.news.awaited.saturating_sub(1);
                        self.report_setting();
                    }
                }
            }
            Event::Answer(answer) => {
                let Some(ask) = self.ask.take_if(|ask| ask.id == answer.id) else { return };
                let listed = self.catalog.asks.iter().find(|a| a.key == ask.key).map(|a| a.answer);
                match (answer.result, listed) {
                    (Ok(body), Some(shape)) if values::decode(shape, body).is_some() => {
                        let body = at(body);
                        self.news.pending = Some(Pending::Answer { id: ask.id, key: ask.key, shape, body });
                    }
                    (Err(code), _) => self.news.no_answer = Some((ask.id, ask.key, code)),
                    _ => self.news.no_answer = Some((ask.id, ask.key, REFUSED_SHAPE)),
                }
            }
            Event::Refused(refused) => {
                let (code, wait) = (refused.code as u32, refused.backoff_ms.min(longest_ms));
                say(&mut self.said, refused.text);
                self.over(now, End::Refused, What::Refused, code, wait);
            }
            Event::Bye(bye) => {
                let slept = bye.reason == End::Slept && self.sleep.is_some();
                let what = if slept { What::Slept } else { What::Ended };
                let (reason, wait) = (bye.reason, bye.retry_ms.min(longest_ms));
                say(&mut self.said, if bye.text.is_empty() { reason.words().into() } else { bye.text });
                let end = match reason {
                    _ if slept => End::Slept,
                    End::Takeover => End::Takeover,
                    _ => End::Bye,
                };
                self.over(now, end, what, end as u32, wait);
            }
            // What a later version of the core reports is not for this one.
            _ => {}
        }
    }

    /// Puts whole frames into `tx`, as many as are due and surely fit.
    fn fill(&mut self, now: Tick) {
        let mut end = 0;
        if core::mem::take(&mut self.preface_due)
            && let Some(to) = self.tx.get_mut(..PREFACE.len())
        {
            to.copy_from_slice(&PREFACE);
            end = PREFACE.len();
        }
        loop {
            let around = self.cover.margins();
            let Some(room) = self.tx.get_mut(end..).filter(|r| r.len() >= least(around)) else { break };
            match self.session.poll_transmit(&self.held, now, inside(room, around)) {
                Transmit::Frame(len) => match framed(&mut self.cover, room, len) {
                    Ok(n) => end += n,
                    Err(NoRoom) => break,
                },
                Transmit::Idle => break,
                // There is no flash.
                Transmit::Fetch { lane, .. } => self.session.supply_none(&self.held, lane),
            }
        }
        self.unsent = 0..end;
    }

    /// The peer broke the protocol, or fell silent.
    fn broke(&mut self, now: Tick, peer: Peer) {
        let end = if peer == Peer::Silent { End::Silent } else { End::Protocol };
        self.end(now, end, What::Ended, end as u32, text::peer(peer));
    }

    fn end(&mut self, now: Tick, end: End, what: What, number: u32, why: &str) {
        say(&mut self.said, why.into());
        self.over(now, end, what, number, 0);
    }

    fn over(&mut self, now: Tick, end: End, what: What, number: u32, wait_ms: u32) {
        self.down(now, end);
        self.backoff.at_least(wait_ms);
        self.news.ended = Some((what, number));
    }

    /// Leaves everything as it has to be without a connection.
    fn down(&mut self, now: Tick, end: End) {
        if let Link::Live(since) = self.link {
            self.offline_since = now;
            if now.since(since) >= WORTH_MS {
                self.backoff.succeeded();
            }
        }
        self.session.lost();
        (self.link, self.last_end, self.unsent) = (Link::Down, Some(end), 0..0);
        self.sleep = self.sleep.filter(|_| end == End::Slept);
        self.ended |= self.sleep.is_some_and(|s| s.ends_boot);
        if let Some(ask) = self.ask.take() {
            self.news.no_answer = Some((ask.id, ask.key, 0));
        }
    }
}

/// The least room that a frame is begun in.
fn least(around: Margins) -> usize {
    PREFIX_MAX + around.front + FRAME_MIN_MAX + around.back
}

/// Where in that room the frame goes.
fn inside(room: &mut [u8], around: Margins) -> &mut [u8] {
    let end = room.len() - around.back;
    &mut room[PREFIX_MAX + around.front..end]
}

/// A frame of `len` bytes stands where [`inside`] says: closes it, and puts its length before it; returns how many bytes that takes.
fn framed(cover: &mut Cover, room: &mut [u8], len: usize) -> Result<usize, NoRoom> {
    let len = cover.close(&mut room[PREFIX_MAX..], len)?;
    let skipped = prefixed(room, len);
    room.copy_within(skipped..PREFIX_MAX + len, 0);
    Ok(PREFIX_MAX + len - skipped)
}

fn say(said: &mut [u8], text: Text<'_>) {
    let mut line = Line::new(said);
    line.said(text);
    line.end();
}
