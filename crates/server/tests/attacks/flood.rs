//! A crowd of strangers at the door, while a hundred devices go on with their work.
//!
//! All of it, devices and strangers too, runs on one thread, over pipes in memory, and latency is counted in the time that this thread computes: how
//! much work is done between a record and its acknowledgement. So it does not matter what else the machine does, and what the server's
//! order of work does to those who are connected is all that matters. Quiet and flooded phases take turns in one run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

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
const RECORDS: usize = 5;
const EVERY: Duration = Duration::from_millis(100);
/// Strangers at once, the attempts of each, and the time between two of them.
const STRANGERS: usize = 32;
const ATTEMPTS: usize = 25;
const PAUSE: Duration = Duration::from_millis(10);

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

/// What this thread has computed so far.
fn computed() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
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
                    let began = computed();
                    device.record(&[TEMPERATURE.is(1.0)]).unwrap();
                    device.drain().await;
                    took.push(computed() - began);
                    tokio::time::sleep(EVERY).await;
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

/// What the crowd says: first messages of keys that nobody has, and wrong ones of one that somebody has.
fn messages() -> Vec<Vec<u8>> {
    (0..64_usize)
        .map(|n| {
            let id = if n.is_multiple_of(2) { id(n) } else { id(9_999) };
            let credential = Credential { id, key: key(200) };
            let mut message = vec![0; 90 + FIRST_OVERHEAD];
            let ephemeral = Ephemeral::make(&credential.key, &mut random, &[n as u64, 0, 0]).unwrap();
            let (_, len) = Dialled::first(&credential, ephemeral, &mut message, 90).unwrap();
            [&sensock::deframe::PREFACE[..], &framed(&message[..len])].concat()
        })
        .collect()
}

/// One of the crowd. Each of its attempts comes from another address, so that the limit of failed handshakes does not send it away before the
/// server has looked at its message.
async fn stranger(server: Server, number: usize, messages: Arc<Vec<Vec<u8>>>) -> usize {
    let mut answered = 0;
    for round in 0..ATTEMPTS {
        let (mut near, far) = tokio::io::duplex(1_024);
        let peer = format!("10.{}.{}.{}:1", 1 + number, round / 250 % 250, round % 250);
        tokio::spawn(server.attach(far, peer));
        near.write_all(&messages[(number + round) % messages.len()]).await.unwrap();
        let mut answer = [0; 64];
        answered += usize::from(near.read(&mut answer).await.unwrap_or(0) > 0);
        drop(near);
        tokio::time::sleep(PAUSE).await;
    }
    answered
}

#[tokio::test]
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
    let messages = Arc::new(messages());
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let quiet = p99(latencies(&devices).await);
        let before = refused.load(Ordering::Relaxed);
        let crowd: Vec<_> =
            (0..STRANGERS).map(|n| tokio::spawn(stranger(server.clone(), n, messages.clone()))).collect();
        let flooded = p99(latencies(&devices).await);
        let mut answered = 0;
        for one in crowd {
            answered += one.await.unwrap();
        }
        let reached = refused.load(Ordering::Relaxed) - before;
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
