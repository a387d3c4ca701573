//! Timeline 21: a retention job deletes rows. What is stored is known by the marks alone, which are no part of it.

mod common;

use sensock::Position;
use sensock_store::Store as _;
use sensock_store::conformance::fixture::*;
use sensock_store::conformance::work::*;

#[tokio::test(flavor = "multi_thread")]
async fn t21_deleted_rows_are_neither_missed_nor_stored_again() {
    for database in common::databases("the SQL store's retention") {
        let store = database.store().await;
        let lane = readings_lane("cellar");
        let p = |n| Position::new(3, n);
        done(&store, &[catalog_work(lane.device)]).await;
        met(&store, hello_work(&store, hello(lane.device, 3, 0), 70).await).await;
        assert_eq!(appended(&store, &records(lane, p(0), 20)).await.stored, 20);
        database.sql("DELETE FROM record").await;
        assert_eq!(database.sql("SELECT COUNT(*) FROM record").await, ["0"]);
        // The device comes back, and had not heard of the last ten.
        let mut again = hello(lane.device, 3, 70);
        let held = &mut again.lanes[lane.lane.index()];
        (held.floor, held.acked) = (p(10), p(9));
        let resumed = met(&store, hello_work(&store, again, 71).await).await;
        assert_eq!(resumed.identity.marks[lane.lane.index()], p(19), "the mark stands");
        assert!(resumed.gaps.is_empty(), "what was deleted on purpose is no gap: {:?}", resumed.gaps);
        let got = appended(&store, &records(lane, p(10), 15)).await;
        assert_eq!((got.stored, got.duplicates, got.mark), (5, 10, p(24)));
        assert_eq!(store.load(&lane.device).await.unwrap().marks[lane.lane.index()], p(24));
        let rows = database.sql("SELECT MIN(n), MAX(n) FROM readings").await;
        assert_eq!(rows, ["20|24"], "only what is new");
    }
}
