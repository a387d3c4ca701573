//! From one device's reading to another device's relay, through restarts, late records and a second server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use catalog::{HUMIDITY, TEMPERATURE};
use sensock::{DeviceId, Lane};
use sensock_sql::SqlStore;
use sensock_store::History as _;
use sensock_testkit::mariadb;
use tokio::time::timeout;

use super::*;
use crate::rules::alarms::list::{self, Row as Alarm};
use crate::rules::lease::Lease;
use crate::rules::zone::{Action, What, When};
use crate::show::time::now_us;

#[tokio::test(flavor = "multi_thread")]
async fn a_fire_closes_another_devices_relay_and_its_end_opens_it() {
    let directory = tempfile::tempdir().unwrap();
    let actions = vec![relay(When::Critical, "true"), relay(When::Cleared, "false")];
    let mut house = House::open(&sqlite(&directory), actions.clone()).await;
    let (oven, _) = device("oven", &house.server).await;
    let (_fan, mut relay) = device("fan-1", &house.server).await;
    // Measured as a board would, until the alarm is over.
    let hot = Arc::new(AtomicBool::new(true));
    let heat = hot.clone();
    let sampling = tokio::spawn(async move {
        loop {
            let celsius = if heat.load(Ordering::Relaxed) { 70.0 } else { 20.0 };
            oven.record(&[TEMPERATURE.is(celsius), HUMIDITY.is(50.0)]).unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    house.hears("ALARM fire 0.90: temperature critical").await;
    assert_eq!(timeout(PATIENCE, relay.recv()).await.unwrap(), Some(true));
    hot.store(false, Ordering::Relaxed);
    assert_eq!(timeout(PATIENCE, relay.recv()).await.unwrap(), Some(false));
    let over = |alarms: &[Alarm]| {
        alarms.len() == 1
            && alarms[0].ended_us.is_some()
            && alarms[0].actions.iter().all(|a| a.state == "done")
    };
    let alarms = house.alarms(over).await;
    assert_eq!(
        (alarms[0].worst.as_str(), alarms[0].historic, alarms[0].actions.len()),
        ("critical", false, 2)
    );
    sampling.abort();
    let key = alarms[0].key.clone();
    assert_eq!(list::acknowledge(&house.store, &key[key.len() - 6..], "me", 5).await.unwrap(), (key, None));
    assert!(list::alarms(&house.store, 0, true).await.unwrap().is_empty(), "it is over and seen");
    // As if the server had died before it heard the answer: what was begun is asked for again, and is the same command.
    let mut tx = house.store.begin_own().await.unwrap();
    tx.execute("UPDATE alarm_action SET state = 'begun'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    house.close().await;

    // A restart repeats nothing; the log says the same as the rows.
    let house = House::open(&sqlite(&directory), actions).await;
    let alarms = house.alarms(|alarms| alarms[0].actions.iter().all(|action| action.state == "done")).await;
    assert_eq!(alarms.len(), 1);
    assert_eq!(house.store.commands(&DeviceId::new("fan-1").unwrap(), 10).await.unwrap().len(), 2);
    let (changes, again) = replayed(&house.store).await;
    assert!(again || as_stored(&changes) == stored(&house.store).await);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fire_of_six_hours_ago_is_history_and_moves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut house = House::open(&sqlite(&directory), vec![relay(When::Warning, "true")]).await;
    let fan = fan(&house.store).await;
    let then = now_us() - 6 * HOUR_US;
    let backlog: Vec<_> = (0..100)
        .map(|n: u32| {
            let raw = if (40..60).contains(&n) { 5_500 } else { 2_000 };
            (n + 1, then + i64::from(n) * 100_000, raw)
        })
        .collect();
    write(&house.store, &backlog).await;
    let said = house.hears("too old").await;
    assert!(said.contains(" ago, and nothing moves after 1 min"), "{said}");
    let alarms = house.alarms(|alarms| !alarms.is_empty()).await;
    assert_eq!((alarms.len(), alarms[0].historic, alarms[0].actions[0].state.as_str()), (1, true, "too old"));
    assert!(house.store.commands(&fan, 10).await.unwrap().is_empty());
    // A fire of now is none the less acted on.
    let now: Vec<_> =
        (0..5).map(|n: u32| (n + 101, now_us() - 400_000 + i64::from(n) * 100_000, 5_500)).collect();
    write(&house.store, &now).await;
    house.alarms(|alarms| alarms.len() == 2 && alarms[1].actions[0].state == "begun").await;
    house.commands(&fan, 1).await;
    let (changes, again) = replayed(&house.store).await;
    assert!(again);
    assert_eq!(as_stored(&changes), stored(&house.store).await);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_new_find_what_was_stored_before_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&sqlite(&directory)).await.unwrap();
    let then = now_us() - 3 * HOUR_US;
    let hot = |n: u32| (n, then + i64::from(n) * 100_000, if (10..15).contains(&n) { 5_500 } else { 2_000 });
    write(&store, &(1..20).map(hot).collect::<Vec<_>>()).await;
    store.close().await;
    let house = House::open(&sqlite(&directory), vec![relay(When::Warning, "true")]).await;
    let alarms = house.alarms(|alarms| alarms.len() == 1).await;
    assert_eq!((alarms[0].historic, alarms[0].actions[0].state.as_str()), (true, "too old"));
    assert!(alarms[0].ended_us.is_some());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_one_judges_and_the_other_takes_over() {
    let directory = tempfile::tempdir().unwrap();
    let mut urls = vec![sqlite(&directory)];
    urls.extend(mariadb::available_or_skip("two servers that judge").map(|db| db.database().unwrap()));
    for url in urls {
        let actions = || vec![relay(When::Warning, "true")];
        let first = House::open(&url, actions()).await;
        let fan = fan(&first.store).await;
        write(&first.store, &[(1, now_us(), 2_000)]).await;
        let mut second = House::open(&url, actions()).await;
        second.hears("another server judges it").await;
        let hot = |from: u32| -> Vec<_> {
            let now = now_us();
            (0..5).map(|n| (from + n, now - 400_000 + i64::from(n) * 100_000, 5_500)).collect()
        };
        let cold = |from: u32| -> Vec<_> { hot(from).into_iter().map(|(n, at, _)| (n, at, 2_000)).collect() };
        write(&first.store, &hot(2)).await;
        first.alarms(|alarms| alarms.len() == 1).await;
        write(&first.store, &cold(7)).await;
        first.alarms(|alarms| alarms.len() == 1 && alarms[0].ended_us.is_some()).await;
        // The first ends; the second goes on from what it knew.
        first.close().await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        write(&second.store, &hot(12)).await;
        let alarms = second.alarms(|alarms| alarms.len() == 2 && alarms[1].actions[0].state == "begun").await;
        assert!(alarms.iter().all(|alarm| !alarm.historic && !alarm.withdrawn), "{alarms:#?}");
        let commands = second.commands(&fan, 2).await;
        assert_ne!(commands[0].idempotency_key, commands[1].idempotency_key, "one command an alarm");
        second.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_was_none_is_withdrawn_and_what_it_moved_is_not_moved_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut house = House::open(&sqlite(&directory), vec![relay(When::Warning, "true")]).await;
    let fan = fan(&house.store).await;
    let then = now_us() - 400_000;
    let at = |tenths: i64| then + tenths * 100_000;
    write(&house.store, &[(1, at(0), 5_500), (2, at(3), 5_500), (3, at(4), 2_000)]).await;
    house.hears("ALARM fire 0.60").await;
    house.commands(&fan, 1).await;
    // In between it was cold: only now that is known.
    write_lane(&house.store, Lane::Alarm, &[(1, at(1), 2_000)]).await;
    let said = house.hears("withdrawn").await;
    assert!(said.contains("what it has moved stays moved"), "{said}");
    let alarms = house.alarms(|alarms| alarms[0].withdrawn).await;
    assert_eq!(alarms.len(), 1);
    assert!(list::alarms(&house.store, 0, true).await.unwrap().is_empty(), "nobody needs to look at it");
    // Had it been hot a little earlier, it would be another alarm: it stands for the first, whose command is not sent again.
    let then = now_us() - 400_000;
    let at = |tenths: i64| then + tenths * 100_000;
    write(&house.store, &[(4, at(1), 5_500), (5, at(4), 5_500)]).await;
    house.commands(&fan, 2).await;
    write_lane(&house.store, Lane::Alarm, &[(2, at(-1), 5_500), (3, at(0), 5_500), (4, at(2), 5_500)]).await;
    let alarms = house.alarms(|alarms| alarms.len() == 3).await;
    assert_eq!(alarms.iter().map(|alarm| alarm.withdrawn).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(alarms[1].actions[0].state, "held back");
    assert_eq!(house.store.commands(&fan, 10).await.unwrap().len(), 2);
    let (changes, again) = replayed(&house.store).await;
    assert!(again && changes.len() == 1, "{changes:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_done_says_why_and_what_fails_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let seldom = Action { at_most_every: Duration::from_secs(3_600), ..relay(When::Warning, "true") };
    let program = Action {
        what: What::Program { path: "/no/such/program".into(), arguments: vec![] },
        ..relay(When::Warning, "")
    };
    let nobody = Action {
        what: What::Command {
            device: "fan-2".to_owned(),
            name: "relay".to_owned(),
            value: "true".to_owned(),
        },
        ..relay(When::Warning, "")
    };
    let setting = Action {
        what: What::Setting {
            device: "fan-1".to_owned(),
            name: "interval-s".to_owned(),
            value: "1".to_owned(),
        },
        ..relay(When::Warning, "")
    };
    let house = House::open(&sqlite(&directory), vec![seldom, program, nobody, setting]).await;
    let fan = fan(&house.store).await;
    let then = now_us() - 1_000_000;
    let raw = |n: u32| if n % 6 < 3 { 5_500 } else { 2_000 };
    let twice: Vec<_> = (0..12).map(|n: u32| (n + 1, then + i64::from(n) * 100_000, raw(n))).collect();
    write(&house.store, &twice).await;
    let is_done =
        |alarm: &Alarm| alarm.actions.len() == 4 && alarm.actions[1..].iter().all(|a| a.state != "begun");
    let alarms = house.alarms(|alarms| alarms.len() == 2 && alarms.iter().all(is_done)).await;
    let states: Vec<Vec<&str>> = alarms
        .iter()
        .map(|alarm| alarm.actions.iter().map(|action| action.state.as_str()).collect())
        .collect();
    assert_eq!(states, [["begun", "failed", "failed", "done"], ["held back", "failed", "failed", "done"]]);
    let said = |alarm: usize, action: usize| alarms[alarm].actions[action].detail.as_str();
    assert!(said(1, 0).starts_with("at most every 1 h"), "{}", said(1, 0));
    assert!(said(0, 1).contains("/no/such/program cannot be started"), "{}", said(0, 1));
    assert!(said(0, 2).contains("fan-2"), "{}", said(0, 2));
    assert_eq!(house.store.settings(&fan).await.unwrap().len(), 1);
    house.close().await;
}

#[tokio::test]
async fn a_stale_generation_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut urls = vec![sqlite(&directory)];
    urls.extend(mariadb::available_or_skip("leases").map(|db| db.database().unwrap()));
    for url in urls {
        let store = SqlStore::open(&url).await.unwrap();
        let (first, left) = Lease::take(&store, "kitchen", 1).await.unwrap().unwrap();
        assert_eq!((left.segments, left.rules), (0, 0));
        assert!(Lease::take(&store, "kitchen", 2).await.unwrap().is_none());
        let mut tx = store.begin_own().await.unwrap();
        assert!(first.renew(&mut tx).await.unwrap());
        // Its time runs out.
        tx.execute("UPDATE rule_zone SET until_us = 0", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let (second, _) = Lease::take(&store, "kitchen", 2).await.unwrap().unwrap();
        let mut tx = store.begin_own().await.unwrap();
        assert!(!first.renew(&mut tx).await.unwrap(), "the first would overwrite what the second knows");
        assert!(second.renew(&mut tx).await.unwrap());
        drop(tx);
        second.give_back(&store).await.unwrap();
        assert!(Lease::take(&store, "kitchen", 3).await.unwrap().is_some());
    }
}
