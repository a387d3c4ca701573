//! What all parts of one server share; not generic over its store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sensock::seal::KeyId;
use sensock::wire::hello::Grant;
use sensock::{DeviceId, Lane, StoreId};
use sensock_store::{Admission, CommandRow, DeviceKey, Resume, StoreInfo};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::connection::Sheets;
use crate::doorkeeper::Doorkeeper;
use crate::events::{Event, Hub};
use crate::limits::{Limits, Offenders};
use crate::pending::Pending;
use crate::queues::Queues;
use crate::quota::Quotas;
use crate::registry::Registry;
use crate::tail::Tail;
use crate::ticket::Tickets;
use crate::wall::Wall;

/// What a connection wants of store and keys, without their types.
pub(crate) trait Backend: Send + Sync {
    fn load(&self, device: DeviceId) -> BoxFuture<'_, Result<Resume, String>>;
    fn admit(&self, device: DeviceId) -> BoxFuture<'_, Result<Admission, String>>;
    fn key(&self, id: KeyId) -> BoxFuture<'_, Result<Option<DeviceKey>, String>>;
}

/// What the builder was told.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) limits: Limits,
    pub(crate) ping_interval_ms: u32,
    pub(crate) poll: Duration,
    pub(crate) recheck: f64,
    pub(crate) lost_after: Duration,
    pub(crate) window: Grant,
    pub(crate) retry: Duration,
    pub(crate) drain: Duration,
}

pub(crate) struct Shared {
    pub(crate) options: Options,
    /// Random, drawn at start: tells the rows of this server from those of others.
    pub(crate) id: u64,
    pub(crate) store: StoreId,
    pub(crate) info: StoreInfo,
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) wall: Wall,
    pub(crate) queues: Queues,
    pub(crate) registry: Arc<Registry>,
    pub(crate) sheets: Sheets,
    pub(crate) offenders: Offenders,
    pub(crate) quotas: Quotas,
    pub(crate) pending: Pending,
    /// Turns for opening first messages: of a crowd, no more wait for a processor at once than there are, and those who are connected come between.
    pub(crate) turns: Semaphore,
    pub(crate) doorkeeper: Doorkeeper,
    /// It was said that devices come without keys.
    pub(crate) insecure_said: AtomicBool,
    /// How often who may connect was asked again about everybody.
    pub(crate) asked: AtomicU64,
    /// Committers for which the store is away.
    pub(crate) away: AtomicUsize,
    pub(crate) events: Hub,
    pub(crate) tickets: Tickets,
    /// What was committed of late, for feeds.
    pub(crate) tail: Arc<Tail>,
    /// Counts commits that stored something.
    pub(crate) commits: watch::Sender<u64>,
    /// The server shuts down.
    pub(crate) closing: CancellationToken,
    /// The committer has ended.
    pub(crate) ended: CancellationToken,
}

impl Shared {
    /// How much of a lane may be under way on one connection now: less when memory fills up or the store is slow.
    pub(crate) fn window(&self, lane: Lane) -> Grant {
        let limits = &self.options.limits;
        let free = limits.memory.saturating_sub(self.queues.weight());
        let mut share = (free / self.registry.count().max(1)) as u64;
        // A store that takes more than half a second a commit gets proportionally less.
        share = share.saturating_mul(500_000) / self.queues.commit_us().max(500_000);
        let frame = u64::from(limits.frame);
        let full = self.options.window;
        let least = if lane == Lane::Readings { 64 } else { 16 };
        Grant {
            records: (share / RECORD_WEIGHT).clamp(least, full.records.max(least)),
            bytes: (share / 4).clamp(frame, full.bytes.max(frame)),
        }
    }

    /// A command reached its end: whoever waits for it hears of it.
    pub(crate) fn settled(&self, row: CommandRow) {
        self.tickets.settle(&row);
        self.events.send(Event::Settled(row));
    }
}

/// What a record of two readings weighs while it waits, about.
const RECORD_WEIGHT: u64 = 256;
