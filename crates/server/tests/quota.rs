//! A daily quota: it withholds credit and says so, and loses nothing.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::*;
use sensock::Lane;
use sensock_server::*;

const DAY_US: i64 = 86_400_000_000;
/// Two hours before a midnight.
const EVENING_US: i64 = (START_US / DAY_US + 1) * DAY_US - 7_200_000_000;

async fn rows(store: &MemoryStore, lane: Lane) -> usize {
    let id = DeviceId::new("cellar-3").unwrap();
    let all = store.range(&id, Span::ALL, None, 100_000).await.unwrap();
    all.iter().filter(|r| r.row.lane.lane == lane && r.name == "temperature").count()
}

#[tokio::test(start_paused = true)]
async fn over_its_quota_a_device_keeps_its_records_until_the_next_day() {
    let (store, mut limits) = (MemoryStore::default(), Limits::default());
    limits.daily_bytes = 2_000;
    let hourly = Duration::from_secs(3_600);
    let begin = tokio::time::Instant::now();
    let clock = move || EVENING_US + begin.elapsed().as_micros() as i64;
    let builder = builder(&store).wall_clock(clock).ping_interval(hourly).poll(hourly);
    let (server, mut events) = builder.limits(limits).start().await.unwrap();
    let board = Board::new("cellar-3", Some(1));
    let mut made = 0;
    let record = |n: usize| {
        for i in 0..n {
            // Values that do not compress: some ten bytes a record.
            let noise = (i * 7_919 % 997) as f32 / 10.0 - 20.0;
            board.record(noise.clamp(-40.0, 80.0), (i * 31 % 100) as f32);
        }
        n
    };
    let link = board.connect(&server, "192.0.2.1:1");
    // A stream of records, until the server has had enough.
    let mut until_us = None;
    while until_us.is_none() {
        made += record(20);
        assert!(made < 2_000, "it never had enough");
        let told = until(&mut events, |e| match e {
            Event::Quota { until_us, .. } => Some(until_us),
            _ => None,
        });
        until_us = tokio::time::timeout(Duration::from_secs(1), told).await.ok();
    }
    assert_eq!(until_us, Some(EVENING_US + 7_200_000_000));
    made += record(200);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let stored = rows(&store, Lane::Readings).await;
    assert!(stored > 50 && stored <= made - 200, "{stored} of {made}");
    assert!(!board.outbox(|o| o.is_drained(Lane::Readings)), "the device keeps the others");
    // An alarm goes past, and a new connection changes nothing.
    board.record_in(Lane::Alarm, 99.0, 1.0);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(rows(&store, Lane::Alarm).await, 1);
    link.cut();
    let _link = board.connect(&server, "192.0.2.1:2");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(rows(&store, Lane::Readings).await, stored);
    assert_eq!(server.waiting_bytes(), 0);
    // The next day all of it comes, within a ping.
    tokio::time::sleep(2 * hourly).await;
    board.drained().await;
    assert_eq!(rows(&store, Lane::Readings).await, made);
    assert!(store.gaps(&board.id, Span::ALL).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_device_over_its_quota_may_leave_sleep_and_be_shut_down() {
    let (store, mut limits) = (MemoryStore::default(), Limits::default());
    limits.daily_bytes = 1;
    let (server, mut events) = builder(&store).limits(limits).start().await.unwrap();
    let board = Board::new("cellar-3", Some(1));
    board.record(1.0, 1.0);
    let link = board.connect(&server, "192.0.2.1:1");
    board.drained().await;
    board.record(2.0, 1.0);
    until(&mut events, |e| matches!(e, Event::Quota { .. }).then_some(())).await;
    assert!(server.shutdown().await, "in time");
    within(link.ended()).await;
    assert!(!board.outbox(|o| o.is_drained(Lane::Readings)), "it was not acknowledged, so it is still there");
}
