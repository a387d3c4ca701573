//! The device end of sensock: a shared outbox and a runner over embedded-io-async.
