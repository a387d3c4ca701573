//! Runs of records as bytes: columns for many, a compact row for one.
//!
//! A *run* is `count` records of one shape. Each record has a tick in milliseconds, never smaller than the
//! one before it, and one [`Cell`] for each quantity. [`encode`] and [`decode`] work on borrowed memory, keep
//! nothing between calls, and have no state of their own.

mod decode;
mod encode;
mod error;
mod row;
#[cfg(test)]
mod tests;

pub use decode::{Sink, decode};
pub use encode::{encode, encoded_len};
pub use error::{DecodeError, EncodeError};

/// The most records that one run may hold.
pub const MAX_RUN: usize = 4096;

/// The most quantities that one record may hold.
pub const MAX_COLUMNS: usize = 16;

/// What one quantity of one record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// A reading, in units of the quantity's scale: 23.45 °C at scale -2 is 2345.
    Value(i32),
    /// No reading, and the code that says why.
    Fault(u8),
}
