//! What happened to a device in a span of time: facts out of the store, a timeline of them, and a verdict.
//!
//! Everything is read from stored rows: connections (the server's view and the device's own account at its next Hello), boots,
//! gaps, and the times and positions of the readings themselves.

mod away;
mod facts;
mod holes;
#[cfg(test)]
mod tests;
mod timeline;
mod verdict;

pub(crate) use facts::{Facts, gather};
pub(crate) use timeline::{cause, timeline};
pub(crate) use verdict::verdict;

use crate::show::time::Times;
use sensock_store::Span;

/// Below this length times are shown with milliseconds.
const FINE_US: i64 = 120_000_000;

/// Times as they suit a span.
pub(crate) fn times_for(span: Span, times: Times) -> Times {
    times.fine(span.to_us.saturating_sub(span.from_us) < FINE_US)
}
