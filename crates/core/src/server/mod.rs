//! The server's end of one connection, sans-IO.
//!
//! ```text
//!              (1) start            (2) Hello              (3) welcome              (4) Pong with the nonce
//!   nothing ───────────▶ AwaitHello ─────────▶ Judging ───────────────▶ AwaitProof ────────────▶ Live
//!                            │                    │ (5) refuse             │                      │ (6) Bye, bye, Sleep
//!                            └────────────────────┴──────▶ Closed ◀────────┴──────────────────────┘
//!                                 (7) anything that breaks the protocol, or silence
//! ```
//! (2) and (4) are frames, seen by [`Session::handle_frame`]; (3) and (5) are calls of the runtime after it judged the Hello by its store;
//! until (4) nothing may be written anywhere. [`Session::confirm`] follows the Hello transaction: credit flows from there on.

mod session;
mod state;

pub use session::{Config, Event, Proposal, Session};
