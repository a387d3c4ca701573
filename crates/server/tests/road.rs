//! The whole road over real sockets and in memory: records down to the store, acknowledgements and commands back.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use catalog::{HUMIDITY, INTERVAL, RELAY, SETPOINT, TEMPERATURE};
use common::*;
use sensock::catalog::Shaped;
use sensock::{Lane, Position};
use sensock_server::*;

#[tokio::test]
async fn a_record_goes_from_a_device_over_tcp_into_the_store_and_is_acknowledged() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(listener, async { stopped.await.unwrap_or_default() }).await }
    });
    let board = Board::new("cellar-3", Some(1));
    for n in 0..100 {
        board.record(20.0 + n as f32 / 100.0, 50.0);
    }
    board.record_in(Lane::Alarm, 99.0, 50.0);
    let link = board.dial(tokio::net::TcpStream::connect(address).await.unwrap());
    board.drained().await;

    let all = store.range(&board.id, Span::ALL, None, 1_000).await.unwrap();
    assert_eq!(all.len(), 202);
    let first = all.iter().find(|r| r.row.lane.lane == Lane::Readings).unwrap();
    assert_eq!((first.name.as_str(), first.unit.as_str(), first.row.value), ("temperature", "Cel", 20.0));
    assert_eq!(first.row.position, Position::new(1, 0));
    for r in &all {
        let (lo, hi) = (r.row.not_before_us.unwrap(), r.row.not_after_us);
        assert!(lo <= hi && hi >= START_US && hi - lo < 5_000_000, "{lo} {hi}");
    }
    let rows = until(&mut events, |e| match e {
        Event::Stored { rows } => Some(rows),
        _ => None,
    });
    assert!(
        rows.await.iter().any(|r| r.quantity == TEMPERATURE.entry().id && r.value > 98.0),
        "the alarm is first"
    );

    drop(stop);
    serving.await.unwrap().unwrap();
    link.ended().await;
    let bye = board.log().into_iter().find_map(|s| match s {
        Said::Bye { retry_ms, text, .. } => Some((retry_ms, text)),
        _ => None,
    });
    let (retry_ms, text) = bye.expect("a server that moves says so");
    assert!(retry_ms == 2_000 && text.contains("moving"), "{retry_ms} {text}");
    let connections = store.connections(&board.id, Span::ALL).await.unwrap();
    assert_eq!(connections.len(), 1);
    assert!(connections[0].to_us.is_some() && connections[0].records == 101, "{connections:?}");
    let boots = store.boots(&board.id).await.unwrap();
    assert_eq!(boots[0].firmware, "cellar-node 1.4.0");
}

#[tokio::test(start_paused = true)]
async fn commands_settings_and_questions_go_both_ways() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let board = Board::new("fan-1", Some(1));
    let link = board.connect(&server, "10.0.0.1:999");
    board.heard(|s| matches!(s, Said::Connected { .. }).then_some(())).await;

    let ticket =
        server.device("fan-1").command(&RELAY, true, Duration::from_secs(5)).issuer("test").await.unwrap();
    assert_eq!(within(ticket.outcome()).await, Outcome::Done(true));
    assert_eq!(within(ticket.outcome()).await, Outcome::Done(true), "may be asked again");
    let now = server.device("fan-1").read_now().await.unwrap();
    assert_eq!(within(now.outcome()).await, Outcome::Done(7));
    let text = server.device("fan-1").command_text("relay", "off", Duration::from_secs(5)).await.unwrap();
    assert_eq!(within(text.outcome()).await, Outcome::Done("false".to_owned()));
    let unknown =
        server.device("fan-1").command_text("rellay", "off", Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(unknown.to_string(), "device fan-1 has no command called \"rellay\"; it has: relay, read-now");
    let bad = server.device("fan-1").set_text("interval-s", "ten").await.unwrap_err();
    assert_eq!(bad.to_string(), "\"ten\" is not u32: field 1 is not of type u32");

    let row = server.device("fan-1").set(&INTERVAL, 60).await.unwrap();
    assert_eq!(row.revision, 1);
    let applied = until(&mut events, |e| match e {
        Event::Applied(row) => Some(row),
        _ => None,
    });
    assert!(applied.await.applied_us.is_some());
    assert!(board.log().contains(&Said::Setting { key: INTERVAL.key(), body: vec![60] }));

    let mut body = [0; 8];
    let n = 3u32.encode(&mut body).unwrap();
    link.ask(Do::Ask { key: SETPOINT.key(), body: body[..n].to_vec() });
    let asked = until(&mut events, |e| match e {
        Event::Asked(asked) => Some(asked),
        _ => None,
    });
    let asked = asked.await.with(&RELAY, |_| Ok(true)).expect_err("another question comes back");
    asked.with(&SETPOINT, |zone| Ok(if zone == 3 { 18.5 } else { 21.0 })).unwrap();
    let answer = board.heard(|s| match s {
        Said::Answer(1, Ok(body)) => f32::decode(body),
        _ => None,
    });
    assert_eq!(answer.await, 18.5);
    link.ask(Do::Ask { key: 77, body: vec![] });
    let refused = board.heard(|s| {
        matches!(s, Said::Answer(2, Err(code)) if *code == sensock::limits::REFUSED_UNKNOWN).then_some(())
    });
    until(&mut events, |e| matches!(e, Event::Asked(_)).then_some(())).await;
    refused.await;
    assert_eq!(HUMIDITY.entry().id, 2);
}

#[tokio::test(start_paused = true)]
async fn a_message_transport_carries_the_same_frames() {
    use tokio_util::codec::Framed;
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let board = Board::new("cellar-3", Some(1));
    for n in 0..500 {
        board.record(n as f32 / 10.0, 50.0);
    }
    let (near, far) = tokio::io::duplex(4_096);
    tokio::spawn(server.attach_frames(Framed::new(far, SensockCodec::new()), "192.0.2.1:1"));
    let _link = board.dial(near);
    board.drained().await;
    assert_eq!(store.range(&board.id, Span::ALL, None, 10_000).await.unwrap().len(), 1_000);
    let ticket = server.device("cellar-3").command(&RELAY, true, Duration::from_secs(5)).await.unwrap();
    assert_eq!(within(ticket.outcome()).await, Outcome::Done(true));
    assert!(server.disconnect(&board.id));
    let bye = board.heard(|s| match s {
        Said::Bye { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert_eq!(bye.await, "the server's operator ended this connection");
}
