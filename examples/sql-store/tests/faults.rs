//! Databases that fill up, go away, are waited for, and futures that are dropped.

mod common;

use std::future::{Future as _, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use sensock::{DeviceId, Lane, Position};
use sensock_sql::{HookTx, SqlError, SqlStore};
use sensock_store::conformance::fixture::*;
use sensock_store::{Batch, Cursor, Failure, FeedItem, History as _, LaneId, Store as _, Transaction as _};
use sensock_testkit::mariadb;

fn one(lane: LaneId, n: u32) -> Batch {
    Batch {
        catalogs: vec![catalog(lane.device, "suite 1")],
        readings: vec![reading(lane, Position::new(1, n), n as i32)],
        marks: vec![(lane, Position::new(1, n))],
        ..Batch::default()
    }
}

async fn try_write(store: &SqlStore, batch: &Batch) -> Result<(), SqlError> {
    let lanes: Vec<LaneId> = batch.marks.iter().map(|m| m.0).collect();
    let (mut tx, _) = store.begin(&lanes).await?;
    tx.write(batch).await?;
    tx.commit().await
}

/// Allows the file no page more while it is set.
#[derive(Clone, Default)]
struct Full(Arc<AtomicBool>);

impl sensock_sql::Hook for Full {
    async fn write(&self, tx: &mut HookTx<'_>, _: &Batch) -> Result<(), SqlError> {
        let pages = if self.0.load(Ordering::Relaxed) { 1 } else { 1 << 30 };
        tx.execute_text(format!("PRAGMA max_page_count = {pages}"), &[]).await.map(drop)
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_outlived() {
    let (store, _directory) = common::sqlite().await;
    let full = Full::default();
    let store = store.with_hook(full.clone());
    let lane = readings_lane("cellar");
    full.0.store(true, Ordering::Relaxed);
    try_write(&store, &one(lane, 0)).await.unwrap();
    let mut big = one(lane, 1);
    big.gaps = (0..2_000).map(|n| gap(lane, Position::new(2, n * 9), 3)).collect();
    for _ in 0..3 {
        let error = try_write(&store, &big).await.expect_err("no page is left");
        assert_eq!(store.failure(&error), Failure::Retry);
        let words = error.to_string();
        assert!(words.contains("plants.sqlite: the disk is full: make room"), "{words}");
    }
    full.0.store(false, Ordering::Relaxed);
    // A small one first: it takes the limit away.
    try_write(&store, &one(lane, 1)).await.unwrap();
    big.readings.clear();
    try_write(&store, &big).await.unwrap();
}

#[tokio::test]
async fn a_second_writer_waits_three_seconds_and_is_told() {
    for database in common::databases("the SQL store's locks") {
        // Two stores, as two programs have.
        let (a, b) = (database.store().await, database.store().await);
        let lane = readings_lane("cellar");
        let held = a.begin(&[lane]).await.unwrap();
        let begun = Instant::now();
        let error = b.begin(&[lane]).await.err().expect("the lane is held");
        let waited = begun.elapsed();
        assert!((Duration::from_millis(2_500)..Duration::from_secs(6)).contains(&waited), "{waited:?}");
        assert_eq!(b.failure(&error), Failure::Retry, "{error}");
        assert!(error.to_string().contains("for more than 3 s"), "{error}");
        drop(held);
        b.begin(&[lane]).await.expect("nobody holds it now");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_in_any_order_never_wait_for_each_other() {
    for database in common::databases("the SQL store's locks") {
        let lanes: Vec<LaneId> = (0..8).map(|n| readings_lane(&format!("d{n}"))).collect();
        let writers = (0..4u32).map(|w| {
            let (url, mut lanes) = (database.url.clone(), lanes.clone());
            if w % 2 == 1 {
                lanes.reverse();
            }
            tokio::spawn(async move {
                let store = SqlStore::open(&url).await.unwrap();
                for _ in 0..10 {
                    let (mut tx, marks) = store.begin(&lanes).await.unwrap();
                    let next = lanes.iter().zip(marks).map(|(l, m)| (*l, m.next())).collect();
                    tx.write(&Batch { marks: next, ..Batch::default() }).await.unwrap();
                    tx.commit().await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let (_tx, marks) = database.store().await.begin(&lanes).await.unwrap();
        assert_eq!(marks, vec![Position(40); 8], "no increment was lost");
    }
}

/// A fleet of ten thousand says hello at once: more lanes than a statement takes arguments.
#[tokio::test]
async fn a_transaction_holds_as_many_lanes_as_a_large_fleet_has() {
    let (store, _directory) = common::sqlite().await;
    let lanes: Vec<LaneId> = (0..33_000).map(|n| readings_lane(&format!("d{n:05}"))).collect();
    for n in 1..=2 {
        let (mut tx, marks) = store.begin(&lanes).await.unwrap();
        assert!(marks.iter().all(|mark| mark.0 == n - 1), "round {n}");
        let marks = lanes.iter().map(|lane| (*lane, Position(n))).collect();
        tx.write(&Batch { marks, ..Batch::default() }).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Drops a transaction's future after it was polled 0, 1, 2, … times: either all of it is there or nothing.
#[tokio::test]
async fn futures_dropped_at_any_await_leave_all_or_nothing() {
    for database in common::databases("the SQL store's dropped futures") {
        let store = database.store().await;
        let lane = readings_lane("cellar");
        let (mut next, mut dropped) = (0, 0);
        let mut polls = 0;
        while next < 10 {
            let batch = one(lane, next);
            let done = {
                let mut left = polls;
                let mut work = Box::pin(try_write(&store, &batch));
                poll_fn(|cx| {
                    if left == 0 {
                        return Poll::Ready(None);
                    }
                    left -= 1;
                    work.as_mut().poll(cx).map(Some)
                })
                .await
            };
            match done {
                Some(result) => result.unwrap(),
                None => dropped += 1,
            }
            polls += 1;
            let (tx, marks) = store.begin(&[lane]).await.unwrap();
            drop(tx);
            let rows = store.range(&lane.device, sensock_store::Span::ALL, None, 1_000).await.unwrap();
            let last = rows.last().map_or(Position::NONE, |r| r.row.position);
            assert_eq!(marks, [last], "mark and rows agree after {polls} polls");
            next = if last == Position::NONE { 0 } else { last.n() + 1 };
        }
        // The first was dropped unpolled; how many more there are depends on how fast the database answers.
        assert!(dropped >= 2, "no transaction was dropped in its middle");
    }
}

#[tokio::test]
async fn a_database_server_that_went_away_is_found_again() {
    let Some(server) = mariadb::private_or_skip("MariaDB going away") else { return };
    let store = SqlStore::open(&server.database().unwrap()).await.unwrap();
    let lane = readings_lane("cellar");
    try_write(&store, &one(lane, 0)).await.unwrap();
    let (mut tx, _) = store.begin(&[lane]).await.unwrap();
    tx.write(&one(lane, 1)).await.unwrap();
    server.kill();
    let error = tx.commit().await.expect_err("it is gone");
    assert_eq!(store.failure(&error), Failure::Retry, "{error}");
    let error = try_write(&store, &one(lane, 1)).await.expect_err("it is still gone");
    assert_eq!(store.failure(&error), Failure::Retry, "{error}");
    let words = error.to_string();
    assert!(
        words.contains("test_0") && (words.contains("not reachable") || words.contains("no connection")),
        "{words}"
    );
    server.restart().unwrap();
    let mut tries = 0;
    while let Err(error) = try_write(&store, &one(lane, 1)).await {
        assert_eq!(store.failure(&error), Failure::Retry, "{error}");
        tries += 1;
        assert!(tries < 10, "{error}");
    }
    assert_eq!(store.load(&lane.device).await.unwrap().marks[Lane::Readings.index()], Position::new(1, 1));
}

/// A reader that follows four writers sees every position of every lane once and in order.
#[tokio::test(flavor = "multi_thread")]
async fn the_feed_misses_nothing_while_others_commit() {
    for database in common::databases("the SQL store's feed") {
        let store = database.store().await;
        let writers = (0..4u32).map(|w| {
            let (store, lane) = (store.clone(), readings_lane(&format!("d{w}")));
            tokio::spawn(async move {
                for n in 0..40 {
                    let mut batch = one(lane, n * 3);
                    batch.gaps.push(gap(lane, Position::new(1, n * 3 + 1), 2));
                    batch.marks = vec![(lane, Position::new(1, n * 3 + 2))];
                    try_write(&store, &batch).await.unwrap();
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        let mut cursor = Cursor::default();
        let mut seen: std::collections::BTreeMap<DeviceId, u32> = Default::default();
        while seen.len() < 4 || seen.values().any(|n| *n < 120) {
            let (items, next) = store.feed(&cursor, 7).await.unwrap();
            for item in items {
                let (lane, first, last) = match item {
                    FeedItem::Record(rows) => (rows[0].lane, rows[0].position, rows[0].position),
                    FeedItem::Gap(gap) => (gap.lane, gap.first, gap.last),
                };
                let expected = seen.entry(lane.device).or_default();
                assert_eq!(first.n(), *expected, "{}", lane.device);
                *expected = last.n() + 1;
            }
            cursor = next;
            tokio::task::yield_now().await;
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(store.feed(&cursor, 7).await.unwrap(), (vec![], cursor));
    }
}
