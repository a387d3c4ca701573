//! One connection of SQLite's, on a thread of its own: jobs in, answers out.
//!
//! SQLite waits for the disk, which no task may do. A job runs to its end whether or not anybody still waits for its answer, and jobs run in
//! the order in which they came: so what was begun by a future that was dropped is undone by the job that its owner posts behind it. Each job
//! is a switch to another thread and back, which costs more than many a statement: what needs no answer waits for the next job that does.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OpenFlags};
use sqlx::Error;
use tokio::sync::oneshot;

use crate::pool::WAIT;
use crate::sqlite::STATEMENTS;
use crate::sqlite::fail::fail;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Read,
}

/// Memory for pages of one that reads, in KiB: what it holds is worth nothing after the next commit, and the system keeps the file's pages too.
const READ_CACHE_KIB: i64 = 256;

/// A connection. Dropped, it is closed once its jobs are done.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
    /// It could not be brought back to a state that is known.
    is_broken: Arc<AtomicBool>,
    closed: oneshot::Receiver<()>,
}

impl Worker {
    /// Opens the file.
    pub(crate) async fn open(file: PathBuf, purpose: Purpose) -> Result<Worker, Error> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let (opens, opened) = oneshot::channel();
        let (closes, closed) = oneshot::channel();
        let name = match purpose {
            Purpose::Write => "sqlite-writer",
            Purpose::Read => "sqlite-reader",
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut connection = match connect(&file, purpose) {
                Ok(connection) => connection,
                Err(error) => return drop(opens.send(Err(error))),
            };
            if opens.send(Ok(())).is_err() {
                return;
            }
            inbox.iter().for_each(|job| job(&mut connection));
            drop(connection);
            // Nobody may be waiting for it.
            let _ = closes.send(());
        })?;
        opened.await.map_err(|_| Error::WorkerCrashed)?.map_err(fail)?;
        Ok(Worker { jobs, thread, is_broken: Arc::default(), closed })
    }

    /// Runs a job, and waits for what it returns.
    ///
    /// Dropped while it waits, the job runs all the same.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (answers, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| drop(answers.send(job(connection))));
        // A job that panicked took the thread with it, which may still be on its way out.
        let crashed = || {
            self.is_broken.store(true, Ordering::Release);
            Error::WorkerCrashed
        };
        self.jobs.send(job).map_err(|_| crashed())?;
        answer.await.map_err(|_| crashed())?.map_err(fail)
    }

    /// Undoes what was begun and not committed, once the jobs before it are done.
    pub(crate) fn roll_back(&self) {
        let is_broken = self.is_broken.clone();
        let job: Job = Box::new(move |connection| {
            if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
                is_broken.store(true, Ordering::Release);
            }
        });
        // A thread that has ended is noticed by whoever wants the connection next.
        let _ = self.jobs.send(job);
    }

    /// Whether it can be used again.
    pub(crate) fn works(&self) -> bool {
        !self.is_broken.load(Ordering::Acquire) && !self.thread.is_finished()
    }

    /// Waits until its jobs are done and the file is closed.
    pub(crate) async fn close(self) {
        drop(self.jobs);
        // Closed, or its thread has ended by itself.
        let _ = self.closed.await;
    }
}

fn connect(file: &PathBuf, purpose: Purpose) -> rusqlite::Result<Connection> {
    let made = match purpose {
        Purpose::Write => OpenFlags::SQLITE_OPEN_CREATE,
        Purpose::Read => OpenFlags::empty(),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | made;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // What a statement needs to undo itself: never read again after a crash.
    connection.pragma_update(None, "temp_store", "memory")?;
    if purpose == Purpose::Read {
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -READ_CACHE_KIB)?;
    }
    Ok(connection)
}
