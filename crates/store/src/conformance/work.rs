//! Pieces of work to test with, and how to have them done.

use sensock::wire::hello::{Account, Hello, LaneFloor};
use sensock::{CommandId, DeviceId, Lane, Position, StoreId, Tag, Tick};

use super::fixture::{NOON, catalog, connection, reading};
use crate::append::commit;
use crate::batch::Batch;
use crate::identity::judge;
use crate::rows::LaneId;
use crate::store::{Failure, Store};
use crate::work::*;

/// Has works done, again and again while the store asks for that.
pub async fn done<S: Store>(store: &S, works: &[Work]) -> Vec<Result<Done, Refuse>> {
    for _ in 0..100 {
        match commit(store, works).await {
            Ok(results) => return results,
            Err(e) if store.failure(&e) == Failure::Retry => {}
            Err(e) => panic!("a rejected row must not come out of `commit`: {e}"),
        }
    }
    panic!("the store asked for the same transaction a hundred times");
}

/// Has one work of records done.
pub async fn appended<S: Store>(store: &S, work: &RecordsWork) -> Appended {
    match done(store, &[Work::Records(Box::new(work.clone()))]).await.pop() {
        Some(Ok(Done::Appended(appended))) => appended,
        other => panic!("records were not appended: {other:?}"),
    }
}

/// `count` records of one temperature each, from `first` on.
pub fn records(lane: LaneId, first: Position, count: u32) -> RecordsWork {
    RecordsWork {
        lane,
        steps: vec![Step::Records { first, count }],
        readings: (0..count).map(|i| reading(lane, first.plus(i.into()), i as i32)).collect(),
        replies: vec![],
        applied: vec![],
        anchors: vec![],
        raw: vec![0xda, 0x7a],
        now_us: NOON,
    }
}

/// The catalogue that [`records`] refer to.
pub fn catalog_work(device: DeviceId) -> Work {
    Work::Rows(Box::new(Batch { catalogs: vec![catalog(device, "suite 1")], ..Batch::default() }))
}

/// What a device in this boot says, with a tag of its own or 0; its lanes hold nothing.
pub fn hello(device: DeviceId, boot: u32, tag: u64) -> Hello {
    let floor = LaneFloor { floor: Position::boot_start(boot), ..LaneFloor::default() };
    Hello {
        versions: (1, 1),
        features: 0,
        device,
        boot: Some(boot),
        tag: Tag(tag),
        pending_tag: Tag::NONE,
        tick: Tick(5_000),
        lanes: [floor; Lane::COUNT],
        max_frame: 512,
        command_slots: 4,
        last_begun: CommandId(0),
        catalog: catalog(device, "suite 1").hash,
        settings: 0,
        store: StoreId(0),
        account: Account::default(),
    }
}

/// The Hello work for what the store says now; `fresh` is the tag of a new boot, and the connection's id.
pub async fn hello_work<S: Store>(store: &S, hello: Hello, fresh: u64) -> HelloWork {
    let resume = store.load(&hello.device).await.expect("load");
    let Verdict::Welcome(proposed) = judge(&resume, &hello, Tag(fresh)) else {
        panic!("taken for a collision")
    };
    HelloWork {
        hello,
        proposed,
        firmware: "suite 1".to_owned(),
        started: (Some(NOON - 10_000_000), Some(NOON - 5_000_000)),
        connection: connection(hello.device, fresh),
        anchor: None,
        store: StoreId(1),
        now_us: NOON,
    }
}

/// Has a Hello done that must stand.
pub async fn met<S: Store>(store: &S, work: HelloWork) -> HelloDone {
    match done(store, &[Work::Hello(Box::new(work))]).await.pop() {
        Some(Ok(Done::Hello(done))) => *done,
        other => panic!("the Hello does not stand: {other:?}"),
    }
}
