//! The group commit: all connections' works in one transaction after the other; with a store that takes several at once, so many committers
//! with a share of the devices each. The only part that knows the store's type.
//!
//! While one transaction runs, the works of the next gather; [`Pace`] may give them a little more time, unless an alarm waits. An error that may pass is tried again with growing pauses and jitter, for as long as it takes:
//! meanwhile nothing is acknowledged, credit stops growing, pings go on, and the operator is told. An outcome that is not known is tried
//! again too: rule A makes it a no-op if it had been committed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sensock::DeviceId;
use sensock::seal::KeyId;
use sensock_store::work::{Done, Refuse, Work};
use sensock_store::{Admission, CommandState, DeviceKey, Keys, LaneId, ReadingRow, Resume, Store, append};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::events::{Event, Rows};
use crate::inbox::Message;
use crate::lookup::Lookup;
use crate::pace::Pace;
use crate::queue::{Entry, Origin, Queue, weight};
use crate::random;
use crate::shared::{Backend, Shared};
use crate::tail::Part;

/// Store and keys behind one type.
pub(crate) struct Typed<S, K> {
    pub(crate) store: S,
    pub(crate) keys: K,
    pub(crate) lookup: Arc<Lookup>,
}

impl<S: Store, K: Keys> Backend for Typed<S, K> {
    fn load(&self, device: DeviceId) -> BoxFuture<'_, Result<Resume, String>> {
        self.lookup.load(&self.store, device).boxed()
    }

    fn admit(&self, device: DeviceId) -> BoxFuture<'_, Result<Admission, String>> {
        async move { self.keys.admit(&device).await.map_err(|e| e.to_string()) }.boxed()
    }

    fn key(&self, id: KeyId) -> BoxFuture<'_, Result<Option<DeviceKey>, String>> {
        async move { self.keys.key(id).await.map_err(|e| e.to_string()) }.boxed()
    }
}

/// Commits until the queues are closed and empty.
pub(crate) async fn run<S: Store>(store: S, shared: Arc<Shared>) {
    let mut committers = JoinSet::new();
    for number in 0..shared.queues.len() {
        committers.spawn(one(store.clone(), shared.clone(), number));
    }
    while committers.join_next().await.is_some() {}
    shared.events.end();
    shared.ended.cancel();
}

/// One committer: the works of its devices, until its queue is closed and empty.
async fn one<S: Store>(store: S, shared: Arc<Shared>, number: usize) {
    let queue = shared.queues.number(number);
    let mut pace = Pace::default();
    while queue.ready().await {
        pace.gather(queue).await;
        let group = queue.take(shared.wall.now_us());
        let weight = group.iter().map(|e| weight(&e.work)).sum();
        let (works, origins): (Vec<Work>, Vec<Origin>) =
            group.into_iter().map(|Entry { work, origin }| (work, origin)).unzip();
        let begun = Instant::now();
        let Some(results) = commit(&store, &shared, queue, &works).await else {
            tracing::error!(
                "the server ends with a store that is away; what waits was not acknowledged, the devices still have it"
            );
            break;
        };
        let took = begun.elapsed();
        pace.committed(works.len(), took, queue.waiting());
        queue.done(weight, took.as_micros() as u64);
        report(&shared, works, origins, results);
        queue.reported();
    }
}

const PAUSE_MS: (u64, u64) = (50, 5_000);
/// A transaction that takes longer may still succeed, and is waited for; but the operator is told.
const HANGS: Duration = Duration::from_secs(10);

/// Runs the works until they are committed; `None` if the server ends and the store stays away.
async fn commit<S: Store>(
    store: &S,
    shared: &Shared,
    queue: &Queue,
    works: &[Work],
) -> Option<Vec<Result<Done, Refuse>>> {
    let mut closing: Option<Instant> = None;
    let mut away: Option<Instant> = None;
    let mut pause = PAUSE_MS.0;
    loop {
        let outcome = {
            let mut committing = std::pin::pin!(append::commit(store, works));
            tokio::select! {
                biased;
                outcome = &mut committing => outcome,
                () = tokio::time::sleep(HANGS), if away.is_none() => {
                    away = Some(Instant::now());
                    tell_away(shared, format!("no answer for more than {} s: it hangs, or is overloaded", HANGS.as_secs()));
                    committing.await
                }
            }
        };
        let error = match outcome {
            Ok(results) if results.len() == works.len() => {
                if let Some(since) = away {
                    tell_back(shared, since);
                }
                return Some(results);
            }
            // A store crate that breaks its own contract: tell it as a failure, nothing is acknowledged.
            Ok(_) => "the store answered for another number of works".to_owned(),
            Err(error) => error.to_string(),
        };
        // One deadlock is no news; two failures in a row are.
        if away.is_none() && pause > PAUSE_MS.0 {
            tell_away(shared, error);
            away = Some(Instant::now());
        } else {
            tracing::debug!(error, "the transaction is tried again");
        }
        if shared.closing.is_cancelled() {
            let since = *closing.get_or_insert_with(Instant::now);
            if since.elapsed() >= shared.options.drain {
                return None;
            }
        }
        queue.slow(pause * 1_000);
        tokio::time::sleep(Duration::from_millis(pause / 2 + random::below(pause))).await;
        pause = (pause * 2).min(PAUSE_MS.1);
    }
}

/// Tells the operator, in the store's own words; once for all committers.
fn tell_away(shared: &Shared, words: String) {
    if shared.away.fetch_add(1, Ordering::Relaxed) > 0 {
        return;
    }
    let store = &shared.info.name;
    tracing::error!(store, words, "the store does not answer: nothing is acknowledged until it does");
    shared.events.send(Event::StoreAway { words });
}

/// It answers again, to the last committer that waited for it.
fn tell_back(shared: &Shared, since: Instant) {
    if shared.away.fetch_sub(1, Ordering::Relaxed) == 1 {
        let after_ms = since.elapsed().as_millis() as u64;
        tracing::info!(after_ms, "the store answers again");
        shared.events.send(Event::StoreBack { after_ms });
    }
}

/// Tells everyone what became of their works: acknowledgements first, views afterwards.
fn report(shared: &Shared, works: Vec<Work>, origins: Vec<Origin>, results: Vec<Result<Done, Refuse>>) {
    let (told, fed) = (shared.events.wants_rows(), shared.tail.is_read());
    let mut news = Vec::new();
    let mut parts = Vec::new();
    let mut stored = false;
    for ((work, origin), result) in works.into_iter().zip(origins).zip(results) {
        if let Ok(done) = &result {
            stored |= match done {
                Done::Appended(done) => done.stored > 0 || !done.gaps.is_empty(),
                Done::Hello(done) => !done.gaps.is_empty(),
                _ => false,
            };
            let (lane, rows) = match work {
                Work::Records(work) if told || fed => (Some(work.lane), fresh(work.readings, done)),
                Work::Records(work) => (Some(work.lane), Vec::new()),
                Work::Floor(work) => (Some(work.lane), Vec::new()),
                _ => (None, Vec::new()),
            };
            // Without readers nothing is kept.
            let rows = (!rows.is_empty()).then(|| Arc::new(rows));
            if fed {
                moved(lane, done, rows.as_ref(), &mut parts);
            }
            views(shared, done, rows.filter(|_| told), &mut news);
        }
        match origin {
            Origin::Connection(connection, token) => connection.inbox.push(Message::Done(token, result)),
            // A caller who went away has dropped its end.
            Origin::Caller(answer) => drop(answer.send(result)),
            Origin::Nobody => {}
        }
    }
    shared.tail.push(parts);
    if stored {
        shared.commits.send_modify(|n| *n = n.wrapping_add(1));
    }
    for event in news {
        match event {
            Event::Settled(row) => shared.settled(row),
            other => shared.events.send(other),
        }
    }
}

/// What feeds are told of one committed work.
fn moved(lane: Option<LaneId>, done: &Done, rows: Option<&Arc<Vec<ReadingRow>>>, parts: &mut Vec<Part>) {
    match (done, lane) {
        (Done::Appended(done), Some(lane)) if done.mark > done.before => {
            let (rows, gaps) = (rows.cloned().unwrap_or_default(), done.gaps.clone());
            parts.push(Part { lane, before: done.before, mark: done.mark, rows, gaps });
        }
        // These are rare, and their marks stand elsewhere: who reads them asks the store.
        (Done::Hello(hello), _) => parts.extend(hello.gaps.iter().map(|gap| Part {
            lane: gap.lane,
            before: gap.last,
            mark: gap.last,
            rows: Arc::default(),
            gaps: Vec::new(),
        })),
        _ => {}
    }
}

/// Events of one committed work.
fn views(shared: &Shared, done: &Done, rows: Option<Arc<Vec<ReadingRow>>>, news: &mut Vec<Event>) {
    match done {
        Done::Hello(hello) => {
            news.extend(hello.gaps.iter().cloned().map(Event::Gap));
            news.extend(hello.settled.iter().cloned().map(Event::Settled));
        }
        Done::Appended(appended) => {
            news.extend(rows.map(|rows| Event::Stored { rows: Rows(rows) }));
            news.extend(appended.gaps.iter().cloned().map(Event::Gap));
            news.extend(appended.settled.iter().cloned().map(Event::Settled));
            news.extend(appended.applied.iter().cloned().map(Event::Applied));
        }
        Done::Command(row, replaced) => {
            for id in replaced {
                let mut row = (**row).clone();
                (row.id, row.state, row.answer) = (*id, CommandState::Undeliverable, Vec::new());
                shared.tickets.settle(&row);
            }
            if row.state.is_settled() {
                news.push(Event::Settled((**row).clone()));
            }
        }
        Done::Settled(rows) => news.extend(rows.iter().cloned().map(Event::Settled)),
        Done::Setting(_) | Done::Rows => {}
    }
}

/// The readings that were not there before.
fn fresh(mut rows: Vec<ReadingRow>, done: &Done) -> Vec<ReadingRow> {
    match done {
        Done::Appended(done) if done.stored > 0 => {
            rows.drain(..rows.partition_point(|row| row.position <= done.before));
            rows
        }
        // Repeated, out of turn, or in quarantine.
        _ => Vec::new(),
    }
}
