//! Hazards that are ready to be used, each threshold with its source. They are constants: change what differs at your
//! place, and what your sensors cannot tell.

pub mod earthquake;
