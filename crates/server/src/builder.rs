//! How a server is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::time::Duration;

use sensock::limits::{FRAME_HARD_MAX, FRAME_MIN_MAX, PING_INTERVAL_MS, PING_RANGE_MS};
use sensock::wire::hello::Grant;
use sensock_store::{Durability, Keys, Store};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::committer::{self, Typed};
use crate::connection::Sheets;
use crate::doorkeeper::Doorkeeper;
use crate::error::StartError;
use crate::events::{Events, Hub};
use crate::limits::{Limits, Offenders};
use crate::pending::Pending;
use crate::queues::Queues;
use crate::quota::Quotas;
use crate::random;
use crate::registry::Registry;
use crate::server::Server;
use crate::shared::{Options, Shared};
use crate::sweeper;
use crate::ticket::Tickets;
use crate::wall::Wall;

/// Makes a server; every setting has a default.
#[must_use = "a builder does nothing until it is started"]
pub struct Builder<S, K> {
    store: S,
    keys: K,
    options: Options,
    source: Option<Box<dyn Fn() -> i64 + Send + Sync>>,
    synced: Option<Box<dyn Fn() -> bool + Send + Sync>>,
}

impl<S: Store, K: Keys> Builder<S, K> {
    pub(crate) fn new(store: S, keys: K) -> Self {
        let options = Options {
            limits: Limits::default(),
            ping_interval_ms: PING_INTERVAL_MS,
            poll: Duration::from_secs(1),
            recheck: 0.01,
            lost_after: Duration::from_secs(30),
            window: Grant { records: 4_096, bytes: 64 << 10 },
            retry: Duration::from_secs(2),
            drain: Duration::from_secs(10),
        };
        Builder { store, keys, options, source: None, synced: None }
    }

    /// Limits on connections, memory and the like.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// How often devices are pinged that nothing else is said to: 100 ms to 1 h, 10 s unless said. A device that is silent for 2.5 intervals counts as gone.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.options.ping_interval_ms = interval.as_millis().min(u32::MAX.into()) as u32;
        self
    }

    /// How often the store is asked for commands, settings and outcomes that other servers or programs wrote: 1 s unless said. At most 50
    /// devices are looked at each time.
    pub fn poll(mut self, interval: Duration) -> Self {
        self.options.poll = interval.max(Duration::from_millis(10));
        self
    }

    /// How many of the Hellos with a known catalogue are asked for it all the same, to see that it is the stored one: 0 to 1, 0.01 unless said.
    pub fn recheck_catalogs(mut self, share: f64) -> Self {
        self.options.recheck = share;
        self
    }

    /// How long after its connection broke a device counts as lost, unless it sleeps: 30 s unless said.
    pub fn lost_after(mut self, after: Duration) -> Self {
        self.options.lost_after = after;
        self
    }

    /// When devices shall come back after a shutdown (2 s unless said), and how long the shutdown may take (10 s unless said).
    pub fn shutdown_times(mut self, retry: Duration, drain: Duration) -> Self {
        (self.options.retry, self.options.drain) = (retry, drain);
        self
    }

    /// Where wall time comes from, in microseconds since 1970: a GPS receiver, or virtual time in a test. The system's clock unless said.
    pub fn wall_clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(clock));
        self
    }

    /// Takes no device until this says that the wall clock is synchronised.
    pub fn require_sync(mut self, synced: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.synced = Some(Box::new(synced));
        self
    }

    /// Starts it: its tasks run on the present tokio runtime. Accept connections next: [`Server::serve`] or [`Server::attach`].
    ///
    /// # Errors
    /// The store does not answer, or a limit is out of range.
    pub async fn start(self) -> Result<(Server, Events), StartError> {
        let Builder { store, keys, options, source, synced } = self;
        if !(FRAME_MIN_MAX..=FRAME_HARD_MAX).contains(&options.limits.frame.into()) {
            return Err(StartError::Limit("a frame is 256 to 16,383 bytes"));
        }
        if !(PING_RANGE_MS.0..=PING_RANGE_MS.1).contains(&options.ping_interval_ms) {
            return Err(StartError::Limit("a ping interval is 100 ms to 1 h"));
        }
        let info = store.info().await.map_err(|e| StartError::Store(e.to_string()))?;
        match &info.durability {
            Durability::Flushed => {}
            Durability::Weaker(why) => {
                tracing::warn!(store = info.name, "a power cut may lose acknowledged records: {why}");
            }
            Durability::Memory => tracing::warn!("the store is in memory: nothing outlives this process"),
        }
        let wall = Wall::new(source, synced, info.latest_us);
        if let Some(why) = wall.hold() {
            tracing::warn!("no device is taken for now: {why}");
        }
        let shared = Arc::new(Shared {
            id: random::number() >> 1,
            store: info.id,
            info,
            backend: Box::new(Typed { store: store.clone(), keys, lookup: Arc::default() }),
            wall,
            queues: Queues::new(store.writers(), options.limits.group_rows.max(1)),
            registry: Arc::new(Registry::default()),
            sheets: Sheets::default(),
            offenders: Offenders::default(),
            quotas: Quotas::default(),
            pending: Pending::default(),
            turns: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            insecure_said: AtomicBool::new(false),
            doorkeeper: Doorkeeper::new().map_err(|_| StartError::NoRandom)?,
            asked: AtomicU64::new(0),
            away: AtomicUsize::new(0),
            events: Hub::new(options.limits.events),
            tickets: Tickets::default(),
            tail: Arc::default(),
            commits: watch::Sender::new(0),
            closing: CancellationToken::new(),
            ended: CancellationToken::new(),
            options,
        });
        let events = shared.events.subscribe();
        tokio::spawn(committer::run(store, shared.clone()));
        tokio::spawn(sweeper::run(shared.clone()));
        Ok((Server::new(shared), events))
    }
}

impl<S, K> std::fmt::Debug for Builder<S, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("options", &self.options).finish_non_exhaustive()
    }
}
