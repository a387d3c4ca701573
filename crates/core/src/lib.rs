//! Sensor sockets: readings go up and are stored once, commands go down and run at most once, whatever the link does in between.
//!
//! This crate is the core: the wire format, version 1 (`SPEC.md` beside it), and both ends' sessions, sans-IO. No std, no alloc, no unsafe, no clock, no
//! sockets: frames and `now` go in, frames, events and one deadline come out. What runs it is another crate.
//!
//! # Which crate do I need?
//! | you have | take |
//! |---|---|
//! | a device, on embassy, tokio or anything with embedded-io-async | `sensock-device` |
//! | a device, in C, C++ or Arduino | `sensock-ffi`: a static library, a header, a class |
//! | a server on tokio | `sensock-server` |
//! | a database that shall be the store | `sensock-store`: four calls, and a conformance suite |
//! | SQLite or MySQL | `sensock-sql`, which is such a store |
//! | another runtime, another language, a simulator, a gateway | this one |
//!
//! # Layers
//! ```text
//!   your firmware                                                    your server
//!   record, next_command, setting                                    welcome, committed, command
//!   ─────────────┬──────────────                                     ────────────┬─────────────
//!        device::Outbox            what survives a connection               (your store)
//!        device::Session           one connection's life                   server::Session
//!   ─────────────┴───────────────────── link, catalog ───────────────────────────┴─────────────
//!        wire                      one frame, one message                        wire
//!        batch                     readings in columns                           batch
//!        deframe                   frames out of a byte stream                   deframe
//!   ─────────────┬────────────────────────────────────────────────────────────────┬────────────
//!                └── any transport that is reliable, ordered, or says that it is lost ──┘
//! ```
//!
//! # Where to read on
//! The [`guide`]: short pages, from the [first reading](guide::_01_first_reading) to [firmware of your own](guide::_11_own_board), with code that runs as
//! tests. The front pages of [`device`] and [`server`] draw the states of a connection, each transition with the call that makes it.
//!
//! # The promise
//! What `record` accepted is stored exactly once, in order within its lane, or lies in exactly one gap that says why. An acknowledgement means committed.
//! No bytes from a peer make either end panic or grow: every length and count is checked against [`limits`] before it is used, and a caller's
//! mistake is a [value](error::Misuse).
#![no_std]
#![forbid(unsafe_code)]

pub mod backoff;
pub mod batch;
pub mod catalog;
pub mod deframe;
pub mod device;
pub mod error;
pub mod guide;
mod id;
pub mod limits;
pub mod link;
#[doc(hidden)]
pub mod planted;
pub mod server;
mod time;
pub mod wire;

pub use catalog::{Catalog, CatalogView, Command, Fault, Quantity, Reading, Setting, Shaped};
pub use id::{BadDeviceId, Cause, CommandId, DeviceId, Lane, Position, StoreId, Tag};
pub use time::{Extend, Micros, Tick};
