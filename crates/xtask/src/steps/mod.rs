//! The steps, a file each.

pub mod cross;
pub mod docs;
pub mod examples;
pub mod fuzz;
pub mod lint;
pub mod msrv;
pub mod package;
pub mod supply;
pub mod tests;
