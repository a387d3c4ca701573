//! Merging old sheets changes where records lie, and nothing that is read.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use sensock::Position;
use sensock_sql::SqlStore;
use sensock_store::conformance::fixture::*;
use sensock_store::{
    Batch, Cursor, FeedItem, History as _, LaneId, NamedReading, Span, Store as _, Transaction as _,
};
use sensock_testkit::rng::Rng;

/// A record of each of these lanes at `n`, a second after the one before.
async fn commit(store: &SqlStore, lanes: &[LaneId], n: u32, records: u32) {
    let mut batch = Batch::default();
    for &lane in lanes {
        for n in n..n + records {
            let mut row = reading(lane, Position::new(1, n), n as i32 % 3_000);
            let at = NOON + i64::from(n) * 1_000_000;
            (row.not_before_us, row.not_after_us) = (Some(at), at + 1_000);
            batch.readings.push(row);
        }
        batch.marks.push((lane, Position::new(1, n + records - 1)));
    }
    let (mut tx, _) = store.begin(lanes).await.unwrap();
    tx.write(&batch).await.unwrap();
    tx.commit().await.unwrap();
}

/// All that can be read of these devices: all time, a stretch in the middle, the newest, and the feed.
async fn everything(store: &SqlStore, lanes: &[LaneId]) -> (Vec<Vec<NamedReading>>, Vec<FeedItem>) {
    let mut read = Vec::new();
    let middle = Span { from_us: NOON + 100_000_000, to_us: NOON + 160_000_000 };
    for lane in lanes {
        for span in [Span::ALL, middle] {
            read.push(store.range(&lane.device, span, None, usize::MAX).await.unwrap());
        }
        read.push(store.latest(&lane.device).await.unwrap());
    }
    let (mut cursor, mut fed) = (Cursor::default(), Vec::new());
    loop {
        let (items, next) = store.feed(&cursor, 500).await.unwrap();
        if items.is_empty() {
            return (read, fed);
        }
        fed.extend(items);
        cursor = next;
    }
}

#[tokio::test]
async fn what_was_merged_is_read_as_before() {
    for database in common::databases("merging sheets") {
        // Two programs: each remembers where lanes and sheets are.
        let stores = [database.store().await, database.store().await];
        let lanes: Vec<LaneId> = (0..90).map(|n| readings_lane(&format!("d{n:02}"))).collect();
        let mut n = 0;
        let mut rng = Rng::from_env_or_random("SENSOCK_SEED");
        let mut merged = 0;
        for round in 0..4 {
            for _ in 0..90 {
                // Large groups have sheets of their own, small ones share.
                let (first, some) = (rng.within(0..90) as usize, 1 + rng.within(0..90) as usize);
                let end = lanes.len().min(first + some);
                let records = 1 + rng.within(0..2) as u32;
                commit(&stores[rng.within(0..2) as usize], &lanes[first..end], n, records).await;
                n += records;
            }
            let looked_at = [&lanes[..2], &lanes[44..46], &lanes[88..]].concat();
            let before = everything(&stores[0], &looked_at).await;
            let read = before.0.iter().filter(|rows| !rows.is_empty()).count();
            assert!(read > before.0.len() / 2 && !before.1.is_empty(), "there is something to read");
            while let n @ 1.. = stores[round % 2].merge_sheets().await.unwrap() {
                merged += n;
                let store = &stores[rng.within(0..2) as usize];
                assert!(everything(store, &looked_at).await == before, "after {merged} sheets");
            }
        }
        assert_eq!(merged > 64, database.is_sqlite(), "{merged} sheets were merged");
        let count = database.sql("SELECT COUNT(*) FROM record").await;
        let written: u32 = database.sql("SELECT COUNT(*) FROM readings").await[0].parse().unwrap();
        assert_eq!(count[0].parse::<u32>().unwrap(), written);
    }
}
