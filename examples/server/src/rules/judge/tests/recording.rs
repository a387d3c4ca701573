//! A bundled recording, judged with checkpoints of the log on the way.

use std::path::Path;

use super::*;
use crate::rules::file::tests::{loaded, shipped};
use crate::rules::recorded::Recorded;

/// Records that one segment reads, and segments between two checkpoints.
const RECORDS: usize = 500;
const SEGMENTS: usize = 6;

/// 22,695 readings of a machine: from each checkpoint the log gives bit for bit the rest of what it gives from the beginning, which is what
/// was said.
#[test]
fn a_bundled_recording_plays_the_same_from_each_checkpoint() {
    let loaded = loaded("machine.toml", &shipped("machine.toml"));
    let file = "../data/nab/machine_temperature_system_failure.csv.gz";
    let recorded = Recorded::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file), &loaded, None).unwrap();
    let zone: &'static Zone = Box::leak(Box::new(loaded.zone));
    let device = DeviceId::new(&zone.devices[0]).unwrap();
    let lane = LaneId { device, lane: Lane::Readings };
    let items: Vec<FeedItem> = (1..)
        .zip(recorded.records())
        .map(|(n, (key, item))| {
            let Item::Readings(readings) = item else { unreachable!("a recording has no gaps") };
            let not_after_us = (key.at_ms * 1_000) as i64;
            let row = |(quantity, raw): (u16, Option<i32>)| ReadingRow {
                lane,
                position: Position::new(1, n),
                quantity,
                catalog: 1,
                raw: raw.unwrap(),
                fault: None,
                value: 0.0,
                tick: Tick(u64::from(n)),
                not_before_us: Some(not_after_us - 2_000),
                not_after_us,
            };
            FeedItem::Record(readings.into_iter().map(row).collect())
        })
        .collect();
    let mut judge = Judge::begin(zone, recorded.began_ms, BTreeMap::new()).unwrap();
    let (mut segments, mut checkpoints, mut said) = (Vec::new(), Vec::new(), Vec::new());
    let now_ms = recorded.ended_ms() + 3_600_000;
    for some in items.chunks(RECORDS) {
        judge.take(some, now_ms);
        segments.push(judge.entries());
        said.push(judge.changes().to_vec());
        judge.kept();
        if segments.len() % SEGMENTS == 0 {
            checkpoints.push((segments.len(), judge.positions(), judge.state()));
        }
    }
    judge.idle(now_ms);
    segments.push(judge.entries());
    said.push(judge.changes().to_vec());
    let replay = || Replay::new(zone, items.iter().filter_map(|item| heard(zone, item)));
    let play = |mut replay: Replay, segments: &[Vec<Entry>]| -> Vec<Vec<Change>> {
        segments.iter().map(|entries| entries.iter().flat_map(|entry| replay.play(entry)).collect()).collect()
    };
    let whole = play(replay(), &segments);
    assert_eq!(whole, said);
    let changes: usize = whole.iter().map(Vec::len).sum();
    println!("{} segments, {} checkpoints, {changes} changes", segments.len(), checkpoints.len());
    assert!(changes > 4 && checkpoints.len() > 5);
    for (n, positions, state) in checkpoints {
        let rest = play(replay().after(&positions, &state).unwrap(), &segments[n..]);
        assert_eq!(rest, whole[n..], "from segment {n} on");
    }
}
