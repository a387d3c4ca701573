//! Runs of records as bytes: columns for many, a compact row for one (SPEC section 6).
//!
//! A *run* is `count` records of one shape. Each record has a tick in milliseconds, never smaller than the
//! one before it, and one [`Cell`] for each quantity. [`encode`] and [`decode`] work on borrowed memory and keep
//! nothing between calls; neither allocates or recurses, and encoding takes some 1.3 KiB of stack on a Cortex-M3.
//!
//! | file | what it knows |
//! |---|---|
//! | `row` | one record alone, as varints |
//! | `bits`, `number` | bits in order, and numbers of any size as bits |
//! | `ticks` | the line that a run's ticks keep close to |
//! | `split` | which cells follow the column, and which are exceptions: faults, sentinels, odd remainders |
//! | `predict` | what a value leaves when its neighbours have been taken off it |
//! | `rice`, `packed`, `runs` | three ways to write what is left |
//! | `survey`, `choose` | which of them is the smallest, in two passes over the values |
//! | `source` | the caller's iterators, in chunks |
//! | `column`, `values` | one column, written and read |
//! | `encode`, `decode` | a whole run, and the calls that users meet |

mod bits;
mod choose;
mod column;
mod decode;
mod encode;
mod error;
mod number;
mod packed;
mod predict;
mod rice;
mod row;
mod runs;
mod source;
mod split;
mod survey;
#[cfg(test)]
mod tests;
mod ticks;
mod values;

pub(crate) use decode::decode_one;
pub use decode::{Sink, decode};
pub use encode::{encode, encode_or_len, encoded_len};
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
