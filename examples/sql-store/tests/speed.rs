//! How fast rows go in, as figures to look at; and that reading does not grow with what is stored.
//!
//! `cargo test --release -p sensock-sql --test speed -- --nocapture`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test, whose figures are printed")]

mod common;

use std::time::Instant;

use sensock::{Lane, Position};
use sensock_sql::SqlStore;
use sensock_store::conformance::fixture::*;
use sensock_store::{Batch, History as _, LaneId, ReadingRow, Span, Store as _, Transaction as _};

/// `records` records of two readings for each of these lanes, from `n` on.
fn batch(lanes: &[LaneId], n: u32, records: u32) -> Batch {
    let mut batch = Batch::default();
    for &lane in lanes {
        for n in n..n + records {
            let row = reading(lane, Position::new(1, n), 2_000 + (n % 100) as i32);
            batch.readings.push(row);
            batch.readings.push(ReadingRow { quantity: HUMIDITY, value: f64::from(row.raw) / 10.0, ..row });
        }
        batch.marks.push((lane, Position::new(1, n + records - 1)));
    }
    batch
}

async fn commit(store: &SqlStore, batch: &Batch) {
    let lanes: Vec<LaneId> = batch.marks.iter().map(|m| m.0).collect();
    let (mut tx, _) = store.begin(&lanes).await.unwrap();
    tx.write(batch).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn rows_a_second() {
    for database in common::databases("the SQL store's speed") {
        let store = database.store().await;
        let name = store.info().await.unwrap().name;
        let lanes: Vec<LaneId> = (0..100).map(|n| readings_lane(&format!("d{n:02}"))).collect();
        let catalogs = lanes.iter().map(|l| catalog(l.device, "suite 1")).collect();
        write(&store, Batch { catalogs, ..Batch::default() }).await;
        commit(&store, &batch(&lanes, 0, 1)).await;

        let mut one = f64::MAX;
        for n in 0..8 {
            let batch = batch(&lanes[..1], 1 + n * 5_000, 5_000);
            let begun = Instant::now();
            commit(&store, &batch).await;
            one = one.min(begun.elapsed().as_secs_f64());
        }
        let begun = Instant::now();
        for n in 0..50 {
            commit(&store, &batch(&lanes[1..], 1 + n, 1)).await;
        }
        let many = begun.elapsed().as_secs_f64();
        println!(
            "{name}: 10,000 rows of one lane in one transaction {:.0} rows/s (best of 8); 198 rows of 99 lanes a transaction {:.0} rows/s, \
             {:.2} ms each",
            10_000.0 / one,
            50.0 * 198.0 / many,
            many / 50.0 * 1e3
        );
        let count = database.sql("SELECT COUNT(*) FROM reading").await;
        assert_eq!(count, [(200 + 80_000 + 50 * 198).to_string()]);
        if database.is_sqlite() {
            let bytes =
                "SELECT SUM(pgsize) * 1.0 / (SELECT COUNT(*) FROM reading) FROM dbstat WHERE name = 'record'";
            println!("bytes a row in SQLite: {}", database.sql(bytes).await[0]);
        }
    }
}

/// Rare quantities and old firmware are found by a hint, and a stretch of time by bisection: neither walks through all rows.
#[tokio::test]
async fn reading_back_does_not_walk_through_all_rows() {
    for database in common::databases("the SQL store's reading back") {
        let store = database.store().await;
        let lane = readings_lane("cellar");
        let alarm = LaneId { lane: Lane::Alarm, ..lane };
        let mut first = batch(&[lane], 0, 1);
        first.catalogs.push(catalog(lane.device, "suite 1"));
        commit(&store, &first).await;
        // The humidity sensor breaks after a while; temperature goes on, in steps that meet every border of the hint.
        let mut n = 1;
        for size in [1, 255, 256, 257, 300, 9_000, 1, 3] {
            let mut next = batch(&[lane], n, size);
            if n > 500 {
                next.readings.retain(|r| r.quantity == TEMPERATURE);
            }
            commit(&store, &next).await;
            n += size;
            let latest = store.latest(&lane.device).await.unwrap();
            let by = |q| latest.iter().find(|r| r.row.quantity == q).unwrap().row.position.n();
            assert_eq!(by(TEMPERATURE), n - 1);
            assert_eq!(by(HUMIDITY), if n <= 769 { n - 1 } else { 512 }.min(n - 1), "after {n}");
        }
        let mut rung = reading(alarm, Position::new(1, 0), 9_000);
        (rung.not_before_us, rung.not_after_us) = (Some(NOON + 3_000_000_000), NOON + 3_000_000_000);
        write_readings(&store, vec![rung]).await;
        let span = Span { from_us: NOON + 3_000_000_000, to_us: NOON + 3_002_000_000 };
        let found = store.range(&lane.device, span, None, 100).await.unwrap();
        let at: Vec<(Lane, u32)> = found.iter().map(|r| (r.row.lane.lane, r.row.position.n())).collect();
        assert_eq!(
            at,
            [(Lane::Alarm, 0), (Lane::Readings, 3_000), (Lane::Readings, 3_001), (Lane::Readings, 3_002)]
        );
        let early = Span { from_us: i64::MIN, to_us: NOON - 1 };
        let found = store.range(&lane.device, early, None, 100).await.unwrap();
        assert_eq!(found.len(), 2, "position 0 may have been measured 10 ms before noon");
    }
}
