//! Who is connected to this server, and who was until a moment ago.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sensock::{DeviceId, Micros};
use tokio::sync::Notify;

use crate::inbox::{Inbox, Message, lock};
use crate::recheck::LetIn;

/// A connection as others see it. On the list once it is confirmed.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) id: u64,
    pub(crate) device: DeviceId,
    pub(crate) boot: u32,
    pub(crate) peer: Box<str>,
    pub(crate) since_us: i64,
    pub(crate) inbox: Inbox,
    pub(crate) let_in: LetIn,
}

/// A connection that is found by its device, whose name stands nowhere else.
#[derive(Debug)]
struct ByDevice(Arc<Connected>);

impl Borrow<DeviceId> for ByDevice {
    fn borrow(&self) -> &DeviceId {
        &self.0.device
    }
}

impl Hash for ByDevice {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.device.hash(state);
    }
}

impl PartialEq for ByDevice {
    fn eq(&self, other: &Self) -> bool {
        self.0.device == other.0.device
    }
}

impl Eq for ByDevice {}

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
    connected: HashSet<ByDevice>,
    away: HashMap<DeviceId, Away>,
}

impl Registry {
    /// Takes over for its device; the connection that it replaces, if any.
    pub(crate) fn insert(&self, connection: Arc<Connected>) -> Option<Arc<Connected>> {
        let mut table = lock(&self.table);
        table.away.remove(&connection.device);
        table.connected.replace(ByDevice(connection)).map(|old| old.0)
    }

    /// A connection ended. Nothing changes if another one took over.
    pub(crate) fn remove(&self, device: &DeviceId, id: u64, away: Away) -> bool {
        let mut table = lock(&self.table);
        if table.connected.get(device).is_none_or(|c| c.0.id != id) {
            return false;
        }
        table.connected.remove(device);
        table.away.insert(*device, away);
        true
    }

    pub(crate) fn connected(&self, device: &DeviceId) -> Option<Arc<Connected>> {
        lock(&self.table).connected.get(device).map(|c| c.0.clone())
    }

    pub(crate) fn away(&self, device: &DeviceId) -> Option<Away> {
        lock(&self.table).away.get(device).copied()
    }

    /// Puts something into the mailbox of a device's connection; `false` if it is not connected here.
    pub(crate) fn tell(&self, device: &DeviceId, message: Message) -> bool {
        match lock(&self.table).connected.get(device) {
            Some(connection) => {
                connection.0.inbox.push(message);
                true
            }
            None => false,
        }
    }

    /// As [`Registry::tell`], to this connection and no other.
    pub(crate) fn tell_connection(&self, device: &DeviceId, id: u64, message: Message) -> bool {
        match lock(&self.table).connected.get(device).filter(|c| c.0.id == id) {
            Some(connection) => {
                connection.0.inbox.push(message);
                true
            }
            None => false,
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<Connected>> {
        lock(&self.table).connected.iter().map(|c| c.0.clone()).collect()
    }

    pub(crate) fn devices(&self) -> Vec<DeviceId> {
        lock(&self.table).connected.iter().map(|c| c.0.device).collect()
    }

    pub(crate) fn tell_all(&self, message: impl Fn() -> Message) {
        lock(&self.table).connected.iter().for_each(|c| c.0.inbox.push(message()));
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
