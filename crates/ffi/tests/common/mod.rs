//! What the tests of the C ABI share.

pub(crate) mod journey;
pub(crate) mod server;
