//! A crowd of strangers at the door, while a hundred devices go on with their work.
//!
//! Real time, real sockets of this machine for nobody: transports are pipes in memory, so that what is measured is what the server does. Both
//! phases are in one run and take turns; what is compared is the ratio of the two.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use catalog::TEMPERATURE;
use sensock::DeviceId;
use sensock::seal::{Credential, Dialled, Ephemeral, FIRST_OVERHEAD, KeyId};
use sensock_device::Device;
use sensock_server::{Event, Keyring, MemoryStore, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::framed;
use crate::common::sealed::*;

const DEVICES: usize = 100;
const ROUNDS: usize = 5;
/// Records of each device in each phase, and the time between two of them.
const RECORDS: usize = 10;
const EVERY: Duration = Duration::from_millis(50);
/// Strangers at once. Each dials again as soon as it is refused.
const STRANGERS: usize = 32;

fn id(n: usize) -> KeyId {
    KeyId((n as u64).to_le_bytes())
}

/// Connects a device of its own key.
async fn join(server: &Server, n: usize) -> Device<'static> {
    let names: &'static str = Box::leak(format!("good-{n}").into_boxed_str());
    let credential = Credential { id: id(n), key: key(n as u8) };
    let key = sensock_device::Key::Sealed(Box::leak(Box::new(credential)), random);
    let (device, mut runner) = board(names, key);
    let (near, far) = tokio::io::duplex(4_096);
    tokio::spawn(server.attach(far, "10.0.0.1:1"));
    tokio::spawn(async move { dial(&mut runner, near).await });
    device.record(&[TEMPERATURE.is(0.0)]).unwrap();
    device.drain().await;
    device
}

/// From each record to its acknowledgement.
async fn latencies(devices: &[Device<'static>]) -> Vec<Duration> {
    let mut all = Vec::new();
    let tasks: Vec<_> = devices
        .iter()
        .enumerate()
        .map(|(n, device)| {
            let device = *device;
            tokio::spawn(async move {
                tokio::time::sleep(EVERY * n as u32 / DEVICES as u32).await;
                let mut took = Vec::new();
                for _ in 0..RECORDS {
                    let began = Instant::now();
                    device.record(&[TEMPERATURE.is(1.0)]).unwrap();
                    device.drain().await;
                    took.push(began.elapsed());
                    tokio::time::sleep(EVERY.saturating_sub(began.elapsed())).await;
                }
                took
            })
        })
        .collect();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    all
}

fn p99(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() * 99 / 100]
}

/// One of the crowd: first messages of keys that nobody has, and of one that somebody has. Each comes from another address, so that
/// the limit of failed handshakes does not send it away before the server has looked at its message.
async fn stranger(server: Server, number: usize, stop: Arc<AtomicBool>, answered: Arc<AtomicUsize>) {
    let credential =
        Credential { id: if number.is_multiple_of(2) { id(number) } else { id(9_999) }, key: key(200) };
    let mut round = 0_usize;
    while !stop.load(Ordering::Relaxed) {
        let mut message = vec![0; 90 + FIRST_OVERHEAD];
        let ephemeral = Ephemeral::make(&credential.key, &mut random, &[round as u64, 0, 0]).unwrap();
        let (_, len) = Dialled::first(&credential, ephemeral, &mut message, 90).unwrap();
        let (mut near, far) = tokio::io::duplex(1_024);
        let peer = format!("10.{}.{}.{}:1", 1 + number, round / 250 % 250, round % 250);
        tokio::spawn(server.attach(far, peer));
        near.write_all(&[&sensock::deframe::PREFACE[..], &framed(&message[..len])].concat()).await.unwrap();
        let mut answer = [0; 64];
        if near.read(&mut answer).await.unwrap_or(0) > 0 {
            answered.fetch_add(1, Ordering::Relaxed);
        }
        round += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_of_unauthenticated_connections() {
    let mut keys = Keyring::default();
    for n in 0..DEVICES {
        keys.add(DeviceId::new(&format!("good-{n}")).unwrap(), Credential { id: id(n), key: key(n as u8) });
    }
    let (server, mut events) = Server::builder(MemoryStore::default(), keys).start().await.unwrap();
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = refused.clone();
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let n = match event {
                Event::Refused { .. } => 1,
                Event::Missed(n) => n as usize,
                _ => 0,
            };
            counted.fetch_add(n, Ordering::Relaxed);
        }
    });
    let mut devices = Vec::new();
    for n in 0..DEVICES {
        devices.push(join(&server, n).await);
    }
    latencies(&devices).await;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let quiet = p99(latencies(&devices).await);
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let before = refused.load(Ordering::Relaxed);
        let crowd: Vec<_> = (0..STRANGERS)
            .map(|n| tokio::spawn(stranger(server.clone(), n, stop.clone(), answered.clone())))
            .collect();
        let flooded = p99(latencies(&devices).await);
        stop.store(true, Ordering::Relaxed);
        for one in crowd {
            one.await.unwrap();
        }
        let reached = refused.load(Ordering::Relaxed) - before;
        let answered = answered.load(Ordering::Relaxed);
        println!(
            "p99 quiet {quiet:?}, flooded {flooded:?}; {answered} strangers were answered, {reached} refusals reported"
        );
        assert!(
            answered >= 500 && reached >= 500,
            "the flood did not reach the handshake: {answered}, {reached}"
        );
        ratios.push(flooded.as_secs_f64() / quiet.as_secs_f64());
    }
    assert_eq!(server.connected().len(), DEVICES, "all are still connected");
    ratios.sort_by(f64::total_cmp);
    assert!(ratios[ROUNDS / 2] <= 3.0, "p99 under the flood against p99 without: {ratios:.2?}");
}
