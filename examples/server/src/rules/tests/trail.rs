//! The log is kept for a time, and played from its checkpoints.

use std::time::Duration;

use sensock_sql::{Arg, SqlStore};
use sensock_testkit::mariadb;

use super::*;
use crate::rules::alarms::trail::{self, Pruned};
use crate::rules::lease::Lease;
use crate::rules::replay;
use crate::show::time::{Times, now_us};

/// A checkpoint with each commit, and nothing is deleted.
const ALL: Keeping = Keeping { checkpoint: Duration::ZERO, keep: Duration::from_secs(86_400) };
/// A checkpoint with each commit, and all before the newest goes.
const LAST: Keeping = Keeping { checkpoint: Duration::ZERO, keep: Duration::ZERO };

async fn open(url: &str, keeping: Keeping) -> House {
    House::keeping(url, zone(Vec::new()), Duration::from_millis(20), keeping).await
}

/// A fire and its end, from this record on; waits until they are known.
async fn fire(house: &House, from: u32) {
    let before = list::alarms(&house.store, 0, false).await.unwrap().len();
    // After the fire before it, in event time too.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let now = now_us();
    let of = |n: u32| (from + n, now - 500_000 + i64::from(n) * 50_000, if n < 5 { 5_500 } else { 2_000 });
    write(&house.store, &(0..10).map(of).collect::<Vec<_>>()).await;
    house.alarms(|alarms| alarms.len() > before && alarms.iter().all(|alarm| alarm.ended_us.is_some())).await;
}

async fn numbers(store: &SqlStore, sql: &'static str) -> Vec<i64> {
    let mut tx = store.read_own().await.unwrap();
    let rows = tx.rows(sql, &[]).await.unwrap();
    tx.commit().await.unwrap();
    rows.iter().map(|row| row.int(0).unwrap()).collect()
}

const SEGMENTS: &str = "SELECT segment FROM rule_log ORDER BY segment";
const CHECKPOINTS: &str = "SELECT segment FROM rule_log_checkpoint ORDER BY segment";
const WRITTEN: &str = "SELECT written_us FROM rule_log_checkpoint ORDER BY segment";

async fn play(store: &SqlStore, at_us: i64) -> anyhow::Result<Vec<(i64, Vec<Change>)>> {
    let zone = kitchen();
    Ok(trail::play(store, zone, super::replay(store, zone).await, at_us).await?.segments)
}

fn urls(directory: &tempfile::TempDir, who: &str) -> Vec<String> {
    let mut urls = vec![sqlite(directory)];
    urls.extend(mariadb::available_or_skip(who).map(|db| db.database().unwrap()));
    urls
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stored_log_plays_the_same_from_each_of_its_checkpoints() {
    let directory = tempfile::tempdir().unwrap();
    for url in urls(&directory, "a log that is played") {
        let house = open(&url, ALL).await;
        for n in 0..3 {
            fire(&house, 1 + n * 10).await;
        }
        let store = house.store.clone();
        let whole = play(&store, i64::MIN).await.unwrap();
        assert!(whole.iter().any(|(_, changes)| !changes.is_empty()));
        let (checkpoints, written) = (numbers(&store, CHECKPOINTS).await, numbers(&store, WRITTEN).await);
        assert!(checkpoints.len() > 3 && checkpoints[0] == 1, "{checkpoints:?}");
        for (segment, at_us) in checkpoints.into_iter().zip(written) {
            let rest: Vec<_> = whole.iter().filter(|(n, _)| *n > segment).cloned().collect();
            let played = play(&store, at_us).await.unwrap();
            let here = played.iter().take(rest.len()).cloned().collect::<Vec<_>>();
            assert_eq!(here, rest, "from segment {segment} on");
        }
        drop(store);
        house.close().await;
    }
}

/// What an operator sees of it: all as it was said, from the beginning and from a checkpoint; and what differs if somebody has changed a
/// record since.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_finds_what_was_said_and_what_was_changed_since() {
    let directory = tempfile::tempdir().unwrap();
    for url in urls(&directory, "a log that is held against what was said") {
        let house = open(&url, ALL).await;
        fire(&house, 1).await;
        fire(&house, 11).await;
        let store = house.store.clone();
        let said = stored(&store).await.len();
        let all = replay::replay(&store, kitchen(), None).await.unwrap();
        assert!(all.holds() && all.same == said && said >= 4, "{all:?}");
        let at_us = *numbers(&store, WRITTEN).await.last().unwrap();
        let rest = replay::replay(&store, kitchen(), Some(at_us)).await.unwrap();
        assert!(rest.holds() && rest.segments < all.segments && rest.after > 1, "{rest:?}");
        house.close().await;

        let store = SqlStore::open(&url).await.unwrap();
        let mut tx = store.begin_own().await.unwrap();
        tx.execute("UPDATE record SET readings = REPLACE(readings, '5500', '2000')", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let odd = replay::replay(&store, kitchen(), None).await.unwrap();
        assert_eq!((odd.same, odd.unplayed.len(), odd.unsaid.len()), (0, said, 0), "nothing burnt any more");
        let mut text = Vec::new();
        odd.write(kitchen(), &Times::utc(), &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.lines().count() == 1 + said && text.contains("said, and not played: "), "{text}");
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_deleted_and_judging_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    for url in urls(&directory, "a log that is pruned") {
        let house = open(&url, ALL).await;
        fire(&house, 1).await;
        fire(&house, 11).await;
        house.close().await;
        // As if this had been long ago, but for the last: that is what a replay of today begins with.
        let store = SqlStore::open(&url).await.unwrap();
        let checkpoints = numbers(&store, CHECKPOINTS).await;
        let old = checkpoints[checkpoints.len() - 2];
        let mut tx = store.begin_own().await.unwrap();
        for sql in [
            "UPDATE rule_log SET written_us = written_us - 172800000000 WHERE segment <= ?",
            "UPDATE rule_log_checkpoint SET written_us = written_us - 172800000000 WHERE segment <= ?",
        ] {
            tx.execute(sql, &[Arg::Int(old)]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let whole = play(&store, i64::MIN).await.unwrap();
        store.close().await;

        let house = open(&url, ALL).await;
        let store = house.store.clone();
        let pruned = async {
            while numbers(&store, SEGMENTS).await.first().is_none_or(|first| *first <= old) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, pruned).await.unwrap();
        // The checkpoint that the rest is played from is there, and none before it.
        let left = numbers(&store, CHECKPOINTS).await;
        assert_eq!(left.first(), Some(&old), "{left:?}");
        // It goes on from what it knew: no alarm is ended, none is found again.
        fire(&house, 21).await;
        assert_eq!(list::alarms(&store, 0, false).await.unwrap().len(), 3);
        let written = numbers(&store, WRITTEN).await;
        let played = play(&store, written[0]).await.unwrap();
        let before: Vec<_> = whole.iter().filter(|(n, _)| *n > old).cloned().collect();
        assert_eq!(played[..before.len()], before[..]);
        let since: Vec<Change> =
            played[before.len()..].iter().flat_map(|(_, changes)| changes.clone()).collect();
        assert!(!since.is_empty());
        let error = play(&store, written[0] - 3_600_000_000).await.unwrap_err().to_string();
        let says = ["the log of zone kitchen is kept from ", " 1 h 0 min before that", "`rules-log-keep`"];
        assert!(says.iter().all(|part| error.contains(part)), "{error}");
        drop(store);
        house.close().await;
    }
}

/// However much can go, it goes in batches, by whoever holds the zone; what a replay within the time needs does not.
#[tokio::test]
async fn a_long_log_is_deleted_in_batches() {
    const ZONE: &str = "kitchen";
    let directory = tempfile::tempdir().unwrap();
    for url in urls(&directory, "a long log") {
        let store = SqlStore::open(&url).await.unwrap();
        let (lease, _) = Lease::take(&store, ZONE, 7).await.unwrap().unwrap();
        let mut tx = store.begin_own().await.unwrap();
        let insert =
            "INSERT INTO rule_log (zone, segment, rules, written_us, entries) VALUES (?, ?, 1, ?, ?)";
        for n in 1..=1_200i64 {
            tx.execute(insert, &[ZONE.into(), n.into(), n.into(), Arg::Bytes(b"[]")]).await.unwrap();
        }
        let insert = "INSERT INTO rule_log_checkpoint (zone, segment, rules, written_us, positions, state) VALUES (?, ?, 1, ?, ?, ?)";
        let empty = Arg::Bytes(b"");
        for (n, at_us) in [(100i64, 100i64), (600, 600), (1_100, 1_100), (1_150, now_us())] {
            tx.execute(insert, &[ZONE.into(), n.into(), at_us.into(), empty, empty]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let zone = kitchen();
        for (pruned, first, checkpoints) in [
            (Pruned::More, 501, vec![600, 1_100, 1_150]),
            (Pruned::More, 1_001, vec![1_100, 1_150]),
            (Pruned::All, 1_101, vec![1_100, 1_150]),
            (Pruned::All, 1_101, vec![1_100, 1_150]),
        ] {
            assert_eq!(trail::prune(&store, zone, &lease, &ALL).await.unwrap(), pruned);
            assert_eq!(numbers(&store, SEGMENTS).await, (first..=1_200).collect::<Vec<_>>());
            assert_eq!(numbers(&store, CHECKPOINTS).await, checkpoints);
        }
        // Somebody else has taken over.
        lease.give_back(&store).await.unwrap();
        Lease::take(&store, ZONE, 8).await.unwrap().unwrap();
        assert_eq!(trail::prune(&store, zone, &lease, &LAST).await.unwrap(), Pruned::NotHeld);
        assert_eq!(numbers(&store, CHECKPOINTS).await, [1_100, 1_150]);
        store.close().await;
    }
}

/// The checkpoint and what comes behind it stay, however short the time is.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_checkpoint_stays() {
    let directory = tempfile::tempdir().unwrap();
    let house = open(&sqlite(&directory), LAST).await;
    fire(&house, 1).await;
    let alone = async {
        while numbers(&house.store, CHECKPOINTS).await.len() != 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, alone).await.unwrap();
    assert!(play(&house.store, now_us() + 1_000_000).await.is_ok());
    fire(&house, 11).await;
    house.close().await;
    let house = open(&sqlite(&directory), LAST).await;
    fire(&house, 21).await;
    assert_eq!(list::alarms(&house.store, 0, false).await.unwrap().len(), 3);
    house.close().await;
}
