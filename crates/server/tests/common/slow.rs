//! A memory store that takes its time, or is away, as a test tells it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sensock::{DeviceId, Lane, Position};
use sensock_server::{Batch, Failure, LaneId, MemoryStore, Resume, Store, StoreInfo, Transaction};

#[derive(Clone)]
pub struct Slow {
    pub inner: MemoryStore,
    /// Transactions that it is said to take at once.
    pub writers: usize,
    pub knobs: Arc<Knobs>,
}

#[derive(Default)]
pub struct Knobs {
    pub commit_ms: AtomicU64,
    pub away: AtomicBool,
    /// Lanes in the order of their commits, with the number of readings.
    pub order: Mutex<Vec<(Lane, usize)>>,
}

impl Slow {
    pub fn new() -> Slow {
        Slow { inner: MemoryStore::default(), writers: 1, knobs: Arc::default() }
    }

    pub fn take(&self, commit_ms: u64) {
        self.knobs.commit_ms.store(commit_ms, Ordering::SeqCst);
    }

    pub fn away(&self, away: bool) {
        self.knobs.away.store(away, Ordering::SeqCst);
    }

    fn there(&self) -> Result<(), Gone> {
        if self.knobs.away.load(Ordering::SeqCst) { Err(Gone) } else { Ok(()) }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the database went away")]
pub struct Gone;

pub struct Tx {
    store: Slow,
    inner: <MemoryStore as Store>::Tx,
    lanes: Vec<(Lane, usize)>,
}

impl Store for Slow {
    type Error = Gone;
    type Tx = Tx;

    async fn info(&self) -> Result<StoreInfo, Gone> {
        self.inner.info().await.map_err(|_| Gone)
    }

    async fn load(&self, device: &DeviceId) -> Result<Resume, Gone> {
        self.there()?;
        self.inner.load(device).await.map_err(|_| Gone)
    }

    async fn begin(&self, lanes: &[LaneId]) -> Result<(Tx, Vec<Position>), Gone> {
        self.there()?;
        let (inner, marks) = self.inner.begin(lanes).await.map_err(|_| Gone)?;
        Ok((Tx { store: self.clone(), inner, lanes: Vec::new() }, marks))
    }

    fn writers(&self) -> usize {
        self.writers
    }

    fn failure(&self, _: &Gone) -> Failure {
        Failure::Retry
    }
}

impl Transaction for Tx {
    type Error = Gone;

    async fn load(&mut self, device: &DeviceId) -> Result<Resume, Gone> {
        self.inner.load(device).await.map_err(|_| Gone)
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), Gone> {
        self.store.there()?;
        for lane in Lane::ALL {
            let n = batch.readings.iter().filter(|r| r.lane.lane == lane).count();
            self.lanes.extend((n > 0).then_some((lane, n)));
        }
        self.inner.write(batch).await.map_err(|_| Gone)
    }

    async fn commit(self) -> Result<(), Gone> {
        tokio::time::sleep(Duration::from_millis(self.store.knobs.commit_ms.load(Ordering::SeqCst))).await;
        self.store.there()?;
        self.inner.commit().await.map_err(|_| Gone)?;
        self.store.knobs.order.lock().unwrap().extend(self.lanes);
        Ok(())
    }
}
