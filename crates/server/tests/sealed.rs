//! Sealed sessions of real devices with the real server, and those who sit between them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use catalog::{HUMIDITY, RELAY, TEMPERATURE};
use common::sealed::*;
use common::within;
use sensock::seal::NoEntropy;
use sensock_device::{Ended, Key};
use sensock_server::{End, History as _, MemoryStore, Outcome, Span};
use tokio::io::AsyncReadExt as _;
use tokio::time::Instant;

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
async fn a_first_message_that_comes_a_byte_at_a_time_is_one_all_the_same() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let (device, mut runner) = board("cellar-3", sealed(1));
    device.record(&[TEMPERATURE.is(20.0), HUMIDITY.is(50.0)]).unwrap();
    let (near, far) = tokio::io::duplex(1);
    tokio::spawn(server.attach(far, "10.0.0.1:999"));
    tokio::spawn(async move { dial(&mut runner, near).await });
    within(device.drain()).await;
    assert_eq!(rows(&store, "cellar-3").await, [20.0]);
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
