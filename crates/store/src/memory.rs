//! A store in memory: for tests, simulation and first steps. Nothing outlives the process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::lock::{Mutex as AsyncMutex, OwnedMutexGuard};
use sensock::{DeviceId, Position, StoreId};

use crate::batch::Batch;
use crate::rows::LaneId;
use crate::store::{Durability, Failure, Resume, Store, StoreInfo, Transaction};

mod history;
mod state;

use state::State;

/// Where a memory store can be told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Point {
    /// In `load`, inside or outside of a transaction.
    Load,
    /// In `begin`.
    Begin,
    /// In `write`.
    Write,
    /// In `commit`, before anything is applied.
    Commit,
    /// In `commit`, after all of it is applied: the caller hears of a failure that was none.
    Committed,
}

/// Why a memory store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// Told to, by [`MemoryStore::fail_next`].
    #[error("the memory store was told to fail at {0:?}: remove the fault, or run the transaction again")]
    Told(Point, Failure),
    /// A row that cannot be stored.
    #[error("the memory store rejects this: {0}")]
    Rejected(String),
}

/// A store in memory. Clones share what they hold.
///
/// One transaction runs at a time: `begin` waits until the one before is committed or dropped (without the limit of 3 s that stores
/// with clocks keep). Rows that a database's keys would refuse are rejected here too.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<Arc<State>>,
    faults: Mutex<VecDeque<(Point, Failure)>>,
    turn: Arc<AsyncMutex<()>>,
}

/// All that a memory store held at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot(Arc<State>);

impl MemoryStore {
    /// An empty store with this id.
    pub fn new(id: StoreId) -> Self {
        Self {
            inner: Arc::new(Inner {
                state: Mutex::new(Arc::new(State::new(id))),
                faults: Mutex::default(),
                turn: Arc::default(),
            }),
        }
    }

    /// The next call at this point fails so. Several faults wait for their points in the order in which they were asked for.
    pub fn fail_next(&self, point: Point, failure: Failure) {
        lock(&self.inner.faults).push_back((point, failure));
    }

    /// What the store holds now. Cheap: rows are shared until one side changes.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(lock(&self.inner.state).clone())
    }

    /// Puts the store back to what it held then, like a database restored from a backup; transactions under way are not touched.
    pub fn restore(&self, snapshot: &Snapshot) {
        *lock(&self.inner.state) = snapshot.0.clone();
    }

    fn pass(&self, point: Point) -> Result<(), MemoryError> {
        let mut faults = lock(&self.inner.faults);
        match faults.iter().position(|f| f.0 == point).and_then(|i| faults.remove(i)) {
            Some((_, failure)) => Err(MemoryError::Told(point, failure)),
            None => Ok(()),
        }
    }

    fn state(&self) -> Arc<State> {
        lock(&self.inner.state).clone()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(StoreId(0x6d65_6d6f_7279))
    }
}

/// A transaction of a [`MemoryStore`].
#[derive(Debug)]
pub struct MemoryTx {
    store: MemoryStore,
    written: Batch,
    /// Held until the transaction ends.
    _turn: OwnedMutexGuard<()>,
}

impl Store for MemoryStore {
    type Error = MemoryError;
    type Tx = MemoryTx;

    async fn info(&self) -> Result<StoreInfo, MemoryError> {
        let state = self.state();
        Ok(StoreInfo {
            id: state.id,
            durability: Durability::Memory,
            latest_us: state.latest_us,
            name: "memory".to_owned(),
        })
    }

    async fn load(&self, device: &DeviceId) -> Result<Resume, MemoryError> {
        self.pass(Point::Load)?;
        Ok(self.state().resume(device))
    }

    async fn begin(&self, lanes: &[LaneId]) -> Result<(MemoryTx, Vec<Position>), MemoryError> {
        self.pass(Point::Begin)?;
        let early = sensock::planted!("stale-mark").then(|| self.state());
        let turn = self.inner.turn.clone().lock_owned().await;
        // Not held while it waits for its turn: whoever commits meanwhile would have to copy all of it.
        let state = early.unwrap_or_else(|| self.state());
        let marks = lanes.iter().map(|&lane| state.lane(lane).mark).collect();
        Ok((MemoryTx { store: self.clone(), written: Batch::default(), _turn: turn }, marks))
    }

    fn failure(&self, error: &MemoryError) -> Failure {
        match error {
            MemoryError::Told(_, failure) => *failure,
            MemoryError::Rejected(_) => Failure::Rejected,
        }
    }
}

impl Transaction for MemoryTx {
    type Error = MemoryError;

    async fn load(&mut self, device: &DeviceId) -> Result<Resume, MemoryError> {
        self.store.pass(Point::Load)?;
        Ok(self.store.state().resume(device))
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), MemoryError> {
        self.store.pass(Point::Write)?;
        self.store.state().check(batch)?;
        self.written.append(batch);
        Ok(())
    }

    async fn commit(self) -> Result<(), MemoryError> {
        self.store.pass(Point::Commit)?;
        {
            let mut held = lock(&self.store.inner.state);
            held.check(&self.written)?;
            Arc::make_mut(&mut held).apply(&self.written);
        }
        self.store.pass(Point::Committed)
    }
}

/// A panic elsewhere leaves whole states behind: each is replaced in one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
