//! The Hello transaction: what stands, what is busy, what it writes.

use sensock::{Cause, Lane, Position, StoreId, Tag, Tick};

use super::{now, run};
use crate::conformance::fixture::*;
use crate::conformance::work::*;
use crate::identity::judge;
use crate::memory::MemoryStore;
use crate::rows::*;
use crate::store::Store;
use crate::work::*;

fn p(boot: u32, n: u32) -> Position {
    Position::new(boot, n)
}

/// Timeline 20: the device rebooted while its last batch waited in the server. The batch is in the same group, before the Hello: kept.
#[test]
fn reboot_while_the_old_batch_waits() {
    let store = MemoryStore::default();
    let lane = readings_lane("cellar");
    now(met(&store, now(hello_work(&store, hello(lane.device, 7, 0), 1))));
    let old = Work::Records(Box::new(records(lane, p(7, 0), 5)));
    let hello = Work::Hello(Box::new(now(hello_work(&store, hello(lane.device, 8, 0), 2))));
    let done = run(&store, &[old, hello]).unwrap();
    assert!(matches!(&done[0], Ok(Done::Appended(a)) if a.stored == 5));
    let Ok(Done::Hello(met)) = &done[1] else { panic!("{done:?}") };
    let gap = met.gaps.iter().find(|g| g.lane == lane).unwrap();
    assert_eq!((gap.first, gap.last, gap.cause), (p(7, 5), p(8, 0).prev(), Cause::Power));
    assert_eq!(met.identity.marks[2], p(8, 0).prev());
}

/// Another server stored more between Welcome and its confirmation: the Hello stands, with the true marks.
#[test]
fn marks_may_move_on_between_welcome_and_hello() {
    let store = MemoryStore::default();
    let lane = readings_lane("cellar");
    now(met(&store, now(hello_work(&store, hello(lane.device, 7, 0), 1))));
    let again = now(hello_work(&store, hello(lane.device, 7, 1), 2));
    now(appended(&store, &records(lane, p(7, 0), 5)));
    let met = now(met(&store, again));
    assert_eq!((met.identity.meeting, met.identity.marks[2]), (Meeting::Resumed, p(7, 4)));
}

/// The store went back between Welcome and its confirmation: the device must hear lower marks first.
#[test]
fn a_store_that_went_back_is_busy() {
    let store = MemoryStore::default();
    let lane = readings_lane("cellar");
    now(met(&store, now(hello_work(&store, hello(lane.device, 7, 0), 1))));
    let backup = store.snapshot();
    now(appended(&store, &records(lane, p(7, 0), 5)));
    let again = now(hello_work(&store, hello(lane.device, 7, 1), 2));
    store.restore(&backup);
    let done = run(&store, &[Work::Hello(Box::new(again))]).unwrap();
    assert_eq!(done, [Err(Refuse::Busy)]);
    assert_eq!(store.snapshot(), backup, "a refused Hello writes nothing");
}

/// Timeline 4: a store restored from its backup says what it lost, and that it was itself that had acknowledged.
#[test]
fn a_restored_store_says_so() {
    let store = MemoryStore::default();
    let lane = readings_lane("cellar");
    now(met(&store, now(hello_work(&store, hello(lane.device, 7, 0), 1))));
    let backup = store.snapshot();
    now(appended(&store, &records(lane, p(7, 0), 5)));
    store.restore(&backup);
    for (theirs, words) in [(1, "restored from a backup"), (9, "acknowledged by store 0000000000000009")] {
        store.restore(&backup);
        let mut dial = hello(lane.device, 7, 1);
        dial.store = StoreId(theirs);
        (dial.lanes[2].floor, dial.lanes[2].acked) = (p(7, 5), p(7, 4));
        let met = now(met(&store, now(hello_work(&store, dial, 2))));
        assert_eq!(met.gaps.len(), 1);
        let gap = &met.gaps[0];
        assert_eq!((gap.first, gap.last, gap.cause, gap.count), (p(7, 0), p(7, 4), Cause::Store, Some(5)));
        assert!(gap.detail.contains(words), "{}", gap.detail);
    }
}

/// Timeline 6: a boot that ended with a Bye leaves no gap, in no lane; once the device is back, that end is no end any more.
#[test]
fn a_named_end_holds_until_the_device_is_back() {
    let store = MemoryStore::default();
    let lane = readings_lane("cellar");
    let d = lane.device;
    now(met(&store, now(hello_work(&store, hello(d, 7, 0), 1))));
    now(appended(&store, &records(lane, p(7, 0), 5)));
    let bye = || Work::Ended(d, [Position::NONE, Position::NONE, p(7, 4)]);
    run(&store, &[bye()]).unwrap();
    let ended = store.snapshot();
    let met_8 = now(met(&store, now(hello_work(&store, hello(d, 8, 0), 2))));
    assert_eq!(met_8.gaps, []);

    store.restore(&ended);
    let mut back = hello(d, 7, 1);
    back.lanes[2].floor = p(7, 5);
    now(met(&store, now(hello_work(&store, back, 3))));
    let met_8 = now(met(&store, now(hello_work(&store, hello(d, 8, 0), 2))));
    assert_eq!(met_8.gaps.len(), 3, "what it made after it came back is not known");
}

#[test]
fn a_collision_writes_nothing() {
    let store = MemoryStore::default();
    let d = device("cellar");
    now(met(&store, now(hello_work(&store, hello(d, 7, 0), 1))));
    let mut clone = now(hello_work(&store, hello(d, 7, 1), 3));
    now(met(&store, now(hello_work(&store, hello(d, 8, 0), 2))));
    let before = store.snapshot();
    clone.hello.tick = Tick(1);
    assert_eq!(run(&store, &[Work::Hello(Box::new(clone))]).unwrap(), [Err(Refuse::Collision)]);
    assert_eq!(store.snapshot(), before);
    let resume = now(store.load(&d)).unwrap();
    assert_eq!(judge(&resume, &hello(d, 7, 1), Tag(9)), Verdict::Collision);
}

/// Within a boot the bounds of its start only narrow, and what was known of it stays.
#[test]
fn a_boot_is_known_better_with_each_hello() {
    let store = MemoryStore::default();
    let d = device("cellar");
    now(met(&store, now(hello_work(&store, hello(d, 7, 0), 1))));
    let mut again = now(hello_work(&store, hello(d, 7, 1), 2));
    again.started = (Some(NOON - 12_000_000), Some(NOON - 7_000_000));
    (again.firmware, again.now_us) = (String::new(), NOON + 50);
    again.hello.tick = Tick(2);
    now(met(&store, again));
    let boots = now(store.load(&d)).unwrap().boots;
    assert_eq!(boots.len(), 1);
    assert_eq!(boots[0].started, (Some(NOON - 10_000_000), Some(NOON - 7_000_000)));
    assert_eq!(
        (boots[0].seen_us, boots[0].last_tick.0, boots[0].firmware.as_str()),
        (NOON, 5_000, "suite 1")
    );
    // A clock was wrong: only what holds either way is kept.
    let mut wrong = now(hello_work(&store, hello(d, 7, 1), 3));
    wrong.started = (Some(NOON), None);
    now(met(&store, wrong));
    let boots = now(store.load(&d)).unwrap().boots;
    assert_eq!(boots[0].started, (Some(NOON - 10_000_000), Some(NOON - 7_000_000)));
}

/// The time of what was dropped: by its ticks in this boot, between two boots' starts for an older one.
#[test]
fn gaps_have_a_time() {
    let store = MemoryStore::default();
    let d = device("cellar");
    now(met(&store, now(hello_work(&store, hello(d, 7, 0), 1))));
    let mut dial = hello(d, 8, 0);
    dial.lanes[2].floor = p(8, 10);
    dial.lanes[2].cause = Cause::Overflow;
    dial.lanes[2].span = Some((Tick(1_000), Tick(3_000)));
    let mut work = now(hello_work(&store, dial, 2));
    work.started = (Some(NOON + 1_000_000), Some(NOON + 2_000_000));
    work.now_us = NOON + 20_000_000;
    let met = now(met(&store, work));
    let times: Vec<_> = met
        .gaps
        .iter()
        .filter(|g| g.lane.lane == Lane::Readings)
        .map(|g| (g.cause, g.not_before_us.unwrap() - NOON, g.not_after_us.unwrap() - NOON))
        .collect();
    assert_eq!(times, [(Cause::Power, -10_000_000, 2_000_000), (Cause::Overflow, 2_000_000, 5_000_000)]);
}

/// A floor that rises while connected.
#[test]
fn a_floor_rises_while_connected() {
    let store = MemoryStore::default();
    let lane = readings_lane("cellar");
    now(met(&store, now(hello_work(&store, hello(lane.device, 7, 0), 1))));
    now(appended(&store, &records(lane, p(7, 0), 5)));
    let mut floor = hello(lane.device, 7, 1).lanes[2];
    (floor.floor, floor.acked, floor.cause) = (p(7, 9), p(7, 4), Cause::Overflow);
    let work = FloorWork { lane, floor, between_us: (Some(NOON), Some(NOON + 1)), now_us: NOON + 2 };
    for gaps in [1, 0] {
        let done = run(&store, &[Work::Floor(work.clone())]).unwrap();
        let [Ok(Done::Appended(got))] = &done[..] else { panic!("{done:?}") };
        assert_eq!((got.mark, got.gaps.len()), (p(7, 8), gaps));
        if let Some(gap) = got.gaps.first() {
            assert_eq!((gap.first, gap.count, gap.not_after_us), (p(7, 5), Some(4), Some(NOON + 1)));
        }
    }
    assert!(!now(appended(&store, &records(lane, p(7, 9), 1))).rewind);
}

/// Works of two connections of one device in one group: the second Hello sees what the first one wrote.
#[test]
fn two_hellos_in_one_group() {
    let store = MemoryStore::default();
    let d = device("cellar");
    let works = [(7, 1), (7, 2)].map(|(boot, fresh)| now(hello_work(&store, hello(d, boot, 0), fresh)));
    let done = run(&store, &works.map(|w| Work::Hello(Box::new(w)))).unwrap();
    assert!(matches!(done[..], [Ok(Done::Hello(_)), Err(Refuse::Busy)]), "{done:?}");
    let row: DeviceRow = now(store.load(&d)).unwrap().device.unwrap();
    assert_eq!((row.tag, row.superseded), (Tag(1), vec![]));
}
