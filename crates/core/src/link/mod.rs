//! What both ends of one connection share.

mod bounds;

pub use bounds::{Bounds, ClockFault};
