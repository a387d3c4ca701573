//! sensockd, the example server.
