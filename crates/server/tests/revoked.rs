//! Keys that are taken away while their devices are connected.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use catalog::{RELAY, TEMPERATURE};
use common::sealed::*;
use common::{settle, until, within};
use sensock::DeviceId;
use sensock::seal::{Credential, KeyId};
use sensock_device::{Device, Ended};
use sensock_server::{Admission, DeviceKey, End, Event, Events, Keyring, Keys, MemoryStore, Refusal, Server};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Keys that change while the server runs.
#[derive(Clone)]
struct Cupboard(Arc<Inside>);

struct Inside {
    ring: Mutex<Keyring>,
    away: Mutex<bool>,
    /// How many lookups may be answered.
    answers: Semaphore,
}

impl Cupboard {
    fn new() -> Self {
        let answers = Semaphore::new(Semaphore::MAX_PERMITS >> 1);
        Cupboard(Arc::new(Inside { ring: Mutex::new(ring()), away: Mutex::new(false), answers }))
    }

    fn change<T>(&self, f: impl FnOnce(&mut Keyring) -> T) -> T {
        f(&mut self.0.ring.lock().unwrap())
    }

    /// What was there when it was asked; the answer may take its time.
    async fn look<T>(&self, f: impl FnOnce(Keyring) -> T) -> Result<T, sensock_store::LookupError> {
        if *self.0.away.lock().unwrap() {
            return Err("the cupboard is locked".into());
        }
        let ring = self.0.ring.lock().unwrap().clone();
        self.0.answers.acquire().await?.forget();
        Ok(f(ring))
    }
}

impl Keys for Cupboard {
    async fn admit(&self, device: &DeviceId) -> Result<Admission, sensock_store::LookupError> {
        // Who has no key may come without.
        let known = self.look(|ring| (ring, *device)).await?;
        let admission = known.0.admit(&known.1).await?;
        Ok(if admission == Admission::Unknown { Admission::Insecure } else { admission })
    }

    async fn key(&self, id: KeyId) -> Result<Option<DeviceKey>, sensock_store::LookupError> {
        self.look(|ring| ring).await?.key(id).await
    }
}

type Network = JoinHandle<(Ended, String)>;

fn connect(
    server: &Server,
    id: &'static str,
    key: sensock_device::Key<'static>,
) -> (Device<'static>, Network) {
    let (device, mut runner) = board(id, key);
    let (io, _) = line(server, |_, _| {});
    (device, tokio::spawn(async move { (dial(&mut runner, io).await, runner.said().to_string()) }))
}

async fn come(events: &mut Events) {
    within(until(events, |e| matches!(e, Event::Connected { .. }).then_some(()))).await;
}

async fn revoked(events: &mut Events) -> (String, Option<KeyId>, &'static str) {
    let seen = until(events, |e| match e {
        Event::Revoked { device, key, why, .. } => Some((device.to_string(), key, why)),
        _ => None,
    });
    within(seen).await
}

#[tokio::test(start_paused = true)]
async fn a_revoked_key_ends_its_connection_and_no_other() {
    let (store, keys) = (MemoryStore::default(), Cupboard::new());
    let (server, mut events) = keyed(&store, keys.clone()).start().await.unwrap();
    let (cellar, gone) = connect(&server, "cellar-3", sealed(1));
    come(&mut events).await;
    let (fan, stays) = connect(&server, "fan-1", sealed(2));
    come(&mut events).await;
    assert_eq!(server.recheck_keys().await, 0);

    cellar.record(&[TEMPERATURE.is(20.0)]).unwrap();
    settle().await;
    assert!(keys.change(|ring| ring.revoke(KeyId([1; 8]))));
    // A command that waits does not go to a device that may be in other hands.
    assert_eq!(server.recheck_keys().await, 1);
    let ticket = server.device("cellar-3").command(&RELAY, true, Duration::from_secs(60)).await.unwrap();
    let (ended, said) = within(gone).await.unwrap();
    assert_eq!(
        (ended, said.as_str()),
        (Ended::Bye(End::Refused), "this device's key was taken away, or its time is over")
    );
    let seen = revoked(&mut events).await;
    assert_eq!((seen.0.as_str(), seen.1), ("cellar-3", Some(KeyId([1; 8]))));
    let end = until(&mut events, |e| match e {
        Event::Disconnected { device, end, .. } => Some((device.to_string(), end)),
        _ => None,
    });
    assert_eq!(within(end).await, ("cellar-3".to_owned(), End::Refused));
    assert_eq!(rows(&store, "cellar-3").await, [20.0], "what it sent before is stored");
    assert!(tokio::time::timeout(Duration::from_secs(5), cellar.next_command()).await.is_err());
    drop(ticket);

    // It does not come back; the other one never noticed.
    let (_, again) = connect(&server, "cellar-3", sealed(1));
    assert_eq!(within(again).await.unwrap().0, Ended::Refused(Refusal::Unknown));
    fan.record(&[TEMPERATURE.is(1.0)]).unwrap();
    within(fan.drain()).await;
    assert!(!stays.is_finished());
    assert_eq!(server.recheck_keys().await, 0);
}

#[tokio::test(start_paused = true)]
async fn other_bytes_another_owner_and_a_key_for_who_came_without_end_it_too() {
    let (store, keys) = (MemoryStore::default(), Cupboard::new());
    let (server, mut events) = keyed(&store, keys.clone()).start().await.unwrap();
    let (_attic, plain) = connect(&server, "attic", sensock_device::Key::Insecure);
    come(&mut events).await;
    let (_cellar, sealed_1) = connect(&server, "cellar-3", sealed(1));
    come(&mut events).await;
    let (_fan, sealed_2) = connect(&server, "fan-1", sealed(2));
    come(&mut events).await;
    assert_eq!(server.recheck_keys().await, 0);
    keys.change(|ring| {
        ring.add(name("attic"), credential(3));
        ring.add(name("cellar-3"), Credential { id: KeyId([1; 8]), key: key(77) });
        ring.add(name("fan-9"), credential(2));
    });
    assert_eq!(server.recheck_keys().await, 3);
    for (network, words) in
        [(plain, "has a key now"), (sealed_1, "was replaced"), (sealed_2, "belongs to another")]
    {
        let (_, said) = within(network).await.unwrap();
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lookup_that_fails_closes_nothing() {
    let (store, keys) = (MemoryStore::default(), Cupboard::new());
    let (server, mut events) = keyed(&store, keys.clone()).start().await.unwrap();
    let (cellar, network) = connect(&server, "cellar-3", sealed(1));
    come(&mut events).await;
    keys.change(|ring| ring.revoke(KeyId([1; 8])));
    *keys.0.away.lock().unwrap() = true;
    assert_eq!(server.recheck_keys().await, 0);
    cellar.record(&[TEMPERATURE.is(20.0)]).unwrap();
    within(cellar.drain()).await;
    assert!(!network.is_finished());
    *keys.0.away.lock().unwrap() = false;
    assert_eq!(server.recheck_keys().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_revoked_in_the_middle_of_a_handshake_does_not_get_through() {
    let (store, keys) = (MemoryStore::default(), Cupboard::new());
    keys.0.answers.forget_permits(Semaphore::MAX_PERMITS);
    let (server, mut events) = keyed(&store, keys.clone()).start().await.unwrap();
    let (_cellar, network) = connect(&server, "cellar-3", sealed(1));
    settle().await;
    // The server has asked, and the answer (that the key is good) is on its way.
    keys.change(|ring| ring.revoke(KeyId([1; 8])));
    assert_eq!(server.recheck_keys().await, 0, "it is not connected yet");
    keys.0.answers.add_permits(1_000);
    assert_eq!(revoked(&mut events).await.0, "cellar-3");
    assert_eq!(within(network).await.unwrap().0, Ended::Bye(End::Refused));
}
