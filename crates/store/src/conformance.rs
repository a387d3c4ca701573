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

mod append;
mod commands;
mod dropped;
pub mod fixture;
mod hello;
mod loads;
mod locks;
mod read_back;
mod round_trip;
mod upserts;
pub mod work;

pub use append::{
    a_feed_misses_nothing, a_feed_of_some_devices_is_theirs, appending_again_changes_nothing,
    opposite_orders_do_not_block_each_other, poison_holds_up_nobody, steps_are_explained,
    two_servers_store_each_record_once,
};
pub use commands::{
    a_command_is_settled_once, an_idempotency_key_finds_the_first, command_numbers_are_given_once,
    settings_are_numbered,
};
pub use dropped::{a_dropped_transaction_leaves_nothing, a_dropped_wait_holds_no_lock};
pub use hello::{boots_follow_each_other, two_welcomes_for_one_boot};
pub use loads::{load_all_is_load_of_each, load_keeps_its_limits, load_reaches_back_to_the_lowest_mark};
pub use locks::{as_many_write_at_once_as_it_says, marks_are_locked, marks_come_in_the_order_asked_for};
pub use read_back::{latest_is_the_newest, range_pages_without_loss, range_takes_what_touches_the_span};
pub use round_trip::{names_are_told_apart, rows_come_back_as_they_went};
pub use upserts::a_later_row_replaces;

/// Runs every property, each on a store that `make` makes empty.
///
/// # Panics
/// If the store does not conform; the message says where.
pub async fn run<S: Store + History>(make: impl AsyncFn() -> S) {
    marks_are_locked(make().await).await;
    marks_come_in_the_order_asked_for(make().await).await;
    as_many_write_at_once_as_it_says(make().await).await;
    a_dropped_transaction_leaves_nothing(make().await).await;
    a_dropped_wait_holds_no_lock(make().await).await;
    rows_come_back_as_they_went(make().await).await;
    names_are_told_apart(make().await).await;
    a_later_row_replaces(make().await).await;
    load_keeps_its_limits(make().await).await;
    load_reaches_back_to_the_lowest_mark(make().await).await;
    load_all_is_load_of_each(make().await).await;
    latest_is_the_newest(make().await).await;
    range_takes_what_touches_the_span(make().await).await;
    range_pages_without_loss(make().await).await;
    appending_again_changes_nothing(make().await).await;
    steps_are_explained(make().await).await;
    two_servers_store_each_record_once(make().await).await;
    opposite_orders_do_not_block_each_other(make().await).await;
    poison_holds_up_nobody(make().await).await;
    a_feed_misses_nothing(make().await).await;
    a_feed_of_some_devices_is_theirs(make().await).await;
    boots_follow_each_other(make().await).await;
    two_welcomes_for_one_boot(make().await).await;
    command_numbers_are_given_once(make().await).await;
    an_idempotency_key_finds_the_first(make().await).await;
    a_command_is_settled_once(make().await).await;
    settings_are_numbered(make().await).await;
}
