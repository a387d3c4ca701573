//! Sleepers, shutdown, readers that lag, tickets: the life around the records.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use catalog::{INTERVAL, RELAY};
use common::slow::Slow;
use common::*;
use sensock::{Lane, Position};
use sensock_server::*;
use sensock_store::CommandRow;
use sensock_store::append::commit;
use sensock_store::work::{CommandWork, Work};

#[tokio::test(start_paused = true)]
async fn t39_a_sleeper_gets_its_command_when_it_wakes_and_is_lost_only_when_it_does_not() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let board = Board::new("bog-7", Some(1));
    board.record(4.0, 99.0);
    let link = board.connect(&server, "192.0.2.1:1");
    board.drained().await;
    link.ask(Do::Sleep { for_ms: 600_000, ends_boot: true });
    link.ended().await;
    assert!(
        board.log().iter().any(|s| matches!(s, Said::Bye { reason: End::Slept, .. })),
        "{:?}",
        board.log()
    );
    let until_us = until(&mut events, |e| match e {
        Event::Asleep { until_us, .. } => Some(until_us),
        _ => None,
    })
    .await;
    assert_eq!(server.device("bog-7").state(), DeviceState::Asleep { until_us });
    let handle = server.device("bog-7");
    let ticket = handle.command(&RELAY, true, Duration::from_secs(3_600)).await.unwrap();
    let stale = handle.command(&RELAY, false, Duration::from_secs(3_600)).await.unwrap();
    let short = handle.read_now().await.unwrap();
    assert_eq!(
        within(ticket.outcome()).await,
        Outcome::Undeliverable,
        "a newer one of its key took its place"
    );
    assert_eq!(within(short.outcome()).await, Outcome::Expired, "60 s are less than its sleep");
    handle.set(&INTERVAL, 30).await.unwrap();

    tokio::time::sleep(Duration::from_secs(530)).await;
    let awake = Board::new("bog-7", Some(2));
    awake.record(5.0, 99.0);
    let link = awake.connect(&server, "192.0.2.1:2");
    assert_eq!(within(stale.outcome()).await, Outcome::Done(false));
    awake.heard(|s| matches!(s, Said::Setting { body, .. } if body == &[30]).then_some(())).await;
    let pending = awake.heard(|s| match s {
        Said::Connected { pending, .. } => Some(*pending),
        _ => None,
    });
    assert_eq!(pending.await, 2, "one command and one setting wait");
    awake.drained().await;
    assert_eq!(
        store.gaps(&board.id, Span::ALL).await.unwrap(),
        [],
        "a boot that ended in order leaves no gap"
    );

    link.ask(Do::Sleep { for_ms: 600_000, ends_boot: true });
    link.ended().await;
    let begin = tokio::time::Instant::now();
    until(&mut events, |e| matches!(e, Event::Lost { .. }).then_some(())).await;
    let waited = begin.elapsed().as_secs();
    assert!((690..=692).contains(&waited), "wake + 10 % + 30 s: {waited}");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_commits_and_acknowledges_all_that_was_received() {
    let store = Slow::new();
    let begin = tokio::time::Instant::now();
    let (server, _events) = Server::builder(store.clone(), AnyDevice)
        .wall_clock(move || START_US + begin.elapsed().as_micros() as i64)
        .shutdown_times(Duration::from_secs(3), Duration::from_secs(60))
        .start()
        .await
        .unwrap();
    let boards: Vec<Board> = (0..5).map(|n| Board::new(&format!("d-{n}"), Some(1))).collect();
    let links: Vec<Link> = boards.iter().map(|b| b.connect(&server, "192.0.2.1:1")).collect();
    for board in &boards {
        board.record(1.0, 1.0);
        board.drained().await;
        board.forget();
    }
    store.take(700);
    for board in &boards {
        for n in 0..300 {
            board.record(n as f32 / 10.0, 50.0);
        }
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(server.shutdown().await, "in time");
    for (board, link) in boards.iter().zip(links) {
        link.ended().await;
        let bye = board
            .log()
            .iter()
            .any(|s| matches!(s, Said::Bye { retry_ms: 3_000, text, .. } if text.contains("moving")));
        assert!(bye, "{:?}", board.log());
        // What is acknowledged is what is stored, to the record.
        let acked = board.outbox(|o| o.acked(Lane::Readings));
        let stored = store.inner.load(&board.id).await.unwrap().marks[Lane::Readings.index()];
        assert_eq!(acked, stored);
        assert!(stored > Position::new(1, 1), "something was on its way: {stored}");
    }
    let (near, far) = tokio::io::duplex(64);
    server.attach(far, "192.0.2.9:1").await;
    drop(near);
    let refused = server.device("d-0").command(&RELAY, true, Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(refused, CommandError::Busy);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_with_a_store_that_is_away_is_bounded_and_acknowledges_nothing() {
    let store = Slow::new();
    let begin = tokio::time::Instant::now();
    let (server, mut events) = Server::builder(store.clone(), AnyDevice)
        .wall_clock(move || START_US + begin.elapsed().as_micros() as i64)
        .start()
        .await
        .unwrap();
    let board = Board::new("d-0", Some(1));
    let _link = board.connect(&server, "192.0.2.1:1");
    board.record(1.0, 1.0);
    board.drained().await;
    store.away(true);
    board.record(2.0, 1.0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begin = tokio::time::Instant::now();
    assert!(!server.shutdown().await);
    assert!(begin.elapsed() <= Duration::from_secs(11));
    assert_eq!(board.outbox(|o| o.acked(Lane::Readings)), Position::new(1, 0));
    drop(server);
    within(async { while events.next().await.is_some() {} }).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_nobody_holds_any_more_ends() {
    let (server, mut events) = server(&MemoryStore::default()).await;
    let board = Board::new("d-0", Some(1));
    let link = board.connect(&server, "192.0.2.1:1");
    drop(server);
    board.record(1.0, 1.0);
    board.drained().await;
    link.cut();
    within(async { while events.next().await.is_some() {} }).await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_of_events_that_never_reads_holds_up_nothing() {
    let store = MemoryStore::default();
    let mut limits = Limits::default();
    limits.events = 8;
    let (server, mut events) = builder(&store).limits(limits).start().await.unwrap();
    let board = Board::new("cellar-3", Some(1));
    let _link = board.connect(&server, "192.0.2.1:1");
    for n in 0..200 {
        board.record(n as f32, 50.0);
        board.drained().await;
    }
    let Some(Event::Missed(missed)) = events.next().await else { panic!("something was missed") };
    assert!(missed >= 190);
    // The store has all of it, and the feed tells without loss.
    let mut feed = server.feed(&store, Cursor::default());
    let mut records = 0;
    while records < 200 {
        records += feed.next().await.unwrap().iter().filter(|i| matches!(i, FeedItem::Record(_))).count();
    }
    assert_eq!(records, 200);
    let cursor = feed.cursor().clone();
    let mut later = server.feed(&store, cursor);
    let waiting = tokio::time::timeout(Duration::from_secs(60), later.next()).await;
    assert!(waiting.is_err(), "nothing comes twice");
    board.record(1.0, 1.0);
    assert_eq!(later.next().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn t48_a_command_asked_for_twice_is_one_command() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let board = Board::new("fan-1", Some(1));
    let link = board.connect(&server, "192.0.2.1:1");
    board.heard(|s| matches!(s, Said::Connected { .. }).then_some(())).await;
    let ask =
        || server.device("fan-1").command(&RELAY, true, Duration::from_secs(60)).idempotency_key("order-17");
    let first = ask().await.unwrap();
    assert_eq!(within(first.outcome()).await, Outcome::Done(true));
    let second = ask().await.unwrap();
    assert_eq!((second.id, second.outcome().await), (first.id, Outcome::Done(true)));
    assert_eq!(board.relay().ran.len(), 1);
    let again = server.device("fan-1").ticket::<bool>(first.id).await.unwrap();
    assert_eq!(within(again.outcome()).await, Outcome::Done(true));
    let none = server.device("fan-1").ticket::<bool>(99).await.unwrap_err();
    assert_eq!(none.to_string(), "there is no command 99 for this device");
    let name = server.device("no such name").read_now().await.unwrap_err();
    assert!(name.to_string().contains("letters, digits"));
    link.cut();
}

#[tokio::test(start_paused = true)]
async fn t43_a_command_that_a_dead_boot_had_begun_is_unknown_and_never_runs_again() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let board = Board::new("fan-1", Some(1));
    board.relay().hold = true;
    let link = board.connect(&server, "192.0.2.1:1");
    board.heard(|s| matches!(s, Said::Connected { .. }).then_some(())).await;
    let ticket = server.device("fan-1").command(&RELAY, true, Duration::from_secs(60)).await.unwrap();
    board.heard(|s| matches!(s, Said::Command { .. }).then_some(())).await;
    link.cut();
    // Brown-out: the same board, without its memory.
    let reborn = Board::new("fan-1", Some(2));
    let _link = reborn.connect(&server, "192.0.2.1:2");
    assert_eq!(within(ticket.outcome()).await, Outcome::Unknown);
    assert!(reborn.relay().ran.is_empty());
}

/// Two servers: the one that still holds a dead connection marks the command as sent and writes it to nobody. The one that the device lives at
/// must not wait for the next Hello.
#[tokio::test(start_paused = true)]
async fn a_command_that_left_on_another_servers_dead_connection_is_sent_again() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let board = Board::new("fan-1", Some(1));
    let _link = board.connect(&server, "192.0.2.1:1");
    board.heard(|s| matches!(s, Said::Connected { .. }).then_some(())).await;
    settle().await;
    let device = sensock::DeviceId::new("fan-1").unwrap();
    let far = 4_000_000_000_000_000;
    let row = CommandRow {
        device,
        id: Default::default(),
        key: RELAY.entry().key,
        name: "relay".to_owned(),
        policy: sensock::catalog::Policy::Once,
        body: vec![1],
        issuer: "the other server".to_owned(),
        idempotency_key: None,
        keep_all: true,
        created_us: 1,
        deadline_us: far,
        state: CommandState::Queued,
        answer: vec![],
        settled_us: None,
    };
    let sent = CommandWork::Sent {
        device,
        id: sensock::CommandId(1),
        boot: 1,
        after: Default::default(),
        now_us: 1,
    };
    let works = [Work::Command(CommandWork::New(Box::new(row))), Work::Command(sent)];
    assert!(commit(&store, &works).await.unwrap().iter().all(Result::is_ok));
    let ticket = server.device("fan-1").ticket::<bool>(1).await.unwrap();
    assert_eq!(within(ticket.outcome()).await, Outcome::Done(true));
    assert_eq!(board.relay().ran.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn commands_go_down_in_order_and_no_more_than_the_device_has_room_for() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let board = Board::new("fan-1", Some(1));
    board.relay().hold = true;
    let slots = board.outbox(|o| o.command_slots()) as usize;
    let link = board.connect(&server, "192.0.2.1:1");
    board.heard(|s| matches!(s, Said::Connected { .. }).then_some(())).await;
    let mut tickets = Vec::new();
    for n in 0..20 {
        let handle = server.device("fan-1");
        tickets.push(handle.command(&RELAY, n % 2 == 0, Duration::from_secs(600)).keep_all().await.unwrap());
    }
    settle().await;
    assert_eq!(board.relay().ran.len(), slots);
    // Answers make room for the next.
    board.relay().hold = false;
    for id in 1..=slots as u32 {
        link.ask(Do::Reply { id, body: vec![1] });
    }
    for (n, ticket) in tickets.iter().enumerate() {
        let expected = if n < slots { true } else { n % 2 == 0 };
        assert_eq!(within(ticket.outcome()).await, Outcome::Done(expected), "{n}");
    }
    assert_eq!(tickets.iter().map(|t| t.id).collect::<Vec<_>>(), (1..=20).collect::<Vec<u64>>());
    let too_many = async {
        link.cut();
        loop {
            let handle = server.device("fan-1");
            if let Err(error) = handle.command(&RELAY, true, Duration::from_secs(600)).keep_all().await {
                return error;
            }
        }
    };
    assert!(too_many.await.to_string().contains("64 commands wait for this device already"));
}
