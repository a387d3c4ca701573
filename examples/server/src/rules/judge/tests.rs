//! The live log, played again over what was read, gives the same changes bit for bit: through restarts, with records that come late, in
//! any chunks.

mod recording;

use std::time::Duration;

use proptest::prelude::*;
use sensock::{Cause, DeviceId, Lane, Position, Tick};
use sensock_rules::{
    Calendar, Cell, Compiled, Hazard, Level, Levels, Rate, Rule, Running, Signal, Table, Way, times,
};
use sensock_store::{FeedItem, GapRow, LaneId, ReadingRow};

use super::intake::heard;
use super::log::{Entry, Replay};
use super::*;

/// Every value of two devices, in some four ways.
static RULES: [Rule<'static>; 5] = [
    Rule::new("heat", 0, 1, Signal::Value, Levels::above(60, 90)).every(2).hysteresis(5).hold(3, 4),
    Rule::new("rise", 0, 1, Signal::Rate(Rate { window: 6, per: 10 }), Levels::above(20, 60)).every(2),
    Rule::new("other", 1, 1, Signal::Value, Levels::above(70, 95)).every(2),
    Rule::new("silence", 1, 1, Signal::Silence, Levels::above(5, 15)),
    Rule::new(
        "usual",
        1,
        1,
        Signal::Running(Running { shift: 3, least: 2, warm: 4, way: Way::Either }),
        Levels::above(times(4, 0), times(8, 0)),
    )
    .every(2),
];
static CELLS: [[Cell; 2]; 2] = [
    [Cell::now(0, Level::Warning, 60), Cell::now(1, Level::Critical, 30)],
    [Cell::lasting(3, Level::Warning, 2, 60), Cell::within(4, Level::Warning, 9, 60)],
];
static HAZARDS: [Hazard<'static>; 2] = [Hazard::new("fire", &CELLS[0]), Hazard::new("odd", &CELLS[1])];

/// A zone of two devices, which waits for three seconds.
pub(crate) fn zone(name: &str) -> &'static Zone {
    let table = Table { grid_ms: 1_000, calendar: Calendar::UTC, rules: &RULES, hazards: &HAZARDS };
    Box::leak(Box::new(Zone {
        name: name.to_owned(),
        devices: vec!["oven".to_owned(), "fan".to_owned()],
        table: Compiled::new(table).unwrap(),
        lateness: Duration::from_secs(3),
        actions: Vec::new(),
    }))
}

/// 2026-11-21.
const START_MS: u64 = 1_795_219_200_000;

fn lane(device: usize) -> LaneId {
    LaneId { device: DeviceId::new(["oven", "fan"][device]).unwrap(), lane: Lane::Readings }
}

fn record(device: usize, n: u32, at_ms: u64, raw: i32) -> FeedItem {
    let at_us = (at_ms * 1_000) as i64;
    FeedItem::Record(vec![ReadingRow {
        lane: lane(device),
        position: Position::new(1, n),
        quantity: 1,
        catalog: 1,
        raw,
        fault: None,
        value: f64::from(raw),
        tick: Tick(u64::from(n)),
        not_before_us: Some(at_us - 2_000),
        not_after_us: at_us,
    }])
}

fn gap(device: usize, n: u32, at_ms: u64) -> FeedItem {
    FeedItem::Gap(GapRow {
        lane: lane(device),
        first: Position::new(1, n),
        last: Position::new(1, n),
        cause: Cause::Overflow,
        count: Some(1),
        not_before_us: None,
        not_after_us: Some((at_ms * 1_000) as i64),
        written_us: 0,
        detail: String::new(),
    })
}

/// Something comes of one of two devices.
#[derive(Clone, Debug)]
struct Step {
    device: usize,
    /// After the step before it, in ms.
    pause: u64,
    raw: i32,
    /// In ms.
    late: u64,
    /// A gap if 0; what a test does besides, by bits.
    what: u32,
}

/// Up to so many steps, none later than so many ms.
fn steps(latest: u64, most: usize) -> impl Strategy<Value = Vec<Step>> {
    let one = (0usize..2, 200u64..4_000, 0i32..120, 0..latest, 0u32..16);
    let one = one.prop_map(|(device, pause, raw, late, what)| Step { device, pause, raw, late, what });
    prop::collection::vec(one, 10..most)
}

/// What comes with a step, numbered by device.
fn came(step: &Step, now_ms: &mut u64, next: &mut [u32; 2]) -> FeedItem {
    *now_ms += step.pause;
    let n = &mut next[step.device];
    *n += 1;
    match step.what {
        0 => gap(step.device, *n, *now_ms - step.late),
        _ => record(step.device, *n, *now_ms - step.late, step.raw),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(sensock_testkit::effort::size(60, 5_000)))]

    #[test]
    fn the_log_replays_bit_for_bit(
        steps in steps(5_000, 200),
    ) {
        let zone = zone("replay");
        let mut judge = Judge::begin(zone, START_MS, BTreeMap::new()).unwrap();
        let (mut entries, mut said, mut all, mut next) = (Vec::new(), Vec::new(), Vec::new(), [0u32; 2]);
        let mut now_ms = START_MS + 10_000;
        for step in steps {
            let item = came(&step, &mut now_ms, &mut next);
            let what = step.what;
            judge.take(std::slice::from_ref(&item), now_ms);
            all.extend(heard(zone, &item));
            if what & 1 == 1 {
                judge.idle(now_ms);
            }
            if what == 4 || (what == 6 && !judge.changes().is_empty()) {
                entries.extend(judge.entries());
                said.extend_from_slice(judge.changes());
                judge.kept();
            }
            if what == 4 {
                judge = Judge::restore(zone, &judge.positions(), &judge.state()).unwrap();
            }
        }
        judge.idle(now_ms + 60_000);
        entries.extend(judge.entries());
        said.extend_from_slice(judge.changes());
        // As it is kept.
        let kept = serde_json::to_vec(&entries).unwrap();
        let entries: Vec<Entry> = serde_json::from_slice(&kept).unwrap();
        let mut replay = Replay::new(zone, all);
        let replayed: Vec<Change> = entries.iter().flat_map(|entry| replay.play(entry)).collect();
        prop_assert_eq!(said, replayed);
    }

    /// A checkpoint stands for all of the log before it: what is played behind it is the same, judging again included.
    #[test]
    fn a_replay_from_a_checkpoint_is_the_rest_of_one_from_the_beginning(
        steps in steps(20_000, 120),
    ) {
        let zone = zone("checkpoint");
        let mut judge = Judge::begin(zone, START_MS, BTreeMap::new()).unwrap();
        let (mut segments, mut checkpoints, mut all, mut next) = (Vec::new(), Vec::new(), Vec::new(), [0u32; 2]);
        judge.idle(START_MS + 10_000);
        let mut now_ms = START_MS + 30_000;
        for step in steps {
            let item = came(&step, &mut now_ms, &mut next);
            let what = step.what;
            judge.take(std::slice::from_ref(&item), now_ms);
            all.push(item);
            if what & 1 == 1 {
                judge.idle(now_ms);
            }
            if what & 2 == 2 && let Some(found) = judge.found_in_memory() {
                judge.replace_recent(found);
            }
            if what > 8 {
                segments.push(judge.entries());
                judge.kept();
                checkpoints.push((judge.positions(), judge.state()));
            }
        }
        judge.idle(now_ms + 60_000);
        segments.push(judge.entries());
        let replay = || Replay::new(zone, all.iter().filter_map(|item| heard(zone, item)));
        let play = |mut replay: Replay, segments: &[Vec<Entry>]| -> Vec<Vec<Change>> {
            segments.iter().map(|entries| entries.iter().flat_map(|e| replay.play(e)).collect()).collect()
        };
        let whole = play(replay(), &segments);
        for (n, (positions, state)) in checkpoints.iter().enumerate() {
            let rest = play(replay().after(positions, state).unwrap(), &segments[n + 1..]);
            prop_assert_eq!(&rest, &whole[n + 1..]);
        }
    }

    /// What comes a little late is judged again at once, and then it is as if it had come in time: alarms, what is known, and the log.
    #[test]
    fn judging_again_from_memory_is_judging_in_order(
        steps in steps(20_000, 120),
    ) {
        let zone = zone("memory");
        let mut judge = Judge::begin(zone, START_MS, BTreeMap::new()).unwrap();
        let (mut said, mut all, mut next, mut agains) = (Vec::new(), Vec::new(), [0u32; 2], 0);
        judge.idle(START_MS + 10_000);
        let mut now_ms = START_MS + 30_000;
        for step in steps {
            let item = came(&step, &mut now_ms, &mut next);
            let what = step.what;
            judge.take(std::slice::from_ref(&item), now_ms);
            if what & 1 == 1 {
                judge.idle(now_ms);
            }
            all.extend(heard(zone, &item));
            said.append(&mut judge.changes);
            prop_assert_eq!(judge.late_from_ms().is_some(), judge.found_in_memory().is_some());
            if let Some(found) = judge.found_in_memory() {
                let same = said.split_off(said.len() - found.instead_of);
                prop_assert_eq!(found.is_same, same == found.changes);
                said.extend_from_slice(&found.changes);
                judge.replace_recent(found);
                agains += 1;
            }
        }
        judge.idle(now_ms + 60_000);
        said.append(&mut judge.changes);
        let (mut brain, mut pure) = (Brain::begin(zone, START_MS).unwrap(), Vec::new());
        let mut in_order: Vec<_> = all.iter().filter_map(|heard| heard.judged.clone()).collect();
        in_order.sort_by_key(|(key, _)| *key);
        in_order.iter().for_each(|(key, item)| assert!(brain.judge(*key, item, &mut pure)));
        brain.advance(judge.watermark_ms(), &mut pure);
        prop_assert_eq!(&said, &pure);
        prop_assert_eq!(judge.brain.save(), brain.save());
        let mut replay = Replay::new(zone, all);
        let (mut replayed, mut entries) = (Vec::new(), 0);
        for entry in judge.entries() {
            if matches!(entry, Entry::Again { .. }) {
                replayed.clear();
                entries += 1;
            }
            replayed.extend(replay.play(&entry));
        }
        prop_assert_eq!((said, agains), (replayed, entries));
    }
}

/// However much comes, memory is bounded; what is from before it is judged again from the store.
#[test]
fn the_last_minute_in_memory_is_bounded() {
    let mut judge = Judge::begin(zone("bound"), START_MS, BTreeMap::new()).unwrap();
    judge.idle(START_MS + 4_000);
    for n in 0..70_000u32 {
        let item = record(0, n + 1, START_MS + 5_000 + u64::from(n / 10), 20);
        judge.take(std::slice::from_ref(&item), START_MS + 60_000);
    }
    judge.idle(START_MS + 60_000);
    judge.take(&[record(1, 1, START_MS + 4_900, 20)], START_MS + 60_000);
    assert!(judge.late_from_ms().is_some() && judge.found_in_memory().is_none());
}

#[test]
fn too_many_that_wait_go_on_before_their_time_and_the_log_knows() {
    let zone = zone("full");
    let mut judge = Judge::begin(zone, START_MS, BTreeMap::new()).unwrap();
    let mut all = Vec::new();
    // All within the lateness, so that nothing goes on by itself; then one that is late for that reason.
    for n in 0..=WAITING as u32 {
        let item = record(0, n + 1, START_MS + 1_000 + u64::from(n % 2_000), (n % 120) as i32);
        judge.take(std::slice::from_ref(&item), START_MS + 5_000);
        all.extend(heard(zone, &item));
    }
    assert!(judge.late_from_ms().is_none() && judge.watermark_ms() > START_MS + 1_000);
    let late = record(1, 1, START_MS + 999, 1);
    judge.take(std::slice::from_ref(&late), START_MS + 5_000);
    all.extend(heard(zone, &late));
    assert_eq!(judge.late_from_ms(), Some(START_MS + 999));
    judge.idle(START_MS + 60_000);
    let mut replay = Replay::new(zone, all);
    let replayed: Vec<Change> = judge.entries().iter().flat_map(|entry| replay.play(entry)).collect();
    assert!(!replayed.is_empty());
    assert_eq!(judge.changes(), replayed);
}

/// What one look at the feed gives comes lane by lane; that makes nothing late.
#[test]
fn a_look_at_the_feed_is_taken_in_the_order_of_time() {
    let mut judge = Judge::begin(zone("look"), START_MS, BTreeMap::new()).unwrap();
    let of = |device| (1..100u32).map(move |n| record(device, n, START_MS + 1_000 + u64::from(n) * 400, 20));
    let items: Vec<FeedItem> = of(0).chain(of(1)).collect();
    judge.take(&items, START_MS + 60_000);
    assert_eq!(judge.late_from_ms(), None);
}

#[test]
fn a_state_of_other_rules_or_of_nothing_is_refused() {
    let judge = Judge::begin(zone("a"), START_MS, BTreeMap::new()).unwrap();
    let (positions, state) = (judge.positions(), judge.state());
    assert!(Judge::restore(zone("a"), &positions, &state).is_some());
    for cut in [0, 3, 10, state.len() - 1] {
        assert!(Judge::restore(zone("a"), &positions, &state[..cut]).is_none(), "{cut}");
    }
    assert!(Judge::restore(zone("a"), b"", &state).is_none());
}

#[test]
fn a_record_of_an_uncertain_time_and_one_of_the_future_are_not_judged() {
    let mut judge = Judge::begin(zone("odd"), START_MS, BTreeMap::new()).unwrap();
    let FeedItem::Record(mut rows) = record(0, 1, START_MS + 5_000, 100) else { unreachable!() };
    rows[0].not_before_us = None;
    judge.take(&[FeedItem::Record(rows), record(0, 2, START_MS + 500_000, 100)], START_MS + 6_000);
    judge.idle(START_MS + 10_000);
    assert_eq!((judge.unjudged, judge.watermark_ms()), (2, START_MS + 7_000));
}
