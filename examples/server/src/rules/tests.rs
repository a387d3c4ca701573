//! Zones over real stores: from one device's reading to another device's relay, through restarts, late records and a second server.

use std::net::SocketAddr;
use std::time::Duration;

use catalog::{CELLAR, HUMIDITY, RELAY, TEMPERATURE};
use embedded_io_adapters::tokio_1::FromTokio;
use sensock::{DeviceId, Lane, Position, Tag, Tick};
use sensock_device::{Boot, Buffers, Device, Key, Node, Outbox, TokioClock};
use sensock_rules::{Calendar, Cell, Compiled, Hazard, Level, Levels, Rule, Signal, Table};
use sensock_server::{AnyDevice, Server};
use sensock_sql::SqlStore;
use sensock_store::{
    Batch, CatalogRow, CommandRow, Cursor, DeviceRow, History as _, LaneId, ReadingRow, Store as _,
    Transaction as _,
};
use sensock_testkit::mariadb;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::alarms::list::{self, Row as Alarm};
use super::judge::brain::Change;
use super::judge::intake::heard;
use super::judge::log::{Entry, Replay};
use super::lease::Lease;
use super::running::{Rules, Said, Say};
use super::zone::{Action, What, When, Zone};
use crate::show::time::now_us;

const PATIENCE: Duration = Duration::from_secs(60);
const HOUR_US: i64 = 3_600_000_000;

/// Too hot at 50 °C and far too hot at 60 °C, for two tenths of a second.
static RULES: [Rule<'static>; 1] =
    [Rule::new("temperature", 0, 1, Signal::Value, Levels::above(5_000, 6_000))
        .unit("°C", -2)
        .hysteresis(200)
        .hold(2, 2)];
static CELLS: [Cell; 2] = [Cell::now(0, Level::Warning, 60), Cell::now(0, Level::Critical, 30)];
static HAZARDS: [Hazard<'static>; 1] = [Hazard::new("fire", &CELLS)];

fn relay(when: When, value: &str) -> Action {
    Action {
        hazard: 0,
        when,
        max_age: Duration::from_secs(60),
        at_most_every: Duration::ZERO,
        what: What::Command { device: "fan-1".to_owned(), name: "relay".to_owned(), value: value.to_owned() },
    }
}

fn zone(actions: Vec<Action>) -> Zone {
    let table = Table {
        grid_ms: 100,
        calendar: Calendar { origin_s: 1_790_000_000, ..Calendar::UTC },
        rules: &RULES,
        hazards: &HAZARDS,
    };
    Zone {
        name: "kitchen".to_owned(),
        devices: vec!["oven".to_owned()],
        table: Compiled::new(table).unwrap(),
        lateness: Duration::from_millis(50),
        actions,
    }
}

/// A server that judges the kitchen.
pub(super) struct House {
    pub(super) store: SqlStore,
    pub(super) server: Server,
    rules: Option<Rules>,
    said: tokio::sync::mpsc::Receiver<Said>,
}

impl House {
    async fn open(url: &str, actions: Vec<Action>) -> House {
        House::judging(url, zone(actions)).await
    }

    pub(super) async fn judging(url: &str, zone: Zone) -> House {
        let store = SqlStore::open(url).await.unwrap();
        let builder = Server::builder(store.clone(), AnyDevice).poll(Duration::from_millis(20));
        let (server, _) = builder.start().await.unwrap();
        let (say, said) = Say::channel();
        let rules = Rules::start(&server, &store, vec![zone], &say).unwrap();
        House { store, server, rules: Some(rules), said }
    }

    async fn hears(&mut self, part: &str) -> String {
        let found = async {
            loop {
                let said = self.said.recv().await.unwrap().text;
                if said.contains(part) {
                    return said;
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("nobody said \"{part}\""))
    }

    /// Waits until the alarms are as this wants them.
    pub(super) async fn alarms(&self, as_wanted: impl Fn(&[Alarm]) -> bool) -> Vec<Alarm> {
        let mut last = Vec::new();
        let found = async {
            loop {
                last = list::alarms(&self.store, 0, false).await.unwrap();
                if as_wanted(&last) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = timeout(PATIENCE, found).await.is_ok();
        assert!(in_time, "{last:#?}");
        last
    }

    /// Waits until so many commands of a device are stored.
    async fn commands(&self, device: &DeviceId, many: usize) -> Vec<CommandRow> {
        let found = async {
            loop {
                let commands = self.store.commands(device, 10).await.unwrap();
                if commands.len() >= many {
                    return commands;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let commands = timeout(PATIENCE, found).await.unwrap();
        assert_eq!(commands.len(), many, "{commands:#?}");
        commands
    }

    pub(super) async fn close(mut self) {
        self.rules.take().unwrap().stop().await;
        self.server.shutdown().await;
        self.store.close().await;
    }
}

pub(super) fn sqlite(directory: &tempfile::TempDir) -> String {
    format!("sqlite:{}", directory.path().join("plants.sqlite").display())
}

/// A device of the real crate, over TCP; gives its handle, and what its relay was told.
async fn device(id: &'static str, server: &Server) -> (Device<'static>, UnboundedReceiver<bool>) {
    dialling::<65_536>(id, listen(server))
}

/// Where devices dial.
pub(super) fn listen(server: &Server) -> SocketAddr {
    let listener = sensock_server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = server.clone();
    tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
    address
}

/// The same with an outbox of its own size.
pub(super) fn dialling<const N: usize>(
    id: &'static str,
    address: SocketAddr,
) -> (Device<'static>, UnboundedReceiver<bool>) {
    // A large one does not fit onto the stack of a test's thread.
    let thread = std::thread::Builder::new().stack_size(64 << 20);
    let made = thread.spawn(|| -> &'static Outbox<N> { Box::leak(Box::new(Outbox::new())) }).unwrap();
    let outbox = made.join().unwrap();
    let buffers: &'static mut Buffers<512> = Box::leak(Box::new(Buffers::new()));
    let clock: &'static TokioClock = Box::leak(Box::new(TokioClock::new()));
    let node = Node { id, key: Key::Insecure, catalog: &CELLAR, boot: Boot::Number(1) };
    let (device, mut runner) = outbox.start(&node, clock, buffers);
    tokio::spawn(async move {
        loop {
            if let Ok(stream) = TcpStream::connect(address).await {
                stream.set_nodelay(true).unwrap();
                let (reader, writer) = stream.into_split();
                runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await;
            }
            runner.backoff().await;
        }
    });
    let (told, relay) = unbounded_channel();
    tokio::spawn(async move {
        loop {
            let switch = |on| {
                let _nobody_asks = told.send(on);
                Ok(on)
            };
            device.next_command().await.on(&RELAY, switch).otherwise_refuse();
        }
    });
    (device, relay)
}

/// Writes records of the oven as a server would: number, when, temperature.
async fn write(store: &SqlStore, records: &[(u32, i64, i32)]) {
    write_lane(store, Lane::Readings, records).await;
}

async fn write_lane(store: &SqlStore, lane: Lane, records: &[(u32, i64, i32)]) {
    let device = DeviceId::new("oven").unwrap();
    let lane = LaneId { device, lane };
    let readings = records.iter().map(|&(n, at_us, raw)| ReadingRow {
        lane,
        position: Position::new(1, n),
        quantity: 1,
        catalog: CELLAR.hash(),
        raw,
        fault: None,
        value: f64::from(raw) / 100.0,
        tick: Tick(u64::from(n) * 100),
        not_before_us: Some(at_us - 1_000),
        not_after_us: at_us,
    });
    let batch = Batch {
        catalogs: vec![catalog(device)],
        readings: readings.collect(),
        marks: vec![(lane, Position::new(1, records.last().unwrap().0))],
        ..Batch::default()
    };
    let (mut tx, _) = store.begin(&[lane]).await.unwrap();
    tx.write(&batch).await.unwrap();
    tx.commit().await.unwrap();
}

fn catalog(device: DeviceId) -> CatalogRow {
    let mut bytes = vec![0; CELLAR.len()];
    CELLAR.copy_at(0, &mut bytes);
    CatalogRow { device, hash: CELLAR.hash(), bytes }
}

/// The fan is known, and away.
async fn fan(store: &SqlStore) -> DeviceId {
    let device = DeviceId::new("fan-1").unwrap();
    let row = DeviceRow { device, boot: 1, tag: Tag(7), superseded: vec![], catalog: CELLAR.hash() };
    let batch = Batch { devices: vec![row], catalogs: vec![catalog(device)], ..Batch::default() };
    let (mut tx, _) = store.begin(&[LaneId { device, lane: Lane::Readings }]).await.unwrap();
    tx.write(&batch).await.unwrap();
    tx.commit().await.unwrap();
    device
}

/// Plays the stored log over the stored records: all changes in order, and those since it was judged again for the last time.
async fn replayed(store: &SqlStore) -> (Vec<Change>, bool) {
    let zone: &'static Zone = Box::leak(Box::new(zone(Vec::new())));
    let (mut items, mut cursor) = (Vec::new(), Cursor::default());
    loop {
        let (more, next) = store.feed(&cursor, 10_000).await.unwrap();
        if more.is_empty() {
            break;
        }
        (items, cursor) = ([items, more].concat(), next);
    }
    let mut replay = Replay::new(zone, items.iter().filter_map(|item| heard(zone, item)));
    let mut tx = store.read_own().await.unwrap();
    let (mut changes, mut again) = (Vec::new(), false);
    for row in tx.rows("SELECT entries FROM rule_log ORDER BY segment", &[]).await.unwrap() {
        let entries: Vec<Entry> = serde_json::from_slice(&row.bytes(0).unwrap()).unwrap();
        for entry in &entries {
            if matches!(entry, Entry::Again { .. }) {
                (changes, again) = (Vec::new(), true);
            }
            changes.extend(replay.play(entry));
        }
    }
    tx.commit().await.unwrap();
    (changes, again)
}

/// What is stored of changes, in order.
async fn stored(store: &SqlStore) -> Vec<(i64, String, i64, String)> {
    let mut tx = store.read_own().await.unwrap();
    let sql = "SELECT at_us, level, score, words FROM alarm_change ORDER BY segment, alarm_key, n";
    let rows = tx.rows(sql, &[]).await.unwrap();
    let row = |row: &sensock_sql::OwnRow| {
        (row.int(0).unwrap(), row.text(1).unwrap(), row.int(2).unwrap(), row.text(3).unwrap())
    };
    let all = rows.iter().map(row).collect();
    tx.commit().await.unwrap();
    all
}

fn as_stored(changes: &[Change]) -> Vec<(i64, String, i64, String)> {
    let one = |c: &Change| (c.at_us, c.to.word().to_owned(), i64::from(c.score), c.words.clone());
    changes.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fire_closes_another_devices_relay_and_its_end_opens_it() {
    let directory = tempfile::tempdir().unwrap();
    let actions = vec![relay(When::Critical, "true"), relay(When::Cleared, "false")];
    let mut house = House::open(&sqlite(&directory), actions.clone()).await;
    let (oven, _) = device("oven", &house.server).await;
    let (_fan, mut relay) = device("fan-1", &house.server).await;
    // Measured as a board would, until the alarm is over.
    let hot = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let heat = hot.clone();
    let sampling = tokio::spawn(async move {
        loop {
            let celsius = if heat.load(std::sync::atomic::Ordering::Relaxed) { 70.0 } else { 20.0 };
            oven.record(&[TEMPERATURE.is(celsius), HUMIDITY.is(50.0)]).unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    house.hears("ALARM fire 0.90: temperature critical").await;
    assert_eq!(timeout(PATIENCE, relay.recv()).await.unwrap(), Some(true));
    hot.store(false, std::sync::atomic::Ordering::Relaxed);
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
