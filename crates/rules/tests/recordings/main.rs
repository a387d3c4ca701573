//! The labelled recordings: what was tuned on which part, and what came out on the rest.

mod air;
mod machine;
mod meters;
mod method;
mod motes;
mod occupancy;
mod order;
mod quakes;
mod replay;
