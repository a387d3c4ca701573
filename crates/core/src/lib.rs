//! Codec and sessions for bidirectional sensor sockets: no_std, no alloc, sans-IO.
#![no_std]
#![forbid(unsafe_code)]

pub mod backoff;
pub mod batch;
pub mod catalog;
pub mod deframe;
pub mod device;
pub mod error;
mod id;
pub mod limits;
pub mod link;
pub mod server;
mod time;
pub mod wire;

pub use catalog::{Catalog, CatalogView, Command, Fault, Quantity, Reading, Setting, Shaped};
pub use id::{BadDeviceId, Cause, CommandId, DeviceId, Lane, Position, StoreId, Tag};
pub use time::{Extend, Micros, Tick};
