//! What can go wrong with flash.

use core::fmt;

use sequential_storage::Error;

/// What went wrong with flash. Nothing that was persisted before is touched by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlashError<E> {
    /// The range does not begin and end at a page, has fewer than eight of them, or lies outside of the chip.
    Range {
        /// Bytes of a page.
        page: u32,
    },
    /// The chip failed.
    Chip(E),
    /// What the flash holds cannot be understood or repaired.
    Damaged,
}

impl<E: fmt::Debug> fmt::Display for FlashError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlashError::Range { page } => write!(
                f,
                "the outbox needs eight pages of flash at least, aligned to pages of {page} bytes and within the chip: choose another range"
            ),
            FlashError::Chip(error) => write!(f, "the flash chip failed: {error:?}"),
            FlashError::Damaged => f.write_str(
                "the flash holds something that is no outbox: erase the range if nothing in it is worth keeping",
            ),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for FlashError<E> {}

impl<E> From<Error<E>> for FlashError<E> {
    fn from(error: Error<E>) -> Self {
        match error {
            Error::Storage { value, .. } => FlashError::Chip(value),
            _ => FlashError::Damaged,
        }
    }
}
