//! Commands between their arrival and their answer.

use sensock::catalog::{Policy, READ_NOW, Shaped};
use sensock::device::OutboxMut;
use sensock::limits::{BODY_MAX, REFUSED_BUSY, REFUSED_UNKNOWN};
use sensock::wire::call::Call;
use sensock::wire::data::Outcome;
use sensock::{Catalog, CommandId, Position, Tick};

use super::Desk;

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Free,
    /// It has to be noted as begun, in memory that survives, before it may run.
    Arrived,
    /// It may run.
    Ready,
    /// The application has it.
    Out,
    /// Its answer waits for room in the control lane.
    Answered(Outcome),
}

/// One command, and later its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSlot {
    pub stage: Stage,
    pub id: CommandId,
    key: u16,
    once: bool,
    not_after: Option<Tick>,
    generation: u32,
    len: u8,
    body: [u8; BODY_MAX],
}

/// A command that the application takes over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handed {
    pub id: CommandId,
    pub key: u16,
    pub len: u8,
    pub body: [u8; BODY_MAX],
}

impl CallSlot {
    pub(crate) const fn new() -> Self {
        Self {
            stage: Stage::Free,
            id: CommandId(0),
            key: 0,
            once: false,
            not_after: None,
            generation: 0,
            len: 0,
            body: [0; BODY_MAX],
        }
    }

    fn is_late(&self, now: Tick) -> bool {
        self.not_after.is_some_and(|t| now > t)
    }
}

impl Desk {
    /// A command came. It waits for the application, or is answered at once if nobody can run it.
    pub(crate) fn take_call(&mut self, outbox: &mut OutboxMut<'_>, catalog: &Catalog<'_>, call: &Call<'_>) {
        let known = self.calls.iter().any(|s| s.stage != Stage::Free && s.id == call.id);
        let body = call.body.get(..BODY_MAX).unwrap_or(call.body);
        let listed = call.key == READ_NOW.key() || catalog.commands.iter().any(|c| c.key == call.key);
        let free = self.calls.iter_mut().find(|s| s.stage == Stage::Free);
        let refusal = match (known, listed, free) {
            (true, ..) => None,
            (_, false, _) => Some(REFUSED_UNKNOWN),
            // No record is taken any more that could answer it.
            _ if self.ended && call.key == READ_NOW.key() => Some(REFUSED_BUSY),
            (.., None) => Some(REFUSED_BUSY),
            (.., Some(slot)) => {
                let once = call.policy == Policy::Once;
                *slot = CallSlot {
                    stage: if once && self.keeps { Stage::Arrived } else { Stage::Ready },
                    id: call.id,
                    key: call.key,
                    once,
                    not_after: call.not_after,
                    generation: self.generation,
                    len: body.len() as u8,
                    ..CallSlot::new()
                };
                slot.body[..body.len()].copy_from_slice(body);
                self.wake_tasks();
                self.wake_runner();
                return;
            }
        };
        self.released += 1;
        if let Some(code) = refusal {
            // Without room even for this the server sends the command again after the next Hello.
            let _ = outbox.reply(call.id, Outcome::Refused(code), &[]);
        }
    }

    /// Notes the commands that arrived as begun; `true` if there are any: persist that, then call [`Desk::begun_is_kept`].
    pub(crate) fn begin_arrived(&mut self, outbox: &mut OutboxMut<'_>) -> bool {
        let mut arrived = self.calls.iter().filter(|s| s.stage == Stage::Arrived).peekable();
        let any = arrived.peek().is_some();
        arrived.for_each(|s| {
            outbox.begin(s.id);
        });
        any
    }

    /// Everything up to here was persisted as begun: it may run.
    pub(crate) fn begun_is_kept(&mut self, begun: CommandId) {
        for slot in self.calls.iter_mut().filter(|s| s.stage == Stage::Arrived && s.id <= begun) {
            slot.stage = Stage::Ready;
        }
        self.wake_tasks();
    }

    /// Hands out the next command that is still in time, in order of id.
    pub(crate) fn hand_out(&mut self, outbox: &mut OutboxMut<'_>, now: Tick) -> Option<Handed> {
        loop {
            let at = self.next_ready(|key| key != READ_NOW.key())?;
            if !self.begin_in_time(outbox, at, now) {
                continue;
            }
            let slot = &mut self.calls[at];
            slot.stage = Stage::Out;
            return Some(Handed { id: slot.id, key: slot.key, len: slot.len, body: slot.body });
        }
    }

    /// Whether the server asks for a reading now. Each wish is told once; the next record answers it, told or not.
    pub(crate) fn wants_reading(&mut self, outbox: &mut OutboxMut<'_>, now: Tick) -> bool {
        while let Some(at) = self.next_ready(|key| key == READ_NOW.key()) {
            if self.begin_in_time(outbox, at, now) {
                self.calls[at].stage = Stage::Out;
                return true;
            }
        }
        false
    }

    /// A record was made: it answers those who asked for one.
    pub(crate) fn reading_made(&mut self, outbox: &mut OutboxMut<'_>, position: Position, now: Tick) {
        for at in 0..self.calls.len() {
            if self.calls[at].key != READ_NOW.key() {
                continue;
            }
            let open = match self.calls[at].stage {
                Stage::Out => true,
                Stage::Ready => self.begin_in_time(outbox, at, now),
                _ => false,
            };
            if open {
                let mut body = [0; 10];
                let len = outbox.wire(position).0.encode(&mut body).unwrap_or(0);
                self.answer(outbox, self.calls[at].id, Outcome::Done, &body[..len]);
            }
        }
    }

    /// The application's answer to a command that it holds.
    pub(crate) fn answer(
        &mut self,
        outbox: &mut OutboxMut<'_>,
        id: CommandId,
        outcome: Outcome,
        body: &[u8],
    ) {
        let Some(slot) = self.calls.iter_mut().find(|s| s.id == id && s.stage != Stage::Free) else { return };
        let body = body.get(..BODY_MAX).unwrap_or(body);
        slot.len = body.len() as u8;
        slot.body[..body.len()].copy_from_slice(body);
        slot.stage = Stage::Answered(outcome);
        self.report_answers(outbox);
        self.wake_runner();
    }

    pub(super) fn report_answers(&mut self, outbox: &mut OutboxMut<'_>) {
        for slot in &mut self.calls {
            let Stage::Answered(outcome) = slot.stage else { continue };
            if outbox.reply(slot.id, outcome, &slot.body[..slot.len as usize]).is_ok() {
                slot.stage = Stage::Free;
                self.released += u8::from(slot.generation == self.generation);
            }
        }
    }

    fn next_ready(&self, key: impl Fn(u16) -> bool) -> Option<usize> {
        let ready = self.calls.iter().enumerate().filter(|(_, s)| s.stage == Stage::Ready && key(s.key));
        ready.min_by_key(|(_, s)| s.id).map(|(at, _)| at)
    }

    /// Notes a command as begun; one that came too late is answered so instead.
    fn begin_in_time(&mut self, outbox: &mut OutboxMut<'_>, at: usize, now: Tick) -> bool {
        let slot = &mut self.calls[at];
        if slot.is_late(now) {
            slot.stage = Stage::Answered(Outcome::Expired);
            slot.len = 0;
            self.report_answers(outbox);
            self.wake_runner();
            return false;
        }
        if slot.once {
            outbox.begin(slot.id);
        }
        true
    }
}
