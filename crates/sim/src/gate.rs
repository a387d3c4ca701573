//! The store as a server sees it: steps that take time, and faults between any two of them.
//!
//! A transaction of [`MemoryStore`] waits before each of its steps until it is polled again, so that two servers' transactions interleave, and
//! dropping it there is a crash between two steps. What was committed is handed to whoever watches.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use sensock::{DeviceId, Position};
use sensock_store::memory::{MemoryError, MemoryStore, MemoryTx, Point};
use sensock_store::store::StoreInfo;
use sensock_store::{Batch, Failure, LaneId, Resume, Store, Transaction};

/// One server's way to the store.
#[derive(Clone, Debug)]
pub(crate) struct GatedStore {
    pub(crate) memory: MemoryStore,
    pub(crate) gate: Arc<Mutex<Gate>>,
}

/// What a transaction does on its way.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Each step waits to be polled.
    pub(crate) steps: bool,
    /// What was committed is kept for the watcher.
    pub(crate) watched: bool,
    /// Steps of the transaction under way.
    pub(crate) at: u32,
    /// The next transaction fails here, in this way.
    pub(crate) fail: Option<(Point, Failure)>,
    /// It did.
    pub(crate) failed: bool,
    /// Readings of quantity 1 with this value are rejected.
    pub(crate) poison: Vec<i32>,
    /// Which of them were.
    pub(crate) rejected: Vec<i32>,
    /// What was committed since the watcher looked, by all servers in order.
    pub(crate) committed: Arc<Mutex<Vec<Batch>>>,
}

impl GatedStore {
    pub(crate) fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn step(&self, point: Point) -> Result<(), MemoryError> {
        let mut waits = {
            let mut gate = self.gate();
            gate.at += 1;
            gate.steps
        };
        std::future::poll_fn(|_| if std::mem::take(&mut waits) { Poll::Pending } else { Poll::Ready(()) })
            .await;
        self.pass(point)
    }

    fn pass(&self, point: Point) -> Result<(), MemoryError> {
        let mut gate = self.gate();
        match gate.fail {
            Some((at, failure)) if at == point => {
                (gate.fail, gate.failed) = (None, true);
                Err(MemoryError::Told(point, failure))
            }
            _ => Ok(()),
        }
    }
}

impl Store for GatedStore {
    type Error = MemoryError;
    type Tx = GatedTx;

    async fn info(&self) -> Result<StoreInfo, MemoryError> {
        self.memory.info().await
    }

    async fn load(&self, device: &DeviceId) -> Result<Resume, MemoryError> {
        self.pass(Point::Load)?;
        self.memory.load(device).await
    }

    async fn begin(&self, lanes: &[LaneId]) -> Result<(GatedTx, Vec<Position>), MemoryError> {
        self.step(Point::Begin).await?;
        let (tx, marks) = self.memory.begin(lanes).await?;
        Ok((GatedTx { store: self.clone(), tx, written: Batch::default() }, marks))
    }

    fn failure(&self, error: &MemoryError) -> Failure {
        self.memory.failure(error)
    }
}

/// A transaction under way.
#[derive(Debug)]
pub(crate) struct GatedTx {
    store: GatedStore,
    tx: MemoryTx,
    written: Batch,
}

impl Transaction for GatedTx {
    type Error = MemoryError;

    async fn load(&mut self, device: &DeviceId) -> Result<Resume, MemoryError> {
        self.store.step(Point::Load).await?;
        self.tx.load(device).await
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), MemoryError> {
        self.store.step(Point::Write).await?;
        {
            let mut gate = self.store.gate();
            let guilty = batch.readings.iter().find(|r| r.quantity == 1 && gate.poison.contains(&r.raw));
            if let Some(row) = guilty {
                gate.rejected.push(row.raw);
                return Err(MemoryError::Rejected(format!("the value {} is poison", row.raw)));
            }
            if gate.watched {
                self.written.append(batch);
            }
        }
        self.tx.write(batch).await
    }

    async fn commit(self) -> Result<(), MemoryError> {
        self.store.step(Point::Commit).await?;
        let done = self.tx.commit().await;
        if matches!(done, Ok(()) | Err(MemoryError::Told(Point::Committed, _))) {
            let gate = self.store.gate();
            if gate.watched {
                gate.committed.lock().unwrap_or_else(PoisonError::into_inner).push(self.written);
            }
        }
        done?;
        self.store.step(Point::Committed).await
    }
}

/// Polls once, with nobody to wake.
pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
