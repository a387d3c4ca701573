//! The device's end: an [`Outbox`] that outlives connections, and a [`Session`] for one connection at a time.
//!
//! ```text
//!            (1) start          (2) Hello written           (3) Welcome          (7) sleep, all sent and answered
//!   Idle ───────────────▶ Hello ───────────────▶ AwaitWelcome ─────────▶ Live ─────────────────────────────▶ Leaving
//!    ▲                                                │ (4) Refused        │ (5) Bye, (8) close                │ (6) Bye
//!    │ (9) lost                                       ▼                    ▼                                   ▼
//!    └──────────────────────────────────────────── Closed ◀────────────────────────────────────────────────────┘
//!                                                       (10) handle_timeout: silence, a handshake that takes too long
//! ```
//! (1) [`Session::start`] · (2) [`Session::poll_transmit`] · (3), (4), (5), (6) [`Session::handle_frame`] · (7) [`Session::sleep`], then
//! `poll_transmit` · (8) [`Session::close`], then `poll_transmit` · (9) [`Session::lost`], from any state · (10) [`Session::handle_timeout`].
//! Recording goes on in every state: [`OutboxMut::record`] does not know the session.
//!
//! A lane's items go `record` → ring → (flash, if there is any) → frame → ack. Dropping raises the floor; the server does the arithmetic.

mod carry;
mod item;
mod numbers;
mod outbound;
mod outbox;
mod queue;
mod session;
mod slots;
mod state;

pub use carry::Carry;
pub use item::{Walked, walk};
pub use outbox::{Durable, Outbox, OutboxMut, Policy, Share, Spill, Welcomed};
pub use session::{Event, Node, Session, Supply, Transmit};

/// Whether anything asks for flash: a firmware without it is not to link what flash alone needs.
const FLASH: bool = cfg!(feature = "flash");
