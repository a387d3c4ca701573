//! What the benches share: made-up records, every codec with them, both sessions joined by calls, and rounds.
//!
//! | bench | what it measures |
//! |---|---|
//! | `ratios` | ours beside the peers in five interleaved rounds: the table that ratios are quoted from |
//! | `batch` | the same as curves, by criterion |
//! | `bytes` | bytes a reading on every bundled recording |
//! | `deframe` | a byte stream cut into frames |
//! | `session` | the outbox, and from `record` to the acknowledgement with both sessions and no I/O |
//! | `store` | rule A over the memory store and SQLite |
//! | `loopback` | from `record` to acknowledged over TCP |
//! | `rules` | a reading judged by rules of each kind |
//!
//! `cargo bench -p benches` measures, `cargo bench -p benches -- --test` and `cargo test -p benches --benches` run each once. The README
//! beside this crate says how to read the figures.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a peer that fails has nothing to be timed: the bench must stop")]

mod case;
pub mod expected;
mod ours;
mod pair;
pub mod peers;
mod records;
mod rounds;
mod versions;
pub mod zone;

pub use case::Case;
pub use ours::{Device, Record, Server};
pub use pair::Pair;
pub use records::{CELLAR, HUMIDITY, Plain, Row, TEMPERATURE, records, series};
pub use rounds::{Rounds, Time};
pub use versions::version;
