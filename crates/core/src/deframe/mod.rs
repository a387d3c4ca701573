//! Bytes to whole frames, for transports that are streams. SPEC sections 1.1, 1.2 and 13.
//!
//! A message transport (WebSocket) needs none of this: one message is one frame.

pub mod cobs;
mod crc;
mod foreign;
mod length;

pub use crc::crc32;
pub use foreign::Foreign;
pub use length::{Length, PREFACE, PREFIX_MAX, prefixed, read_prefix};
