//! When a client sends, and what all clients saw: shared by the tasks of one thread.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How a fleet sends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Records in one exchange; the next begins when it is answered. 0: no exchange at all, the connections are open and that is all.
    pub batch: usize,
    /// Time between two exchanges of one connection; `None`: the next begins at once.
    pub every: Option<Duration>,
    /// So many connections begin theirs together; the groups are spread evenly over `every`.
    pub together: usize,
}

impl Pace {
    /// One record at a time, as fast as it is answered.
    pub fn saturated(batch: usize) -> Self {
        Self { batch, every: None, together: 1 }
    }

    /// When the connection of this number begins, after all are there.
    fn phase(&self, number: usize, connections: usize) -> Duration {
        let together = self.together.max(1);
        let share = (number / together * together) as f64 / connections.max(1) as f64;
        self.every.unwrap_or_default().mul_f64(share)
    }
}

/// What all clients of a fleet share.
#[derive(Debug)]
pub struct Turns {
    pace: Pace,
    connections: usize,
    ready: Cell<usize>,
    begun: Cell<Option<Instant>>,
    over: Cell<bool>,
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
    pub fn new(pace: Pace, connections: usize) -> Result<Self> {
        Ok(Self {
            pace,
            connections,
            ready: Cell::new(0),
            begun: Cell::new(None),
            over: Cell::new(false),
            changed: Notify::new(),
            records: Cell::new(0),
            latencies: RefCell::new(Histogram::new_with_bounds(1, 60_000_000_000, 3)?),
        })
    }

    /// How it is sent.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// A client is connected; the last one lets all begin.
    pub fn connected(&self) {
        self.ready.set(self.ready.get() + 1);
        if self.ready.get() == self.connections {
            self.begun.set(Some(Instant::now()));
            self.changed.notify_waiters();
        }
    }

    /// Waits until all clients are connected; returns since when. Cancel safe.
    pub async fn all_connected(&self) -> Instant {
        loop {
            if let Some(begun) = self.begun.get() {
                return begun;
            }
            self.changed.notified().await;
        }
    }

    /// Waits for the next exchange of a client, whose last one was due at `last` (`None`: it had none); `None` once the run is over.
    /// Cancel safe.
    pub async fn next(&self, number: usize, last: Option<Instant>) -> Option<Turn> {
        let begun = self.all_connected().await;
        if self.over.get() {
            return None;
        }
        if self.pace.batch == 0 {
            self.changed.notified().await;
            return None;
        }
        let records = self.pace.batch;
        let Some(every) = self.pace.every else { return Some(Turn { records, due: Instant::now() }) };
        let due = last.map_or_else(|| begun + self.pace.phase(number, self.connections), |last| last + every);
        let wait = due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            // Nothing changes but that the run ends.
            if tokio::time::timeout(wait, self.changed.notified()).await.is_ok() {
                return None;
            }
        }
        Some(Turn { records, due })
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
        self.over.set(true);
        self.changed.notify_waiters();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn paced_clients_keep_to_their_times_however_late_answers_are() {
        let pace = Pace { batch: 1, every: Some(Duration::from_secs(1)), together: 2 };
        let turns = Turns::new(pace, 4).unwrap();
        (0..4).for_each(|_| turns.connected());
        let begun = turns.all_connected().await;
        let mut due = vec![];
        for number in 0..4 {
            due.push((turns.next(number, None).await.unwrap().due - begun).as_millis());
        }
        assert_eq!(due, [0, 0, 500, 500]);
        tokio::time::advance(Duration::from_secs(5)).await;
        let late = turns.next(0, Some(begun)).await.unwrap();
        assert_eq!(late.due - begun, Duration::from_secs(1), "what was late is not left out");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_begins_before_all_are_there_and_all_ends_at_once() {
        let turns = Turns::new(Pace::saturated(1), 2).unwrap();
        turns.connected();
        let soon = Duration::from_secs(9);
        assert!(tokio::time::timeout(soon, turns.next(0, None)).await.is_err());
        turns.connected();
        assert!(turns.next(0, None).await.is_some());
        turns.end();
        assert!(turns.next(0, None).await.is_none());
    }
}
