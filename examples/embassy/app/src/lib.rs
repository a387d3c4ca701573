//! The application of the example firmware, without a chip: it runs on every board that has an embassy-net stack.
//!
//! ```text
//!   your board's main            this library                          sensock-device
//!   ────────────────────         ─────────────────────────────         ──────────────
//!   clock, network driver ─────▶ application::network  ──────────────▶ Runner
//!   a Sensor ──interrupt──────▶ application::sample ─▶ Samples
//!                                application::record   ──record──────▶ Device
//!   a Led                 ─────▶ application::obey     ◀─commands────
//! ```
//! [`sleeper`] is the same device on a battery: it wakes, measures, tells the server, and sleeps.
//! `logger` (feature `flash`) is the same device with flash: a power cut takes nothing that was persisted.
//!
//! Samples are taken in an interrupt, by an executor that runs there, and recorded by a task: what that task's executor computes at a stretch, a
//! handshake above all, makes a record later, and a sample never. [`Samples`] lies between the two.
//!
//! [`handshake`] says what a handshake costs on a chip.
//!
//! To make a device of your own, copy [`application`] and [`catalogue`], about a hundred lines, and change them. A board's `main` fills in a
//! [`Board`] and calls [`run`], and spawns [`sample`] where nothing holds it up.
//!
//! Nothing here allocates, prints or formats, and nothing asks for atomics beyond what `critical-section` gives.
#![no_std]
#![forbid(unsafe_code)]

pub mod application;
mod board;
pub mod catalogue;
mod grid;
pub mod handshake;
#[cfg(feature = "flash")]
pub mod logger;
mod proof;
mod recording;
mod rtc;
mod samples;
pub mod sleeper;

pub use application::{run, sample};
pub use board::{Board, Led, Sample, Sensor};
pub use grid::Grid;
pub use recording::Recording;
pub use rtc::Rtc;
pub use samples::{Samples, Taken, Worst};
/// What a [`Random`] answers when there are no random bytes.
pub use sensock::seal::NoEntropy;
/// What a board's `main` names of the device crate.
pub use sensock_device::{Boot, Outbox, Random};
