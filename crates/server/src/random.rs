//! Random numbers that nobody may guess.

use std::hash::{BuildHasher, RandomState};

use sensock::seal::NoEntropy;

/// Never 0.
pub(crate) fn number() -> u64 {
    // Where the system gives none, the keys of the standard library's hash maps are the next best.
    let n = getrandom::u64().unwrap_or_else(|_| RandomState::new().hash_one(std::process::id()));
    n.max(1)
}

/// A number from 0 to below `end`, for jitter.
pub(crate) fn below(end: u64) -> u64 {
    number() % end.max(1)
}

/// Random bytes for keys: without the system's there are none.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    getrandom::fill(bytes).map_err(|_| NoEntropy)
}
