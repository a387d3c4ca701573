//! Who is connected to this server, and who was until a moment ago.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sensock::{DeviceId, Micros};
use tokio::sync::Notify;

use crate::inbox::{Inbox, Message, lock};
use crate::recheck::LetIn;

/// A connection that was confirmed.
#[derive(Clone, Debug)]
pub(crate) struct Connected {
    pub(crate) id: u64,
    pub(crate) boot: u32,
    pub(crate) peer: String,
    pub(crate) since_us: i64,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) let_in: LetIn,
}

/// A device that is away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Away {
    pub(crate) asleep_until_us: Option<i64>,
    /// When it counts as lost, on the steady clock; `None` once that was said.
    pub(crate) lost_at: Option<Micros>,
}

#[derive(Debug, Default)]
pub(crate) struct Registry {
    table: Mutex<Table>,
    open: AtomicUsize,
    closed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    connected: HashMap<DeviceId, Connected>,
    away: HashMap<DeviceId, Away>,
}

impl Registry {
    /// Takes over for this device; the connection that it replaces, if any.
    pub(crate) fn insert(&self, device: DeviceId, connection: Connected) -> Option<Connected> {
        let mut table = lock(&self.table);
        table.away.remove(&device);
        table.connected.insert(device, connection)
    }

    /// A connection ended. Nothing changes if another one took over.
    pub(crate) fn remove(&self, device: &DeviceId, id: u64, away: Away) -> bool {
        let mut table = lock(&self.table);
        if table.connected.get(device).is_none_or(|c| c.id != id) {
            return false;
        }
        table.connected.remove(device);
        table.away.insert(*device, away);
        true
    }

    pub(crate) fn connected(&self, device: &DeviceId) -> Option<Connected> {
        lock(&self.table).connected.get(device).cloned()
    }

    pub(crate) fn away(&self, device: &DeviceId) -> Option<Away> {
        lock(&self.table).away.get(device).copied()
    }

    /// Puts something into the mailbox of a device's connection; `false` if it is not connected here.
    pub(crate) fn tell(&self, device: &DeviceId, message: Message) -> bool {
        match lock(&self.table).connected.get(device) {
            Some(connection) => {
                connection.inbox.push(message);
                true
            }
            None => false,
        }
    }

    /// As [`Registry::tell`], to this connection and no other.
    pub(crate) fn tell_connection(&self, device: &DeviceId, id: u64, message: Message) -> bool {
        match lock(&self.table).connected.get(device).filter(|c| c.id == id) {
            Some(connection) => {
                connection.inbox.push(message);
                true
            }
            None => false,
        }
    }

    pub(crate) fn all(&self) -> Vec<(DeviceId, Connected)> {
        lock(&self.table).connected.iter().map(|(device, c)| (*device, c.clone())).collect()
    }

    pub(crate) fn devices(&self) -> Vec<DeviceId> {
        lock(&self.table).connected.keys().copied().collect()
    }

    pub(crate) fn tell_all(&self, message: impl Fn() -> Message) {
        lock(&self.table).connected.values().for_each(|c| c.inbox.push(message()));
    }

    /// Devices that did not come back in time; each is named once.
    pub(crate) fn lost(&self, now: Micros) -> Vec<DeviceId> {
        let mut lost = Vec::new();
        for (device, away) in &mut lock(&self.table).away {
            if away.lost_at.is_some_and(|at| now >= at) {
                away.lost_at = None;
                lost.push(*device);
            }
        }
        lost
    }

    /// Counts a transport, if fewer than `max` are open.
    pub(crate) fn open(self: &Arc<Self>, max: usize) -> Option<Open> {
        let counted =
            self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < max).then_some(n + 1));
        counted.ok().map(|_| Open(self.clone()))
    }

    /// Transports that are open, handshakes included.
    pub(crate) fn count(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Waits until no transport is open.
    pub(crate) async fn emptied(&self) {
        loop {
            let closed = self.closed.notified();
            if self.count() == 0 {
                return;
            }
            closed.await;
        }
    }
}

/// One open transport, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(Arc<Registry>);

impl Drop for Open {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.closed.notify_waiters();
        }
    }
}
