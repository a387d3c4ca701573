//! A device's question, on its way to whoever answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sensock::DeviceId;
use sensock::catalog::{Command, Shaped};
use sensock::limits::{BODY_MAX, REFUSED_SHAPE, REFUSED_UNKNOWN};

use crate::inbox::Message;
use crate::registry::Connected;

/// A device's question. It is refused if all its clones are dropped without an answer.
#[derive(Clone, Debug)]
pub struct Asked {
    key: u16,
    body: Arc<[u8]>,
    reply: Arc<Reply>,
}

#[derive(Debug)]
struct Reply {
    to: Arc<Connected>,
    id: u16,
    given: AtomicBool,
}

impl Reply {
    fn give(&self, result: Result<Vec<u8>, u8>) {
        if !self.given.swap(true, Ordering::AcqRel) {
            self.to.inbox.push(Message::Answer { id: self.id, result });
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.give(Err(REFUSED_UNKNOWN));
    }
}

impl Asked {
    pub(crate) fn new(id: u16, key: u16, body: &[u8], to: Arc<Connected>) -> Self {
        let reply = Arc::new(Reply { to, id, given: AtomicBool::new(false) });
        Asked { key, body: body.into(), reply }
    }

    /// Who asks.
    pub fn device(&self) -> &DeviceId {
        &self.reply.to.device
    }

    /// The question's key in the device's catalogue.
    pub fn key(&self) -> u16 {
        self.key
    }

    /// The question's body, for those who have no type for it.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Answers if this is the question: `answer` gets what was asked and gives the answer, or a code of refusal from 16 to 255. A body that
    /// is not of the question's shape is refused as such.
    ///
    /// # Errors
    /// Another question: here it is back, for the next one who may know.
    pub fn with<Q: Shaped, A: Shaped>(
        self,
        question: &Command<Q, A>,
        answer: impl FnOnce(Q) -> Result<A, u8>,
    ) -> Result<(), Asked> {
        if question.key() != self.key {
            return Err(self);
        }
        let result = Q::decode(&self.body).ok_or(REFUSED_SHAPE).and_then(answer).and_then(|a| {
            let mut body = [0; BODY_MAX];
            a.encode(&mut body).map(|len| body[..len].to_vec()).map_err(|_| REFUSED_SHAPE)
        });
        self.reply.give(result);
        Ok(())
    }

    /// Answers with a body as it goes over the wire, or a code of refusal.
    pub fn answer(self, result: Result<&[u8], u8>) {
        self.reply.give(result.map(<[u8]>::to_vec));
    }
}
