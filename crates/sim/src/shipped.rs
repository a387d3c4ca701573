//! The server's own files for what lies between a Data frame and rows, and for what goes down: compiled here as they are shipped, since that crate keeps them to
//! itself.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "the server uses all of it")]

#[path = "../../server/src/connection/downlink.rs"]
pub(crate) mod downlink;
#[path = "../../server/src/connection/intake.rs"]
pub(crate) mod intake;
#[path = "../../server/src/connection/sheet.rs"]
pub(crate) mod sheet;
#[path = "../../server/src/connection/times.rs"]
pub(crate) mod times;
