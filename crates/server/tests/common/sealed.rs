//! Sealed boards: the device's own runner and outbox, a server with keys, and somebody who sits on the line.

use std::sync::{Arc, Mutex};

use catalog::CELLAR;
use embedded_io_adapters::tokio_1::FromTokio;
use sensock::DeviceId;
use sensock::seal::{Credential, KeyId, NoEntropy};
use sensock_device::{Boot, Buffers, Device, Ended, Key, Node, Outbox, Runner, TokioClock};
use sensock_server::{Builder, Event, Events, History as _, Keyring, Keys, MemoryStore, Server, Span, Why};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::Instant;

use super::{START_US, until, within};

pub fn random(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    getrandom::fill(bytes).map_err(|_| NoEntropy)
}

pub fn key(bytes: u8) -> sensock::seal::Key {
    sensock::seal::Key::new([bytes; 32])
}

/// The key number `n`; `cellar-3` has number 1, `fan-1` number 2.
pub fn credential(n: u8) -> Credential {
    Credential { id: KeyId([n; 8]), key: key(n) }
}

pub fn name(id: &str) -> DeviceId {
    DeviceId::new(id).unwrap()
}

/// Both keys.
pub fn ring() -> Keyring {
    let mut ring = Keyring::default();
    ring.add(name("cellar-3"), credential(1));
    ring.add(name("fan-1"), credential(2));
    ring
}

/// A server with these keys, whose wall clock is tokio's.
pub fn keyed<K: Keys>(store: &MemoryStore, keys: K) -> Builder<MemoryStore, K> {
    let begin = Instant::now();
    Server::builder(store.clone(), keys)
        .wall_clock(move || START_US + begin.elapsed().as_micros() as i64)
        .recheck_catalogs(0.0)
}

pub async fn server(store: &MemoryStore) -> (Server, Events) {
    keyed(store, ring()).start().await.unwrap()
}

pub fn board(id: &'static str, key: Key<'static>) -> (Device<'static>, Runner<'static, TokioClock>) {
    board_of(id, key, Boot::Number(1))
}

pub fn board_of(
    id: &'static str,
    key: Key<'static>,
    boot: Boot,
) -> (Device<'static>, Runner<'static, TokioClock>) {
    let outbox = Box::leak(Box::new(Outbox::<4096>::new()));
    let (clock, buffers) =
        (Box::leak(Box::new(TokioClock::new())), Box::leak(Box::new(Buffers::<512>::new())));
    outbox.start(&Node { id, key, catalog: &CELLAR, boot }, &*clock, buffers)
}

pub fn sealed(n: u8) -> Key<'static> {
    Key::Sealed(Box::leak(Box::new(credential(n))), random)
}

/// What went over a line.
#[derive(Default)]
pub struct Seen {
    pub up: Vec<u8>,
    pub down: Vec<u8>,
}

/// A line to the server, with somebody on it who reads all and may change what goes up, told its place in the stream.
pub fn line(
    server: &Server,
    mut change: impl FnMut(usize, &mut u8) + Send + 'static,
) -> (DuplexStream, Arc<Mutex<Seen>>) {
    let (near, mut inside) = tokio::io::duplex(4_096);
    let (mut outside, far) = tokio::io::duplex(4_096);
    tokio::spawn(server.attach(far, "10.0.0.1:999"));
    let seen = Arc::new(Mutex::new(Seen::default()));
    let log = seen.clone();
    tokio::spawn(async move {
        let (mut up, mut down) = ([0; 512], [0; 512]);
        loop {
            tokio::select! {
                n = inside.read(&mut up) => {
                    let Ok(n @ 1..) = n else { return };
                    let at = log.lock().unwrap().up.len();
                    up[..n].iter_mut().enumerate().for_each(|(i, byte)| change(at + i, byte));
                    log.lock().unwrap().up.extend(&up[..n]);
                    if outside.write_all(&up[..n]).await.is_err() { return }
                }
                n = outside.read(&mut down) => {
                    let Ok(n @ 1..) = n else { return };
                    log.lock().unwrap().down.extend(&down[..n]);
                    if inside.write_all(&down[..n]).await.is_err() { return }
                }
            }
        }
    });
    (near, seen)
}

pub async fn dial(runner: &mut Runner<'static, TokioClock>, io: DuplexStream) -> Ended {
    let (reader, writer) = tokio::io::split(io);
    runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await
}

pub async fn refused(events: &mut Events) -> (Why, String) {
    let refused = until(events, |e| match e {
        Event::Refused { code, why, words, .. } => {
            assert_eq!(why.code(), code);
            Some((why, words))
        }
        _ => None,
    });
    within(refused).await
}

pub async fn rows(store: &MemoryStore, id: &str) -> Vec<f64> {
    let all = store.range(&name(id), Span::ALL, None, 1_000).await.unwrap();
    all.iter().filter(|r| r.name == "temperature").map(|r| r.row.value).collect()
}

pub async fn once(server: &Server, id: &'static str, key: Key<'static>) -> (Ended, String, Arc<Mutex<Seen>>) {
    let (_device, mut runner) = board(id, key);
    let (io, seen) = line(server, |_, _| {});
    let ended = within(dial(&mut runner, io)).await;
    (ended, runner.said().to_string(), seen)
}
