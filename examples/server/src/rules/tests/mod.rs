//! Zones over real stores: a house with a server, devices, and a log that can be played.

mod seasons;
mod trail;
mod zones;

use std::net::SocketAddr;
use std::time::Duration;

use catalog::{CELLAR, RELAY};
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
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::rules::alarms::list::{self, Row as Alarm};
use crate::rules::alarms::trail::Keeping;
use crate::rules::judge::brain::Change;
use crate::rules::judge::intake::heard;
use crate::rules::judge::log::{Entry, Replay};
use crate::rules::running::{Rules, Said, Say};
use crate::rules::zone::{Action, What, When, Zone};

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
        // What a test writes beside the server is seen soon.
        House::polling(url, zone, Duration::from_millis(20)).await
    }

    pub(super) async fn polling(url: &str, zone: Zone, poll: Duration) -> House {
        House::keeping(url, zone, poll, Keeping::default()).await
    }

    async fn keeping(url: &str, zone: Zone, poll: Duration, keeping: Keeping) -> House {
        let store = SqlStore::open(url).await.unwrap();
        let builder = Server::builder(store.clone(), AnyDevice).poll(poll);
        let (server, _) = builder.start().await.unwrap();
        let (say, said) = Say::channel();
        let rules = Rules::start(&server, &store, vec![zone], keeping, &say).unwrap();
        House { store, server, rules: Some(rules), said }
    }

    /// What was said so far and not heard.
    pub(super) fn heard(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.said.try_recv().ok()).map(|said| said.text).collect()
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
    over::<N, _>(id, move || TcpStream::connect(address))
}

/// The same with a dial of its own. Its frames are at most 512 bytes, their length included.
pub(super) fn over<const N: usize, D: Future<Output = std::io::Result<TcpStream>> + Send>(
    id: &'static str,
    dial: impl Fn() -> D + Send + 'static,
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
            if let Ok(stream) = dial().await {
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
    known(store, "fan-1").await
}

/// A device that was there once.
async fn known(store: &SqlStore, name: &str) -> DeviceId {
    let device = DeviceId::new(name).unwrap();
    let row = DeviceRow { device, boot: 1, tag: Tag(7), superseded: vec![], catalog: CELLAR.hash() };
    let batch = Batch { devices: vec![row], catalogs: vec![catalog(device)], ..Batch::default() };
    let (mut tx, _) = store.begin(&[LaneId { device, lane: Lane::Readings }]).await.unwrap();
    tx.write(&batch).await.unwrap();
    tx.commit().await.unwrap();
    device
}

/// The kitchen, whatever it does about its alarms.
fn kitchen() -> &'static Zone {
    Box::leak(Box::new(zone(Vec::new())))
}

/// A replay that heard everything that is stored.
async fn replay(store: &SqlStore, zone: &'static Zone) -> Replay {
    let (mut items, mut cursor) = (Vec::new(), Cursor::default());
    loop {
        let (more, next) = store.feed(&cursor, 10_000).await.unwrap();
        if more.is_empty() {
            return Replay::new(zone, items.iter().filter_map(|item| heard(zone, item)));
        }
        (items, cursor) = ([items, more].concat(), next);
    }
}

/// Plays the stored log over the stored records: all changes in order, and those since it was judged again for the last time.
async fn replayed(store: &SqlStore) -> (Vec<Change>, bool) {
    replayed_by(kitchen(), store).await
}

/// The same for another zone.
async fn replayed_by(zone: &'static Zone, store: &SqlStore) -> (Vec<Change>, bool) {
    let mut replay = replay(store, zone).await;
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
