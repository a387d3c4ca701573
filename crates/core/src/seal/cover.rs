//! What stands between a session and its transport.

use super::ephemeral::Ephemeral;
use super::handshake::{Answer, Denied, Dialled, FIRST_FRONT, SECOND_FRONT, Transport};
use super::key::Credential;
use super::noise::TAG;
use crate::wire::cursor::NoRoom;
use crate::wire::header::{Kind, plain};
use core::ops::Range;

/// Room that a cover needs around a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// Bytes in front of it.
    pub front: usize,
    /// Bytes behind it.
    pub back: usize,
}

/// One connection's cover, of either end: insecure, or sealed. The session writes between its [`margins`](Cover::margins).
pub struct Cover(State);

enum State {
    Insecure,
    Fresh(Credential, Ephemeral),
    Dialled(Dialled),
    Answer(Answer, Ephemeral),
    Sealed(Transport),
    Over,
}

/// What a cover took off a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where the frame stands in the message.
    pub frame: Range<usize>,
    /// Whether the peer proved that it has the key. Without, the frame can only be a Refused, and may be anybody's.
    pub proved: bool,
}

impl Cover {
    /// None: frames go as they are, and anybody may read and write them.
    pub const fn insecure() -> Self {
        Cover(State::Insecure)
    }

    /// A device's, for one connection. The first frame that it closes is Hello.
    pub fn dial(credential: Credential, ephemeral: Ephemeral) -> Self {
        Cover(State::Fresh(credential, ephemeral))
    }

    /// A server's, once the first message was opened. The first frame that it closes is Welcome, or Refused.
    pub fn answer(answer: Answer, ephemeral: Ephemeral) -> Self {
        Cover(State::Answer(answer, ephemeral))
    }

    /// Whether there is one.
    pub fn is_secure(&self) -> bool {
        !matches!(self.0, State::Insecure)
    }

    /// The room that it needs around the next frame.
    pub fn margins(&self) -> Margins {
        match self.0 {
            State::Insecure => Margins::default(),
            State::Fresh(..) => Margins { front: FIRST_FRONT, back: TAG },
            State::Answer(..) => Margins { front: SECOND_FRONT, back: TAG },
            State::Dialled(_) | State::Sealed(_) | State::Over => Margins { front: 0, back: TAG },
        }
    }

    /// Closes the `n` bytes that stand in `buf` behind the front margin. Returns the length of the message, which begins with `buf`.
    ///
    /// # Errors
    /// [`NoRoom`] if the margins were not kept, or if the connection is over: close the transport.
    pub fn close(&mut self, buf: &mut [u8], n: usize) -> Result<usize, NoRoom> {
        let (next, n) = match core::mem::replace(&mut self.0, State::Over) {
            State::Insecure => (State::Insecure, n),
            State::Fresh(credential, ephemeral) => {
                let (dialled, n) = Dialled::first(&credential, ephemeral, buf, n)?;
                (State::Dialled(dialled), n)
            }
            State::Answer(answer, ephemeral) => {
                let (transport, n) = answer.second(ephemeral, buf, n)?;
                (State::Sealed(transport), n)
            }
            State::Sealed(mut transport) => {
                let n = transport.close(buf, n)?;
                (State::Sealed(transport), n)
            }
            // A device says nothing between Hello and Welcome.
            State::Dialled(_) | State::Over => return Err(NoRoom),
        };
        self.0 = next;
        Ok(n)
    }

    /// Opens a message in place.
    ///
    /// # Errors
    /// [`Denied`]: the connection is over; close the transport.
    pub fn open(&mut self, message: &mut [u8]) -> Result<Opened, Denied> {
        let (next, opened) = match core::mem::replace(&mut self.0, State::Over) {
            State::Insecure => (State::Insecure, Opened { frame: 0..message.len(), proved: false }),
            State::Dialled(dialled) if message.first() == Some(&plain(Kind::Refused)) => {
                (State::Dialled(dialled), Opened { frame: 0..message.len(), proved: false })
            }
            State::Dialled(dialled) => {
                let (transport, frame) = dialled.second(message)?;
                (State::Sealed(transport), Opened { frame, proved: true })
            }
            State::Sealed(mut transport) => {
                let n = transport.open(message)?;
                (State::Sealed(transport), Opened { frame: 0..n, proved: true })
            }
            State::Fresh(..) | State::Answer(..) | State::Over => return Err(Denied),
        };
        self.0 = next;
        Ok(opened)
    }
}
