//! The device's end: an [`Outbox`] that outlives connections, and a [`Session`] for one connection at a time.

mod item;
mod outbound;
mod outbox;
mod queue;
mod session;
mod slots;
mod state;

pub use session::{Event, Node, Session, Supply, Transmit};
pub use outbox::{Durable, Outbox, OutboxMut, Policy, Share, Spill, Welcomed};
