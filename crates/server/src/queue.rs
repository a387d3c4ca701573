//! Works that wait for the committer: what is urgent first, else in the order in which they came.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use sensock::Lane;
use sensock_store::ReadingRow;
use sensock_store::work::{CommandWork, Done, Refuse, Work};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::inbox::{Token, lock};
use crate::registry::Connected;

/// Who wants to hear what became of a work.
#[derive(Debug)]
pub(crate) enum Origin {
    Connection(Arc<Connected>, Token),
    Caller(oneshot::Sender<Result<Done, Refuse>>),
    Nobody,
}

/// A work and where it came from.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) work: Work,
    pub(crate) origin: Origin,
}

/// The committer's queue. Bounded by what connections may have under way (credit) and by a limit on what callers put in.
#[derive(Debug)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    /// Rows that make a group full.
    full: usize,
    wake: Notify,
    weight: AtomicUsize,
    commit_us: AtomicU64,
}

#[derive(Debug, Default)]
struct Inner {
    urgent: VecDeque<Entry>,
    normal: VecDeque<Entry>,
    callers: usize,
    closed: bool,
    /// Rows of all works that wait.
    rows: usize,
    /// The committer is not woken for fewer works, unless one is urgent or they make a group full.
    wanted: usize,
    /// Works were taken and are not reported yet.
    under_way: bool,
    /// Whether nothing was left when they were taken, and when that was.
    taken_at: Option<i64>,
    /// When works were taken that are reported, and nothing was left.
    stored_until: i64,
}

impl Inner {
    fn waiting(&self) -> usize {
        self.urgent.len() + self.normal.len()
    }

    /// Whether the committer shall look; `full` rows are as many as it takes at once.
    fn is_due(&self, full: usize) -> bool {
        let enough = self.waiting() >= self.wanted || self.rows >= full;
        self.closed || !self.urgent.is_empty() || (self.waiting() > 0 && enough)
    }

    fn push(&mut self, entry: Entry) {
        self.rows += rows(&entry.work);
        if is_urgent(&entry.work) { self.urgent.push_back(entry) } else { self.normal.push_back(entry) }
    }

    /// Keeps room for a few groups as large as this one, and gives back what a crowd took.
    fn give_back(&mut self, group: usize) {
        let room = 4 * group.max(256);
        self.urgent.shrink_to(room);
        self.normal.shrink_to(room);
    }

    fn pop(&mut self) -> Option<Entry> {
        let entry = self.urgent.pop_front().or_else(|| self.normal.pop_front())?;
        self.rows -= rows(&entry.work);
        Some(entry)
    }
}

/// Works that callers may have waiting.
const CALLERS_MAX: usize = 4_096;

impl Queue {
    /// Gives groups of about so many rows.
    pub(crate) fn new(full: usize) -> Self {
        Queue {
            inner: Mutex::default(),
            full,
            wake: Notify::new(),
            weight: AtomicUsize::new(0),
            commit_us: AtomicU64::new(0),
        }
    }

    /// Adds works of one connection, in order.
    pub(crate) fn push(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut inner = lock(&self.inner);
        for entry in entries {
            self.weight.fetch_add(weight(&entry.work), Ordering::Relaxed);
            inner.push(entry);
        }
        let due = inner.is_due(self.full);
        drop(inner);
        if due {
            self.wake.notify_one();
        }
    }

    /// Adds a caller's work; `None` if too many wait or the server ends.
    pub(crate) fn ask(&self, work: Work) -> Option<oneshot::Receiver<Result<Done, Refuse>>> {
        let (answer, receiver) = oneshot::channel();
        let mut inner = lock(&self.inner);
        if inner.closed || inner.callers >= CALLERS_MAX {
            return None;
        }
        inner.callers += 1;
        self.weight.fetch_add(weight(&work), Ordering::Relaxed);
        inner.push(Entry { work, origin: Origin::Caller(answer) });
        let due = inner.is_due(self.full);
        drop(inner);
        if due {
            self.wake.notify_one();
        }
        Some(receiver)
    }

    /// Waits until there is something; `false` once the queue is closed and empty.
    pub(crate) async fn ready(&self) -> bool {
        self.due(0).await;
        lock(&self.inner).waiting() > 0
    }

    /// Waits for `works` works or a full group, but no longer than until then, and not at all if one is urgent; whether so many came.
    pub(crate) async fn gather(&self, works: usize, until: Instant) -> bool {
        let came = timeout_at(until, self.due(works)).await.is_ok();
        lock(&self.inner).wanted = 0;
        came
    }

    async fn due(&self, works: usize) {
        loop {
            let more = self.wake.notified();
            {
                let mut inner = lock(&self.inner);
                inner.wanted = works;
                if inner.is_due(self.full) {
                    return;
                }
            }
            more.await;
        }
    }

    /// How many works wait.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.inner).waiting()
    }

    /// Takes the next group, urgent works first.
    pub(crate) fn take(&self, now_us: i64) -> Vec<Entry> {
        let mut inner = lock(&self.inner);
        let (mut group, mut have) = (Vec::with_capacity(inner.waiting().min(self.full)), 0);
        while have < self.full {
            let Some(entry) = inner.pop() else { break };
            if matches!(entry.origin, Origin::Caller(_)) {
                inner.callers -= 1;
            }
            have += rows(&entry.work);
            group.push(entry);
        }
        if inner.waiting() == 0 {
            inner.give_back(group.len());
        }
        inner.under_way = true;
        inner.taken_at = (inner.waiting() == 0).then_some(now_us);
        group
    }

    /// What was taken last is committed and reported to everybody.
    pub(crate) fn reported(&self) {
        let mut inner = lock(&self.inner);
        inner.under_way = false;
        if let Some(at) = inner.taken_at.take() {
            inner.stored_until = at;
        }
    }

    /// Everything that was pushed before this time, which is now or earlier, is committed and reported.
    pub(crate) fn stored_until(&self, now_us: i64) -> i64 {
        let inner = lock(&self.inner);
        if inner.under_way || inner.waiting() > 0 { inner.stored_until.min(now_us) } else { now_us }
    }

    /// Works of so much weight are done with; a commit took so long.
    pub(crate) fn done(&self, weight: usize, commit_us: u64) {
        self.weight.fetch_sub(weight, Ordering::Relaxed);
        let old = self.commit_us.load(Ordering::Relaxed);
        self.commit_us.store((old * 3 + commit_us) / 4, Ordering::Relaxed);
    }

    /// Bytes of memory that waiting works take, about.
    pub(crate) fn weight(&self) -> usize {
        self.weight.load(Ordering::Relaxed)
    }

    /// How long a commit takes of late, in microseconds.
    pub(crate) fn commit_us(&self) -> u64 {
        self.commit_us.load(Ordering::Relaxed)
    }

    /// The committer waits for a store that is away since so long: windows shrink meanwhile.
    pub(crate) fn slow(&self, us: u64) {
        self.commit_us.fetch_max(us, Ordering::Relaxed);
    }

    /// Nothing more from callers; the committer ends once the queue is empty.
    pub(crate) fn close(&self) {
        lock(&self.inner).closed = true;
        self.wake.notify_one();
    }
}

/// Memory that a work takes, about.
pub(crate) fn weight(work: &Work) -> usize {
    match work {
        Work::Records(r) => {
            256 + r.readings.len() * size_of::<ReadingRow>()
                + r.raw.len()
                + (r.steps.len() + r.replies.len()) * 128
        }
        _ => 512,
    }
}

/// A Hello writes few rows, and reads all that is known of its device: a crowd that comes at once is taken in groups, and alarms go between.
const HELLO_ROWS: usize = 32;

/// Rows that a work writes, about, or is as good as.
fn rows(work: &Work) -> usize {
    match work {
        Work::Records(records) => 1 + records.readings.len(),
        Work::Hello(_) => HELLO_ROWS,
        _ => 1,
    }
}

/// What waits for nobody else: alarms, and commands on their way to a device.
fn is_urgent(work: &Work) -> bool {
    match work {
        Work::Command(CommandWork::New(_) | CommandWork::Sent { .. }) => true,
        Work::Records(r) => r.lane.lane == Lane::Alarm,
        Work::Floor(f) => f.lane.lane == Lane::Alarm,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::DeviceId;
    use sensock_store::LaneId;
    use sensock_store::work::FloorWork;

    fn floor(lane: Lane) -> Entry {
        let lane = LaneId { device: DeviceId::new("a").unwrap(), lane };
        let work = FloorWork { lane, floor: Default::default(), between_us: (None, None), now_us: 0 };
        Entry { work: Work::Floor(work), origin: Origin::Nobody }
    }

    #[test]
    fn alarms_go_first_and_the_rest_keeps_its_order() {
        let queue = Queue::new(100);
        let rows = || Entry { work: Work::Rows(Box::default()), origin: Origin::Nobody };
        queue.push([floor(Lane::Readings), rows(), floor(Lane::Alarm), floor(Lane::Control)]);
        let taken = queue.take(0);
        let lanes = taken.iter().map(|e| match &e.work {
            Work::Floor(f) => Some(f.lane.lane),
            _ => None,
        });
        assert!(lanes.eq([Some(Lane::Alarm), Some(Lane::Readings), None, Some(Lane::Control)]));
        assert_eq!(queue.take(0).len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_group_is_not_kept_waiting_for_more() {
        let queue = Queue::new(3);
        let far = Instant::now() + std::time::Duration::from_secs(3_600);
        queue.push((0..3).map(|_| floor(Lane::Readings)));
        assert!(queue.gather(10, far).await);
        assert_eq!(Instant::now() + std::time::Duration::from_secs(3_600), far, "no time passed");
        assert_eq!(queue.take(0).len(), 3);
        queue.push((0..2).map(|_| floor(Lane::Readings)));
        assert!(!queue.gather(10, far).await, "two of three rows: more may come");
    }

    #[test]
    fn room_that_a_crowd_took_is_given_back() {
        let queue = Queue::new(1);
        queue.push((0..10_000).map(|_| floor(Lane::Readings)));
        let room = || lock(&queue.inner).normal.capacity();
        while queue.waiting() > 0 {
            assert!(room() >= 10_000);
            queue.take(0);
        }
        assert!(room() <= 1_024, "{}", room());
    }

    #[test]
    fn what_is_under_way_is_not_said_to_be_stored() {
        let queue = Queue::new(1);
        assert_eq!(queue.stored_until(10), 10);
        queue.push([floor(Lane::Readings)]);
        assert_eq!(queue.stored_until(20), 0, "nobody knows since when it waits");
        assert_eq!(queue.take(30).len(), 1);
        assert_eq!(queue.stored_until(40), 0);
        queue.reported();
        assert_eq!(queue.stored_until(50), 50);
        queue.push([floor(Lane::Readings), floor(Lane::Readings)]);
        queue.take(60);
        queue.reported();
        assert_eq!(queue.stored_until(70), 30, "one was left, which may have come long before");
        queue.take(80);
        queue.push([floor(Lane::Readings)]);
        queue.reported();
        assert_eq!(queue.stored_until(90), 80);
    }

    #[test]
    fn callers_are_bounded_and_nothing_comes_after_the_close() {
        let queue = Queue::new(10);
        let kept: Vec<_> = (0..CALLERS_MAX).map(|_| queue.ask(floor(Lane::Control).work)).collect();
        assert!(kept.iter().all(Option::is_some));
        assert!(queue.ask(floor(Lane::Control).work).is_none());
        queue.take(0);
        assert!(queue.ask(floor(Lane::Control).work).is_some());
        queue.close();
        assert!(queue.ask(floor(Lane::Control).work).is_none());
    }
}
