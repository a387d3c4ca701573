//! Takeover, half-open connections, two boards with one identity, two servers over one store.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::*;
use sensock::{Lane, Position};
use sensock_server::*;

#[tokio::test(start_paused = true)]
async fn a_new_connection_takes_over_from_a_half_open_one_at_once() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let board = Board::new("cellar-3", Some(4));
    board.record(20.0, 50.0);
    let (near, far) = tokio::io::duplex(8_192);
    tokio::spawn(server.attach(far, "192.0.2.1:1"));
    let (kept, mut middle) = tokio::io::duplex(8_192);
    let mut near = near;
    let first = board.dial(kept);
    let pump = async { tokio::io::copy_bidirectional(&mut middle, &mut near).await };
    tokio::select! { _ = pump => {}, () = board.drained() => {} }
    // The link is half-open now: nothing is pumped, and the server does not know.
    first.cut();
    board.record(21.0, 50.0);
    let begin = tokio::time::Instant::now();
    let _second = board.connect(&server, "192.0.2.2:1");
    board.drained().await;
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    let (from, to) = until(&mut events, |e| match e {
        Event::Takeover { from, to, .. } => Some((from, to)),
        _ => None,
    })
    .await;
    assert_eq!((from.as_str(), to.as_str()), ("192.0.2.1:1", "192.0.2.2:1"));
    until(&mut events, |e| matches!(e, Event::Resumed { boot: 4, .. }).then_some(())).await;
    settle().await;
    let connections = store.connections(&board.id, Span::ALL).await.unwrap();
    let of = |peer: &str| connections.iter().find(|c| c.peer == peer).unwrap();
    assert_eq!(of("192.0.2.1:1").reason, "a newer connection from 192.0.2.2:1 took over");
    assert_eq!(of("192.0.2.2:1").to_us, None);
    assert!(
        matches!(server.device("cellar-3").state(), DeviceState::Connected { peer, .. } if peer == "192.0.2.2:1")
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_device_is_noticed_and_then_lost() {
    let store = MemoryStore::default();
    let (server, mut events) = builder(&store).ping_interval(Duration::from_secs(2)).start().await.unwrap();
    let board = Board::new("cellar-3", Some(4));
    board.record(20.0, 50.0);
    let link = board.connect(&server, "192.0.2.1:1");
    board.drained().await;
    // Pings keep an idle link alive.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(matches!(server.device("cellar-3").state(), DeviceState::Connected { .. }));
    link.cut();
    until(&mut events, |e| matches!(e, Event::Disconnected { end: End::Transport, .. }).then_some(())).await;
    assert_eq!(server.device("cellar-3").state(), DeviceState::Offline);
    let begin = tokio::time::Instant::now();
    until(&mut events, |e| matches!(e, Event::Lost { .. }).then_some(())).await;
    assert!((29..33).contains(&begin.elapsed().as_secs()));
    assert_eq!(server.device("cellar-3").state(), DeviceState::Lost);

    let (near, far) = tokio::io::duplex(8_192);
    let (kept, mut middle) = tokio::io::duplex(8_192);
    let mut near = near;
    tokio::spawn(server.attach(far, "192.0.2.1:2"));
    let _link = board.dial(kept);
    board.forget();
    let pump = async { tokio::io::copy_bidirectional(&mut middle, &mut near).await };
    let connected = board.heard(|s| matches!(s, Said::Connected { .. }).then_some(()));
    tokio::select! { _ = pump => {}, () = connected => {} }
    until_pumped(&mut middle, &mut near).await;
    let begin = tokio::time::Instant::now();
    until(&mut events, |e| matches!(e, Event::Disconnected { end: End::Silent, .. }).then_some(())).await;
    assert!(begin.elapsed() <= Duration::from_millis(5_100), "2.5 intervals: {:?}", begin.elapsed());
}

async fn until_pumped(a: &mut tokio::io::DuplexStream, b: &mut tokio::io::DuplexStream) {
    let pump = tokio::io::copy_bidirectional(a, b);
    let _timeout = tokio::time::timeout(Duration::from_millis(10), pump).await;
}

#[tokio::test(start_paused = true)]
async fn i1_a_copied_flash_image_is_diagnosed_and_the_connected_board_stays() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let original = Board::new("cellar-3", Some(5));
    original.record(20.0, 50.0);
    let link = original.connect(&server, "192.0.2.1:1");
    original.drained().await;
    link.cut();
    // The copy boots once more, and takes over as a reboot would.
    let copy = Board::new("cellar-3", Some(6));
    copy.record(99.0, 50.0);
    let _copy_link = copy.connect(&server, "192.0.2.66:1");
    copy.drained().await;
    // The original comes back with a tag that was superseded: that proves two boards.
    original.record(21.0, 50.0);
    original.connect(&server, "192.0.2.1:2").ended().await;
    let (code, backoff, text) = original
        .heard(|s| match s {
            Said::Refused { code, backoff_ms, text } => Some((*code, *backoff_ms, text.clone())),
            _ => None,
        })
        .await;
    assert_eq!((code, backoff), (Refusal::IdentityInUse, 300_000));
    assert!(text.contains("another board has the identity cellar-3"), "{text}");
    let (connected, refused) = until(&mut events, |e| match e {
        Event::Collision { connected, refused, .. } => Some((connected, refused)),
        _ => None,
    })
    .await;
    assert_eq!((connected.as_str(), refused.as_str()), ("192.0.2.66:1", "192.0.2.1:2"));
    copy.record(98.0, 50.0);
    copy.drained().await;
}

#[tokio::test(start_paused = true)]
async fn a_board_without_memory_is_numbered_by_the_server() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    for boot in 1..4 {
        let board = Board::new("esp-1", None);
        board.record(boot as f32, 50.0);
        let link = board.connect(&server, "192.0.2.1:1");
        board.drained().await;
        link.cut();
        let marks = store.load(&board.id).await.unwrap().marks;
        assert_eq!(marks[Lane::Readings.index()], Position::new(boot, 0));
    }
    let all = store.range(&Board::new("esp-1", None).id, Span::ALL, None, 100).await.unwrap();
    assert_eq!(
        all.iter().filter(|r| r.row.quantity == 1).map(|r| r.row.value).collect::<Vec<_>>(),
        [1.0, 2.0, 3.0]
    );
}

#[tokio::test(start_paused = true)]
async fn devices_hop_between_two_servers_over_one_store() {
    let store = MemoryStore::default();
    let servers = [server(&store).await.0, server(&store).await.0];
    let boards: Vec<Board> = (0..5).map(|n| Board::new(&format!("d-{n}"), Some(1))).collect();
    let mut sent = 0;
    for round in 0..40 {
        for (n, board) in boards.iter().enumerate() {
            for _ in 0..20 {
                board.record(round as f32, n as f32);
                sent += 1;
            }
            let link = board.connect(&servers[(round + n) % 2], "192.0.2.1:1");
            // Cut at any moment: before Welcome, in mid-stream, before the ack.
            for _ in 0..(round * 7 + n * 3) % 60 {
                tokio::task::yield_now().await;
            }
            link.cut();
        }
    }
    let mut stored = 0;
    for board in &boards {
        let _link = board.connect(&servers[0], "192.0.2.1:1");
        board.drained().await;
        let rows = store.range(&board.id, Span::ALL, None, 10_000).await.unwrap();
        let mut positions: Vec<Position> =
            rows.iter().filter(|r| r.row.quantity == 1).map(|r| r.row.position).collect();
        stored += positions.len();
        let n = positions.len();
        assert!(positions.is_sorted());
        positions.dedup();
        assert_eq!(positions.len(), n, "nothing twice");
        assert_eq!(store.gaps(&board.id, Span::ALL).await.unwrap(), []);
    }
    assert_eq!(stored, sent);

    // A command that one server stored reaches a device that the other one holds, and its outcome comes back.
    let _link = boards[0].connect(&servers[0], "192.0.2.1:1");
    let ticket =
        servers[1].device("d-0").command(&catalog::RELAY, true, Duration::from_secs(60)).await.unwrap();
    assert_eq!(within(ticket.outcome()).await, Outcome::Done(true));
    servers[1].device("d-0").set(&catalog::INTERVAL, 9).await.unwrap();
    boards[0].heard(|s| matches!(s, Said::Setting { body, .. } if body == &[9]).then_some(())).await;
}
