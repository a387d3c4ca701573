//! The handle that users hold.

use std::sync::Arc;

use sensock::DeviceId;
use sensock_store::{Cursor, History, Keys, Store};

use crate::builder::Builder;
use crate::device::DeviceHandle;
use crate::events::Events;
use crate::feed::Feed;
use crate::inbox::Message;
use crate::shared::Shared;

/// What devices hear at a shutdown.
pub(crate) const MOVING: &str = "the server is moving: come back a little later";

/// A running server; cheap to clone. When the last clone is dropped (futures of [`Server::serve`] and [`Server::attach`] hold one), it
/// commits what it has and ends.
#[derive(Clone)]
pub struct Server {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.closing.cancel();
        self.shared.queues.close();
    }
}

impl Server {
    /// A server over this store, for the devices that these keys let in.
    pub fn builder<S: Store, K: Keys>(store: S, keys: K) -> Builder<S, K> {
        Builder::new(store, keys)
    }

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Server { handle: Arc::new(Handle { shared }) }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// One more reader of events, from now on.
    pub fn events(&self) -> Events {
        self.shared().events.subscribe()
    }

    /// A device, connected or not. A name that cannot be one is an error of the calls that follow.
    pub fn device(&self, device: &str) -> DeviceHandle {
        DeviceHandle::new(self.clone(), DeviceId::new(device))
    }

    /// Devices that are connected to this server now, in no order.
    pub fn connected(&self) -> Vec<DeviceId> {
        self.shared().registry.devices()
    }

    /// Transports that are open now, handshakes included.
    pub fn transports(&self) -> usize {
        self.shared().registry.count()
    }

    /// Memory that records take which wait for the store now, in bytes, about.
    pub fn waiting_bytes(&self) -> usize {
        self.shared().queues.weight()
    }

    /// This server's number, drawn at its start: anchors and connections in the store carry it.
    pub fn id(&self) -> u64 {
        self.shared().id
    }

    /// Reads the store from a cursor on, and then what comes, without loss and without repetition.
    pub fn feed<'h, H: History>(&self, history: &'h H, cursor: Cursor) -> Feed<'h, H> {
        Feed::new(history, None, cursor, self.shared())
    }

    /// The same of these devices only: what others send costs it nothing.
    pub fn feed_of<'h, H: History>(
        &self,
        history: &'h H,
        devices: &[DeviceId],
        cursor: Cursor,
    ) -> Feed<'h, H> {
        Feed::new(history, Some(devices), cursor, self.shared())
    }

    /// Up to when everything that reached this server from its devices is stored, in us since 1970; it never goes back but with the clock.
    /// What a [`Feed`] of this server returns after this call holds all of it.
    pub fn stored_until_us(&self) -> i64 {
        let shared = self.shared();
        shared.queues.stored_until(shared.wall.now_us())
    }

    /// Closes a device's connection, if it has one here: after its key was revoked, for example. It may come back.
    pub fn disconnect(&self, device: &DeviceId) -> bool {
        self.shared()
            .registry
            .tell(device, Message::Leave { retry_ms: 0, text: "the server's operator ended this connection" })
    }

    /// Ends in order: takes no more connections, reads no more, commits what was received, acknowledges it, and says to each device that
    /// the server moves and when to come back. Waits for that for as long as the builder's `drain` said (10 s unless said); what was not committed by
    /// then was not acknowledged, so the devices still have it.
    ///
    /// Returns whether all of it was done in time. Cancel safe: it goes on by itself.
    pub async fn shutdown(&self) -> bool {
        let shared = self.shared();
        let retry_ms = shared.options.retry.as_millis().min(u32::MAX.into()) as u32;
        shared.closing.cancel();
        shared.registry.tell_all(|| Message::Leave { retry_ms, text: MOVING });
        let drained = async {
            shared.registry.emptied().await;
            shared.queues.close();
            shared.ended.cancelled().await;
        };
        let done = tokio::time::timeout(shared.options.drain, drained).await.is_ok();
        if !done {
            tracing::warn!(
                "not everything was committed in time; it was not acknowledged, the devices still have it"
            );
            shared.queues.close();
        }
        shared.events.end();
        done
    }

    /// Whether the server is on its way out.
    pub fn is_closing(&self) -> bool {
        self.shared().closing.is_cancelled()
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("id", &self.id()).field("transports", &self.transports()).finish()
    }
}
