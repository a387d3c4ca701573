//! Refused: a server's no, the same in every version. SPEC section 4.7.

use super::cursor::{Fields, NoRoom, Writer};
use super::header::{Kind, plain};
use super::text::Text;
use crate::error::Peer;
use crate::limits::TEXT_MAX;

/// Why a server will not serve now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Refusal {
    /// Try again soon: the store is slow, a takeover raced, the server is full.
    Busy = 1,
    /// The server does not know this device, or the key is wrong.
    Unknown = 2,
    /// Another board with this identity is connected.
    IdentityInUse = 3,
    /// No common version.
    Version = 4,
    /// The Hello could not be read.
    Malformed = 5,
    /// A code of a later version.
    Other = 255,
}

impl Refusal {
    /// From its wire number.
    pub const fn from_number(n: u8) -> Refusal {
        match n {
            1 => Refusal::Busy,
            2 => Refusal::Unknown,
            3 => Refusal::IdentityInUse,
            4 => Refusal::Version,
            5 => Refusal::Malformed,
            _ => Refusal::Other,
        }
    }

    /// The least backoff that goes with it, in milliseconds, where the refusal was authenticated (SPEC 4.7).
    pub const fn backoff_ms(self) -> u32 {
        match self {
            Refusal::Busy => 5_000,
            Refusal::Unknown | Refusal::IdentityInUse => 300_000,
            Refusal::Version | Refusal::Malformed => 3_600_000,
            Refusal::Other => 60_000,
        }
    }
}

/// The longest backoff that an unauthenticated Refused can cause, in milliseconds.
pub const UNSEALED_BACKOFF_MAX_MS: u32 = 60_000;

/// A server's no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused<'a> {
    /// Why.
    pub code: Refusal,
    /// Do not come back before, in milliseconds.
    pub backoff_ms: u32,
    /// Lowest and highest version that the server speaks.
    pub versions: (u8, u8),
    /// A sentence that a person can read.
    pub text: Text<'a>,
}

impl<'a> Refused<'a> {
    /// Writes the frame; a text longer than 160 bytes is cut.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut w = Writer::new(out);
        w.u8(plain(Kind::Refused));
        w.u8(self.code as u8);
        w.var32(self.backoff_ms);
        w.u8(self.versions.0);
        w.u8(self.versions.1);
        w.block(self.text.cut());
        w.finish()
    }

    /// Reads the body of a Refused frame. What follows the text is skipped, in every version.
    pub fn decode(body: &'a [u8]) -> Result<Refused<'a>, Peer> {
        let mut r = Fields::new(body);
        let refused = Refused {
            code: Refusal::from_number(r.u8()),
            backoff_ms: r.var32(),
            versions: (r.u8(), r.u8()),
            text: Text::new(r.block(TEXT_MAX)),
        };
        // A later version may say more.
        r.so_far().map(|()| refused)
    }
}
