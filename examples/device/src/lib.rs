//! A simulated device: replays recordings or makes readings up.
//!
//! - [`replay`] reads a recording (CSV or tab separated, plain or gzip) into rows of whole numbers with the
//!   milliseconds at which they were measured.
//! - [`synthetic`] makes up a sensor of temperature and humidity that gives the same readings for the same seed.
//! - [`source`] is one of both, with the pauses between its records.
//! - [`flash_file`] is a file with the habits of a flash chip, [`boot_file`] counts boots: what a device needs to
//!   outlive its process.
//! - [`credentials`] finds the keys of devices, [`private`] reads files that hold secrets, if nobody else can.

pub mod boot_file;
#[cfg(test)]
mod corpus;
pub mod credentials;
pub mod flash_file;
pub mod pin;
pub mod private;
pub mod replay;
pub mod source;
pub mod synthetic;
