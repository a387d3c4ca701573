//! How long a group of works is waited for: a share of what a commit takes, as long as that brings more works.
//!
//! Devices that wait for their acknowledgement answer it with the next record. If the committer begins as soon as the first of them is
//! there, it commits it alone, and all the others wait for two commits: groups of half the size at twice the price. So it waits for as many
//! as there were, for at most half the time that a commit takes. Where they do not come (each device has a pace of its own), the wait
//! shrinks to next to nothing, and is tried again now and then.

use std::time::Duration;

use tokio::time::Instant;

use crate::queue::Queue;

/// The longest wait is `took * FULL / WHOLE`.
const WHOLE: u32 = 64;
const FULL: u32 = 32;
/// Nothing is waited for longer than this.
const LONGEST: Duration = Duration::from_millis(10);
/// What is shorter is not waited at all. Timers count milliseconds, so a wait in vain takes one: rarely, as patience ends soon then.
const SHORTEST: Duration = Duration::from_micros(50);
/// After so many groups the full wait is tried again.
const AGAIN: u32 = 32;

/// What the last groups were like.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Works that may come: those of the last group, and those that came while it was committed.
    expected: usize,
    took: Duration,
    /// The share of it that is waited, of [`WHOLE`].
    patience: u32,
    groups: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { expected: 1, took: Duration::ZERO, patience: FULL, groups: 0 }
    }
}

impl Pace {
    /// Waits a little for others to join, if that pays.
    pub(crate) async fn gather(&mut self, queue: &Queue) {
        // Whoever is ready to run gets its turn first: their works join for free.
        tokio::task::yield_now().await;
        if self.expected < 2 {
            return;
        }
        let came = match self.wait() {
            None => queue.waiting() >= self.expected,
            Some(wait) => queue.gather(self.expected, Instant::now() + wait).await,
        };
        self.waited(came);
    }

    fn wait(&self) -> Option<Duration> {
        let wait = (self.took * self.patience / WHOLE).min(LONGEST);
        (wait >= SHORTEST).then_some(wait)
    }

    /// Whether all that were expected came in time.
    fn waited(&mut self, came: bool) {
        self.groups = self.groups.wrapping_add(1);
        self.patience = match came {
            true => FULL,
            false if self.groups.is_multiple_of(AGAIN) => FULL,
            false => (self.patience / 2).max(1),
        };
    }

    /// A group of so many works was committed; so many more came meanwhile.
    pub(crate) fn committed(&mut self, works: usize, took: Duration, waiting: usize) {
        (self.expected, self.took) = (works + waiting, took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: Duration = Duration::from_millis(4);

    #[test]
    fn who_answers_at_once_is_waited_for_and_who_does_not_is_not() {
        let mut pace = Pace::default();
        pace.committed(50, COMMIT, 50);
        assert_eq!((pace.expected, pace.wait()), (100, Some(COMMIT / 2)));
        for _ in 0..1_000 {
            pace.waited(true);
            assert_eq!(pace.wait(), Some(COMMIT / 2));
        }
        let mut waited = Duration::ZERO;
        for _ in 0..1_000 {
            pace.waited(false);
            waited += pace.wait().unwrap_or_default();
        }
        assert!(waited < COMMIT * 1_000 / 20, "less than a twentieth is lost: {waited:?}");
    }

    #[test]
    fn a_slow_store_is_not_made_much_slower() {
        let mut pace = Pace::default();
        pace.committed(50, Duration::from_secs(1), 0);
        assert_eq!(pace.wait(), Some(LONGEST));
    }
}
