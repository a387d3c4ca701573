//! Why somebody was turned away.

use sensock::DeviceId;
use sensock::seal::KeyId;
use sensock::wire::hello::Refusal;

/// Why somebody was turned away, for a program that acts on it. The peer hears less: [`Why::code`], and a sentence that helps its owner
/// and nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It cannot be served now: this server is full, its clock is not set, or the store does not answer.
    Busy,
    /// [`Keys::admit`](sensock_store::Keys::admit) does not know it: nobody said that it may connect.
    NotAdmitted,
    /// It has a key and came without: its firmware lost it, or somebody else uses its name.
    KeyMissing,
    /// It came with the key of another device.
    KeyOfAnother {
        /// Whose key it is.
        owner: DeviceId,
    },
    /// It names a key that nobody has.
    KeyUnknown {
        /// As it came.
        id: KeyId,
    },
    /// It names a key and does not have it, or its message was changed on the way.
    KeyWrong {
        /// As it came.
        id: KeyId,
        /// Whose key it is.
        owner: DeviceId,
    },
    /// A first message came again: somebody replays it, or the board's random generator repeats itself.
    Replayed {
        /// Whose key opened it.
        owner: DeviceId,
    },
    /// Two boards have this identity.
    IdentityInUse,
    /// There is no wire version that both speak.
    Version,
    /// What it sent is no Hello.
    Malformed,
}

impl Why {
    /// What the peer is told.
    pub fn code(&self) -> Refusal {
        match self {
            Why::Busy | Why::Replayed { .. } => Refusal::Busy,
            Why::NotAdmitted
            | Why::KeyMissing
            | Why::KeyOfAnother { .. }
            | Why::KeyUnknown { .. }
            | Why::KeyWrong { .. } => Refusal::Unknown,
            Why::IdentityInUse => Refusal::IdentityInUse,
            Why::Version => Refusal::Version,
            Why::Malformed => Refusal::Malformed,
        }
    }
}
