//! A feed: from memory while it keeps up, from the store where it does not, and each record once either way.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::*;
use sensock::{DeviceId, Lane, Position};
use sensock_server::*;

fn device(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap()
}

/// Reads until a lane has come to its end; each item follows the one before.
async fn read_to<H: History>(feed: &mut Feed<'_, H>, lane: LaneId, last: &mut Position, until: Position) {
    while *last < until {
        let items = tokio::time::timeout(Duration::from_secs(60), feed.next()).await.expect("more comes");
        for item in items.unwrap() {
            let of = item.lane().unwrap();
            assert_eq!(of.device, lane.device, "nothing of others");
            if of != lane {
                // A boot that ended without a word leaves a gap in each lane.
                continue;
            }
            let first = match &item {
                FeedItem::Record(rows) => rows[0].position,
                FeedItem::Gap(gap) => gap.first,
            };
            assert_eq!(first, last.next(), "in order, nothing missed, nothing twice");
            *last = item.last().unwrap();
        }
    }
    assert_eq!(*last, until);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_keeps_up_takes_what_is_committed_from_memory() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    // Whatever this feed tells, it has not from there.
    let empty = MemoryStore::default();
    let mut feed = server.feed_of(&empty, &[device("cellar-3")], Cursor::default());
    assert_eq!(feed.now().await.unwrap(), []);
    let (board, other) = (Board::new("cellar-3", Some(1)), Board::new("attic-6", Some(1)));
    let _links = (board.connect(&server, "192.0.2.1:1"), other.connect(&server, "192.0.2.1:2"));
    let lane = LaneId { device: device("cellar-3"), lane: Lane::Readings };
    let mut last = Position::new(1, 0).prev();
    // The boot begins behind positions that hold nothing, which a cursor has to pass.
    feed = server.feed_of(&empty, &[lane.device], Cursor { lanes: [(lane, last)].into() });
    assert_eq!(feed.now().await.unwrap(), []);
    for n in 1..=50 {
        board.record(n as f32, 50.0);
        other.record(n as f32, 50.0);
        board.drained().await;
        read_to(&mut feed, lane, &mut last, Position::new(1, n - 1)).await;
        assert!(feed.is_current());
    }
    // One that begins later has to ask, and is told that there is nothing.
    let mut later = server.feed_of(&empty, &[lane.device], Cursor { lanes: [(lane, last)].into() });
    assert!(tokio::time::timeout(Duration::from_secs(5), later.next()).await.is_err());
    board.record(0.0, 50.0);
    board.drained().await;
    read_to(&mut later, lane, &mut last, Position::new(1, 50)).await;
}

#[tokio::test(start_paused = true)]
async fn what_another_server_commits_and_what_a_hello_loses_come_in_their_places() {
    let store = MemoryStore::default();
    let ((one, _events), (two, _others)) = (server(&store).await, server(&store).await);
    let lane = LaneId { device: device("cellar-3"), lane: Lane::Readings };
    let mut feed = one.feed_of(&store, &[lane.device], Cursor::default());
    let mut last = Position::new(1, 0).prev();
    for boot in 1..=4 {
        let board = Board::new("cellar-3", Some(boot));
        for (n, at) in [&one, &two, &one, &one, &two].into_iter().enumerate() {
            let link = board.connect(at, "192.0.2.1:1");
            for _ in 0..10 {
                board.record(n as f32, 50.0);
                board.drained().await;
            }
            link.ask(Do::Close { ends_boot: false });
            link.ended().await;
            // Now and then it has fallen behind.
            if (boot as usize + n).is_multiple_of(2) {
                read_to(&mut feed, lane, &mut last, Position::new(boot, 10 * n as u32 + 9)).await;
            }
        }
    }
    read_to(&mut feed, lane, &mut last, Position::new(4, 49)).await;
    let cursor = feed.cursor().clone();
    assert!(tokio::time::timeout(Duration::from_secs(5), feed.next()).await.is_err(), "nothing comes twice");
    let mut again = two.feed_of(&store, &[lane.device], cursor);
    assert!(tokio::time::timeout(Duration::from_secs(5), again.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_before_a_moment_is_in_the_feed_after_it() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let lane = LaneId { device: device("cellar-3"), lane: Lane::Readings };
    let mut feed = server.feed_of(&store, &[lane.device], Cursor::default());
    let board = Board::new("cellar-3", Some(1));
    let _link = board.connect(&server, "192.0.2.1:1");
    let mut last = Position::new(1, 0).prev();
    let begin = tokio::time::Instant::now();
    for n in 0..20 {
        board.record(1.0, 2.0);
        board.drained().await;
        let now_us = START_US + begin.elapsed().as_micros() as i64;
        assert_eq!(server.stored_until_us(), now_us, "nothing waits");
        read_to(&mut feed, lane, &mut last, Position::new(1, n)).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
