//! Latest values and ranges of time.

use sensock::{Lane, Position};

use super::fixture::*;
use crate::batch::Batch;
use crate::history::{History, Span};
use crate::rows::*;
use crate::store::Store;

fn humidity(lane: LaneId, position: Position, raw: i32) -> ReadingRow {
    let t = reading(lane, position, raw);
    ReadingRow { quantity: HUMIDITY, value: f64::from(raw) / 10.0, ..t }
}

/// The newest reading of each quantity, with its words, whichever lane it came in.
pub async fn latest_is_the_newest<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    let alarm = LaneId { lane: Lane::Alarm, ..lane };
    assert!(store.latest(&lane.device).await.expect("latest").is_empty());
    let p = |n| Position::new(2, n);
    let mut overtaking = reading(alarm, p(0), 5000);
    overtaking.tick = sensock::Tick(9_000);
    let rows = vec![
        overtaking,
        reading(lane, Position::new(1, 50), 1),
        humidity(lane, Position::new(1, 50), 2),
        reading(lane, p(0), 3),
        humidity(lane, p(1), 4),
        reading(lane, p(2), 5),
    ];
    write_readings(&store, rows.clone()).await;
    write_readings(&store, vec![reading(readings_lane("attic"), p(9), 77)]).await;
    let mut latest = store.latest(&lane.device).await.expect("latest");
    latest.sort_by_key(|r| r.row.quantity);
    assert_readings(&latest, &[overtaking, humidity(lane, p(1), 4)]);
    let words = |i: usize| (latest[i].name.as_str(), latest[i].unit.as_str(), latest[i].scale);
    assert_eq!(words(0), ("temperature", "Cel", -2));
    assert_eq!(words(1), ("humidity", "%RH", -1));
}

/// A reading is in a range if its bounds touch it; one without a lower bound may be of any earlier time.
pub async fn range_takes_what_touches_the_span<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    let rows: Vec<ReadingRow> = (0..100).map(|n| reading(lane, Position::new(1, n), n as i32)).collect();
    let mut unbounded = reading(lane, Position::new(1, 100), 100);
    unbounded.not_before_us = None;
    let mut all = rows.clone();
    all.push(unbounded);
    let gaps = [0u32, 10, 20].map(|n| {
        let mut g = gap(lane, Position::new(3, n), 5);
        g.not_before_us = (n != 20).then(|| NOON + i64::from(n) * 1_000_000);
        g.not_after_us = (n != 20).then(|| NOON + i64::from(n + 5) * 1_000_000);
        g
    });
    let batch = Batch {
        readings: all,
        gaps: gaps.to_vec(),
        catalogs: vec![catalog(lane.device, "suite 1")],
        marks: vec![(lane, Position::new(3, 24))],
        ..Batch::default()
    };
    write(&store, batch).await;
    let second = |n: i64| NOON + n * 1_000_000;
    let span = Span { from_us: second(10), to_us: second(20) };
    let got = store.range(&lane.device, span, None, 1000).await.expect("range");
    let mut wanted = rows[10..=20].to_vec();
    wanted.push(unbounded);
    assert_readings(&got, &wanted);
    let edge = Span { from_us: second(30) + 1, to_us: second(31) - 10_001 };
    assert_readings(&store.range(&lane.device, edge, None, 1000).await.expect("range"), &[unbounded]);
    let edge = Span { from_us: second(30), to_us: second(31) - 10_000 };
    let wanted = [rows[30], rows[31], unbounded];
    assert_readings(&store.range(&lane.device, edge, None, 1000).await.expect("range"), &wanted);
    let found =
        store.gaps(&lane.device, Span { from_us: second(12), to_us: second(13) }).await.expect("gaps");
    assert_eq!(found, gaps[1..], "the gap of that time, and the one whose time is not known");
}

/// Whatever the limit, the pages together hold each reading once, and no page tears a record.
pub async fn range_pages_without_loss<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    let control = LaneId { lane: Lane::Control, ..lane };
    let mut rows = vec![];
    for l in [control, lane] {
        for n in 0..25 {
            rows.push(reading(l, Position::new(1, n), n as i32));
            if n % 3 == 0 {
                rows.push(humidity(l, Position::new(1, n), n as i32));
            }
        }
    }
    write_readings(&store, rows.clone()).await;
    for limit in [1, 2, 3, 7, 67, 68, 1000] {
        let (mut got, mut after) = (vec![], None);
        loop {
            let page = store.range(&lane.device, Span::ALL, after, limit).await.expect("range");
            let Some(last) = page.last() else { break };
            assert!(page.len() <= limit.max(2), "a page of {} for a limit of {limit}", page.len());
            after = Some((last.row.lane, last.row.position));
            got.extend(page);
            assert!(got.len() <= rows.len(), "a reading came twice");
        }
        assert_readings(&got, &rows);
    }
}
