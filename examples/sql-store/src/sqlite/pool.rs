//! Connections that are opened when they are wanted and kept until the pool is closed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::pool::WAIT;
use crate::sqlite::worker::{Purpose, Worker};

/// See the module.
#[derive(Debug)]
pub(crate) struct LitePool {
    file: PathBuf,
    purpose: Purpose,
    most: u32,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<(Worker, u32)>>>,
    /// Connections that were ever opened.
    made: AtomicU32,
    is_closing: AtomicBool,
}

impl LitePool {
    pub(crate) fn new(file: PathBuf, purpose: Purpose, most: u32) -> Self {
        Self {
            file,
            purpose,
            most,
            turns: Arc::new(Semaphore::new(most as usize)),
            idle: Arc::default(),
            made: AtomicU32::new(0),
            is_closing: AtomicBool::new(false),
        }
    }

    /// A connection, as soon as one is free; waits for no longer than [`WAIT`].
    pub(crate) async fn acquire(&self) -> Result<LiteHeld, Error> {
        let turn = tokio::time::timeout(WAIT, self.turns.clone().acquire_owned());
        let turn = turn.await.map_err(|_| Error::PoolTimedOut)?.map_err(|_| Error::PoolClosed)?;
        if self.is_closing.load(Ordering::Acquire) {
            return Err(Error::PoolClosed);
        }
        let mut kept = lock(&self.idle).pop();
        if kept.as_ref().is_some_and(|(worker, _)| !worker.works()) {
            kept = None;
        }
        let (worker, number) = match kept {
            Some(kept) => kept,
            None => {
                let worker = Worker::open(self.file.clone(), self.purpose).await?;
                (worker, self.made.fetch_add(1, Ordering::AcqRel) + 1)
            }
        };
        Ok(LiteHeld { worker: Some(worker), number, is_open: false, idle: self.idle.clone(), _turn: turn })
    }

    /// Waits until those in use are given back, then closes all.
    pub(crate) async fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        // It is never closed: a permit for each is had once all are back.
        let _all = self.turns.acquire_many(self.most).await;
        let idle = std::mem::take(&mut *lock(&self.idle));
        for (worker, _) in idle {
            worker.close().await;
        }
    }
}

/// A connection in use; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct LiteHeld {
    /// Gone only while it is dropped.
    worker: Option<Worker>,
    number: u32,
    /// A transaction may be under way.
    pub(crate) is_open: bool,
    idle: Arc<Mutex<Vec<(Worker, u32)>>>,
    _turn: OwnedSemaphorePermit,
}

impl LiteHeld {
    pub(crate) fn worker(&self) -> Result<&Worker, Error> {
        self.worker.as_ref().ok_or(Error::PoolClosed)
    }

    /// Which of the connections that were ever opened it is.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }
}

impl Drop for LiteHeld {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            // What was left open is undone before whoever comes next.
            if self.is_open {
                worker.roll_back();
            }
            lock(&self.idle).push((worker, self.number));
        }
    }
}

/// A push or a pop is all that ever happens under the lock: a panic elsewhere leaves it whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_kept_and_a_closed_pool_gives_none() {
        let directory = tempfile::tempdir().unwrap();
        let pool = LitePool::new(directory.path().join("plants.sqlite"), Purpose::Write, 1);
        drop(pool.acquire().await.unwrap());
        let mut held = pool.acquire().await.unwrap();
        assert_eq!(held.number(), 1, "the same one");
        held.is_open = true;
        let script = |c: &rusqlite::Connection| c.execute_batch("BEGIN; CREATE TABLE t (a INTEGER) STRICT");
        held.worker().unwrap().run(script).await.unwrap();
        drop(held);
        let held = pool.acquire().await.unwrap();
        let tables = |c: &rusqlite::Connection| {
            c.query_row("SELECT COUNT(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(held.worker().unwrap().run(tables).await.unwrap(), 0, "it was rolled back");
        let closing = pool.close();
        let mut closing = std::pin::pin!(closing);
        assert!(futures_util::FutureExt::now_or_never(closing.as_mut()).is_none(), "one is in use");
        drop(held);
        closing.await;
        assert!(matches!(pool.acquire().await, Err(Error::PoolClosed)));
    }
}
