//! The first two messages: said again, made again, never finished, too long, or by two boards.

use std::time::Duration;

use catalog::TEMPERATURE;
use sensock::deframe::PREFACE;
use sensock::seal::NoEntropy;
use sensock_device::{Boot, Ended, Key};
use sensock_server::{Event, History as _, MemoryStore, Refusal, Server, Span, Why};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use crate::common::sealed::*;
use crate::common::{settle, until, within};

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

/// No takeover, no row, one look into the store at most.
#[tokio::test(start_paused = true)]
async fn replayed_first_message() {
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
    let (why, words) = refused(&mut events).await;
    assert_eq!(why, Why::Replayed { owner: name("cellar-3") });
    assert!(words.contains("came again"), "{words}");
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

/// A network may say a first message twice, and the copy first. That costs the device a dial, and no wait but its own.
#[tokio::test(start_paused = true)]
async fn first_message_that_came_twice() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let (_device, mut runner) = board("cellar-3", sealed(1));
    let (near, mut far) = tokio::io::duplex(4_096);
    let network = async {
        let mut first = [0; 512];
        let n = far.read(&mut first).await.unwrap();
        replay(&server, &first[..n]).await;
        far.write_all(&replay(&server, &first[..n]).await).await.unwrap();
        far
    };
    let (ended, _open) = tokio::join!(within(dial(&mut runner, near)), network);
    assert_eq!(ended, Ended::Refused(Refusal::Busy));
    assert_eq!(refused(&mut events).await.0, Why::Replayed { owner: name("cellar-3") });
    let began = Instant::now();
    runner.backoff().await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// It keeps a device away for a minute at most, and changes nothing else.
#[tokio::test(start_paused = true)]
async fn forged_refused() {
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

/// A generator without a source: the same bytes after each reset.
fn stuck(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    bytes.fill(7);
    Ok(())
}

/// The first message of a board with such a generator.
async fn first_message(server: &Server, boot: Boot) -> (Ended, Vec<u8>) {
    let key = Key::Sealed(Box::leak(Box::new(credential(1))), stuck);
    let (device, mut runner) = board_of("cellar-3", key, boot);
    let (io, seen) = line(server, |_, _| {});
    let (ended, _) = tokio::join!(within(dial(&mut runner, io)), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        device.close();
    });
    let up = seen.lock().unwrap().up.clone();
    (ended, up)
}

/// A board that knows its boot makes another pair after a reset, whatever its generator gives. One that knows nothing at all makes the same
/// again: the server notices, says so, and takes nothing.
#[tokio::test(start_paused = true)]
async fn repeated_ephemeral_after_reboot() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let e = |up: &[u8]| up[16..48].to_vec();
    let (ended, before) = first_message(&server, Boot::Number(1)).await;
    assert_eq!((ended, &before[6..16]), (Ended::Closed, &[24, 1, 1, 1, 1, 1, 1, 1, 1, 1][..]));
    let (ended, after) = first_message(&server, Boot::Number(2)).await;
    assert_eq!(ended, Ended::Closed);
    assert_ne!(e(&before), e(&after));
    let (ended, again) = first_message(&server, Boot::Number(2)).await;
    assert_eq!(e(&after), e(&again), "as the test wants it");
    assert_eq!(ended, Ended::Refused(Refusal::Busy));
    let (why, words) = refused(&mut events).await;
    assert!(
        matches!(why, Why::Replayed { .. }) && words.contains("random generator repeats itself"),
        "{words}"
    );
}

/// Two boards with one key and one name: the one that is connected stays, the other one is told, and so is the operator.
#[tokio::test(start_paused = true)]
async fn cloned_board() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let (original, mut runner) = board_of("cellar-3", sealed(1), Boot::Number(5));
    original.record(&[TEMPERATURE.is(20.0)]).unwrap();
    let (io, _) = line(&server, |_, _| {});
    tokio::select! { _ = dial(&mut runner, io) => panic!(), () = original.drain() => {} }
    // The copy boots once more, and takes over as a reboot would.
    let (copy, mut its_runner) = board_of("cellar-3", sealed(1), Boot::Number(6));
    copy.record(&[TEMPERATURE.is(99.0)]).unwrap();
    let (io, _) = line(&server, |_, _| {});
    let network = tokio::spawn(async move { dial(&mut its_runner, io).await });
    within(copy.drain()).await;
    original.record(&[TEMPERATURE.is(21.0)]).unwrap();
    let (io, _) = line(&server, |_, _| {});
    assert_eq!(within(dial(&mut runner, io)).await, Ended::Refused(Refusal::IdentityInUse));
    assert!(runner.said().to_string().contains("another board has the identity cellar-3"));
    within(until(&mut events, |e| matches!(e, Event::Collision { .. }).then_some(()))).await;
    assert!(!network.is_finished());
    assert_eq!(rows(&store, "cellar-3").await, [20.0, 99.0]);
}

/// Whoever stops anywhere in the handshake, or lets its bytes drip, is gone after ten seconds, and holds up nobody.
#[tokio::test(start_paused = true)]
async fn handshake_stall() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    let (_, up) = first_message(&server, Boot::Number(1)).await;
    let first = 6 + usize::from(up[4] & 0x7f) + (usize::from(up[5]) << 7);
    let mut stalled = Vec::new();
    for n in [0, 1, 4, 5, 6, 16, 48, first - 1, first] {
        let (mut near, far) = tokio::io::duplex(4_096);
        // A whole first message is a replay here: of another server, which has not seen it.
        tokio::spawn(server.attach(far, format!("10.0.1.{}:1", stalled.len())));
        near.write_all(&up[..n]).await.unwrap();
        stalled.push(near);
    }
    let (mut near, far) = tokio::io::duplex(4_096);
    tokio::spawn(server.attach(far, "10.0.2.1:1"));
    let drip = tokio::spawn(async move {
        let began = Instant::now();
        for byte in up.into_iter() {
            if near.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        began.elapsed()
    });
    settle().await;
    assert!(server.transports() >= 9, "{}", server.transports());
    // Meanwhile others are served.
    let (ended, _) = first_message(&server, Boot::Number(2)).await;
    assert_eq!(ended, Ended::Closed);
    assert!(server.transports() >= 9);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(server.transports(), 0, "after 10 s and one to say goodbye");
    assert!(drip.await.unwrap() <= Duration::from_secs(12));
}

/// What is longer than a Hello may be is refused by its length: none of its bytes is waited for.
#[tokio::test(start_paused = true)]
async fn oversized_pre_auth_frame() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let most = sensock::limits::HELLO_MAX + sensock::seal::FIRST_OVERHEAD;
    for (len, fits) in [(most, true), (most + 1, false), (16_383, false)] {
        let (mut near, far) = tokio::io::duplex(4_096);
        tokio::spawn(server.attach(far, "10.0.0.1:1"));
        let mut prefix = [0; 2];
        let at = sensock::deframe::prefixed(&mut prefix, len);
        near.write_all(&[&PREFACE[..], &prefix[at..]].concat()).await.unwrap();
        let mut answer = [0; 8];
        let answered = tokio::time::timeout(Duration::from_secs(1), near.read_exact(&mut answer)).await;
        assert_eq!(answered.is_err(), fits, "{len}");
        if !fits {
            assert_eq!(refused(&mut events).await.0, Why::Malformed);
            // And who writes on is not read.
            let mut written = 0;
            while let Ok(Ok(())) =
                tokio::time::timeout(Duration::from_secs(2), near.write_all(&[0; 64])).await
            {
                written += 64;
                assert!(written < 1 << 20);
            }
        }
    }
}
