//! A measurement each: what the command line offers. A mode prints its table and returns the figures that are limited.

pub mod fleet;
pub mod idle;
pub mod scale;
pub mod storm;
