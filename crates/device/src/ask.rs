//! Questions to the server.

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use sensock::catalog::{Command, Shaped};
use sensock::limits::{BODY_MAX, REFUSED_SHAPE, REFUSED_UNKNOWN};

use crate::desk::Asked;
use crate::device::{Device, millis};
use crate::shared::Shared;

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// There is no session, or it ended before the answer came.
    #[error("there is no session with the server: act alone, ask again later")]
    Offline,
    /// The answer did not come in time.
    #[error("the server did not answer in time: act alone, ask again later")]
    Late,
    /// The server refused, with its code; below 16 it is the protocol's: 2 nobody answers this question (or this device's catalogue does
    /// not list it), 3 a body is not of the stated shape.
    #[error("the server refused to answer, code {0}")]
    Refused(u8),
}

impl Device<'_> {
    /// Asks the server, and waits for at most `within`. Only while connected.
    ///
    /// Cancel safe: an answer that comes later is dropped.
    ///
    /// # Errors
    /// [`NoAnswer`]: act alone.
    pub async fn ask<Q: Shaped, A: Shaped>(
        &self,
        question: &Command<Q, A>,
        value: Q,
        within: impl Into<Duration>,
    ) -> Result<A, NoAnswer> {
        let mut body = [0; BODY_MAX];
        let len = value.encode(&mut body).map_err(|_| NoAnswer::Refused(REFUSED_SHAPE))?;
        if !self.shared.catalog.asks.iter().any(|a| a.key == question.key()) {
            return Err(NoAnswer::Refused(REFUSED_UNKNOWN));
        }
        let deadline = self.shared.now().plus(millis(within.into()));
        let mut asking = Asking { shared: self.shared, slot: None };
        poll_fn(|cx| {
            self.shared.poll(cx, |_, desk| {
                let Some(at) = asking.slot else {
                    return match desk.is_live() {
                        false => Poll::Ready(Err(NoAnswer::Offline)),
                        true if self.shared.now() >= deadline => Poll::Ready(Err(NoAnswer::Late)),
                        true => {
                            asking.slot = desk.ask(question.key(), &body[..len], deadline);
                            Poll::Pending
                        }
                    };
                };
                let slot = &desk.asks[at];
                Poll::Ready(match slot.state {
                    Asked::Answered => A::decode(slot.body()).ok_or(NoAnswer::Refused(REFUSED_SHAPE)),
                    Asked::Refused(code) => Err(NoAnswer::Refused(code)),
                    Asked::Late => Err(NoAnswer::Late),
                    Asked::Offline => Err(NoAnswer::Offline),
                    Asked::Free | Asked::Queued | Asked::Sent(_) => return Poll::Pending,
                })
            })
        })
        .await
    }
}

/// A question under way: its slot is free again when nobody waits any more.
struct Asking<'a> {
    shared: Shared<'a>,
    slot: Option<usize>,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(at) = self.slot {
            self.shared.with(|_, desk| desk.forget_ask(at));
        }
    }
}
