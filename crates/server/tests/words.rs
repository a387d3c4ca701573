//! What a person reads when something dials that does not belong, or does not fit.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::*;
use sensock::deframe::PREFACE;
use sensock::wire::hello::{Hello, Refused};
use sensock::{CommandId, DeviceId, Lane, StoreId, Tag, Tick};
use sensock_server::*;
use tokio::io::AsyncWriteExt;

fn hello(id: &str) -> Hello {
    Hello {
        versions: (1, 1),
        features: 0,
        device: DeviceId::new(id).unwrap(),
        boot: Some(1),
        tag: Tag::NONE,
        pending_tag: Tag::NONE,
        tick: Tick(5),
        lanes: [Default::default(); Lane::COUNT],
        max_frame: 512,
        command_slots: 2,
        last_begun: CommandId(0),
        catalog: 1,
        settings: 0,
        store: StoreId(0),
        account: Default::default(),
    }
}

/// Sends these bytes to a server and returns what comes back, until it closes.
async fn say(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let (mut near, far) = tokio::io::duplex(8_192);
    let serving = tokio::spawn(server.attach(far, "192.0.2.7:1234"));
    near.write_all(bytes).await.unwrap();
    let answer = read_all(&mut near).await;
    drop(near);
    serving.await.unwrap();
    answer
}

fn refused(answer: &[u8]) -> Refused<'_> {
    assert_eq!(answer[..4], PREFACE);
    let (prefix, len) = sensock::deframe::read_prefix(&answer[4..], 256).unwrap().unwrap();
    let frame = &answer[4 + prefix..];
    assert_eq!((len, frame[0]), (frame.len(), 3), "one frame, and it is Refused");
    Refused::decode(&frame[1..]).unwrap()
}

#[tokio::test(start_paused = true)]
async fn other_protocols_are_told_in_their_own_words() {
    let (server, mut events) = server(&MemoryStore::default()).await;
    let table: [(&[u8], &str, &[u8]); 6] = [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "not HTTP", b"HTTP/1.1 421"),
        (
            b"GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\n\r\n",
            "Socket.IO client with EIO=3",
            b"HTTP/1.1 421",
        ),
        (b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03", "TLS handshake", b"\x15\x03"),
        (b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04abcd", "MQTT CONNECT", b"\x20\x02"),
        (b"\x00\x01\x02\x03\x04", "not sensock's preface", b""),
        (b"\xf5snX", "not sensock's preface", b""),
    ];
    for (bytes, words, answer) in table {
        let got = say(&server, bytes).await;
        assert!(got.starts_with(answer) && (answer.is_empty() == got.is_empty()), "{words}: {got:?}");
        let told = until(&mut events, |e| match e {
            Event::Foreign { peer, words } => Some((peer, words)),
            _ => None,
        });
        let (peer, told) = told.await;
        assert!(told.contains(words) && peer == "192.0.2.7:1234", "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_device_hears_no_and_the_operator_how_to_add_it() {
    let known = Listed([DeviceId::new("cellar-3").unwrap()].into());
    let begin = tokio::time::Instant::now();
    let clock = move || START_US + begin.elapsed().as_micros() as i64;
    let (server, mut events) =
        Server::builder(MemoryStore::default(), known).wall_clock(clock).start().await.unwrap();
    let stranger = Board::new("attic-1", Some(1));
    stranger.record(20.0, 50.0);
    stranger.connect(&server, "192.0.2.7:1234").ended().await;
    let (code, backoff_ms, text) = stranger
        .heard(|s| match s {
            Said::Refused { code, backoff_ms, text } => Some((*code, *backoff_ms, text.clone())),
            _ => None,
        })
        .await;
    assert_eq!((code, backoff_ms), (Refusal::Unknown, 300_000));
    assert_eq!(text, "this server does not know device attic-1: its operator must add it");
    let words = until(&mut events, |e| match e {
        Event::Refused { device: Some(device), words, .. } if *device == *"attic-1" => Some(words),
        _ => None,
    });
    assert!(
        words
            .await
            .contains("add its id to the list of devices that may connect (sensockd: a line \"attic-1\"")
    );
    let friend = Board::new("cellar-3", Some(1));
    friend.record(20.0, 50.0);
    let _link = friend.connect(&server, "192.0.2.8:1");
    friend.drained().await;
}

#[tokio::test(start_paused = true)]
async fn versions_that_do_not_overlap_are_both_named() {
    let (server, mut events) = server(&MemoryStore::default()).await;
    let mut frame = [0; 256];
    let len = Hello { versions: (2, 3), ..hello("new-1") }.encode(&mut frame).unwrap();
    let answer = say(&server, &[&PREFACE[..], &framed(&frame[..len])].concat()).await;
    let no = refused(&answer);
    assert_eq!((no.code, no.backoff_ms, no.versions), (Refusal::Version, 3_600_000, (1, 1)));
    assert_eq!(
        no.text,
        "this server speaks sensock wire versions 1 to 1, the device 2 to 3: update the server"
    );
    let words = until(&mut events, |e| match e {
        Event::Refused { code: Refusal::Version, words, .. } => Some(words),
        _ => None,
    });
    assert!(words.await.contains("the device 2 to 3"));
}

#[tokio::test(start_paused = true)]
async fn frames_that_are_too_long_or_of_an_unknown_kind_end_the_connection_with_words() {
    let (server, mut events) = server(&MemoryStore::default()).await;
    let answer = say(&server, &[&PREFACE[..], &[0xff, 0x7f, 1, 2]].concat()).await;
    assert!(refused(&answer).text.to_string().contains("longer than the announced limit"));
    let answer = say(&server, &[&PREFACE[..], &framed(&[29, 1])].concat()).await;
    assert!(refused(&answer).text.to_string().contains("unknown kind that must be understood"));
    // The same on a live connection: the device hears it in a Bye, nothing that was accepted is lost.
    for (wrong, words) in [(vec![0xff, 0x7f], "longer than"), (framed(&[29, 1]), "unknown kind")] {
        let board = Board::new("cellar-3", Some(1));
        let (near, mut far) = tokio::io::duplex(8_192);
        let (mut tap, inside) = tokio::io::duplex(8_192);
        tokio::spawn(server.attach(inside, "192.0.2.9:1"));
        board.record(20.0, 50.0);
        let link = board.dial(near);
        let pump = async { tokio::io::copy_bidirectional(&mut far, &mut tap).await };
        tokio::select! { _ = pump => {}, () = board.drained() => {} }
        tap.write_all(&wrong).await.unwrap();
        let pump = async { tokio::io::copy_bidirectional(&mut far, &mut tap).await };
        let ended = until(&mut events, |e| match e {
            Event::Disconnected { end: End::Protocol, reason, .. } => Some(reason),
            _ => None,
        });
        let reason =
            tokio::select! { _ = pump => panic!("closed without an event"), reason = ended => reason };
        assert!(reason.contains(words), "{reason}");
        link.cut();
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_server_and_one_without_a_clock_say_busy() {
    let mut limits = Limits::default();
    limits.connections = 1;
    let (server, _events) = builder(&MemoryStore::default()).limits(limits).start().await.unwrap();
    let first = Board::new("a", Some(1));
    let _link = first.connect(&server, "192.0.2.1:1");
    first.heard(|s| matches!(s, Said::Connected { .. }).then_some(())).await;
    let second = Board::new("b", Some(1));
    second.connect(&server, "192.0.2.2:1").ended().await;
    assert!(
        matches!(&second.log()[0], Said::Refused { code: Refusal::Busy, backoff_ms: 5_000, text } if text == "this server is full")
    );

    let (server, mut events) = Server::builder(MemoryStore::default(), AnyDevice)
        .wall_clock(|| 86_400_000_000)
        .start()
        .await
        .unwrap();
    let board = Board::new("c", Some(1));
    board.record(20.0, 50.0);
    board.connect(&server, "192.0.2.3:1").ended().await;
    assert!(
        matches!(&board.log()[0], Said::Refused { code: Refusal::Busy, text, .. } if text.contains("clock is not set"))
    );
    until(&mut events, |e| matches!(e, Event::Refused { code: Refusal::Busy, .. }).then_some(())).await;
    assert!(!board.outbox(|o| o.is_drained(Lane::Readings)), "nothing is stored as of 1970");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_is_given_up_and_counts_against_its_address() {
    let mut limits = Limits::default();
    limits.bad_handshakes = 2;
    let (server, _events) = builder(&MemoryStore::default()).limits(limits).start().await.unwrap();
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    for _ in 0..2 {
        let (near, far) = tokio::io::duplex(64);
        server.attach(far, "127.0.0.1:5").await;
        drop(near);
    }
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(listener, std::future::pending()).await }
    });
    let mut io = tokio::net::TcpStream::connect(address).await.unwrap();
    assert_eq!(read_all(&mut io).await, b"", "turned away at once");
    serving.abort();
}
