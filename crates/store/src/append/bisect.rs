//! A group that the store rejects: whose fault is it? Nobody else may wait for it.

use std::collections::BTreeMap;

use super::attempt;
use crate::rows::CommandState;
use crate::store::{Failure, Store};
use crate::work::{Done, RecordsWork, Refuse, Reply, Step, Work};

/// Halves the group, by device and then by work, until the guilty works are alone; those that can be go to quarantine.
pub(super) async fn bisect<S: Store>(
    store: &S,
    works: &[&Work],
    error: S::Error,
) -> Result<Vec<Result<Done, Refuse>>, S::Error> {
    let mut results: Vec<Option<Result<Done, Refuse>>> = works.iter().map(|_| None).collect();
    let mut waiting = vec![((0..works.len()).collect::<Vec<usize>>(), Some(error))];
    while let Some((group, known)) = waiting.pop() {
        let error = match known {
            Some(error) => error,
            None => match attempt(store, &group.iter().map(|&i| works[i]).collect::<Vec<_>>()).await {
                Ok(done) => {
                    group.iter().zip(done).for_each(|(&i, r)| results[i] = Some(r));
                    continue;
                }
                Err(error) if store.failure(&error) == Failure::Rejected => error,
                Err(error) => return Err(error),
            },
        };
        if let [one] = group[..] {
            results[one] = Some(quarantine(store, works[one], &error).await?);
            continue;
        }
        // Later works of a device build on its earlier ones, so the left half is finished first.
        let (left, right) = halves(works, group);
        waiting.push((right, None));
        waiting.push((left, None));
    }
    // Every index was in a group, and every group ended with a result for each of its indices.
    Ok(results.into_iter().map(|r| r.unwrap_or(Err(Refuse::Busy))).collect())
}

/// Two parts, neither empty: devices apart if there are several, else earlier works apart from later ones.
fn halves(works: &[&Work], group: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
    let mut devices: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for &i in &group {
        devices.entry(works[i].device()).or_default().push(i);
    }
    let mut parts: Vec<Vec<usize>> = match devices.len() {
        1 => group.into_iter().map(|i| vec![i]).collect(),
        _ => devices.into_values().collect(),
    };
    let right = parts.split_off(parts.len() / 2).concat();
    (parts.concat(), right)
}

/// The store can never take this work: if it is records, their bytes are kept with the reason, and the lane goes on.
async fn quarantine<S: Store>(
    store: &S,
    work: &Work,
    error: &S::Error,
) -> Result<Result<Done, Refuse>, S::Error> {
    let refused = Ok(Err(Refuse::Rejected(error.to_string())));
    let Work::Records(records) = work else { return refused };
    let kept = Work::Records(Box::new(without_rows(records, &error.to_string())));
    match attempt(store, &[&kept]).await {
        Ok(mut done) => Ok(done.pop().unwrap_or(Err(Refuse::Busy))),
        Err(e) if store.failure(&e) == Failure::Rejected => refused,
        Err(e) => Err(e),
    }
}

/// The same positions with nothing that the store could choke on. The raw bytes stand beside the first stretch of records.
fn without_rows(work: &RecordsWork, reason: &str) -> RecordsWork {
    let mut raw = Some(work.raw.clone());
    let steps = work.steps.iter().map(|step| match step {
        Step::Records { .. } => {
            let (first, last) = step.range();
            Step::Quarantine { first, last, reason: reason.to_owned(), raw: raw.take().unwrap_or_default() }
        }
        other => other.clone(),
    });
    // That a command was answered is still known, though its answer is not.
    let replies = work.replies.iter().map(|r| match r.state {
        CommandState::Done => Reply { state: CommandState::Unknown, answer: Vec::new(), ..r.clone() },
        _ => Reply { answer: Vec::new(), ..r.clone() },
    });
    RecordsWork {
        steps: steps.collect(),
        readings: Vec::new(),
        replies: replies.collect(),
        anchors: Vec::new(),
        raw: Vec::new(),
        ..work.clone()
    }
}

#[cfg(test)]
mod tests {
    use sensock::{CommandId, Position, Tick};

    use super::*;
    use crate::conformance::fixture::readings_lane;
    use crate::conformance::work::records;
    use crate::rows::AnchorRow;

    #[test]
    fn quarantine_holds_the_bytes_once_and_nothing_else_that_a_store_could_choke_on() {
        let (at, command) = (Position::new(1, 0), CommandId(1));
        let mut work = records(readings_lane("cellar"), at, 3);
        work.raw = vec![1, 2, 3];
        let device = work.lane.device;
        work.anchors = vec![AnchorRow { device, boot: 1, tick: Tick(0), lo_us: 0, hi_us: 1, server: 1 }];
        work.replies = [CommandState::Done, CommandState::Refused(4)]
            .map(|state| Reply { position: at, command, state, answer: vec![7] })
            .into();
        let kept = without_rows(&work, "rejected");
        assert!(kept.readings.is_empty() && kept.anchors.is_empty() && kept.raw.is_empty());
        assert!(kept.replies.iter().all(|reply| reply.answer.is_empty()));
        let of_raw = |step: &Step| match step {
            Step::Quarantine { raw, .. } => raw.clone(),
            _ => panic!("{step:?}"),
        };
        assert_eq!(kept.steps.iter().flat_map(of_raw).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
