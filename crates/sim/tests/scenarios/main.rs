//! Timelines that break a naive version, one behaviour a test, named for it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod help;
mod t02_weak_entropy;
mod t08_overflow_of_what_is_in_flight;
