//! A recording of whole sealed sessions: what is in clear is what SPEC 14.9 lists, byte by byte, and nothing of the rest says anything.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::HashSet;
use std::time::Duration;

use catalog::{HUMIDITY, INTERVAL, RELAY, SETPOINT, TEMPERATURE};
use common::sealed::*;
use common::{until, within};
use sensock::deframe::{PREFACE, read_prefix};
use sensock::seal::TAG;
use sensock_device::Ended;
use sensock_server::{Event, MemoryStore, Outcome};

/// Both directions of a session with a catalogue, records, an alarm, a command and its reply, a question and its answer, a setting, and a goodbye.
async fn session() -> (Vec<u8>, Vec<u8>) {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let (device, mut runner) = board("cellar-3", sealed(1));
    for n in 0..200 {
        device.record(&[TEMPERATURE.is(20.0 + (n % 7) as f32), HUMIDITY.is(50.0)]).unwrap();
    }
    let (io, seen) = line(&server, |_, _| {});
    let network = tokio::spawn(async move { dial(&mut runner, io).await });
    let obey = tokio::spawn(async move {
        device.next_command().await.on(&RELAY, Ok).otherwise_refuse();
        device.setting(&INTERVAL).await
    });
    within(device.drain()).await;
    let ticket = server.device("cellar-3").command(&RELAY, true, Duration::from_secs(5)).await.unwrap();
    assert_eq!(within(ticket.outcome()).await, Outcome::Done(true));
    server.device("cellar-3").set(&INTERVAL, 77).await.unwrap();
    assert_eq!(within(obey).await.unwrap(), 77);
    let answered = tokio::spawn(async move {
        let asked = until(&mut events, |e| match e {
            Event::Asked(asked) => Some(asked),
            _ => None,
        });
        let _other = asked.await.with(&SETPOINT, |zone| Ok(zone as f32 + 0.5));
    });
    assert_eq!(within(device.ask(&SETPOINT, 3, Duration::from_secs(5))).await.unwrap(), 3.5);
    answered.await.unwrap();
    device.alarm(&[TEMPERATURE.is(99.0)]).unwrap();
    within(device.drain()).await;
    device.close();
    assert_eq!(within(network).await.unwrap(), Ended::Closed);
    let seen = seen.lock().unwrap();
    (seen.up.clone(), seen.down.clone())
}

/// What a stream gives away: everything that is in clear, and what is not, one piece a frame.
#[derive(Default)]
struct Read {
    clear: Vec<u8>,
    ephemeral: Vec<u8>,
    sealed: Vec<Vec<u8>>,
}

/// Reads a stream as whoever has no key does. Each byte is either one that SPEC 14.9 names or part of a sealed piece; the first frame begins with `head`.
fn read(mut stream: &[u8], head: usize) -> Read {
    let mut read = Read::default();
    let clear = |n: usize, stream: &mut &[u8]| {
        let (taken, rest) = stream.split_at(n);
        *stream = rest;
        taken.to_vec()
    };
    read.clear.extend(clear(PREFACE.len(), &mut stream));
    let mut first = true;
    while !stream.is_empty() {
        let (prefix, len) = read_prefix(stream, 16_383).unwrap().unwrap();
        // A length is in clear; it says nothing but itself, so it is left out here.
        clear(prefix, &mut stream);
        let mut rest = len;
        if std::mem::take(&mut first) {
            read.clear.extend(clear(head, &mut stream));
            read.ephemeral = clear(32, &mut stream);
            rest -= head + 32;
        }
        assert!(rest >= TAG, "whatever is not in clear has a tag");
        read.sealed.push(clear(rest, &mut stream));
    }
    read
}

/// Bits that are 1, and the chi-square of the bytes' frequencies, are those of random bytes: within six standard deviations.
fn assert_random(bytes: &[u8]) {
    let n = bytes.len() as f64;
    let ones: f64 = bytes.iter().map(|b| f64::from(b.count_ones())).sum();
    assert!((ones - 4.0 * n).abs() < 6.0 * (2.0 * n).sqrt(), "{ones} of {} bits are 1", 8 * bytes.len());
    let mut counts = [0.0; 256];
    bytes.iter().for_each(|b| counts[usize::from(*b)] += 1.0);
    let chi: f64 = counts.iter().map(|c: &f64| (c - n / 256.0).powi(2) / (n / 256.0)).sum();
    assert!((chi - 255.0).abs() < 6.0 * (2.0_f64 * 255.0).sqrt(), "chi-square {chi} of {n} bytes");
}

#[tokio::test(start_paused = true)]
async fn a_capture_contains_nothing_in_clear_but_what_the_specification_lists() {
    let (mut all, mut windows) = (Vec::new(), HashSet::new());
    let mut repeated = Vec::new();
    for _ in 0..6 {
        let (up, down) = session().await;
        let (up, down) = (read(&up, 10), read(&down, 1));
        // In clear: preface, kind, suite and key id; preface and kind.
        assert_eq!(up.clear, [&PREFACE[..], &[24, 1], &[1; 8]].concat());
        assert_eq!(down.clear, [&PREFACE[..], &[24]].concat());
        assert!(up.sealed[0].len() < 256 && up.sealed.len() > 6 && down.sealed.len() > 6, "a whole session");
        for piece in up.sealed.iter().chain(&down.sealed).chain([&up.ephemeral, &down.ephemeral]) {
            // The same content as in the session before, and not eight bytes of it are the same.
            repeated.extend(piece.windows(8).filter(|w| !windows.insert(w.to_vec())).map(<[u8]>::to_vec));
            all.extend(piece);
        }
    }
    assert!(repeated.is_empty(), "{repeated:02x?}");
    for words in ["cellar", "temperature", "Cel", "relay", "interval", "goodbye", "%RH"] {
        assert!(!all.windows(words.len()).any(|w| w == words.as_bytes()), "{words} is read on the way");
    }
    println!("{} sealed bytes of six sessions", all.len());
    assert!(all.len() > 5_000);
    assert_random(&all);
}

#[test]
fn what_is_not_random_is_found() {
    let text = include_str!("capture.rs").as_bytes();
    assert!(std::panic::catch_unwind(|| assert_random(text)).is_err());
    assert!(
        std::panic::catch_unwind(|| assert_random(&[0x0f; 8_192])).is_err(),
        "half of the bits, one byte"
    );
}
