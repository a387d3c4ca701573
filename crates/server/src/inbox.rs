//! What others want of one connection: a mailbox that costs nothing while it is empty.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use sensock::{CommandId, Lane};
use sensock_store::work::{Done, Refuse};
use sensock_store::{CommandRow, SettingRow};

/// Locks; a panic elsewhere while it was held changes nothing, for no lock of this crate is held across code that can panic half-way.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which of its works an answer of the committer is about.
#[derive(Debug)]
pub(crate) enum Token {
    Hello,
    Records {
        lane: Lane,
        records: u32,
        bytes: u32,
        epoch: u32,
        replies: Box<[CommandId]>,
        applied: Box<[u32]>,
    },
    Floor {
        lane: Lane,
        epoch: u32,
    },
    Catalog,
    Sent(CommandId),
    /// Only counted.
    Plain,
}

/// One message.
#[derive(Debug)]
pub(crate) enum Message {
    /// A work was committed, or refused.
    Done(Token, Result<Done, Refuse>),
    /// A command waits.
    Deliver(Box<CommandRow>),
    /// A setting was made.
    Setting(Box<SettingRow>),
    /// A question was answered.
    Answer { id: u16, result: Result<Vec<u8>, u8> },
    /// A newer connection of the same device was confirmed.
    Takeover { peer: String },
    /// Commit what was received, then say goodbye with these words.
    Leave { retry_ms: u32, text: &'static str },
    /// The same, and nothing more goes down: the device may not be connected any more.
    Expel { retry_ms: u32, text: &'static str },
}

/// The mailbox of one connection.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    messages: Mutex<Vec<Message>>,
    waker: AtomicWaker,
}

impl Inbox {
    pub(crate) fn push(&self, message: Message) {
        lock(&self.messages).push(message);
        self.waker.wake();
    }

    /// Takes all there is; the waker is called when more comes.
    pub(crate) fn take(&self, waker: &Waker) -> Vec<Message> {
        self.waker.register(waker);
        std::mem::take(&mut *lock(&self.messages))
    }
}
