//! The device end of sensock: one outbox that outlives every connection, a handle for any number of tasks, and a runner for the network.
//!
//! ```text
//!   sampling task ──record──▶ ┌────────┐            ┌────────┐  reader, writer
//!   obeying task  ◀─commands─ │ Outbox │ ◀────────▶ │ Runner │ ◀──────────────▶ any embedded-io-async transport
//!   tuning task   ◀─settings─ └────────┘            └────────┘
//!                 `Device: Copy`   (static)      `connection`, `backoff`
//! ```
//! [`Outbox`] is a static of the size that you choose. [`Outbox::start`] gives a [`Device`], which any task may copy, and a [`Runner`], which the task
//! that owns the network drives: `runner.connection(reader, writer).await` for as long as a connection lasts, `runner.backoff().await` before the
//! next dial. Dialling is yours: a socket, a modem, a serial line.
//!
//! [`Device::record`] never waits and does not care whether there is a connection. What it accepted is stored exactly once, in order, or
//! lies in a gap that says why; after a loss of power the same holds with the `flash` feature for what was persisted.
//!
//! no_std, no alloc, no unsafe. Features: `embassy-time` and `tokio` bring clocks, `flash` an outbox that survives a loss of power.
#![no_std]
#![forbid(unsafe_code)]

mod ask;
mod call;
mod clock;
mod cycle;
mod desk;
mod device;
mod ended;
#[cfg(feature = "flash")]
pub mod flash;
mod node;
mod outbox;
mod runner;
mod shared;
mod status;
mod wakers;

pub use ask::NoAnswer;
pub use call::Call;
#[cfg(feature = "embassy-time")]
pub use clock::EmbassyClock;
#[cfg(feature = "tokio")]
pub use clock::TokioClock;
pub use clock::{Clock, ClockFor};
pub use cycle::Slept;
pub use device::Device;
pub use ended::Ended;
#[cfg(feature = "seal")]
pub use node::Random;
pub use node::{Boot, Key, Node, StartError};
pub use outbox::{Buffers, Outbox};
pub use runner::{Keep, Runner};
pub use sensock::device::{Carry, Policy};
pub use sensock::error::Misuse;
pub use status::Status;

/// Settings that a device's catalogue may list.
pub const MAX_SETTINGS: usize = 8;
