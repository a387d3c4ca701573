//! Marks are read under a lock that lasts until the transaction ends.

use futures_util::future::join;
use sensock::{Lane, Position};

use super::fixture::{catalog, device, reading, readings_lane, write};
use crate::batch::Batch;
use crate::history::History;
use crate::rows::LaneId;
use crate::store::{Store, Transaction};

/// A second transaction on the same lane waits for the first one, and then sees its mark. A plain read instead of a locking one fails
/// here: it returns the mark of before.
pub async fn marks_are_locked<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    let (mut first, marks) = store.begin(&[lane]).await.expect("begin");
    assert_eq!(marks, [Position::NONE], "a lane without a row has no mark");
    let other = store.clone();
    let second = async {
        let (tx, marks) = other.begin(&[lane]).await.expect("the second begin waits, it does not fail");
        drop(tx);
        marks
    };
    let finish = async {
        // Some round trips, so that a second begin that does not wait is done before this commit.
        for _ in 0..5 {
            store.load(&lane.device).await.expect("load takes no locks");
        }
        first
            .write(&Batch { marks: vec![(lane, Position::new(1, 7))], ..Batch::default() })
            .await
            .expect("write");
        first.commit().await.expect("commit");
    };
    let (seen, ()) = join(second, finish).await;
    assert_eq!(seen, [Position::new(1, 7)], "the second transaction must see what the first one committed");
}

/// `begin` returns a mark per lane, in the order of its argument.
pub async fn marks_come_in_the_order_asked_for<S: Store + History>(store: S) {
    let device_a = device("a");
    let lanes: Vec<LaneId> = [device_a, device("b")]
        .into_iter()
        .flat_map(|device| Lane::ALL.map(|lane| LaneId { device, lane }))
        .collect();
    let marks: Vec<(LaneId, Position)> =
        lanes.iter().enumerate().map(|(i, &l)| (l, Position::new(1, i as u32))).collect();
    let (mut tx, found) = store.begin(&lanes).await.expect("begin");
    assert_eq!(found, vec![Position::NONE; lanes.len()]);
    tx.write(&Batch { marks: marks.iter().rev().copied().collect(), ..Batch::default() })
        .await
        .expect("write");
    tx.commit().await.expect("commit");
    let (_tx, found) = store.begin(&lanes).await.expect("begin");
    assert_eq!(found, marks.iter().map(|m| m.1).collect::<Vec<_>>());
    let resume = store.load(&device_a).await.expect("load");
    assert_eq!(resume.marks, [Position::new(1, 0), Position::new(1, 1), Position::new(1, 2)]);
}

/// Of transactions about different devices as many are under way at once as [`Store::writers`] says: none waits for another one's end, be
/// the devices new or known.
pub async fn as_many_write_at_once_as_it_says<S: Store + History>(store: S) {
    let lanes: Vec<LaneId> = (0..store.writers()).map(|i| readings_lane(&format!("board-{i}"))).collect();
    for lane in &lanes {
        let catalogs = vec![catalog(lane.device, "suite 1")];
        write(&store, Batch { catalogs, ..Batch::default() }).await;
    }
    for n in 1..3 {
        let at = Position::new(1, n);
        let mut under_way = Vec::new();
        for lane in &lanes {
            let (mut tx, _) = store.begin(&[*lane]).await.expect("begin, while others are under way");
            let (readings, marks) = (vec![reading(*lane, at, 215)], vec![(*lane, at)]);
            tx.write(&Batch { readings, marks, ..Batch::default() }).await.expect("write");
            under_way.push(tx);
        }
        for tx in under_way {
            tx.commit().await.expect("commit");
        }
        for lane in &lanes {
            let marks = store.load(&lane.device).await.expect("load").marks;
            assert_eq!(marks[lane.lane.index()], at);
        }
    }
}
