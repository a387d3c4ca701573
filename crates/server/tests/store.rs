//! A store that is slow, away, or says that it failed when it did not: nothing is lost, nothing is there twice, memory stays bounded.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::slow::Slow;
use common::*;
use sensock::Lane;
use sensock_server::*;
use sensock_store::memory::Point;

async fn slow_server(store: &Slow, limits: Limits) -> (Server, Events) {
    let begin = tokio::time::Instant::now();
    Server::builder(store.clone(), AnyDevice)
        .wall_clock(move || START_US + begin.elapsed().as_micros() as i64)
        .recheck_catalogs(0.0)
        .limits(limits)
        .start()
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_alarm_overtakes_the_backlog_of_a_slow_store() {
    let store = Slow::new();
    let mut limits = Limits::default();
    limits.group_rows = 200;
    let (server, _events) = slow_server(&store, limits).await;
    let boards: Vec<Board> = (0..10).map(|n| Board::new(&format!("d-{n}"), Some(1))).collect();
    let links: Vec<Link> = boards.iter().map(|b| b.connect(&server, "192.0.2.1:1")).collect();
    for board in &boards {
        board.heard(|s| matches!(s, Said::Connected { .. }).then_some(())).await;
        board.record(20.0, 50.0);
        board.drained().await;
    }
    store.take(400);
    store.knobs.order.lock().unwrap().clear();
    for board in &boards {
        for n in 0..400 {
            board.record(n as f32 / 10.0, 50.0);
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begin = tokio::time::Instant::now();
    boards[9].record_in(Lane::Alarm, 80.0, 50.0);
    let stored = boards[9].heard(|s| matches!(s, Said::Committed(Lane::Alarm, _)).then_some(()));
    stored.await;
    // The commit under way, and its own.
    assert!(begin.elapsed() <= Duration::from_millis(850), "{:?}", begin.elapsed());
    for board in &boards {
        board.drained().await;
    }
    let order = store.knobs.order.lock().unwrap().clone();
    let alarm = order.iter().position(|(lane, _)| *lane == Lane::Alarm).unwrap();
    assert!(alarm <= 2 && order.len() >= 10, "most of the backlog came after it: {order:?}");
    drop(links);
}

/// A backup is put back under a running server: the live connection must not ask for ever for what the device has let go of.
#[tokio::test(start_paused = true)]
async fn t04_a_store_that_goes_back_under_a_live_connection_is_met_again() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let board = Board::new("cellar-3", Some(1));
    let link = board.connect(&server, "192.0.2.1:1");
    board.record(1.0, 50.0);
    board.drained().await;
    let backup = store.snapshot();
    for n in 0..3 {
        board.record(n as f32, 50.0);
    }
    board.drained().await;
    store.restore(&backup);
    board.record(9.0, 50.0);
    within(link.ended()).await;
    let _link = board.connect(&server, "192.0.2.1:2");
    board.drained().await;
    let device = sensock::DeviceId::new("cellar-3").unwrap();
    let gaps = store.gaps(&device, Span::ALL).await.unwrap();
    let told: Vec<_> = gaps.iter().map(|g| (g.lane.lane, g.cause, g.count)).collect();
    assert_eq!(told, [(Lane::Readings, sensock::Cause::Store, Some(3))]);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_links_live_on_and_nothing_is_lost() {
    let store = Slow::new();
    let (server, mut events) = slow_server(&store, Limits::default()).await;
    let board = Board::new("cellar-3", Some(1));
    board.record(1.0, 50.0);
    let link = board.connect(&server, "192.0.2.1:1");
    board.drained().await;
    store.away(true);
    board.record(2.0, 50.0);
    let words = until(&mut events, |e| match e {
        Event::StoreAway { words } => Some(words),
        _ => None,
    });
    assert_eq!(words.await, "the database went away");
    // Two minutes: pings and the device's own probes are answered, the link stays.
    for _ in 0..120 {
        board.record(3.0, 50.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(matches!(server.device("cellar-3").state(), DeviceState::Connected { .. }));
    assert!(!board.log().iter().any(|s| matches!(s, Said::Down(_))), "{:?}", board.log());
    assert!(!board.outbox(|o| o.is_drained(Lane::Readings)), "nothing is acknowledged that is not stored");
    // Who dials meanwhile hears that it shall come back.
    let other = Board::new("attic-1", Some(1));
    other.connect(&server, "192.0.2.2:1").ended().await;
    assert!(matches!(&other.log()[0], Said::Refused { code: Refusal::Busy, backoff_ms: 5_000, .. }));
    store.away(false);
    let after = until(&mut events, |e| match e {
        Event::StoreBack { after_ms } => Some(after_ms),
        _ => None,
    });
    assert!(after.await >= 119_000);
    board.drained().await;
    let rows = store.inner.range(&board.id, Span::ALL, None, 1_000).await.unwrap();
    assert_eq!(rows.len(), 2 * 122);
    assert_eq!(store.inner.gaps(&board.id, Span::ALL).await.unwrap(), []);
    link.cut();
}

/// Boards fall to one of two committers: what holds of one holds of both, and the operator hears of the store once.
#[tokio::test(start_paused = true)]
async fn two_committers_lose_nothing_and_tell_of_the_store_once() {
    let store = Slow { writers: 2, ..Slow::new() };
    let (server, mut events) = slow_server(&store, Limits::default()).await;
    let boards: Vec<Board> = (0..8).map(|i| Board::new(&format!("cellar-{i}"), Some(1))).collect();
    let links: Vec<Link> = boards.iter().map(|board| board.connect(&server, "192.0.2.1:1")).collect();
    let mut recorded = 0;
    for (away, records) in [(false, 3), (true, 20), (false, 3)] {
        store.away(away);
        for n in 0..records {
            for board in &boards {
                board.record((recorded + n) as f32, 50.0);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        recorded += records;
    }
    for board in &boards {
        board.drained().await;
    }
    assert!(server.shutdown().await, "both had nothing left");
    let (mut away, mut back) = (0, 0);
    while let Some(event) = events.next().await {
        away += usize::from(matches!(event, Event::StoreAway { .. }));
        back += usize::from(matches!(event, Event::StoreBack { .. }));
    }
    assert_eq!((away, back), (1, 1));
    for board in &boards {
        let rows = store.inner.range(&board.id, Span::ALL, None, 1_000).await.unwrap();
        let first = rows.iter().map(|named| &named.row).filter(|row| row.quantity == 1);
        let stored = first.map(|row| row.value as usize);
        assert!(stored.eq(0..recorded), "{}: {rows:?}", board.id);
    }
    links.into_iter().for_each(Link::cut);
}

/// A database that hangs in the middle of a transaction gives no error for as long as its connection stands.
#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_in_a_commit_is_told_and_nothing_is_lost() {
    let store = Slow::new();
    let (server, mut events) = slow_server(&store, Limits::default()).await;
    let board = Board::new("cellar-3", Some(1));
    board.record(1.0, 50.0);
    let link = board.connect(&server, "192.0.2.1:1");
    board.drained().await;
    store.take(60_000);
    board.record(2.0, 50.0);
    let begin = tokio::time::Instant::now();
    let words = until(&mut events, |e| match e {
        Event::StoreAway { words } => Some(words),
        _ => None,
    });
    assert_eq!(words.await, "no answer for more than 10 s: it hangs, or is overloaded");
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    assert!(!board.outbox(|o| o.is_drained(Lane::Readings)), "nothing is acknowledged that is not stored");
    let after = until(&mut events, |e| match e {
        Event::StoreBack { after_ms } => Some(after_ms),
        _ => None,
    });
    assert!((45_000..55_000).contains(&after.await));
    board.drained().await;
    assert_eq!(store.inner.range(&board.id, Span::ALL, None, 10).await.unwrap().len(), 2 * 2);
    link.cut();
}

#[tokio::test(start_paused = true)]
async fn t17_a_commit_whose_outcome_is_unknown_is_run_again_and_stores_once() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let board = Board::new("cellar-3", Some(1));
    // The Hello, the catalogue, records, a command: each is committed, and each is said to have failed.
    store.fail_next(Point::Committed, Failure::Retry);
    store.fail_next(Point::Committed, Failure::Retry);
    store.fail_next(Point::Committed, Failure::Retry);
    for n in 0..50 {
        board.record(n as f32, 50.0);
    }
    let link = board.connect(&server, "192.0.2.1:1");
    board.drained().await;
    for point in [Point::Begin, Point::Write, Point::Commit, Point::Committed] {
        store.fail_next(point, Failure::Retry);
        let ticket =
            server.device("cellar-3").command(&catalog::RELAY, true, Duration::from_secs(60)).await.unwrap();
        store.fail_next(Point::Committed, Failure::Retry);
        assert_eq!(within(ticket.outcome()).await, Outcome::Done(true));
        board.record(100.0, 50.0);
        board.drained().await;
    }
    assert_eq!(board.relay().ran.len(), 4, "each once");
    assert_eq!(store.commands(&board.id, 100).await.unwrap().len(), 4);
    let rows = store.range(&board.id, Span::ALL, None, 1_000).await.unwrap();
    assert_eq!(rows.iter().filter(|r| r.row.lane.lane == Lane::Readings).count(), 2 * 54);
    assert_eq!(store.gaps(&board.id, Span::ALL).await.unwrap(), []);
    // One hiccup is no news.
    let mut seen = Vec::new();
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(1), events.next()).await {
        seen.push(event);
    }
    assert!(seen.iter().filter(|e| matches!(e, Event::Connected { .. })).count() == 1);
    link.cut();
}

#[tokio::test(start_paused = true)]
async fn credit_bounds_what_a_slow_store_makes_the_server_hold() {
    let store = Slow::new();
    let mut limits = Limits::default();
    limits.memory = 1 << 20;
    let (server, _events) = slow_server(&store, limits).await;
    let boards: Vec<Board> = (0..20).map(|n| Board::new(&format!("d-{n}"), Some(1))).collect();
    for board in &boards {
        for n in 0..900 {
            board.record((n * 7 % 100) as f32, (n * 13 % 90) as f32);
        }
    }
    store.take(2_000);
    let links: Vec<Link> = boards.iter().map(|b| b.connect(&server, "192.0.2.1:1")).collect();
    let mut most = 0;
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        most = most.max(server.waiting_bytes());
        if boards.iter().all(|b| b.outbox(|o| o.is_drained(Lane::Readings))) {
            break;
        }
    }
    // The limit, and one frame of each board, which may always be under way; without credit it would be 4 MB.
    println!("at most {most} B waited for the store, limit 1,048,576 and a frame each");
    assert!(most > 0 && most <= 2 << 20, "{most}");
    for board in &boards {
        board.drained().await;
        assert_eq!(store.inner.range(&board.id, Span::ALL, None, 10_000).await.unwrap().len(), 1_800);
    }
    drop(links);
}

#[tokio::test(start_paused = true)]
async fn t16_a_row_that_the_store_rejects_holds_up_nobody() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let boards = [Board::new("good", Some(1)), Board::new("bad", Some(1))];
    let links = boards.each_ref().map(|b| b.connect(&server, "192.0.2.1:1"));
    for board in &boards {
        board.record(1.0, 50.0);
        board.drained().await;
    }
    // The next transaction is rejected: the guilty record goes to quarantine.
    store.fail_next(Point::Write, Failure::Rejected);
    boards[1].record(2.0, 50.0);
    boards[1].drained().await;
    let gap = until(&mut events, |e| match e {
        Event::Gap(gap) => Some(gap),
        _ => None,
    });
    assert_eq!(gap.await.cause, sensock::Cause::Rejected);
    assert_eq!(store.quarantine(&boards[1].id).await.unwrap().len(), 1);
    for board in &boards {
        board.record(3.0, 50.0);
    }
    for board in &boards {
        board.drained().await;
    }
    drop(links);
}
