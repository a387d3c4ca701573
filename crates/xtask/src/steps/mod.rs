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

/// Every workspace of this repository.
const WORKSPACES: [&str; 5] = [".", "fuzz", "benches/size", "examples/embassy", "examples/esp8266/firmware"];
