//! How a connection ended.

use core::fmt;

use sensock::error::Peer;
use sensock::wire::hello::{End, Refusal};

/// How a connection ended. Dial again after [`Runner::backoff`](crate::Runner::backoff), whichever it was: nothing that was accepted is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The transport closed or failed.
    Transport,
    /// Nothing came from the server for too long.
    Silent,
    /// The server did not take the session up in time.
    Handshake,
    /// The peer broke the protocol, or speaks another one.
    Protocol(Peer),
    /// The server said goodbye.
    Bye(End),
    /// The server refused; [`Runner::said`](crate::Runner::said) has its sentence.
    Refused(Refusal),
    /// What came cannot be opened with this device's key: another key, or somebody on the way changed it.
    Forged,
    /// There were no random bytes: without them no connection is safe, so none was made.
    NoRandom,
    /// The device went to sleep, and the server knows (or did not answer in time).
    Slept,
    /// [`Device::close`](crate::Device::close) ended it.
    Closed,
}

impl Ended {
    /// The word for it that both ends use.
    pub const fn end(self) -> End {
        match self {
            Ended::Transport => End::Transport,
            Ended::Silent => End::Silent,
            Ended::Handshake => End::Handshake,
            Ended::Protocol(_) | Ended::Forged => End::Protocol,
            Ended::NoRandom => End::Handshake,
            Ended::Bye(End::Takeover) => End::Takeover,
            Ended::Bye(_) => End::Bye,
            Ended::Refused(_) => End::Refused,
            Ended::Slept => End::Slept,
            Ended::Closed => End::Closed,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Protocol(peer) => write!(f, "{peer}"),
            Ended::Forged => f.write_str(
                "what came cannot be opened with this device's key: compare the key with the server's",
            ),
            Ended::NoRandom => {
                f.write_str("no random bytes could be had: see that the generator runs before the first dial")
            }
            Ended::Bye(why) => write!(f, "the server said goodbye: {}", why.words()),
            Ended::Refused(code) => f.write_str(match code {
                Refusal::Busy => "the server is busy: it will serve later",
                Refusal::Unknown => "the server does not know this device: its operator has to add it",
                Refusal::IdentityInUse => {
                    "another board with this device's id is connected: give each board its own"
                }
                Refusal::Version => "the server speaks no version of this device's: update one of them",
                Refusal::Malformed => "the server could not read this device's Hello: update one of them",
                _ => "the server refused, with a code of a later version",
            }),
            other => f.write_str(other.end().words()),
        }
    }
}
