//! What a server reports while it runs: a bounded view, lossy where its reader is slow, that never holds anything up.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use sensock::DeviceId;
use sensock::seal::KeyId;
use sensock::wire::hello::{End, Refusal};
use sensock_store::work::Meeting;
use sensock_store::{CommandRow, GapRow, LaneId, ReadingRow, SettingRow};
use tokio::sync::Notify;

use crate::asked::Asked;
use crate::inbox::lock;
use crate::why::Why;

/// Readings that were just committed, of one lane and in order; cheap to clone.
#[derive(Clone, Debug)]
pub struct Rows(pub(crate) Arc<Vec<ReadingRow>>);

impl Deref for Rows {
    type Target = [ReadingRow];
    fn deref(&self) -> &[ReadingRow] {
        &self.0
    }
}

/// Something that happened. All of it is in the store too, but for what concerns this server alone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A device proved itself live, in a boot that is new to the store (or as a device that is).
    Connected {
        /// Who.
        device: DeviceId,
        /// Its address.
        peer: String,
        /// Its boot number.
        boot: u32,
        /// What kind of meeting it was; `Rebased` means that some records may be stored twice.
        meeting: Meeting,
    },
    /// A device came back within its boot and goes on where the store's marks stand.
    Resumed {
        /// Who.
        device: DeviceId,
        /// Its address.
        peer: String,
        /// Its boot number.
        boot: u32,
        /// For how long it was away by its own account, in milliseconds; 0 if it does not know.
        offline_ms: u32,
    },
    /// A newer connection of a device took over from one that still seemed alive.
    Takeover {
        /// Who.
        device: DeviceId,
        /// The address of the connection that ended.
        from: String,
        /// The address of the one that goes on.
        to: String,
    },
    /// A connection ended.
    Disconnected {
        /// Who.
        device: DeviceId,
        /// How, in a word.
        end: End,
        /// How, in a sentence.
        reason: String,
    },
    /// Readings were committed.
    Stored {
        /// The readings.
        rows: Rows,
    },
    /// Positions that will never be stored, and why.
    Gap(GapRow),
    /// Records could not be understood; their bytes are in quarantine.
    Quarantined {
        /// Whose, in which lane.
        lane: LaneId,
        /// Why.
        reason: String,
    },
    /// A command reached its end: see its state.
    Settled(CommandRow),
    /// A device applied or refused a setting.
    Applied(SettingRow),
    /// A device wants to know something: answer with [`Asked::with`].
    Asked(Asked),
    /// A device said that it sleeps.
    Asleep {
        /// Who.
        device: DeviceId,
        /// Until when, in us since 1970.
        until_us: i64,
    },
    /// A device did not come back in time (after its sleep, with an allowance for its clock; or after its connection broke).
    Lost {
        /// Who.
        device: DeviceId,
    },
    /// Somebody was turned away.
    Refused {
        /// The address.
        peer: String,
        /// Who it said it is, if it came to that.
        device: Option<DeviceId>,
        /// What it is told, in a word.
        code: Refusal,
        /// Why.
        why: Why,
        /// Why, and what to do, for the operator.
        words: String,
    },
    /// A connected device may not be connected any more: its key was taken away, for example ([`Server::recheck_keys`]). Its connection
    /// ends.
    ///
    /// [`Server::recheck_keys`]: crate::Server::recheck_keys
    Revoked {
        /// Who.
        device: DeviceId,
        /// The key that it came with; `None` if it came without.
        key: Option<KeyId>,
        /// Its address.
        peer: String,
        /// Why, as the device is told.
        why: &'static str,
    },
    /// A device's quota of today is used up: what it measures waits on it. Said once a day.
    Quota {
        /// Who.
        device: DeviceId,
        /// Until when, in us since 1970.
        until_us: i64,
    },
    /// Two boards have one identity. The one that is connected stays.
    Collision {
        /// The identity.
        device: DeviceId,
        /// The address of the one that stays; empty if none is connected here.
        connected: String,
        /// The address of the one that was turned away.
        refused: String,
    },
    /// Something that does not speak sensock dialled.
    Foreign {
        /// The address.
        peer: String,
        /// What it seems to be, and what to do.
        words: &'static str,
    },
    /// A catalogue has the hash of a stored one but other content: the connection was closed.
    CatalogContradicts {
        /// Whose.
        device: DeviceId,
        /// The hash.
        hash: u64,
    },
    /// A device's clock contradicts what was known of it; bounds are wider from here on.
    ClockFault {
        /// Whose.
        device: DeviceId,
    },
    /// What is stored of a device's present boot, measured by another server or before a step, excludes what this server measures. Both bounds
    /// hold from here on, as their union.
    ClocksDisagree {
        /// Whose ticks showed it.
        device: DeviceId,
        /// At least by so many microseconds this server's clock is ahead (behind if negative).
        by_us: i64,
    },
    /// This server's wall clock stepped.
    ClockStepped {
        /// By so many microseconds.
        by_us: i64,
    },
    /// The store does not answer; nothing is acknowledged meanwhile, and nothing is lost.
    StoreAway {
        /// The store's own words.
        words: String,
    },
    /// The store answers again.
    StoreBack {
        /// After so many milliseconds.
        after_ms: u64,
    },
    /// So many events came that this reader missed: read the store for what they said.
    Missed(u64),
}

impl Event {
    fn rows(&self) -> usize {
        match self {
            Event::Stored { rows } => rows.len(),
            _ => 0,
        }
    }
}

/// Rows that events of one reader may hold in memory.
const ROWS_MAX: usize = 64 << 10;

/// A reader of a server's events.
///
/// It sees what happens from its making on. If it is slower than what happens, the oldest events are dropped and [`Event::Missed`] says how
/// many. It never delays a commit or an acknowledgement.
#[derive(Debug)]
pub struct Events {
    reader: Arc<Reader>,
}

impl Events {
    /// Leaves out [`Event::Stored`]: for whoever wants to know what happens, not what is measured. While no reader takes them, commits
    /// are spared the work of telling rows.
    #[must_use]
    pub fn without_rows(self) -> Self {
        self.reader.rows.store(false, Ordering::Relaxed);
        self
    }

    /// The next event; `None` once the server has ended. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let more = self.reader.wake.notified();
            {
                let mut state = lock(&self.reader.state);
                if state.missed > 0 {
                    return Some(Event::Missed(std::mem::take(&mut state.missed)));
                }
                if let Some(event) = state.pop() {
                    return Some(event);
                }
                if state.ended {
                    return None;
                }
            }
            more.await;
        }
    }
}

#[derive(Debug)]
struct Reader {
    state: Mutex<State>,
    wake: Notify,
    capacity: usize,
    /// Stored readings are told too.
    rows: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    rows: usize,
    missed: u64,
    ended: bool,
}

impl State {
    fn pop(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.rows -= event.rows();
        Some(event)
    }
}

/// Where events go in.
#[derive(Debug)]
pub(crate) struct Hub {
    readers: Mutex<Vec<Weak<Reader>>>,
    capacity: usize,
}

impl Hub {
    pub(crate) fn new(capacity: usize) -> Self {
        Hub { readers: Mutex::default(), capacity: capacity.max(1) }
    }

    pub(crate) fn subscribe(&self) -> Events {
        let (state, wake, rows) = (Mutex::default(), Notify::new(), AtomicBool::new(true));
        let reader = Arc::new(Reader { state, wake, capacity: self.capacity, rows });
        lock(&self.readers).push(Arc::downgrade(&reader));
        Events { reader }
    }

    /// Whether anybody wants to hear of stored readings.
    pub(crate) fn wants_rows(&self) -> bool {
        lock(&self.readers).iter().filter_map(Weak::upgrade).any(|r| r.rows.load(Ordering::Relaxed))
    }

    pub(crate) fn send(&self, event: Event) {
        let mut dropped = Vec::new();
        lock(&self.readers).retain(|weak| {
            let Some(reader) = weak.upgrade() else { return false };
            if matches!(event, Event::Stored { .. }) && !reader.rows.load(Ordering::Relaxed) {
                return true;
            }
            let mut state = lock(&reader.state);
            state.rows += event.rows();
            state.events.push_back(event.clone());
            while state.events.len() > reader.capacity || (state.rows > ROWS_MAX && state.events.len() > 1) {
                dropped.extend(state.pop());
                state.missed += 1;
            }
            reader.wake.notify_one();
            true
        });
        // A question that nobody saw is refused as it is dropped: outside of the locks.
        drop(dropped);
    }

    /// No more will come.
    pub(crate) fn end(&self) {
        for reader in lock(&self.readers).iter().filter_map(Weak::upgrade) {
            lock(&reader.state).ended = true;
            reader.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_reader_misses_the_oldest_and_is_told_how_many() {
        let hub = Hub::new(3);
        let (mut slow, mut other) = (hub.subscribe(), hub.subscribe());
        for by_us in 0..5 {
            hub.send(Event::ClockStepped { by_us });
        }
        assert!(matches!(slow.next().await, Some(Event::Missed(2))));
        for expected in 2..5 {
            assert!(matches!(slow.next().await, Some(Event::ClockStepped { by_us }) if by_us == expected));
        }
        hub.end();
        assert!(slow.next().await.is_none());
        assert!(matches!(other.next().await, Some(Event::Missed(2))));
    }

    #[tokio::test]
    async fn rows_are_told_to_those_who_want_them() {
        let hub = Hub::new(3);
        let (mut all, mut few) = (hub.subscribe(), hub.subscribe().without_rows());
        hub.send(Event::Stored { rows: Rows(Arc::default()) });
        hub.send(Event::ClockStepped { by_us: 1 });
        assert!(matches!(all.next().await, Some(Event::Stored { .. })));
        assert!(matches!(few.next().await, Some(Event::ClockStepped { .. })));
        assert!(hub.wants_rows());
        drop(all);
        assert!(!hub.wants_rows(), "only one who does not want them is left");
    }
}
