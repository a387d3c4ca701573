//! What the store holds, read by a program of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use sensock::batch::Cell;
use sensock::{DeviceId, Lane, Position, Reading};
use sensock_sql::SqlStore;
use sensock_store::{Cursor, FeedItem, GapRow, History as _, ReadingRow, Span, Store as _};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::check::{Gap, Kept};

/// A reader of the store that the servers write to.
pub(crate) struct Ledger {
    runtime: Runtime,
    store: SqlStore,
}

/// Looks at the marks while the servers work.
pub(crate) struct Watch {
    end: Arc<AtomicBool>,
    looking: JoinHandle<Result<u64>>,
}

impl Ledger {
    /// Opens the store, and makes it if it is not there.
    pub(crate) fn open(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let store = runtime.block_on(SqlStore::open(url))?;
        Ok(Self { runtime, store })
    }

    /// Everything that it holds of each device, once these are done: it reads until nothing newer comes.
    pub(crate) fn kept(&self) -> Result<BTreeMap<DeviceId, Kept>> {
        self.runtime.block_on(async {
            let mut all = BTreeMap::<DeviceId, Kept>::new();
            let mut cursor = Cursor::default();
            loop {
                let (items, next) = self.store.feed(&cursor, 5_000).await?;
                if items.is_empty() {
                    break;
                }
                cursor = next;
                for item in items {
                    match item {
                        FeedItem::Record(rows) => add_record(&mut all, &rows),
                        FeedItem::Gap(row) => all.entry(row.lane.device).or_default().gaps.push(gap(&row)),
                    }
                }
            }
            for (device, kept) in &mut all {
                let marks = self.store.load(device).await?.marks;
                kept.marks = Lane::ALL.into_iter().zip(marks).collect();
            }
            Ok(all)
        })
    }

    /// Its gaps, each with its device: an answer that devices which go on recording cannot put off.
    pub(crate) fn gaps(&self) -> Result<Vec<(DeviceId, Gap)>> {
        self.runtime.block_on(async {
            let mut all = Vec::new();
            for row in self.store.devices().await? {
                let gaps = self.store.gaps(&row.device, Span::ALL).await?;
                all.extend(gaps.iter().map(|row| (row.lane.device, gap(row))));
            }
            Ok(all)
        })
    }

    /// Looks at the marks of these devices in turn until [`Watch::end`].
    pub(crate) fn watch(&self, devices: Vec<DeviceId>) -> Watch {
        let end = Arc::new(AtomicBool::new(false));
        let (store, ended) = (self.store.clone(), Arc::clone(&end));
        let looking = self.runtime.spawn(async move {
            let mut highest = BTreeMap::<DeviceId, [Position; Lane::COUNT]>::new();
            let mut looks = 0;
            for device in devices.iter().cycle() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                // A database that is locked or away for a moment is not what is looked for here.
                if let Ok(resume) = store.load(device).await {
                    let before = highest.insert(*device, resume.marks).unwrap_or_default();
                    for (lane, (before, now)) in Lane::ALL.iter().zip(before.iter().zip(&resume.marks)) {
                        anyhow::ensure!(
                            before <= now,
                            "the mark of {device} {lane} went back from {before} to {now}"
                        );
                    }
                    looks += 1;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(looks)
        });
        Watch { end, looking }
    }

    /// Ends a watch: how many looks it took at marks that never went back.
    pub(crate) fn end(&self, watch: Watch) -> Result<u64> {
        watch.end.store(true, Ordering::Relaxed);
        self.runtime.block_on(watch.looking).context("the watch of the marks")?
    }
}

fn add_record(all: &mut BTreeMap<DeviceId, Kept>, rows: &[ReadingRow]) {
    let Some(first) = rows.first() else { return };
    let kept = all.entry(first.lane.device).or_default();
    let mut readings = Vec::new();
    for row in rows {
        let cell = row.fault.map_or(Cell::Value(row.raw), |fault| Cell::Fault(fault.0));
        readings.push(Reading { quantity: row.quantity, cell });
    }
    readings.sort_by_key(|reading| reading.quantity);
    kept.records.push(((first.lane.lane, first.position), readings));
}

fn gap(row: &GapRow) -> Gap {
    Gap { lane: row.lane.lane, first: row.first, last: row.last, cause: row.cause, count: row.count }
}
