//! The labelled recordings: what was tuned on which part, and what came out on the rest.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod air;
mod machine;
mod meters;
mod method;
mod motes;
mod occupancy;
mod order;
mod quakes;
mod replay;
