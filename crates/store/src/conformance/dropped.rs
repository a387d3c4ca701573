//! A future or a transaction that is dropped was never there.

use futures_util::FutureExt as _;
use sensock::Position;

use super::fixture::*;
use crate::batch::Batch;
use crate::history::{Cursor, History};
use crate::store::{Resume, Store, Transaction};

/// What was written and not committed is not there, and the lane can be locked again.
pub async fn a_dropped_transaction_leaves_nothing<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    let at = Position::new(1, 0);
    let batch = Batch {
        marks: vec![(lane, at)],
        ended: vec![(lane, at)],
        readings: vec![reading(lane, at, 2345)],
        gaps: vec![gap(lane, Position::new(1, 1), 3)],
        devices: vec![device_row(lane.device, 1, 5)],
        boots: vec![boot(lane.device, 1)],
        catalogs: vec![catalog(lane.device, "suite 1")],
        connections: vec![connection(lane.device, 1)],
        commands: vec![command(lane.device, 1)],
        settings: vec![setting(lane.device, 1, 1)],
        ..Batch::default()
    };
    let (mut tx, _) = store.begin(&[lane]).await.expect("begin");
    tx.write(&batch).await.expect("write");
    drop(tx);
    let (tx, marks) = store.begin(&[lane]).await.expect("the dropped transaction's lock is gone");
    assert_eq!(marks, [Position::NONE]);
    drop(tx);
    assert_eq!(store.load(&lane.device).await.expect("load"), Resume::default());
    assert_eq!(store.devices().await.expect("devices"), []);
    assert_eq!(store.feed(&Cursor::default(), 100).await.expect("feed").0, []);
    write(&store, batch).await;
    assert_eq!(store.feed(&Cursor::default(), 100).await.expect("feed").0.len(), 2, "the same rows fit now");
}

/// A `begin` that is dropped while it waits does not keep the lane locked.
pub async fn a_dropped_wait_holds_no_lock<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    let (first, _) = store.begin(&[lane]).await.expect("begin");
    let waited = store.begin(&[lane]).now_or_never();
    assert!(waited.is_none(), "two transactions hold one lane");
    drop(first);
    let (mut tx, _) = store.begin(&[lane]).await.expect("nobody holds the lane now");
    tx.write(&Batch { marks: vec![(lane, Position::new(1, 0))], ..Batch::default() }).await.expect("write");
    tx.commit().await.expect("commit");
}
