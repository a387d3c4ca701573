//! The reader of recordings, taken as source: the program around it needs much that a fuzz target does not.
#![no_main]
#![allow(dead_code, unreachable_pub, unused_imports, reason = "the programs use the rest")]

#[path = "../../examples/device/src/corpus.rs"]
mod corpus;
#[path = "../../examples/device/src/replay/mod.rs"]
mod replay;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| corpus::recording(bytes));
