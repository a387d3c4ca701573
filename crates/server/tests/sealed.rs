//! Sealed sessions of real devices with the real server, and those who sit between them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use catalog::{HUMIDITY, RELAY, TEMPERATURE};
use common::sealed::*;
use common::within;
use sensock::seal::{Credential, KeyId, NoEntropy};
use sensock_device::{Ended, Key};
use sensock_server::{End, History as _, MemoryStore, Outcome, Refusal, Server, Span};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

async fn once(server: &Server, id: &'static str, key: Key<'static>) -> (Ended, String, Arc<Mutex<Seen>>) {
    let (_device, mut runner) = board(id, key);
    let (io, seen) = line(server, |_, _| {});
    let ended = within(dial(&mut runner, io)).await;
    (ended, runner.said().to_string(), seen)
}

#[tokio::test(start_paused = true)]
async fn a_sealed_device_is_stored_and_obeys_and_nothing_of_it_is_read_on_the_way() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let (device, mut runner) = board("cellar-3", sealed(1));
    for n in 0..50 {
        device.record(&[TEMPERATURE.is(20.0 + n as f32), HUMIDITY.is(50.0)]).unwrap();
    }
    let (io, seen) = line(&server, |_, _| {});
    let network = tokio::spawn(async move { dial(&mut runner, io).await });
    let obey = tokio::spawn(async move {
        device.next_command().await.on(&RELAY, Ok).otherwise_refuse();
    });
    within(device.drain()).await;
    let ticket = server.device("cellar-3").command(&RELAY, true, Duration::from_secs(5)).await.unwrap();
    assert_eq!(within(ticket.outcome()).await, Outcome::Done(true));
    obey.await.unwrap();
    device.close();
    assert_eq!(within(network).await.unwrap(), Ended::Closed);
    assert_eq!(rows(&store, "cellar-3").await, (0..50).map(|n| 20.0 + f64::from(n)).collect::<Vec<_>>());

    let seen = seen.lock().unwrap();
    for words in ["cellar", "temperature", "Cel", "relay", "goodbye"] {
        for stream in [&seen.up, &seen.down] {
            assert!(
                !stream.windows(words.len()).any(|w| w == words.as_bytes()),
                "{words} is read on the way"
            );
        }
    }
    // Preface, length, kind, suite and key id are in clear, as SPEC 14 says.
    assert_eq!(seen.up[..4], sensock::deframe::PREFACE);
    let head = seen.up.windows(10).position(|w| w == [24, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert!(head.is_some_and(|at| at <= 6));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_and_an_unknown_one_are_refused_in_the_same_words() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    // The id of cellar-3's key with other secret bytes.
    let wrong = Credential { id: KeyId([1; 8]), key: key(9) };
    let wrong = Key::Sealed(Box::leak(Box::new(wrong)), random);
    let (ended, said, line) = once(&server, "cellar-3", wrong).await;
    assert_eq!(ended, Ended::Refused(Refusal::Unknown));
    assert!(said.contains("does not know this key"), "{said}");
    let (code, words) = refused(&mut events).await;
    assert!(code == Refusal::Unknown && words.contains("key 0101010101010101 of device cellar-3"), "{words}");

    let (ended, said_then, line_then) = once(&server, "cellar-3", sealed(7)).await;
    assert_eq!((ended, said_then), (Ended::Refused(Refusal::Unknown), said));
    assert_eq!(line.lock().unwrap().down, line_then.lock().unwrap().down, "to the byte");
    let (_, words) = refused(&mut events).await;
    assert!(words.contains("nobody here has the key 0707070707070707"), "{words}");
    assert!(store.devices().await.unwrap().is_empty(), "nothing was written");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_has_a_key_is_not_let_in_without() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let (ended, said, _) = once(&server, "cellar-3", Key::Insecure).await;
    assert_eq!(ended, Ended::Refused(Refusal::Unknown));
    assert!(said.contains("cannot connect without"), "{said}");
    assert!(refused(&mut events).await.1.contains("came without"));
    let (ended, _, _) = once(&server, "stranger", Key::Insecure).await;
    assert_eq!(ended, Ended::Refused(Refusal::Unknown));
    assert!(store.devices().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_says_one_name_only() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let (ended, said, _) = once(&server, "cellar-3", sealed(2)).await;
    assert_eq!(ended, Ended::Refused(Refusal::Unknown));
    assert_eq!(said, "this key belongs to another device than cellar-3");
    assert!(refused(&mut events).await.1.contains("key of device fan-1"));
    assert!(store.devices().await.unwrap().is_empty());
}

/// Says the same bytes again, and returns what was answered.
async fn replay(server: &Server, up: &[u8]) -> Vec<u8> {
    let (mut near, far) = tokio::io::duplex(1 << 16);
    let served = tokio::spawn(server.attach(far, "10.6.6.6:666"));
    near.write_all(up).await.unwrap();
    near.shutdown().await.unwrap();
    let mut answer = Vec::new();
    near.read_to_end(&mut answer).await.unwrap();
    within(served).await.unwrap();
    answer
}

#[tokio::test(start_paused = true)]
async fn who_replays_a_connection_takes_nothing_over_and_writes_nothing() {
    let store = MemoryStore::default();
    let (first_server, mut events) = server(&store).await;
    let (device, mut runner) = board("cellar-3", sealed(1));
    device.record(&[TEMPERATURE.is(20.0)]).unwrap();
    let (io, seen) = line(&first_server, |_, _| {});
    let network = tokio::spawn(async move { dial(&mut runner, io).await });
    within(device.drain()).await;
    let up = seen.lock().unwrap().up.clone();

    let answer = replay(&first_server, &up).await;
    assert!(answer.windows(10).any(|w| w == b"dial again"), "known again: refused, in clear");
    assert!(refused(&mut events).await.1.contains("came again"));
    // A server that was started meanwhile has seen none of it. It answers, and can be told nothing.
    let (second_server, mut others) = server(&store).await;
    let answer = replay(&second_server, &up).await;
    assert!(answer.len() > 50, "a Welcome that nobody can open");
    let before = store.connections(&name("cellar-3"), Span::ALL).await.unwrap();
    assert_eq!(before.len(), 1, "no connection came of it: {before:?}");
    let told = tokio::time::timeout(Duration::from_secs(60), others.next()).await;
    assert!(told.is_err(), "no takeover, no resumption, nothing: {told:?}");

    // The true device is connected all the while.
    device.record(&[TEMPERATURE.is(21.0)]).unwrap();
    within(device.drain()).await;
    device.close();
    assert_eq!(within(network).await.unwrap(), Ended::Closed);
    assert_eq!(rows(&store, "cellar-3").await, [20.0, 21.0]);
}

#[tokio::test(start_paused = true)]
async fn whoever_changes_a_byte_ends_the_connection_and_everything_is_stored_once() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let (device, mut runner) = board("cellar-3", sealed(1));
    let mut ends = Vec::new();
    let mut made = 0;
    // A place further on each time: in the first message, in the proof, in the catalogue, in records.
    for place in (0..900).step_by(29) {
        device.record(&[TEMPERATURE.is(made as f32)]).unwrap();
        made += 1;
        let (io, _) = line(&server, move |at, byte| *byte ^= u8::from(at == place));
        let drained = async {
            device.drain().await;
            device.close();
        };
        let (ended, _) = tokio::join!(within(dial(&mut runner, io)), async {
            tokio::select! { () = drained => {}, () = tokio::time::sleep(Duration::from_secs(40)) => {} }
        });
        ends.push(ended);
    }
    device.record(&[TEMPERATURE.is(made as f32)]).unwrap();
    made += 1;
    let (io, _) = line(&server, |_, _| {});
    let network = tokio::spawn(async move { dial(&mut runner, io).await });
    within(device.drain()).await;
    device.close();
    assert_eq!(within(network).await.unwrap(), Ended::Closed);
    assert!(ends.iter().filter(|e| **e != Ended::Closed).count() > 5, "{ends:?}");
    assert_eq!(rows(&store, "cellar-3").await, (0..made).map(f64::from).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_refused_that_anybody_may_have_said_keeps_a_device_away_for_a_minute_at_most() {
    let (_device, mut runner) = board("cellar-3", sealed(1));
    let (near, mut far) = tokio::io::duplex(4_096);
    let mallory = tokio::spawn(async move {
        let mut hello = [0; 64];
        far.read_exact(&mut hello).await.unwrap();
        let mut frame = [0; 64];
        let refused = sensock::wire::hello::Refused {
            code: Refusal::Version,
            backoff_ms: 3_600_000,
            versions: (9, 9),
            text: "version 9 required".into(),
        };
        let n = refused.encode(&mut frame).unwrap();
        far.write_all(&sensock::deframe::PREFACE).await.unwrap();
        far.write_all(&[&[n as u8], &frame[..n]].concat()).await.unwrap();
        far
    });
    assert_eq!(within(dial(&mut runner, near)).await, Ended::Refused(Refusal::Version));
    drop(mallory.await.unwrap());
    let began = Instant::now();
    runner.backoff().await;
    assert!(began.elapsed() <= Duration::from_secs(61), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn without_random_bytes_there_is_no_connection() {
    let key = Key::Sealed(Box::leak(Box::new(credential(1))), |_| Err(NoEntropy));
    let (_device, mut runner) = board("cellar-3", key);
    let (near, mut far) = tokio::io::duplex(64);
    assert_eq!(within(dial(&mut runner, near)).await, Ended::NoRandom);
    let mut said = Vec::new();
    far.read_to_end(&mut said).await.unwrap();
    assert!(said.is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_a_day_a_connection_makes_room_for_new_keys_and_nothing_is_lost() {
    let store = MemoryStore::default();
    let hourly = Duration::from_secs(3_600);
    let (server, _events) = keyed(&store, ring()).ping_interval(hourly).poll(hourly).start().await.unwrap();
    let (device, mut runner) = board("cellar-3", sealed(1));
    let (ends, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let network = tokio::spawn({
        let server = server.clone();
        async move {
            let began = Instant::now();
            loop {
                let (io, _) = line(&server, |_, _| {});
                let end = dial(&mut runner, io).await;
                ends.send((end, began.elapsed(), runner.said().to_string())).unwrap();
                if end == Ended::Closed {
                    return;
                }
                runner.backoff().await;
            }
        }
    });
    // Two and a half days, a record each ten minutes.
    for n in 0..6 * 60 {
        device.record(&[TEMPERATURE.is(n as f32 / 10.0)]).unwrap();
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    device.drain().await;
    device.close();
    network.await.unwrap();
    let mut last = Duration::ZERO;
    for _ in 0..2 {
        let (end, at, said) = ended.recv().await.unwrap();
        assert_eq!(
            (end, said.as_str()),
            (Ended::Bye(End::Closed), "a day has passed: come again at once, for new keys")
        );
        let took = at - last;
        assert!(took > 23 * hourly && took < 24 * hourly + 2 * hourly, "{took:?}");
        last = at;
    }
    assert_eq!(ended.recv().await.unwrap().0, Ended::Closed);
    assert_eq!(rows(&store, "cellar-3").await.len(), 360);
    assert!(store.gaps(&name("cellar-3"), Span::ALL).await.unwrap().is_empty());
}
