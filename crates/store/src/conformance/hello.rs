//! The Hello transaction over this store.

use futures_util::future::join;
use sensock::{Cause, Position, Tag};

use super::fixture::*;
use super::work::*;
use crate::history::{History, Span};
use crate::store::Store;
use crate::work::{Done, Meeting, Refuse, Work};

/// Boot after boot: tags change and the last eight are kept, the tail of each boot is a gap, the boots and connections are listed.
pub async fn boots_follow_each_other<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    let d = lane.device;
    done(&store, &[catalog_work(d)]).await;
    for boot in 1..=11 {
        let met = met(&store, hello_work(&store, hello(d, boot, 0), 1000 + u64::from(boot)).await).await;
        assert_eq!(met.identity.meeting, if boot == 1 { Meeting::First } else { Meeting::Booted });
        assert_eq!(met.gaps.len(), if boot == 1 { 0 } else { 3 }, "one for the tail of each lane");
        appended(&store, &records(lane, Position::new(boot, 0), 2)).await;
    }
    let row = store.load(&d).await.expect("load").device.expect("it proved itself live");
    assert_eq!((row.boot, row.tag), (11, Tag(1011)));
    assert_eq!(
        row.superseded,
        (1003..=1010).rev().map(Tag).collect::<Vec<_>>(),
        "the last eight, the newest first"
    );
    assert_eq!(store.boots(&d).await.expect("boots").len(), 11);
    assert_eq!(store.connections(&d, Span::ALL).await.expect("connections").len(), 11);
    assert_eq!(store.range(&d, Span::ALL, None, 100).await.expect("range").len(), 22);
    let gaps = store.gaps(&d, Span::ALL).await.expect("gaps");
    assert!(gaps.len() == 30 && gaps.iter().all(|g| g.cause == Cause::Power && g.count.is_none()));
}

/// Two servers welcome one new boot at the same time: one of them stands, the other one is told that it is busy.
pub async fn two_welcomes_for_one_boot<S: Store + History>(store: S) {
    let d = device("cellar");
    met(&store, hello_work(&store, hello(d, 1, 0), 1).await).await;
    let (one, two) =
        (hello_work(&store, hello(d, 2, 0), 21).await, hello_work(&store, hello(d, 2, 0), 22).await);
    let run = async |work| done(&store, &[Work::Hello(Box::new(work))]).await.pop();
    let results = join(run(one), run(two)).await;
    let stood =
        [&results.0, &results.1].into_iter().filter(|r| matches!(r, Some(Ok(Done::Hello(_))))).count();
    let busy = [&results.0, &results.1].into_iter().filter(|r| matches!(r, Some(Err(Refuse::Busy)))).count();
    assert_eq!((stood, busy), (1, 1), "{results:?}");
    let row = store.load(&d).await.expect("load").device.expect("it proved itself live");
    assert_eq!((row.boot, row.superseded), (2, vec![Tag(1)]));
    assert_eq!(
        store.connections(&d, Span::ALL).await.expect("connections").len(),
        2,
        "the busy one left nothing"
    );
}
