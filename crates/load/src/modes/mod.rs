//! A measurement each: what the command line offers.

pub mod fleet;
