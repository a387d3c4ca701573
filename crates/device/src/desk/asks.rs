//! Questions to the server, between the asking and the answer.

use sensock::limits::BODY_MAX;
use sensock::{Tick, wire::call::Answer};

use super::{Desk, Link};

/// Where a question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Free,
    /// To be sent.
    Queued,
    /// Sent with this id.
    Sent(u16),
    /// The body holds the answer.
    Answered,
    /// The server refused with a code.
    Refused(u8),
    /// Its time ran out.
    Late,
    /// The connection was lost.
    Offline,
}

/// One question, and later its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AskSlot {
    pub state: Asked,
    pub key: u16,
    pub deadline: Tick,
    len: u8,
    body: [u8; BODY_MAX],
}

impl AskSlot {
    pub(crate) const fn new() -> Self {
        Self { state: Asked::Free, key: 0, deadline: Tick(0), len: 0, body: [0; BODY_MAX] }
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body[..self.len as usize]
    }

    fn put(&mut self, body: &[u8]) {
        let body = body.get(..BODY_MAX).unwrap_or(body);
        self.len = body.len() as u8;
        self.body[..body.len()].copy_from_slice(body);
    }

    fn is_open(&self) -> bool {
        matches!(self.state, Asked::Queued | Asked::Sent(_))
    }
}

impl Desk {
    /// Queues a question; `None` while all slots are taken.
    pub(crate) fn ask(&mut self, key: u16, body: &[u8], deadline: Tick) -> Option<usize> {
        let at = self.asks.iter().position(|s| s.state == Asked::Free)?;
        let slot = &mut self.asks[at];
        (slot.state, slot.key, slot.deadline) = (Asked::Queued, key, deadline);
        slot.put(body);
        self.wake_runner();
        Some(at)
    }

    /// Nobody waits for this any more.
    pub(crate) fn forget_ask(&mut self, at: usize) {
        self.asks[at].state = Asked::Free;
        self.wake_tasks();
    }

    /// An answer came; one that nobody waits for is dropped.
    pub(crate) fn take_answer(&mut self, answer: &Answer<'_>) {
        let Some(slot) = self.asks.iter_mut().find(|s| s.state == Asked::Sent(answer.id)) else { return };
        slot.state = match answer.result {
            Ok(body) => {
                slot.put(body);
                Asked::Answered
            }
            Err(code) => Asked::Refused(code),
        };
        self.wake_tasks();
    }

    /// The next deadline of a question.
    pub(crate) fn ask_deadline(&self) -> Option<Tick> {
        self.asks.iter().filter(|s| s.is_open()).map(|s| s.deadline).min()
    }

    /// Time passed.
    pub(crate) fn expire_asks(&mut self, now: Tick) {
        for slot in self.asks.iter_mut().filter(|s| s.is_open() && now >= s.deadline) {
            slot.state = Asked::Late;
            self.wake_tasks = true;
        }
    }

    pub(super) fn fail_asks(&mut self) {
        self.asks.iter_mut().filter(|s| s.is_open()).for_each(|s| s.state = Asked::Offline);
    }

    pub(crate) fn is_live(&self) -> bool {
        self.link == Link::Live
    }
}
