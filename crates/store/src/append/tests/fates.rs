//! What a Hello says of commands: rules 43 to 45, as a table.

use sensock::catalog::Policy::{self, Idempotent, Once};
use sensock::wire::hello::{FEATURE_BEGUN_PERSISTS as BEGUN, FEATURE_OUTBOX_PERSISTS as OUTBOX};
use sensock::{CommandId, Lane, Position};

use super::{now, run};
use crate::conformance::fixture::*;
use crate::conformance::work::*;
use crate::memory::MemoryStore;
use crate::rows::CommandState::{self, *};
use crate::rows::*;
use crate::store::Store;
use crate::work::*;

/// Whether the command goes down again, and its state in the store.
type Fate = (bool, CommandState);

/// A device in boot 7 with tag 1 and one command of this policy, sent to it or not.
fn waiting(policy: Policy, sent: bool) -> MemoryStore {
    let store = MemoryStore::default();
    let d = device("cellar");
    now(met(&store, now(hello_work(&store, hello(d, 7, 0), 1))));
    let row = CommandRow { policy, ..command(d, 0) };
    let mut works = vec![Work::Command(CommandWork::New(Box::new(row)))];
    if sent {
        works.push(Work::Command(CommandWork::Sent {
            device: d,
            id: CommandId(1),
            boot: 7,
            after: CommandId(0),
            now_us: NOON,
        }));
    }
    assert!(run(&store, &works).unwrap().iter().all(Result::is_ok));
    store
}

fn fate(store: &MemoryStore, boot: u32, features: u32, begun: u32, late: bool) -> Fate {
    let d = device("cellar");
    let tag = if boot == 7 { 1 } else { 0 };
    let mut dial = hello(d, boot, tag);
    (dial.features, dial.last_begun) = (features, CommandId(begun));
    if features & OUTBOX != 0 {
        // What boot 7 made lies in flash still.
        dial.lanes = dial.lanes.map(|mut l| {
            l.floor = Position::new(7, 0);
            l
        });
    }
    let mut work = now(hello_work(store, dial, 2));
    if late {
        work.now_us += 3_600_000_000;
    }
    let met = now(met(store, work));
    let row = now(store.load(&d)).unwrap().commands.into_iter().find(|c| c.id == CommandId(1)).unwrap();
    assert_eq!(met.settled.iter().any(|s| s.id == row.id), row.state.is_settled());
    assert!(met.deliver.iter().all(|c| *c == row), "what goes down is the stored row");
    (!met.deliver.is_empty(), row.state)
}

#[test]
fn every_case_of_a_hello() {
    #[rustfmt::skip]
    let cases: &[(Policy, bool, u32, u32, u32, bool, Fate)] = &[
        // policy, sent to boot 7, boot now, features, last begun, late, what becomes of it
        (Once, false, 7, 0, 0, false, (true, Queued)),
        (Once, false, 7, 0, 0, true, (false, Expired)),
        (Once, false, 8, BEGUN, 0, false, (true, Queued)),
        // Never framed as far as this store knows, and the device is past it already: a store that was put back may have forgotten.
        (Once, false, 7, 0, 1, false, (false, Unknown)),
        // The same boot: its memory says it all.
        (Once, true, 7, 0, 0, false, (true, Sent(7))),
        (Once, true, 7, 0, 0, true, (true, Sent(7))),
        (Once, true, 7, 0, 1, false, (false, Sent(7))),
        (Idempotent, true, 7, 0, 1, false, (false, Sent(7))),
        // A new boot that remembers: not begun, so it may go down as if for the first time.
        (Once, true, 8, BEGUN, 0, false, (true, Queued)),
        (Once, true, 8, BEGUN, 0, true, (false, Expired)),
        (Once, true, 8, BEGUN | OUTBOX, 0, false, (true, Queued)),
        // Begun, and its answer may lie in flash, or died with the boot.
        (Once, true, 8, BEGUN | OUTBOX, 1, false, (false, Sent(7))),
        (Once, true, 8, BEGUN, 1, false, (false, Unknown)),
        (Idempotent, true, 8, BEGUN, 1, false, (false, Unknown)),
        // A new boot that remembers nothing.
        (Once, true, 8, 0, 0, false, (false, Unknown)),
        (Once, true, 8, OUTBOX, 0, false, (false, Sent(7))),
        (Idempotent, true, 8, 0, 0, false, (true, Queued)),
        (Idempotent, true, 8, 0, 0, true, (false, Unknown)),
        // Another life (rebased): what it says of commands means nothing.
        (Once, true, 6, BEGUN | OUTBOX, 0, false, (false, Unknown)),
        (Idempotent, true, 6, BEGUN, 0, false, (true, Queued)),
        (Idempotent, true, 6, BEGUN, 1, false, (false, Unknown)),
    ];
    for &(policy, sent, boot, features, begun, late, wanted) in cases {
        let got = fate(&waiting(policy, sent), boot, features, begun, late);
        assert_eq!(
            got, wanted,
            "{policy:?} sent:{sent} boot {boot} features {features} begun {begun} late:{late}"
        );
    }
}

/// An answer that lies in flash settles its command; when the control lane leaves the boot without it, nobody knows.
#[test]
fn an_answer_in_flash() {
    for answered in [true, false] {
        let store = waiting(Once, true);
        assert_eq!(fate(&store, 8, BEGUN | OUTBOX, 1, false), (false, Sent(7)));
        let control = LaneId { device: device("cellar"), lane: Lane::Control };
        let mut work = records(control, Position::new(7, 0), 0);
        work.steps = vec![
            Step::Records { first: Position::new(7, 0), count: 1 },
            Step::Boot { after: Position::new(7, 0), boot: 8, complete: true },
        ];
        if answered {
            let at = Position::new(7, 0);
            work.replies = vec![Reply { position: at, command: CommandId(1), state: Done, answer: vec![3] }];
        }
        let got = now(appended(&store, &work));
        let states: Vec<_> = got.settled.iter().map(|c| c.state).collect();
        assert_eq!(states, [if answered { Done } else { Unknown }]);
    }
}

/// A device that comes from another store has begun higher numbers than this store ever gave: the next command is above them.
#[test]
fn numbers_of_another_store_are_passed() {
    let store = waiting(Once, false);
    assert_eq!(fate(&store, 8, BEGUN, 57, false), (false, Unknown));
    let order = |at: i64| {
        let row = CommandRow { created_us: NOON + at, ..command(device("cellar"), 0) };
        run(&store, &[Work::Command(CommandWork::New(Box::new(row)))]).unwrap().remove(0)
    };
    let got = order(1);
    let Ok(crate::work::Done::Command(row, _)) = &got else { panic!("{got:?}") };
    assert_eq!((row.id, row.state), (CommandId(58), Queued));
    // One that names the highest number there is spoils only its own commands.
    let mut dial = hello(device("cellar"), 9, 0);
    dial.last_begun = CommandId(u32::MAX);
    now(met(&store, now(hello_work(&store, dial, 5))));
    let got = order(2);
    assert!(matches!(&got, Err(Refuse::Rejected(why)) if why.contains("used up")), "{got:?}");
}

/// Settings that a device applied for another store do not keep it from this one's.
#[test]
fn revisions_of_another_store_are_passed() {
    let store = MemoryStore::default();
    let d = device("cellar");
    run(&store, &[Work::Setting(Box::new(setting(d, 4, 0)))]).unwrap();
    let mut dial = hello(d, 1, 0);
    dial.settings = 9;
    let first = now(met(&store, now(hello_work(&store, dial, 1))));
    assert_eq!(first.settings.iter().map(|s| (s.key, s.revision)).collect::<Vec<_>>(), [(4, 10)]);
    (dial.settings, dial.tag) = (10, sensock::Tag(1));
    let next = now(met(&store, now(hello_work(&store, dial, 2))));
    assert_eq!(next.settings, []);
}

#[test]
fn newer_commands_replace_those_that_wait() {
    let store = MemoryStore::default();
    let d = device("cellar");
    let order = |at: i64, key: u16, keep_all: bool| {
        let row = CommandRow { key, keep_all, created_us: NOON + at, ..command(d, 0) };
        let got = run(&store, &[Work::Command(CommandWork::New(Box::new(row)))]).unwrap().remove(0);
        match got {
            Ok(crate::work::Done::Command(row, replaced)) => {
                (row.id.0, replaced.iter().map(|c| c.0).collect::<Vec<_>>())
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(order(0, 1, false), (1, vec![]));
    assert_eq!(order(1, 2, false), (2, vec![]), "another key");
    assert_eq!(order(2, 1, true), (3, vec![1]));
    assert_eq!(order(3, 1, false), (4, vec![]), "3 stays beside newer ones");
    assert_eq!(order(3, 1, false), (4, vec![]), "the very same work again");
}

#[test]
fn commands_that_wait_are_limited() {
    let store = MemoryStore::default();
    let d = device("cellar");
    let works: Vec<Work> = (0..65)
        .map(|n| {
            Work::Command(CommandWork::New(Box::new(CommandRow { created_us: NOON + n, ..command(d, 0) })))
        })
        .collect();
    let got = run(&store, &works).unwrap();
    assert!(got[..64].iter().all(Result::is_ok));
    assert_eq!(got[64], Err(Refuse::TooManyCommands(64)));
    let expire = CommandWork::Expire { device: d, now_us: NOON + 3_600_000_000 };
    let got = run(&store, &[Work::Command(expire), works[64].clone()]).unwrap();
    assert!(matches!(&got[..], [Ok(crate::work::Done::Settled(rows)), Ok(_)] if rows.len() == 64), "{got:?}");
    let cancel = CommandWork::Cancel { device: d, id: CommandId(99), now_us: NOON };
    assert_eq!(run(&store, &[Work::Command(cancel)]).unwrap(), [Err(Refuse::NoSuchCommand(CommandId(99)))]);
}

#[test]
fn a_command_past_its_deadline_is_not_sent() {
    let store = waiting(Once, false);
    let sent = CommandWork::Sent {
        device: device("cellar"),
        id: CommandId(1),
        boot: 7,
        after: CommandId(0),
        now_us: NOON + 60_000_001,
    };
    let got = run(&store, &[Work::Command(sent)]).unwrap();
    assert!(matches!(&got[..], [Ok(crate::work::Done::Command(row, _))] if row.state == Expired), "{got:?}");
}

/// A server that has not noticed the reboot would mark the command as sent into a boot that is over, where nobody ever settles it.
#[test]
fn a_command_is_not_sent_into_a_boot_that_is_over() {
    let store = waiting(Once, false);
    assert_eq!(fate(&store, 8, BEGUN, 0, false), (true, Queued));
    let sent = |boot| {
        let work = CommandWork::Sent {
            device: device("cellar"),
            id: CommandId(1),
            boot,
            after: CommandId(0),
            now_us: NOON,
        };
        match run(&store, &[Work::Command(work)]).unwrap().remove(0) {
            Ok(crate::work::Done::Command(row, _)) => row.state,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(sent(7), Queued, "it waits for the connection that is alive");
    assert_eq!(sent(8), Sent(8));
}

/// Two servers: one is connected, the other one makes a command that the first hears of after it made one of its own. Devices begin no
/// number below one that they began, so the first would never run, and nobody would ever settle it.
#[test]
fn a_command_is_not_sent_before_an_earlier_one_that_another_server_made() {
    let store = waiting(Once, false);
    let d = device("cellar");
    assert_eq!(fate(&store, 7, 0, 0, false), (true, Queued));
    let second = CommandRow { created_us: NOON + 1, ..command(d, 0) };
    run(&store, &[Work::Command(CommandWork::New(Box::new(second)))]).unwrap();
    let sent = |id, after| {
        let work = CommandWork::Sent {
            device: d,
            id: CommandId(id),
            boot: 7,
            after: CommandId(after),
            now_us: NOON,
        };
        match run(&store, &[Work::Command(work)]).unwrap().remove(0) {
            Ok(crate::work::Done::Command(row, _)) => row.state,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(sent(2, 0), Queued, "it waits for the first");
    assert_eq!(sent(1, 0), Sent(7));
    assert_eq!(sent(2, 0), Queued, "the first left on another connection: this one has to send it too");
    assert_eq!(sent(2, 1), Sent(7));
}

/// The answer was acknowledged, then the store was put back: the answer will not come again, so the command is not awaited for ever.
#[test]
fn an_answer_that_a_restored_store_forgot_is_not_awaited() {
    let store = waiting(Once, true);
    let mut dial = hello(device("cellar"), 7, 1);
    dial.last_begun = CommandId(1);
    let control = &mut dial.lanes[Lane::Control.index()];
    (control.acked, control.floor) = (Position::new(7, 2), Position::new(7, 3));
    let done = now(met(&store, now(hello_work(&store, dial, 2))));
    let told: Vec<_> = done.gaps.iter().map(|g| (g.lane.lane, g.cause)).collect();
    assert_eq!(told, [(Lane::Control, sensock::Cause::Store)]);
    assert_eq!(done.settled.iter().map(|c| c.state).collect::<Vec<_>>(), [Unknown]);
}
