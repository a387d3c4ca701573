//! Rule A over this store: stored once, whoever commits it and however often.

use futures_util::future::join;
use sensock::{Cause, Position};

use super::fixture::*;
use super::work::*;
use crate::history::{Cursor, FeedItem, History, Span};
use crate::rows::*;
use crate::store::Store;
use crate::work::{Done, Step, Work};

/// The same records again are counted as known and change nothing; what overlaps is cut; what leaves a hole is asked for again.
pub async fn appending_again_changes_nothing<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    let p = |n| Position::new(1, n);
    let first = records(lane, p(0), 10);
    done(&store, &[catalog_work(lane.device)]).await;
    write_marks(&store, lane, p(0).prev()).await;
    let got = appended(&store, &first).await;
    assert_eq!((got.mark, got.stored, got.duplicates, got.rewind), (p(9), 10, 0, false));
    let got = appended(&store, &first).await;
    assert_eq!((got.mark, got.stored, got.duplicates, got.rewind), (p(9), 0, 10, false));
    let got = appended(&store, &records(lane, p(5), 10)).await;
    assert_eq!((got.mark, got.stored, got.duplicates, got.rewind), (p(14), 5, 5, false));
    let got = appended(&store, &records(lane, p(16), 3)).await;
    assert_eq!((got.mark, got.stored, got.duplicates, got.rewind), (p(14), 0, 0, true));
    let rows = store.range(&lane.device, Span::ALL, None, 100).await.expect("range");
    let positions: Vec<u32> = rows.iter().map(|r| r.row.position.n()).collect();
    assert_eq!(positions, (0..15).collect::<Vec<_>>());
}

/// Gaps, ends of boots and what could not be understood stand between records, each with its count.
pub async fn steps_are_explained<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    let p = Position::new;
    done(&store, &[catalog_work(lane.device)]).await;
    write_marks(&store, lane, p(1, 0).prev()).await;
    let mut work = records(lane, p(1, 0), 2);
    work.steps = vec![
        Step::Records { first: p(1, 0), count: 2 },
        Step::Gap { first: p(1, 2), last: p(1, 4), cause: Cause::Flash, between_us: (Some(NOON), None) },
        Step::Boot { after: p(1, 4), boot: 2, complete: true },
        Step::Quarantine {
            first: p(2, 0),
            last: p(2, 1),
            reason: "its catalogue is not known".to_owned(),
            raw: vec![1, 2],
        },
        Step::Boot { after: p(2, 1), boot: 5, complete: false },
        Step::Records { first: p(5, 0), count: 1 },
    ];
    work.readings.push(reading(lane, p(5, 0), 7));
    let got = appended(&store, &work).await;
    assert_eq!((got.mark, got.stored, got.rewind), (p(5, 0), 3, false));
    let gaps = store.gaps(&lane.device, Span::ALL).await.expect("gaps");
    let told: Vec<_> = gaps.iter().map(|g| (g.first, g.last, g.cause, g.count)).collect();
    let wanted = [
        (p(1, 2), p(1, 4), Cause::Flash, Some(3)),
        (p(2, 0), p(2, 1), Cause::Rejected, Some(2)),
        (p(2, 2), p(5, 0).prev(), Cause::Power, None),
    ];
    assert_eq!(told, wanted);
    let kept = store.quarantine(&lane.device).await.expect("quarantine");
    assert_eq!((kept.len(), &kept[0].raw), (1, &vec![1, 2]));
    let got = appended(&store, &work).await;
    assert_eq!((got.mark, got.stored, got.gaps.len()), (p(5, 0), 0, 0), "the same again is known");
    assert_eq!(store.gaps(&lane.device, Span::ALL).await.expect("gaps").len(), 3);
}

/// Two servers hold the same records of one device and commit them at the same time, in other portions: each record is there once, and
/// the mark never goes back.
pub async fn two_servers_store_each_record_once<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    done(&store, &[catalog_work(lane.device)]).await;
    write_marks(&store, lane, Position::new(1, 0).prev()).await;
    let server = async |portion: u32| {
        let mut highest = Position::NONE;
        for first in (0..60).step_by(portion as usize) {
            let got = appended(&store, &records(lane, Position::new(1, first), portion)).await;
            assert!(!got.rewind, "what this server stored before must not be gone");
            assert!(got.mark >= highest, "the mark went back from {highest} to {}", got.mark);
            highest = got.mark;
        }
    };
    join(server(5), server(6)).await;
    let rows = store.range(&lane.device, Span::ALL, None, 1000).await.expect("range");
    let positions: Vec<u32> = rows.iter().map(|r| r.row.position.n()).collect();
    assert_eq!(positions, (0..60).collect::<Vec<_>>());
    assert_eq!(store.load(&lane.device).await.expect("load").marks[2], Position::new(1, 59));
}

/// Two groups that name the same devices in opposite order both get through.
pub async fn opposite_orders_do_not_block_each_other<S: Store + History>(store: S) {
    let lanes: Vec<LaneId> = (0..8).map(|i| readings_lane(&format!("node-{i}"))).collect();
    for lane in &lanes {
        done(&store, &[catalog_work(lane.device)]).await;
        write_marks(&store, *lane, Position::new(1, 0).prev()).await;
    }
    let group = |round: u32| -> Vec<Work> {
        let work = |&l: &LaneId| Work::Records(Box::new(records(l, Position::new(1, round * 4), 4)));
        lanes.iter().map(work).collect()
    };
    let forth = async {
        for round in 0..10 {
            done(&store, &group(round)).await;
        }
    };
    let back = async {
        for round in 0..10 {
            let works: Vec<Work> = group(round).into_iter().rev().collect();
            for result in done(&store, &works).await {
                let Ok(Done::Appended(got)) = result else { panic!("{result:?}") };
                assert!(!got.rewind && got.mark >= Position::new(1, round * 4 + 3));
            }
        }
    };
    join(forth, back).await;
    for lane in lanes {
        let rows = store.range(&lane.device, Span::ALL, None, 1000).await.expect("range");
        assert_eq!(rows.len(), 40, "each record once");
    }
}

/// A row that the store can never take goes to quarantine with its bytes and a gap, and nobody else notices.
///
/// The poison here is a record that holds one quantity twice: the key that every store of readings has refuses it.
pub async fn poison_holds_up_nobody<S: Store + History>(store: S) {
    let lanes: Vec<LaneId> = (0..5).map(|i| readings_lane(&format!("node-{i}"))).collect();
    let mut works: Vec<Work> = Vec::new();
    for &lane in &lanes {
        write_marks(&store, lane, Position::new(1, 0).prev()).await;
        works.push(catalog_work(lane.device));
        works.push(Work::Records(Box::new(records(lane, Position::new(1, 0), 4))));
    }
    let mut poison = records(lanes[2], Position::new(1, 4), 4);
    poison.readings.insert(1, poison.readings[0]);
    works.push(Work::Records(Box::new(poison)));
    works.extend(lanes.iter().map(|&l| {
        let first = if l == lanes[2] { 8 } else { 4 };
        Work::Records(Box::new(records(l, Position::new(1, first), 4)))
    }));
    let results = done(&store, &works).await;
    assert!(results.iter().all(|r| r.is_ok()), "{results:?}");
    for &lane in &lanes {
        let rows = store.range(&lane.device, Span::ALL, None, 100).await.expect("range");
        assert_eq!(rows.len(), 8, "{}", lane.device);
    }
    let sick = lanes[2].device;
    let kept = store.quarantine(&sick).await.expect("quarantine");
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].first, kept[0].last), (Position::new(1, 4), Position::new(1, 7)));
    assert_eq!(kept[0].raw, [0xda, 0x7a], "the bytes as they came");
    assert!(!kept[0].reason.is_empty(), "a person can read why");
    let gaps = store.gaps(&sick, Span::ALL).await.expect("gaps");
    assert_eq!((gaps.len(), gaps[0].cause, gaps[0].count), (1, Cause::Rejected, Some(4)));
    assert_eq!(store.load(&sick).await.expect("load").marks[2], Position::new(1, 11));
}

/// A reader that follows by cursor sees each record and gap once and in order, while two servers write.
pub async fn a_feed_misses_nothing<S: Store + History>(store: S) {
    let lanes = ["cellar", "attic", "Attic"].map(readings_lane);
    for lane in lanes {
        done(&store, &[catalog_work(lane.device)]).await;
        write_marks(&store, lane, Position::new(1, 0).prev()).await;
    }
    let server = async |order: [usize; 3]| {
        for first in (0..60).step_by(6) {
            for i in order {
                let mut work = records(lanes[i], Position::new(1, first), 6);
                // The fourth and fifth are a gap.
                work.steps = vec![
                    Step::Records { first: Position::new(1, first), count: 3 },
                    Step::Gap {
                        first: Position::new(1, first + 3),
                        last: Position::new(1, first + 4),
                        cause: Cause::Overflow,
                        between_us: (None, None),
                    },
                    Step::Records { first: Position::new(1, first + 5), count: 1 },
                ];
                work.readings.retain(|r| !(3..5).contains(&(r.position.n() % 6)));
                assert!(!appended(&store, &work).await.rewind);
            }
        }
    };
    let reader = async {
        let (mut cursor, mut seen) =
            (Cursor::default(), std::collections::BTreeMap::<LaneId, Position>::new());
        let mut turns = 0;
        while seen.len() < lanes.len() || seen.values().any(|&p| p < Position::new(1, 59)) {
            let limit = 1 + turns % 7;
            let (items, next) = store.feed(&cursor, limit).await.expect("feed");
            assert!(items.len() <= limit + lanes.len(), "{} items for a limit of {limit}", items.len());
            assert!(items.is_empty() == (next == cursor), "a cursor moves with what it passes");
            for item in items {
                let (lane, first, last) = match item {
                    FeedItem::Record(rows) => (rows[0].lane, rows[0].position, rows[0].position),
                    FeedItem::Gap(gap) => (gap.lane, gap.first, gap.last),
                };
                let before = seen.entry(lane).or_insert(Position::new(1, 0).prev());
                assert_eq!(first, before.next(), "{} in order, none missed, none twice", lane.device);
                *before = last;
            }
            cursor = next;
            turns += 1;
            assert!(turns < 100_000, "the feed does not end: {seen:?}");
            yield_once().await;
        }
        assert_eq!(cursor.lanes, seen);
    };
    join(join(server([0, 1, 2]), server([2, 0, 1])), reader).await;
}

/// A reader of some devices sees theirs, each once and in order, and nothing of others; where nothing follows its cursor stands at the
/// mark, so that what is committed next joins on to it.
pub async fn a_feed_of_some_devices_is_theirs<S: Store + History>(store: S) {
    let lanes = ["cellar", "attic", "Attic"].map(readings_lane);
    let wanted = [lanes[0], lanes[2]];
    for lane in lanes {
        done(&store, &[catalog_work(lane.device)]).await;
        write_marks(&store, lane, Position::new(1, 0).prev()).await;
        for first in (0..60).step_by(6) {
            appended(&store, &records(lane, Position::new(1, first), 6)).await;
        }
    }
    // Positions that hold nothing.
    let end = Position::new(7, 0).prev();
    write_marks(&store, lanes[0], end).await;
    let devices = wanted.map(|lane| lane.device);
    for limit in [1, 7, 50, 1_000] {
        let (mut cursor, mut seen) = (Cursor::default(), vec![]);
        for turn in 0.. {
            let page = store.feed_of(&devices, &cursor, limit).await.expect("feed");
            cursor = page.cursor;
            seen.extend(page.items.iter().map(|item| (item.lane(), item.last())));
            assert!(turn < 1_000, "the feed does not end");
            if !page.more {
                break;
            }
        }
        for lane in wanted {
            let of = seen.iter().filter(|(l, _)| *l == Some(lane)).map(|(_, last)| *last);
            assert!(of.eq((0..60).map(|n| Some(Position::new(1, n)))), "each once and in order");
        }
        assert_eq!(seen.len(), 120, "nothing of others");
        assert!(cursor.lanes.keys().all(|lane| devices.contains(&lane.device)));
        assert!(cursor.lanes[&lanes[2]] == Position::new(1, 59));
        let page = store.feed_of(&devices, &cursor, limit).await.expect("feed");
        assert_eq!((page.items, page.cursor, page.more), (vec![], cursor, false));
    }
    assert!(!store.feed_of(&[], &Cursor::default(), 10).await.expect("feed").more, "nobody is nobody");
}

/// Lets the other futures of this task run.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

async fn write_marks<S: Store>(store: &S, lane: LaneId, mark: Position) {
    write(store, crate::Batch { marks: vec![(lane, mark)], ..crate::Batch::default() }).await;
}
