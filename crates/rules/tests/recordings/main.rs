//! The labelled recordings: what was tuned on which part, and what came out on the rest.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says no by panicking, and what it found in words"
)]

mod air;
mod machine;
mod meters;
mod method;
mod motes;
mod occupancy;
mod order;
mod quakes;
mod replay;
