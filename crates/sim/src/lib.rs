//! Real sessions of both ends, rule A and a store in memory, in one process and in virtual time.
//!
//! A [`World`] holds boards, hosts, the links between them and the true time. A scenario calls its verbs (record, dial, cut, power off,
//! crash, restore) and lets time pass; [`World::check`] then demands that every accepted position is in exactly one of stored rows and gaps, in
//! order, with its values, and that the true time lies within the stored bounds. The trace is printed when a scenario fails.
//! [`fuzz`] holds what the fuzz targets do with bytes.

mod board;
mod chance;
mod check;
pub mod faults;
pub mod fuzz;
mod gate;
mod host;
mod link;
mod log;
pub mod many;
mod oracle;
pub mod plan;
pub mod planted;
pub mod run;
mod sealed;
mod shipped;
pub mod shrink;
mod world;

pub use board::{Accepted, BoardId, Memory, catalog};
pub use check::Report;
pub use host::{Crash, HostId};
pub use link::LinkId;
pub use oracle::Counts;
pub use world::World;
