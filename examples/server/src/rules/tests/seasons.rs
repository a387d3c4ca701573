//! What past years teach: learned from the store while the zone is judged, kept, and gone on from.

use sensock_rules::{Season, Slots, times};

use super::*;
use crate::rules::judge::Judge;
use crate::rules::judge::brain::Brain;
use crate::rules::judge::intake::ms;
use crate::rules::judge::stored::stretch;
use crate::show::time::now_us;

const DAY_US: i64 = 24 * HOUR_US;
/// A year and a month: of this month, that of the past year is whole.
const DAYS: u32 = 400;
/// In each day.
const READINGS: u32 = 3;

const SEASON: Season = Season { cells: Slots::Months, first: 0, least: 20, needed: 1, days: 7 };
static RULES: [Rule<'static>; 2] = [
    Rule::new("season", 0, 1, Signal::Season(SEASON), Levels::above(times(6, 0), times(12, 0)))
        .unit("°C", -2),
    Rule::new("heat", 0, 1, Signal::Value, Levels::above(5_000, 6_000)).unit("°C", -2),
];
static CELLS: [Cell; 2] = [Cell::now(0, Level::Warning, 60), Cell::now(1, Level::Warning, 60)];
static HAZARDS: [Hazard<'static>; 2] =
    [Hazard::new("odd season", CELLS.split_at(1).0), Hazard::new("fire", CELLS.split_at(1).1)];

fn zone() -> Zone {
    let table = Table { grid_ms: 1_000, calendar: Calendar::UTC, rules: &RULES, hazards: &HAZARDS };
    Zone {
        name: "river".to_owned(),
        devices: vec!["oven".to_owned()],
        table: Compiled::new(table).unwrap(),
        lateness: Duration::from_millis(50),
        actions: Vec::new(),
    }
}

/// Records of past days up to an hour ago, a little different each; on two days it burned for one reading.
fn past_years(now: i64) -> Vec<(u32, i64, i32)> {
    let record = |n: u32| {
        let left = i64::from(DAYS * READINGS - n);
        let raw = 2_000 + (n as i32 * 7) % 41 - 20;
        let burns = [3, 300].contains(&(left / i64::from(READINGS))) && n % READINGS == 1;
        (n, now - HOUR_US - left * DAY_US / i64::from(READINGS), if burns { 5_500 } else { raw })
    };
    (1..=DAYS * READINGS).map(record).collect()
}

/// What the zone knows, as its row has it.
async fn kept(store: &SqlStore) -> Option<Judge> {
    let zone: &'static Zone = Box::leak(Box::new(zone()));
    let mut tx = store.read_own().await.unwrap();
    let row = tx.rows("SELECT positions, state FROM rule_zone", &[]).await.unwrap().into_iter().next()?;
    tx.commit().await.unwrap();
    let (positions, state) = (row.bytes(0).unwrap(), row.bytes(1).unwrap());
    let judge = Judge::restore(zone, &positions, &state)?;
    assert_eq!(judge.state(), state, "what was kept comes back bit for bit");
    Some(judge)
}

#[tokio::test(flavor = "multi_thread")]
async fn past_years_are_learned_from_the_store_kept_and_gone_on_from() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&sqlite(&directory)).await.unwrap();
    let now = now_us();
    let records = past_years(now);
    // In the order of two lanes and in pieces: how it came makes no difference.
    let (alarms, readings): (Vec<_>, Vec<_>) = records.iter().partition(|(n, ..)| n % 5 == 0);
    let numbered = |of: Vec<&(u32, i64, i32)>| -> Vec<(u32, i64, i32)> {
        (1..).zip(of).map(|(n, &(_, at_us, raw))| (n, at_us, raw)).collect()
    };
    for piece in numbered(readings).chunks(150) {
        write(&store, piece).await;
    }
    write_lane(&store, Lane::Alarm, &numbered(alarms)).await;
    let oven = known(&store, "oven").await;
    store.close().await;

    // Only the fire of three days ago is told, as history.
    let house = House::judging(&sqlite(&directory), zone()).await;
    let told = async {
        loop {
            let alarms = list::alarms(&house.store, 0, false).await.unwrap();
            if !alarms.is_empty() {
                return alarms;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // A year is learned with a tenth of the time.
    let alarms = timeout(PATIENCE * 5, told).await.unwrap();
    assert_eq!(alarms.len(), 2, "the odd day and its fire: {alarms:#?}");
    assert!(alarms.iter().all(|alarm| alarm.historic && alarm.began_us > now - 5 * DAY_US), "{alarms:#?}");
    // What it has learned is what records in the order of their time teach.
    let river = zone();
    let span_ms = (ms(now - 500 * DAY_US), ms(now));
    let in_order = stretch(&house.store, &river, &[oven], span_ms, |_| true).await.unwrap();
    assert_eq!(in_order.len(), (DAYS * READINGS) as usize);
    let mut brain = Brain::empty(&river).unwrap();
    in_order.iter().for_each(|(key, item)| assert!(brain.judge(*key, item, &mut Vec::new())));
    let learned = brain.engine().slots();
    // Behind the month that is under way.
    assert!(learned[2..].iter().all(|cell| cell.learned >= 1), "{learned:?}");
    let (changes, again) = replayed_by(Box::leak(Box::new(zone())), &house.store).await;
    let (mut of_log, mut of_rows) = (as_stored(&changes), stored(&house.store).await);
    // Two at one time stand in any order.
    of_log.sort();
    of_rows.sort();
    assert!(again);
    assert_eq!(of_log, of_rows);
    house.close().await;

    // After a restart it goes on from what was kept.
    let house = House::judging(&sqlite(&directory), zone()).await;
    assert_eq!(kept(&house.store).await.unwrap().slots(), learned);
    let hot = |n: u32| (DAYS * READINGS + n, now_us() - 400_000 + i64::from(n) * 100_000, 4_000);
    write(&house.store, &[hot(1), hot(2), hot(3)]).await;
    let alarms = house.alarms(|alarms| alarms.len() == 3).await;
    let odd = alarms.iter().find(|alarm| !alarm.historic).unwrap();
    assert_eq!(odd.hazard, "odd season");
    assert!(odd.words.contains("deviations from the usual of the season"), "{}", odd.words);
    house.close().await;
}
