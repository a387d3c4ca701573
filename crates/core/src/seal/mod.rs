//! Sealed sessions: `Noise_NNpsk0_25519_ChaChaPoly_SHA256` around every frame. SPEC section 14.
//!
//! A key of 32 random bytes belongs to one device; a random `KeyId` that travels in clear tells the server which. Hello rides in the first
//! message of the handshake and Welcome (or Refused) in the second, so that a sealed session takes no round trip more than a plain one. From then on
//! each frame is one message, in order; what was changed, repeated, left out or put in another order cannot be opened, and the connection is over.
//!
//! A [`Cover`] is what stands between a session and its transport. It asks for room in front of and behind what the session writes, and opens
//! in place what arrives:
//! ```text
//!   session.poll_transmit(&mut buf[front..])  ──►  cover.close(&mut buf, n)  ──►  transport
//!   session.handle_frame(&mut frame[inner])   ◄──  cover.open(&mut frame)    ◄──  transport
//! ```
//! An insecure connection has a cover too, which asks for nothing and does nothing: whoever drives a session knows of one way only.
//!
//! What may be known of a sealed connection by looking on: that it is one, its key id (a pseudonym that links a device's connections), both ends' random
//! ephemeral keys, and lengths and times of frames.

//! Without the feature `seal` there is the insecure cover only, and nothing of the rest is linked.

#[cfg(feature = "seal")]
mod active;
mod cover;
#[cfg(feature = "seal")]
mod ephemeral;
#[cfg(feature = "seal")]
mod handshake;
#[cfg(feature = "seal")]
mod key;
#[cfg(feature = "seal")]
mod noise;
#[cfg(feature = "seal")]
mod seen;
#[cfg(test)]
#[cfg(feature = "seal")]
mod vectors;

#[cfg(feature = "seal")]
use active::Active;
pub use cover::{Cover, Denied, Margins, Opened};
#[cfg(feature = "seal")]
pub use ephemeral::{Entropy, Ephemeral, NoEntropy};
#[cfg(feature = "seal")]
pub use handshake::{Answer, Dialled, FIRST_OVERHEAD, First, SECOND_OVERHEAD, Transport};
#[cfg(feature = "seal")]
pub use key::{BadCredential, CREDENTIAL_TEXT, Credential, Key, KeyId};
#[cfg(feature = "seal")]
pub use noise::TAG;
#[cfg(feature = "seal")]
pub use seen::Seen;
