//! Codec and sessions for bidirectional sensor sockets: no_std, no alloc, sans-IO.
#![no_std]
#![forbid(unsafe_code)]

pub mod batch;
