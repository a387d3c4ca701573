//! sensockd's readers of configurations and times, taken as source: the program has no library, and much that a fuzz target does not need.
#![no_main]
#![allow(dead_code, reason = "the program uses the rest")]

#[path = "../../examples/server/src/config.rs"]
mod config;
#[path = "../../examples/server/src/corpus.rs"]
mod corpus;
mod show;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| corpus::text(bytes));
