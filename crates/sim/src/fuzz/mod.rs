//! What the fuzz targets do with bytes: each function takes any bytes and panics if a promise is broken.
//!
//! The same functions run on stable over the named seeds (`tests/corpus.rs`) and over random bytes, and in `fuzz/` under libFuzzer.
//!
//! | target | what the bytes are |
//! |---|---|
//! | [`deframe`] | a stream, and the sizes of the chunks that it comes in |
//! | [`device_session`] | operations on a device's session and outbox: frames of every kind, time, records, flash |
//! | [`server_session`] | operations on a server's session: frames of every kind, time, verdicts, commits, commands |
//! | [`batch`] | columns of a run, or a run to be written and read again |
//! | [`catalog`] | canonical bytes of a catalogue, and bodies by their shapes |
//! | [`flash_log`] | what lies in flash, page by page or entry by entry |
//! | [`carry`] | what survived a deep sleep |
//! | [`seal_handshake`] | a message of the handshake, or what is done to one |
//! | [`sealed_frames`] | frames over a sealed connection, and what somebody on the line does to them |

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a broken promise is a panic here")]

mod batch;
mod catalog;
mod deframe;
mod device;
mod flash;
mod input;
mod seal;
mod server;

pub use batch::batch;
pub use catalog::catalog;
pub use deframe::deframe;
pub use device::device_session;
pub use flash::{carry, flash_log};
pub use seal::{seal_handshake, sealed_frames};
pub use server::server_session;

/// What a target does with bytes.
type Target = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Target); 9] = [
    ("batch", batch),
    ("carry", carry),
    ("catalog", catalog),
    ("deframe", deframe),
    ("device_session", device_session),
    ("flash_log", flash_log),
    ("seal_handshake", seal_handshake),
    ("sealed_frames", sealed_frames),
    ("server_session", server_session),
];
