//! Asking again who may connect, about those who are connected: a key that was taken away ends its connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use sensock::DeviceId;
use sensock::seal::{Key, KeyId};
use sensock::wire::hello::UNSEALED_BACKOFF_MAX_MS;
use sensock_store::{Admission, DeviceKey};
use tokio::time::timeout;

use crate::events::Event;
use crate::inbox::Message;
use crate::registry::Connected;
use crate::server::Server;
use crate::shared::Shared;

/// The longest that looking a key or a device up may take.
pub(crate) const LOOKUP: Duration = Duration::from_secs(3);
/// Lookups under way at once.
const AT_ONCE: usize = 32;

/// How a live connection was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LetIn {
    /// By which key; `None`: without one.
    pub(crate) key: Option<Held>,
    /// How often everybody had been asked about when it was looked up.
    pub(crate) asked: u64,
}

/// A key that opened a first message, without the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) id: KeyId,
    /// Tells that the id still names the same secret.
    mark: [u8; 8],
}

impl Held {
    pub(crate) fn new(id: KeyId, key: &Key) -> Self {
        // One way, and of no use for guessing: the key has 256 bits.
        let mut mark = [0; 8];
        mark.copy_from_slice(&Key::unknown(key.bytes(), id).bytes()[..8]);
        Held { id, mark }
    }
}

impl Server {
    /// Asks the [`Keys`](sensock_store::Keys) again about each live connection, and closes those that would not be let in any more: their key
    /// was taken away, expired, or is another device's now, or they came without one and have one since. [`Event::Revoked`] names them. Returns
    /// how many there were.
    ///
    /// What such a device sent before is committed and acknowledged; nothing more is read of it, and no command goes to it. A lookup that
    /// fails closes nothing. Call it when keys have changed. Cancel safe: those that were not asked about yet stay.
    pub async fn recheck_keys(&self) -> usize {
        let shared = self.shared();
        // Before the list is made: who is let in by an older answer and is not on the list yet sees the number, and asks for itself.
        shared.asked.fetch_add(1, Ordering::AcqRel);
        let list = shared.registry.all();
        let asked = list.into_iter().map(|connection| shared.recheck(connection));
        futures_util::stream::iter(asked)
            .buffer_unordered(AT_ONCE)
            .fold(0, |n, closed| std::future::ready(n + usize::from(closed)))
            .await
    }
}

impl Shared {
    /// A connection was just put on the list. If everybody was asked about since its key was looked up, it was not.
    pub(crate) fn recheck_if_missed(self: &Arc<Self>, connection: Arc<Connected>) {
        if self.asked.load(Ordering::Acquire) != connection.let_in.asked {
            let shared = self.clone();
            tokio::spawn(async move { shared.recheck(connection).await });
        }
    }

    /// Asks about one connection; whether it was closed.
    async fn recheck(&self, connection: Arc<Connected>) -> bool {
        let device = connection.device;
        let asked = timeout(LOOKUP, self.verdict(device, connection.let_in.key)).await;
        let why = match asked.unwrap_or_else(|_| Err("looking it up takes too long".to_owned())) {
            Ok(None) => return false,
            Ok(Some(why)) => why,
            Err(error) => {
                tracing::warn!(%device, "whether it may still be connected could not be looked up, so it stays: {error}");
                return false;
            }
        };
        let leave = Message::Expel { retry_ms: UNSEALED_BACKOFF_MAX_MS, text: why };
        if !self.registry.tell_connection(&device, connection.id, leave) {
            return false;
        }
        let key = connection.let_in.key.map(|held| held.id);
        let shown = key.map(|k| k.to_string()).unwrap_or_default();
        tracing::warn!(%device, key = shown, peer = &*connection.peer, "connection closed: {why}");
        self.events.send(Event::Revoked { device, key, peer: connection.peer.to_string(), why });
        true
    }

    /// Why a device may not be connected any more; `None` if it may.
    async fn verdict(&self, device: DeviceId, key: Option<Held>) -> Result<Option<&'static str>, String> {
        let Some(held) = key else {
            return Ok(match self.backend.admit(device).await? {
                Admission::Insecure => None,
                Admission::Sealed => Some("this device has a key now: it cannot be connected without"),
                _ => Some("this device is not on the list of those that may connect any more"),
            });
        };
        Ok(match self.backend.key(held.id).await? {
            None => Some("this device's key was taken away, or its time is over"),
            Some(DeviceKey { device: owner, .. }) if owner != device => {
                Some("this device's key belongs to another device now")
            }
            Some(DeviceKey { key, .. }) if Held::new(held.id, &key) != held => {
                Some("this device's key was replaced by another one of the same id")
            }
            Some(_) => None,
        })
    }
}
