//! A command in the application's hands.

use core::mem;

use sensock::CommandId;
use sensock::catalog::{Command, Shaped};
use sensock::limits::{BODY_MAX, REFUSED_SHAPE, REFUSED_UNKNOWN};
use sensock::wire::data::Outcome;

use crate::desk::Handed;
use crate::shared::Shared;

/// A command that the server sent. It is answered exactly once: by a handler that fits, by [`Call::answer`], by a refusal.
///
/// Dropped without an answer it is refused, as nobody answers to its key; if its request was read with [`Call::request`], its outcome is
/// "unknown" instead, because it may have been begun.
#[derive(Debug)]
#[must_use = "a call that is dropped is refused"]
pub struct Call<'a> {
    shared: Shared<'a>,
    handed: Handed,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unread,
    Read,
    Answered,
}

impl<'a> Call<'a> {
    pub(crate) fn new(shared: Shared<'a>, handed: Handed) -> Self {
        Self { shared, handed, state: State::Unread }
    }

    /// Its number.
    pub fn id(&self) -> CommandId {
        self.handed.id
    }

    /// Its key in the catalogue.
    pub fn key(&self) -> u16 {
        self.handed.key
    }

    /// Runs `run` if this is that command, and answers with what it gives: a value, or a code of refusal (16 to 255 are yours).
    pub fn on<Q: Shaped, A: Shaped>(
        mut self,
        command: &Command<Q, A>,
        run: impl FnOnce(Q) -> Result<A, u8>,
    ) -> Self {
        if let Some(request) = self.request(command) {
            match run(request) {
                Ok(answer) => self.give(&answer),
                Err(code) => self.settle(Outcome::Refused(code), &[]),
            }
        }
        self
    }

    /// The request, if this is that command and has not been answered: for handlers that take their time. Then say [`Call::answer`] or
    /// [`Call::refuse`]. A request that is not of the stated shape is refused.
    pub fn request<Q: Shaped, A: Shaped>(&mut self, command: &Command<Q, A>) -> Option<Q> {
        if self.state == State::Answered || command.key() != self.handed.key {
            return None;
        }
        let request = self.handed.body.get(..self.handed.len as usize).and_then(Q::decode);
        match request {
            Some(_) => self.state = State::Read,
            None => self.settle(Outcome::Refused(REFUSED_SHAPE), &[]),
        }
        request
    }

    /// Answers it. The value must be of the command's answer type; with another command's it is refused as of the wrong shape.
    pub fn answer<Q: Shaped, A: Shaped>(mut self, command: &Command<Q, A>, answer: A) {
        if command.key() == self.handed.key {
            self.give(&answer);
        } else {
            self.settle(Outcome::Refused(REFUSED_SHAPE), &[]);
        }
    }

    /// Refuses it with a code (16 to 255 are yours, 0 reads as 1).
    pub fn refuse(mut self, code: u8) {
        self.settle(Outcome::Refused(code), &[]);
    }

    /// Refuses it if no handler took it.
    pub fn otherwise_refuse(self) {
        drop(self);
    }

    /// Whether a handler took it.
    pub fn is_answered(&self) -> bool {
        self.state == State::Answered
    }

    fn give<A: Shaped>(&mut self, answer: &A) {
        let mut body = [0; BODY_MAX];
        match answer.encode(&mut body) {
            Ok(len) => self.settle(Outcome::Done, &body[..len]),
            Err(_) => self.settle(Outcome::Unknown, &[]),
        }
    }

    fn settle(&mut self, outcome: Outcome, body: &[u8]) {
        if mem::replace(&mut self.state, State::Answered) == State::Answered {
            return;
        }
        let outcome = match outcome {
            Outcome::Refused(0) => Outcome::Refused(1),
            other => other,
        };
        let id = self.handed.id;
        self.shared.with(|outbox, desk| desk.answer(outbox, id, outcome, body));
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let outcome = match self.state {
            State::Unread => Outcome::Refused(REFUSED_UNKNOWN),
            State::Read => Outcome::Unknown,
            State::Answered => return,
        };
        self.settle(outcome, &[]);
    }
}
