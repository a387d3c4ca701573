//! What the device tells its application, one event at a time.

use core::ops::Range;

use sensock::CommandId;
use sensock::Tick;
use sensock::catalog::{READ_NOW, Shape};
use sensock::device::Share;
use sensock::wire::data::Outcome;

use crate::device::Device;
use crate::types::{Event, What};
use crate::values;

/// What is to be told. A frame that brings something stays in the receive buffer until it was told: meanwhile nothing more is received.
#[derive(Debug)]
pub(crate) struct News {
    pub pending: Option<Pending>,
    /// A setting that was told: its revision, and the code if the application refused it. It is reported at the next call.
    pub setting: Option<(u32, Option<u8>)>,
    /// A setting was passed over on this connection: lower revisions than later ones are open.
    pub passed_over: bool,
    pub stored: bool,
    /// Question and code.
    pub no_answer: Option<(u16, u16, u8)>,
    pub ended: Option<(What, u32)>,
    /// Commands and settings that the server said are waiting.
    pub awaited: u16,
}

/// What a frame brought.
#[derive(Clone, Debug)]
pub(crate) enum Pending {
    Connected { shifted_by: u32, waiting: u16 },
    Command(Command),
    Setting { key: u16, revision: u32, shape: Shape, body: Range<usize> },
    Answer { id: u16, key: u16, shape: Shape, body: Range<usize> },
}

/// A command that has not been told.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub id: CommandId,
    pub key: u16,
    pub once: bool,
    pub not_after: Option<Tick>,
    pub generation: u8,
    pub shape: Shape,
    pub body: Range<usize>,
    pub stage: Stage,
}

/// Whether a command may be handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Once it is noted as begun, in memory that survives.
    Arrived,
    /// The application was told to note it.
    Keeping,
    Ready,
}

impl News {
    pub(crate) fn new() -> Self {
        News {
            pending: None,
            setting: None,
            passed_over: false,
            stored: false,
            no_answer: None,
            ended: None,
            awaited: 0,
        }
    }

    /// A connection begins. What the server will send again is forgotten; a command that was noted as begun is not sent again.
    pub(crate) fn connecting(&mut self) {
        self.pending = self.pending.take().filter(|p| match p {
            Pending::Command(c) => c.stage == Stage::Keeping || (c.stage == Stage::Ready && c.once),
            _ => false,
        });
        (self.ended, self.passed_over, self.awaited) = (None, false, 0);
    }
}

impl Device {
    /// The next event.
    pub(crate) fn poll(&mut self, now: u32) -> Event {
        let now = self.tick(now);
        self.report_setting();
        loop {
            match self.news.pending.take() {
                Some(Pending::Connected { shifted_by, waiting }) => {
                    return Event { id: shifted_by, number: waiting.into(), ..event(What::Connected) };
                }
                Some(Pending::Command(command)) => match self.hand_out(command, now) {
                    Some(event) => return event,
                    None => continue,
                },
                Some(Pending::Setting { key, revision, shape, body }) => {
                    self.news.setting = Some((revision, None));
                    self.news.awaited = self.news.awaited.saturating_sub(1);
                    return Event { key, id: revision, ..self.with_body(What::Setting, shape, body) };
                }
                Some(Pending::Answer { id, key, shape, body }) => {
                    return Event { key, id: id.into(), ..self.with_body(What::Answer, shape, body) };
                }
                None => {}
            }
            if let Some((id, key, code)) = self.news.no_answer.take() {
                return Event { key, id: id.into(), number: code.into(), ..event(What::NoAnswer) };
            }
            if core::mem::take(&mut self.news.stored) {
                return event(What::Stored);
            }
            if let Some((what, number)) = self.news.ended.take() {
                return Event { number, text: self.said.as_ptr().cast(), ..event(what) };
            }
            return Event::NONE;
        }
    }

    /// A command noted as begun was kept: it may run.
    pub(crate) fn kept(&mut self) {
        if let Some(Pending::Command(command)) = &mut self.news.pending
            && command.stage == Stage::Keeping
        {
            command.stage = Stage::Ready;
        }
    }

    /// Reports a setting as applied or refused, once there is room.
    pub(crate) fn report_setting(&mut self) {
        let Some((revision, refused)) = self.news.setting else { return };
        let passed_over = self.news.passed_over;
        let reported = self.held.with(|o| {
            let through = if passed_over { o.settings() } else { revision };
            o.applied_through(revision, refused, through)
        });
        if reported.is_ok() {
            self.news.setting = None;
        }
    }

    /// Gives a command to the application, unless it came too late or has to be noted before.
    fn hand_out(&mut self, mut command: Command, now: Tick) -> Option<Event> {
        match command.stage {
            Stage::Arrived => {
                self.held.with(|o| o.begin(command.id));
                command.stage = Stage::Keeping;
                self.news.pending = Some(Pending::Command(command));
                return Some(event(What::Keep));
            }
            Stage::Keeping => {
                // It waits for `kept`; asked again, the answer is the same.
                self.news.pending = Some(Pending::Command(command));
                return Some(event(What::Keep));
            }
            Stage::Ready => {}
        }
        // Whether it is late was asked before it was noted as begun; noting takes a moment.
        let kept = self.calls.keeps && command.once;
        if !kept && command.not_after.is_some_and(|t| now > t) {
            self.turn_down(&command, Outcome::Expired);
            return None;
        }
        if !self.calls.hold(command.id, command.key, command.generation) {
            self.turn_down(&command, Outcome::Refused(sensock::limits::REFUSED_BUSY));
            return None;
        }
        self.news.awaited = self.news.awaited.saturating_sub(1);
        if command.once {
            self.held.with(|o| o.begin(command.id));
        }
        let what = if command.key == READ_NOW.key() { What::ReadNow } else { What::Command };
        let told = self.with_body(what, command.shape, command.body);
        Some(Event { key: command.key, id: command.id.0, ..told })
    }

    /// Answers a command that the application never sees. Without room even for this the server sends it again after the next Hello.
    pub(crate) fn turn_down(&mut self, command: &Command, outcome: Outcome) {
        self.news.awaited = self.news.awaited.saturating_sub(1);
        let _full = self.held.with(|o| o.reply(command.id, outcome, &[]));
        if command.generation == self.calls.generation {
            self.session.released();
        }
    }

    fn with_body(&self, what: What, shape: Shape, body: Range<usize>) -> Event {
        // It was read by this shape when it came.
        let read = self.rx.get(body).and_then(|body| values::decode(shape, body));
        let (values, count) = read.unwrap_or((Event::NONE.values, 0));
        Event { values, count, ..event(what) }
    }
}

fn event(what: What) -> Event {
    Event { kind: what as u8, ..Event::NONE }
}
