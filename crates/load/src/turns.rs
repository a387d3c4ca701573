//! When a client sends, and what all clients saw: shared by the tasks of one thread.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How a fleet sends.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Records in one exchange; the next begins when it is answered.
    pub batch: usize,
    /// Time between two exchanges of one connection; `None`: the next begins at once.
    pub every: Option<Duration>,
    /// No exchange at all: the connections are open, that is all.
    pub idle: bool,
}

/// What all clients of a fleet share.
#[derive(Debug)]
pub struct Turns {
    pace: Pace,
    stop: Cell<bool>,
    stopped: Notify,
    ready: Cell<usize>,
    changed: Notify,
    records: Cell<u64>,
    latencies: RefCell<Histogram<u64>>,
}

/// One exchange that is due.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// How many records to send.
    pub records: usize,
    /// Since when it is due: an answer's time counts from here.
    pub due: Instant,
}

impl Turns {
    /// For one run.
    ///
    /// # Errors
    /// Never: the histogram's bounds are fixed.
    pub fn new(pace: Pace) -> Result<Self> {
        Ok(Self {
            pace,
            stop: Cell::new(false),
            stopped: Notify::new(),
            ready: Cell::new(0),
            changed: Notify::new(),
            records: Cell::new(0),
            latencies: RefCell::new(Histogram::new_with_bounds(1, 60_000_000_000, 3)?),
        })
    }

    /// How it is sent.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// A client is connected.
    pub fn connected(&self) {
        self.ready.set(self.ready.get() + 1);
        self.changed.notify_waiters();
    }

    /// Waits until so many clients are connected. Cancel safe.
    pub async fn all_connected(&self, clients: usize) {
        while self.ready.get() < clients {
            self.changed.notified().await;
        }
    }

    /// Waits for a client's next exchange; `None` once the run is over. `due` is the client's own, at first when it shall begin.
    /// Cancel safe.
    pub async fn next(&self, due: &mut Instant) -> Option<Turn> {
        if self.stop.get() {
            return None;
        }
        let wait = match (self.pace.idle, self.pace.every) {
            (true, _) => Duration::MAX,
            (false, Some(_)) => due.saturating_duration_since(Instant::now()),
            (false, None) => Duration::ZERO,
        };
        if !wait.is_zero() {
            let stopped = self.stopped.notified();
            if wait == Duration::MAX {
                stopped.await;
                return None;
            }
            if tokio::time::timeout(wait, stopped).await.is_ok() {
                return None;
            }
        }
        let turn = Turn {
            records: self.pace.batch,
            due: if self.pace.every.is_some() { *due } else { Instant::now() },
        };
        *due = turn.due + self.pace.every.unwrap_or_default();
        Some(turn)
    }

    /// An exchange was answered.
    pub fn answered(&self, turn: Turn) {
        self.records.set(self.records.get() + turn.records as u64);
        let nanos = u64::try_from(turn.due.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.latencies.borrow_mut().saturating_record(nanos);
    }

    /// Records that were answered so far.
    pub fn records(&self) -> u64 {
        self.records.get()
    }

    /// Forgets how long answers took: the window begins.
    pub fn begin_window(&self) {
        self.latencies.borrow_mut().reset();
    }

    /// How long answers took.
    pub fn latencies(&self) -> Latencies {
        let seen = self.latencies.borrow();
        let at = |quantile| Duration::from_nanos(seen.value_at_quantile(quantile));
        Latencies { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
    }

    /// Ends the run: what is under way is still answered.
    pub fn end(&self) {
        self.stop.set(true);
        self.stopped.notify_waiters();
    }

    /// Whether the run is over.
    pub fn is_over(&self) -> bool {
        self.stop.get()
    }
}

/// How long answers took, by quantile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latencies {
    /// Half of them.
    pub p50: Duration,
    /// 99 of 100.
    pub p99: Duration,
    /// 999 of 1,000.
    pub p999: Duration,
}
