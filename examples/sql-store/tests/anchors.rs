//! Anchors of boots that nothing waits for any more go, but for the last of them: it bounds what follows from below. For a crowd as for one.

mod common;

use std::collections::BTreeMap;

use sensock::{Position, Tick};
use sensock_store::conformance::fixture::*;
use sensock_store::conformance::work::*;
use sensock_store::work::Work;
use sensock_store::{AnchorRow, Store as _};

/// More devices than share one statement.
const DEVICES: usize = 37;
const BOOTS: u32 = 6;
/// A device that still holds records of this boot has use for the anchors from the boot before on.
const HELD: u32 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn of_a_crowd_each_device_keeps_the_anchors_that_it_has_use_for() {
    for database in common::databases("the SQL store's anchors") {
        let store = database.store().await;
        let devices: Vec<_> = (0..DEVICES).map(|i| device(&format!("board-{i}"))).collect();
        let is_slow = |i: usize| i.is_multiple_of(5);
        for d in &devices {
            done(&store, &[catalog_work(*d)]).await;
        }
        for boot in 1..=BOOTS {
            let mut works = Vec::new();
            for (i, &d) in devices.iter().enumerate() {
                let mut said = hello(d, boot, 0);
                if is_slow(i) && boot > HELD {
                    let held = &mut said.lanes[2];
                    (held.floor, held.acked) = (Position::new(HELD, 4), Position::new(HELD, 3));
                }
                let mut work = hello_work(&store, said, u64::from(boot) * 100 + i as u64).await;
                let offset = NOON + i64::from(boot) * 1_000_000;
                let (lo_us, hi_us) = (offset - 9_000, offset + 9_000);
                work.anchor = Some(AnchorRow { device: d, boot, tick: Tick(5_000), lo_us, hi_us, server: 1 });
                works.push(Work::Hello(Box::new(work)));
            }
            assert!(done(&store, &works).await.iter().all(Result::is_ok));
        }
        let rows = database.sql("SELECT device, boot FROM anchor ORDER BY device, boot").await;
        let mut left: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (device, boot) in rows.iter().filter_map(|row| row.split_once('|')) {
            left.entry(device).or_default().push(boot);
        }
        for (i, d) in devices.iter().enumerate() {
            let wanted: &[&str] = if is_slow(i) { &["1", "2", "3", "4", "5", "6"] } else { &["4", "5", "6"] };
            assert_eq!(left[d.as_str()], wanted, "{d}");
            assert_eq!(store.load(d).await.unwrap().boots.len(), if is_slow(i) { 6 } else { 3 });
        }
    }
}
