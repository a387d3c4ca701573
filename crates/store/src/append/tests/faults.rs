//! Whatever fails and whenever: the same works again give the same rows.

use sensock::{Lane, Position};

use super::{now, run};
use crate::conformance::fixture::*;
use crate::conformance::work::*;
use crate::memory::{MemoryError, MemoryStore, Point};
use crate::rows::*;
use crate::store::{Failure, Store};
use crate::work::*;

/// A group with a work of every kind, for a device in its second boot.
fn everything(store: &MemoryStore) -> Vec<Work> {
    let lane = readings_lane("cellar");
    let d = lane.device;
    now(met(store, now(hello_work(store, hello(d, 1, 0), 11))));
    let hello = now(hello_work(store, hello(d, 2, 0), 22));
    let keyless = CommandRow { keep_all: false, ..command(d, 0) };
    let mut floor = hello.hello.lanes[0];
    (floor.floor, floor.cause) = (Position::new(2, 3), sensock::Cause::Overflow);
    let floor = FloorWork {
        lane: LaneId { lane: Lane::Alarm, ..lane },
        floor,
        between_us: (None, None),
        now_us: NOON,
    };
    vec![
        catalog_work(d),
        Work::Hello(Box::new(hello)),
        Work::Records(Box::new(records(lane, Position::new(2, 0), 5))),
        Work::Command(CommandWork::New(Box::new(keyless))),
        Work::Setting(Box::new(setting(d, 1, 0))),
        Work::Floor(floor),
        Work::Ended(d, [Position::NONE, Position::NONE, Position::new(2, 4)]),
    ]
}

#[test]
fn what_failed_can_be_run_again() {
    let clean = MemoryStore::default();
    let works = everything(&clean);
    assert!(run(&clean, &works).unwrap().iter().all(Result::is_ok));
    for point in [Point::Begin, Point::Load, Point::Write, Point::Commit, Point::Committed] {
        let store = MemoryStore::default();
        let works = everything(&store);
        store.fail_next(point, Failure::Retry);
        assert_eq!(run(&store, &works), Err(MemoryError::Told(point, Failure::Retry)));
        let again = run(&store, &works).unwrap();
        assert!(again.iter().all(Result::is_ok), "{point:?}: {again:?}");
        assert_eq!(store.snapshot(), clean.snapshot(), "{point:?}: the same rows as without the fault");
    }
}

#[test]
fn nothing_is_reported_before_it_is_committed() {
    let store = MemoryStore::default();
    let works = everything(&store);
    let before = store.snapshot();
    for point in [Point::Load, Point::Write, Point::Commit] {
        store.fail_next(point, Failure::Retry);
        assert!(run(&store, &works).is_err());
        assert_eq!(store.snapshot(), before, "{point:?}");
    }
}

/// A group that is rejected once for no reason of its own: the halves go through, in order.
#[test]
fn a_rejection_that_does_not_come_back_costs_nothing() {
    let clean = MemoryStore::default();
    run(&clean, &everything(&clean)).unwrap();
    for point in [Point::Begin, Point::Write, Point::Commit] {
        let store = MemoryStore::default();
        let works = everything(&store);
        store.fail_next(point, Failure::Rejected);
        let done = run(&store, &works).unwrap();
        assert!(done.iter().all(Result::is_ok), "{done:?}");
        assert_eq!(store.snapshot(), clean.snapshot());
    }
}

/// A store that goes away while the guilty work is looked for, or is about to be kept apart: nobody is blamed for that.
#[test]
fn an_outage_while_a_group_is_halved_blames_nobody() {
    let clean = MemoryStore::default();
    run(&clean, &everything(&clean)).unwrap();
    for rejected in 1..=4 {
        let store = MemoryStore::default();
        let works = everything(&store);
        let before = store.snapshot();
        for _ in 0..rejected {
            store.fail_next(Point::Write, Failure::Rejected);
        }
        store.fail_next(Point::Write, Failure::Retry);
        assert_eq!(run(&store, &works), Err(MemoryError::Told(Point::Write, Failure::Retry)), "{rejected}");
        assert_eq!(store.snapshot(), before, "{rejected}: nothing was given up");
        assert!(run(&store, &works).unwrap().iter().all(Result::is_ok), "{rejected}");
        assert_eq!(store.snapshot(), clean.snapshot(), "{rejected}");
    }
}

/// Two records of each of these lanes, whose devices the store has met.
fn two_of_each(store: &MemoryStore, lanes: &[LaneId]) -> Vec<Work> {
    let two = |&lane: &LaneId| {
        now(met(store, now(hello_work(store, hello(lane.device, 1, 0), 1))));
        Work::Records(Box::new(records(lane, Position::new(1, 0), 2)))
    };
    lanes.iter().map(two).collect()
}

/// The guilty one is found, and the store goes away when it is to be kept apart: it waits, as everybody does.
#[test]
fn an_outage_before_quarantine_refuses_nothing() {
    let store = MemoryStore::default();
    let works = two_of_each(&store, &["a", "b"].map(readings_lane));
    let before = store.snapshot();
    for failure in [Failure::Rejected, Failure::Rejected, Failure::Retry] {
        store.fail_next(Point::Write, failure);
    }
    assert_eq!(run(&store, &works), Err(MemoryError::Told(Point::Write, Failure::Retry)));
    assert_eq!(store.snapshot(), before);
}

/// A store that rejects the quarantined form too: the caller hears of it, and nobody else.
#[test]
fn what_cannot_be_kept_at_all_is_said() {
    let store = MemoryStore::default();
    let lanes = ["a", "b"].map(readings_lane);
    let works = two_of_each(&store, &lanes);
    // The group, then a's half, then a's quarantine.
    for _ in 0..3 {
        store.fail_next(Point::Write, Failure::Rejected);
    }
    let done = run(&store, &works).unwrap();
    assert!(matches!(&done[0], Err(Refuse::Rejected(why)) if why.contains("told to fail")), "{done:?}");
    assert!(matches!(&done[1], Ok(Done::Appended(a)) if a.stored == 2), "{done:?}");
    assert_eq!(now(store.load(&lanes[0].device)).unwrap().marks[2], Position::new(1, 0).prev());
}

/// A poisoned answer is not kept, but that the command ran into something is.
#[test]
fn a_poisoned_answer_leaves_the_command_unknown() {
    let store = MemoryStore::default();
    let d = device("cellar");
    let control = LaneId { device: d, lane: Lane::Control };
    now(met(&store, now(hello_work(&store, hello(d, 1, 0), 1))));
    let order = Work::Command(CommandWork::New(Box::new(command(d, 0))));
    let sent = CommandWork::Sent {
        device: d,
        id: sensock::CommandId(1),
        boot: 1,
        after: Default::default(),
        now_us: NOON,
    };
    run(&store, &[order, Work::Command(sent)]).unwrap();
    let mut work = records(control, Position::new(1, 0), 1);
    let at = Position::new(1, 0);
    work.replies = vec![Reply {
        position: at,
        command: sensock::CommandId(1),
        state: CommandState::Done,
        answer: vec![7],
    }];
    store.fail_next(Point::Write, Failure::Rejected);
    let Ok(Done::Appended(got)) = run(&store, &[Work::Records(Box::new(work))]).unwrap().remove(0) else {
        panic!()
    };
    assert_eq!((got.mark, got.gaps.len(), got.settled.len()), (at, 1, 1));
    assert_eq!((got.settled[0].state, &got.settled[0].answer), (CommandState::Unknown, &vec![]));
}

/// A work that does not fit stops its lane for the group: the next one must not slip into its place.
#[test]
fn a_hole_stops_the_lane() {
    let store = MemoryStore::default();
    let lane = readings_lane("cellar");
    now(met(&store, now(hello_work(&store, hello(lane.device, 1, 0), 1))));
    let works = [2, 0].map(|n| Work::Records(Box::new(records(lane, Position::new(1, n), 2))));
    let done = run(&store, &works).unwrap();
    assert!(done.iter().all(|d| matches!(d, Ok(Done::Appended(a)) if a.rewind && a.stored == 0)), "{done:?}");
}

/// The end of a boot says after which position it stands: it cannot hide records that did not arrive.
#[test]
fn the_end_of_a_boot_hides_nothing() {
    let store = MemoryStore::default();
    let lane = readings_lane("cellar");
    now(met(&store, now(hello_work(&store, hello(lane.device, 1, 0), 1))));
    let mut work = records(lane, Position::new(2, 0), 1);
    let boot = Step::Boot { after: Position::new(1, 6), boot: 2, complete: true };
    work.steps.insert(0, boot);
    let got = now(appended(&store, &work));
    assert!(got.rewind && got.stored == 0, "records 1/0 to 1/6 did not come");
}
