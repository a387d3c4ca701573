//! The file of the devices' keys: a line a key, as in
//!
//! ```text
//! # Beside the boiler, since March
//! cellar-3  snk1…  until 2026-12-01T00:00:00Z
//! cellar-3  snk1…
//! ```
//! Who can read it can be any of its devices, so it is refused when others can. No secret of it is ever part of an error.
//!
//! ```text
//! line      one line, read strictly        document  all lines, and how they are changed
//! handout   a key as a person carries it to its device
//! file      reading, locking, and writing whole or not at all
//! ring      the keys as a running server holds them, read again when the file changed
//! ```

mod document;
mod file;
mod handout;
mod line;
mod ring;

pub(crate) use document::{Document, made};
pub(crate) use file::{Locked, read};
pub(crate) use handout::handout;
pub(crate) use ring::Ring;
