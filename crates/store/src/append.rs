//! Rule A, once, for every store: lock the marks in key order, drop what is stored, demand what follows, insert, set the marks, commit.
//!
//! ```text
//! works ─▶ lanes, sorted ─▶ begin ─▶ each work against the group's state ─▶ one batch ─▶ write ─▶ commit ─▶ results
//!                                                                              │
//!                                            rejected: halves, by device, then by work; the guilty one to quarantine
//! ```
//!
//! The control lane of a device is that device's lock: whatever touches its identity, commands or settings holds it.

use std::collections::BTreeSet;

use sensock::{DeviceId, Lane, Position};

use crate::rows::LaneId;
use crate::store::{Failure, Store, Transaction};
use crate::work::{Done, Refuse, Work};

mod bisect;
mod commands;
mod deliver;
mod group;
mod hello;
mod lanes;
mod records;

use group::Group;

/// Does all of these works in one transaction, in order, and says what became of each.
///
/// Works of many devices go together; works of one device keep their order. Results are returned only once the transaction is
/// committed: a mark in them may be acknowledged. Rows that the store can never take are found by halving the group, and go to
/// quarantine with a gap, so that they hold up nobody; the halves are transactions of their own.
///
/// # Errors
/// An error that means [`Failure::Retry`]: run the same works again, after a pause with jitter. That is safe whether or not the
/// transaction was committed: records, floors, Hellos, commands and settings that are already there are recognised.
///
/// # Cancel safety
/// Dropped at any point, each transaction is either there as a whole or not at all; run the works again to learn which.
pub async fn commit<S: Store>(store: &S, works: &[Work]) -> Result<Vec<Result<Done, Refuse>>, S::Error> {
    if works.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<&Work> = works.iter().collect();
    match attempt(store, &all).await {
        Err(error) if store.failure(&error) == Failure::Rejected && !sensock::planted!("poison-blocks") => {
            bisect::bisect(store, &all, error).await
        }
        outcome => outcome,
    }
}

/// One transaction.
async fn attempt<S: Store>(store: &S, works: &[&Work]) -> Result<Vec<Result<Done, Refuse>>, S::Error> {
    let (lanes, places) = locks(works);
    let (mut tx, marks) = store.begin(&lanes).await?;
    let mut group = Group::new(lanes.into_iter().zip(marks));
    let mut results = Vec::with_capacity(works.len());
    let devices: Vec<DeviceId> =
        works.iter().filter_map(|w| group.must_know(w)).collect::<BTreeSet<_>>().into_iter().collect();
    if !devices.is_empty() {
        let found = tx.load_all(&devices).await?;
        devices.into_iter().zip(found).for_each(|(device, resume)| group.know(device, resume));
    }
    for (work, place) in works.iter().zip(places) {
        // A work before this one may have moved its lane into another boot.
        if let Some(device) = group.must_know(work) {
            let resume = tx.load(&device).await?;
            group.know(device, resume);
        }
        results.push(group.apply(work, place));
    }
    let batch = group.into_batch();
    if !batch.is_empty() {
        tx.write(&batch).await?;
    }
    tx.commit().await?;
    Ok(results)
}

/// The lanes that works hold, in order and once; and for each work the place of one of its own among them.
fn locks(works: &[&Work]) -> (Vec<LaneId>, Vec<usize>) {
    let mut wanted: Vec<(LaneId, usize)> = Vec::with_capacity(works.len());
    for (number, work) in works.iter().enumerate() {
        let mut hold = |device: DeviceId, lanes: &[Lane]| {
            wanted.extend(lanes.iter().map(|&lane| (LaneId { device, lane }, number)));
        };
        match work {
            Work::Hello(hello) => hold(hello.hello.device, &Lane::ALL),
            Work::Ended(device, _) => hold(*device, &Lane::ALL),
            Work::Records(records) => hold(records.lane.device, &[records.lane.lane]),
            Work::Floor(floor) => hold(floor.lane.device, &[floor.lane.lane]),
            Work::Command(command) => hold(command.device(), &[Lane::Control]),
            Work::Setting(row) => hold(row.device, &[Lane::Control]),
            Work::Rows(_) => {}
        }
    }
    wanted.sort_unstable();
    let (mut lanes, mut places) = (Vec::with_capacity(wanted.len()), vec![0; works.len()]);
    for (lane, number) in wanted {
        if lanes.last() != Some(&lane) {
            lanes.push(lane);
        }
        places[number] = lanes.len() - 1;
    }
    (lanes, places)
}

/// The boot that a lane waits for: where its next position would lie.
fn boot_of_next(mark: Position) -> u32 {
    mark.next().boot()
}

#[cfg(test)]
mod tests;
