//! The protocol as a small abstract machine: explored exhaustively, and its runs replayed through the real sessions.
//!
//! One device, two servers over one store, two connections at a time, two lanes (answers and readings), and a budget for each thing that
//! may happen ([`Scope`]). A [`State`] is plain data; [`State::actions`] says what can happen, [`State::then`] what then is. The promises
//! are properties of single states (`check`), liveness too (`calm`). Each [`Bug`] is a mistake in one rule: the exploration has to find it.
//!
//! Left out: credit, catalogues, time in numbers, flash, refused rows, settings. Frames of one connection arrive whole and in order,
//! or the connection is lost (rule L).
//! States are told apart by 64-bit fingerprints: with ten million of them, two are taken for one with a chance of 3 in a million.

pub mod calm;
pub mod canonical;
pub mod check;
pub mod device;
pub mod machine;
pub mod position;
pub mod scope;
pub mod server;
pub mod state;
pub mod step;
pub mod store;

pub use machine::{Found, Machine};
pub use scope::{Bug, Scope};
pub use state::State;
pub use step::Action;
