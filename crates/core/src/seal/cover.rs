//! What stands between a session and its transport.

#[cfg(feature = "seal")]
use super::{Active, Answer, Credential, Ephemeral, Transport};
use crate::wire::cursor::NoRoom;
use core::ops::Range;

/// A message could not be opened: it was changed, is of another key or out of turn, or what claims to be the peer does not have the key. The
/// connection is over, and nothing of the message may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed frame cannot be opened: another key, or it was changed on the way (SPEC 14)")]
pub struct Denied;

/// Room that a cover needs around a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// Bytes in front of it.
    pub front: usize,
    /// Bytes behind it.
    pub back: usize,
}

/// What a cover took off a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where the frame stands in the message.
    pub frame: Range<usize>,
    /// Whether the peer proved that it has the key. Without, the frame may be anybody's; under a key it can then only be a Refused.
    pub proved: bool,
}

/// One connection's cover, of either end: insecure, or sealed. The session writes between its [`margins`](Cover::margins).
#[derive(Default)]
pub struct Cover {
    #[cfg(feature = "seal")]
    active: Option<Active>,
}

impl Cover {
    /// None: frames go as they are, and anybody may read and write them.
    pub const fn insecure() -> Self {
        Cover {
            #[cfg(feature = "seal")]
            active: None,
        }
    }

    /// A device's, for one connection. The first frame that it closes is Hello.
    #[cfg(feature = "seal")]
    pub fn dial(credential: Credential, ephemeral: Ephemeral) -> Self {
        Cover { active: Some(Active::Fresh(credential, ephemeral)) }
    }

    /// A server's, once the first message was opened. The first frame that it closes is Welcome, or Refused.
    #[cfg(feature = "seal")]
    pub fn answer(answer: Answer, ephemeral: Ephemeral) -> Self {
        Cover { active: Some(Active::Answer(answer, ephemeral)) }
    }

    /// What is left of it once the handshake is over, which takes less memory; `None` if it is not over, or failed, or there is no cover.
    #[cfg(feature = "seal")]
    pub fn into_transport(self) -> Option<Transport> {
        match self.active {
            Some(Active::Sealed(transport)) => Some(transport),
            _ => None,
        }
    }

    /// Whether there is one.
    pub fn is_secure(&self) -> bool {
        #[cfg(feature = "seal")]
        return self.active.is_some();
        #[cfg(not(feature = "seal"))]
        false
    }

    /// The room that it needs around the next frame.
    pub fn margins(&self) -> Margins {
        #[cfg(feature = "seal")]
        if let Some(active) = &self.active {
            return active.margins();
        }
        Margins::default()
    }

    /// Closes the `n` bytes that stand in `buf` behind the front margin. Returns the length of the message, which begins with `buf`.
    ///
    /// # Errors
    /// [`NoRoom`] if the margins were not kept, or if the connection is over: close the transport.
    pub fn close(&mut self, buf: &mut [u8], n: usize) -> Result<usize, NoRoom> {
        #[cfg(feature = "seal")]
        if let Some(active) = &mut self.active {
            return active.close(buf, n);
        }
        let _ = buf;
        Ok(n)
    }

    /// Opens a message in place.
    ///
    /// # Errors
    /// [`Denied`]: the connection is over; close the transport.
    pub fn open(&mut self, message: &mut [u8]) -> Result<Opened, Denied> {
        #[cfg(feature = "seal")]
        if let Some(active) = &mut self.active {
            return active.open(message);
        }
        Ok(Opened { frame: 0..message.len(), proved: false })
    }
}

impl core::fmt::Debug for Cover {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if self.is_secure() { "Cover(sealed)" } else { "Cover(insecure)" })
    }
}
