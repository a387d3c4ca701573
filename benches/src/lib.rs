//! What the benches share: records like a cellar's, and both sessions joined by calls.
//!
//! | bench | what it times |
//! |---|---|
//! | `batch` | one record and 1,000 records as bytes and back, beside plain postcard of the same |
//! | `deframe` | a byte stream cut into frames |
//! | `session` | from `record` to the acknowledgement, both sessions included, no I/O |
//! | `store` | rule A over the memory store |
//!
//! `cargo bench -p benches` measures, `cargo bench -p benches -- --test` runs each once. Figures of one machine compare with those of
//! the same run only: that is why the peers are in it.

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

pub use case::Case;
pub use ours::{Device, Record, Server};
pub use pair::Pair;
pub use records::{CELLAR, HUMIDITY, Plain, Row, TEMPERATURE, records, series};
pub use rounds::{Rounds, Time};
pub use versions::version;
