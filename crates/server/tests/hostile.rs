//! A live connection whose bytes are damaged on the way: never a panic, and everyone else is served on.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::*;
use sensock::Lane;
use sensock_server::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A small generator of our own: the seed in a failure's message is all it takes to see it again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Carries bytes both ways; from a random byte on, those that go up are flipped, dropped or repeated.
async fn damage(mut board: tokio::io::DuplexStream, mut server: tokio::io::DuplexStream, mut dice: Dice) {
    let (mut up, mut down) = ([0; 64], [0; 512]);
    let mut clean = dice.roll(600) as usize;
    loop {
        tokio::select! {
            n = board.read(&mut up) => {
                let Ok(n @ 1..) = n else { return };
                let bytes = &mut up[..n];
                if clean >= n {
                    clean -= n;
                } else {
                    clean = dice.roll(200) as usize;
                    match dice.roll(4) {
                        0 => bytes[dice.roll(n as u64) as usize] ^= 1 << dice.roll(8),
                        1 => bytes.fill(dice.roll(256) as u8),
                        2 => if server.write_all(bytes).await.is_err() { return },
                        _ => continue,
                    }
                }
                if server.write_all(bytes).await.is_err() { return }
            }
            n = server.read(&mut down) => {
                let Ok(n @ 1..) = n else { return };
                if board.write_all(&down[..n]).await.is_err() { return }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn damaged_bytes_never_panic_and_never_hold_up_others() {
    let store = MemoryStore::default();
    let (server, _events) = server(&store).await;
    for seed in 0..300 {
        let board = Board::new("victim", None);
        for n in 0..60 {
            board.record(n as f32, 50.0);
            if n % 10 == 0 {
                board.record_in(Lane::Alarm, n as f32, 50.0);
            }
        }
        let (near, left) = tokio::io::duplex(256);
        let (right, far) = tokio::io::duplex(256);
        let serving = tokio::spawn(server.attach(far, format!("192.0.{}.66:6", seed % 250)));
        let link = board.dial(near);
        link.ask(Do::Ask { key: 3, body: vec![1] });
        link.ask(Do::Sleep { for_ms: 1_000, ends_boot: true });
        let pump = tokio::spawn(damage(left, right, Dice(seed)));
        let _late = tokio::time::timeout(std::time::Duration::from_secs(60), link.ended()).await;
        pump.abort();
        let served = tokio::time::timeout(std::time::Duration::from_secs(60), serving).await;
        served.expect("the connection is over").unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
    let healthy = Board::new("healthy", Some(1));
    healthy.record(1.0, 1.0);
    let _link = healthy.connect(&server, "192.0.2.1:1");
    healthy.drained().await;
    assert!(server.waiting_bytes() < 1 << 20);
}
