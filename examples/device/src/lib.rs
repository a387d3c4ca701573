//! A simulated device: replays recordings or makes readings up.
//!
//! - [`replay`] reads a recording (CSV or tab separated, plain or gzip) into rows of whole numbers with the
//!   milliseconds at which they were measured.
//! - [`synthetic`] makes up a sensor of temperature and humidity that gives the same readings for the same seed.

pub mod replay;
pub mod synthetic;
