//! What every store must do: a suite that any implementation can run.
//!
//! Each property is one function in a file of its own; [`run`] runs all of them, each on a fresh store. A property that does not hold
//! panics with what was expected. Nothing here needs a particular runtime: call it from `#[tokio::test]` or whatever the store wants.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! sensock_store::conformance::run(async || sensock_store::MemoryStore::default()).await;
//! # }
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a suite of tests answers by panicking")]

use crate::history::History;
use crate::store::Store;

mod dropped;
pub mod fixture;
mod locks;
mod read_back;
mod round_trip;

pub use dropped::{a_dropped_transaction_leaves_nothing, a_dropped_wait_holds_no_lock};
pub use locks::{marks_are_locked, marks_come_in_the_order_asked_for};
pub use read_back::{latest_is_the_newest, range_pages_without_loss, range_takes_what_touches_the_span};
pub use round_trip::{names_are_told_apart, rows_come_back_as_they_went};

/// Runs every property, each on a store that `make` makes empty.
///
/// # Panics
/// If the store does not conform; the message says where.
pub async fn run<S: Store + History>(make: impl AsyncFn() -> S) {
    marks_are_locked(make().await).await;
    marks_come_in_the_order_asked_for(make().await).await;
    a_dropped_transaction_leaves_nothing(make().await).await;
    a_dropped_wait_holds_no_lock(make().await).await;
    rows_come_back_as_they_went(make().await).await;
    names_are_told_apart(make().await).await;
    latest_is_the_newest(make().await).await;
    range_takes_what_touches_the_span(make().await).await;
    range_pages_without_loss(make().await).await;
}
