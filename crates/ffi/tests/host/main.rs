//! The C ABI on a host: programs in C and in Python that use nothing but `sensock.h`, against the real server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test says no by panicking"
)]

#[path = "../common/mod.rs"]
mod common;
mod keys;
mod library;
mod misuse;
mod node;
mod sketches;
mod vectors;
