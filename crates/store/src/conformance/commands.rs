//! Commands and settings as tickets: numbered once, found again, settled once.

use futures_util::future::join;
use sensock::{CommandId, Lane, Position};

use super::fixture::*;
use super::work::*;
use crate::history::History;
use crate::rows::*;
use crate::store::Store;
use crate::work::{Applied, CommandWork, Done, Reply, Work};

async fn order<S: Store>(store: &S, row: CommandRow) -> (CommandRow, Vec<CommandId>) {
    match done(store, &[Work::Command(CommandWork::New(Box::new(row)))]).await.pop() {
        Some(Ok(Done::Command(row, replaced))) => (*row, replaced),
        other => panic!("not ordered: {other:?}"),
    }
}

/// Two servers order for one device at the same time: no number is given twice, and none is left out.
pub async fn command_numbers_are_given_once<S: Store + History>(store: S) {
    let d = device("cellar");
    let server = async |name: &str| {
        let mut ids = vec![];
        for n in 0..10 {
            let row = CommandRow { issuer: name.to_owned(), created_us: NOON + n, ..command(d, 0) };
            ids.push(order(&store, row).await.0.id.0);
        }
        ids
    };
    let (one, two) = join(server("one"), server("two")).await;
    let mut all: Vec<u32> = one.iter().chain(&two).copied().collect();
    all.sort_unstable();
    assert_eq!(all, (1..=20).collect::<Vec<_>>());
    assert!(one.is_sorted() && two.is_sorted(), "later commands have higher numbers");
    assert_eq!(store.commands(&d, 100).await.expect("commands").len(), 20);
}

/// The same key finds the first command, whatever became of it; keys are told apart to the letter.
pub async fn an_idempotency_key_finds_the_first<S: Store + History>(store: S) {
    let d = device("cellar");
    let keyed = |key: &str| CommandRow { idempotency_key: Some(key.to_owned()), ..command(d, 0) };
    let (first, _) = order(&store, keyed("order-é")).await;
    let both = join(order(&store, keyed("order-é")), order(&store, keyed("order-é"))).await;
    assert_eq!((both.0.0.id, both.1.0.id), (first.id, first.id));
    for other in ["order-É", "order-e", "order-é ", "Order-é"] {
        assert_ne!(order(&store, keyed(other)).await.0.id, first.id, "{other:?} is another key");
    }
    let (elsewhere, _) = order(&store, CommandRow { device: device("attic"), ..keyed("order-é") }).await;
    assert_eq!(
        (elsewhere.device, elsewhere.id),
        (device("attic"), CommandId(1)),
        "a device's keys are its own"
    );
    let cancel = CommandWork::Cancel { device: d, id: first.id, now_us: NOON + 1 };
    done(&store, &[Work::Command(cancel)]).await;
    let (again, _) = order(&store, keyed("order-é")).await;
    assert_eq!((again.id, again.state), (first.id, CommandState::Undeliverable));
}

/// Queued, sent, answered: each step is stored, and a settled command stays as it is.
pub async fn a_command_is_settled_once<S: Store + History>(store: S) {
    let d = device("cellar");
    let control = LaneId { device: d, lane: Lane::Control };
    let first = met(&store, hello_work(&store, hello(d, 3, 0), 70).await).await;
    assert_eq!(first.identity.boot, 3);
    let (row, _) = order(&store, command(d, 0)).await;
    let sent = CommandWork::Sent { device: d, id: row.id, boot: 3, after: Default::default(), now_us: NOON };
    done(&store, &[Work::Command(sent)]).await;
    let stored = store.command(&d, row.id).await.expect("command").expect("it was stored");
    assert_eq!(stored.state, CommandState::Sent(3));
    let mut answer = records(control, Position::new(3, 0), 0);
    answer.steps = vec![crate::work::Step::Records { first: Position::new(3, 0), count: 2 }];
    let reply = |n, state, answer: u8| Reply {
        position: Position::new(3, n),
        command: row.id,
        state,
        answer: vec![answer],
    };
    answer.replies = vec![reply(0, CommandState::Done, 1), reply(1, CommandState::Refused(4), 2)];
    let got = appended(&store, &answer).await;
    assert_eq!((got.stored, got.settled.len()), (2, 1));
    let stored = store.command(&d, row.id).await.expect("command").expect("it was stored");
    assert_eq!((stored.state, stored.answer, stored.settled_us), (CommandState::Done, vec![1], Some(NOON)));
}

/// Each new value of a setting has a revision of its own, counted over all settings of the device.
pub async fn settings_are_numbered<S: Store + History>(store: S) {
    let d = device("cellar");
    let set = async |key: u16, body: u8, at: i64| {
        let row = SettingRow { body: vec![body], set_us: NOON + at, ..setting(d, key, 0) };
        match done(&store, &[Work::Setting(Box::new(row))]).await.pop() {
            Some(Ok(Done::Setting(row))) => row.revision,
            other => panic!("not set: {other:?}"),
        }
    };
    let revisions = [set(1, 10, 0).await, set(2, 20, 1).await, set(1, 11, 2).await];
    assert_eq!(revisions, [1, 2, 3]);
    let met = met(&store, hello_work(&store, hello(d, 3, 0), 70).await).await;
    let told: Vec<_> = met.settings.iter().map(|s| (s.key, s.revision, s.body.clone())).collect();
    assert_eq!(told, [(2, 2, vec![20]), (1, 3, vec![11])]);
    let mut work = records(LaneId { device: d, lane: Lane::Control }, Position::new(3, 0), 0);
    work.steps = vec![crate::work::Step::Records { first: Position::new(3, 0), count: 3 }];
    let applied = |n, revision, refused| Applied { position: Position::new(3, n), revision, refused };
    work.applied = vec![applied(0, 1, None), applied(1, 2, Some(9)), applied(2, 3, None)];
    assert_eq!(appended(&store, &work).await.applied.len(), 2, "revision 1 was replaced");
    let mut rows = store.settings(&d).await.expect("settings");
    rows.sort_by_key(|s| s.key);
    let told: Vec<_> = rows.iter().map(|s| (s.revision, s.applied_us, s.refused)).collect();
    assert_eq!(told, [(3, Some(NOON), None), (2, None, Some(9))]);
}
