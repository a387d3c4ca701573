//! How long it takes from a reading to another device's relay, and how long an alarm waits behind a backlog.

mod narrow;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use catalog::{HUMIDITY, TEMPERATURE};
use sensock_rules::{Calendar, Cell, Compiled, Hazard, Level, Levels, Rule, Signal, Table};
use sensock_testkit::effort;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, interval, sleep, timeout};

use super::alarms::list;
use super::judge::log::{Entry, Segment};
use super::tests::{House, dialling, listen, sqlite};
use super::zone::{Action, What, When, Zone};

const PATIENCE: Duration = Duration::from_secs(60);
const RULES: usize = 100;
/// Records are held back for so long. What reached the server is taken together, whatever the store is at; so this covers the way from a
/// device's `record` to the server and nothing else. A record that takes longer is judged again from memory, at once.
const LATENESS: Duration = Duration::from_millis(1);
/// The way from one device's reading to another's relay, for 99 of 100 alarms, beside what the machine takes for eight flushes at that time.
/// The short form runs unoptimised beside other tests.
const IN_TIME: (Duration, Duration) = (Duration::from_secs(20), Duration::from_millis(20));

fn name(device: usize) -> &'static str {
    Box::leak(format!("board-{device}").into_boxed_str())
}

/// A rule and a hazard for each of a hundred devices, whose fire closes the one relay.
fn zone(devices: usize, every_ms: u32, lateness: Duration) -> Zone {
    let rules: Vec<Rule<'static>> = (0..RULES)
        .map(|rule| {
            let device = (rule % devices) as u8;
            Rule::new("temperature", device, 1, Signal::Value, Levels::above(5_000, 6_000)).every(every_ms)
        })
        .collect();
    let hazards: Vec<Hazard<'static>> = (0..RULES as u8)
        .map(|rule| Hazard::new("fire", Box::leak(Box::new([Cell::now(rule, Level::Warning, 60)]))))
        .collect();
    let table = Table {
        grid_ms: 1,
        calendar: Calendar { origin_s: crate::show::time::now_us() / 1_000_000 - 86_400, ..Calendar::UTC },
        rules: rules.leak(),
        hazards: hazards.leak(),
    };
    let action = |hazard| Action {
        hazard,
        when: When::Warning,
        max_age: PATIENCE,
        at_most_every: Duration::ZERO,
        what: What::Command {
            device: "fan-1".to_owned(),
            name: "relay".to_owned(),
            value: "true".to_owned(),
        },
    };
    Zone {
        name: "hall".to_owned(),
        devices: (0..devices).map(|device| name(device).to_owned()).collect(),
        table: Compiled::new(table).unwrap(),
        lateness,
        actions: (0..RULES).map(action).collect(),
    }
}

/// Many devices measure; now this one, now that one is too hot once, and each time the relay of another is told to close.
#[tokio::test(flavor = "multi_thread")]
async fn prove_a_reading_moves_another_devices_relay_in_time() {
    let (devices, every, alarms) = effort::size((20, 80, 6), (200, 80, 200));
    let every = Duration::from_millis(every);
    let directory = tempfile::tempdir().unwrap();
    let zone = zone(devices, every.as_millis() as u32, LATENESS);
    let mut house = House::polling(&sqlite(&directory), zone, Duration::from_secs(1)).await;
    let address = listen(&house.server);
    let (_fan, mut relay) = dialling::<4_096>("fan-1", address);
    let hot: Arc<Vec<AtomicBool>> = Arc::new((0..devices).map(|_| AtomicBool::new(false)).collect());
    let (recorded, mut when) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..devices {
        // One after the other: how a crowd comes in is not measured here.
        sleep(Duration::from_millis(20)).await;
        let (device, _) = dialling::<16_384>(name(number), address);
        let (hot, recorded) = (hot.clone(), recorded.clone());
        tokio::spawn(async move {
            sleep(every.mul_f64(number as f64 / devices as f64)).await;
            let mut ticks = interval(every);
            loop {
                ticks.tick().await;
                let is_hot = hot[number].swap(false, Ordering::Relaxed);
                let now = Instant::now();
                let celsius = if is_hot { 70.0 } else { 20.0 };
                device.record(&[TEMPERATURE.is(celsius), HUMIDITY.is(50.0)]).unwrap();
                if is_hot {
                    recorded.send(now).unwrap();
                }
            }
        });
    }
    // All of them are there.
    let all = async {
        while house.server.connected().len() < devices + 1 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let came = timeout(PATIENCE, all).await.is_ok();
    assert!(came, "{} of {devices} devices are connected", house.server.connected().len());
    sleep(Duration::from_secs(1)).await;
    let (began, busy) = (Instant::now(), cpu());
    let stop = Arc::new(AtomicBool::new(false));
    let machine = machine(directory.path().to_owned(), 8, stop.clone());
    let mut took = Vec::new();
    for alarm in 0..alarms {
        hot[alarm % devices.min(RULES)].store(true, Ordering::Relaxed);
        let at = timeout(PATIENCE, when.recv()).await.unwrap().unwrap();
        let moved = timeout(PATIENCE, relay.recv()).await.ok().flatten();
        assert_eq!(moved, Some(true), "alarm {alarm}: {}; {:?}", ways(&house).await, house.heard());
        took.push(at.elapsed());
        // Several rules of one device raise several alarms.
        while timeout(Duration::from_millis(60), relay.recv()).await.is_ok() {}
    }
    stop.store(true, Ordering::Relaxed);
    let alone = part(&mut machine.join().unwrap(), 99);
    let mut at = |of_100| part(&mut took, of_100);
    let (half, most, nearly_all, all) = (at(50), at(90), at(99), at(100));
    let rate = devices as f64 * 2.0 / every.as_secs_f64();
    println!(
        "{RULES} rules, {devices} devices, {rate:.0} readings/s, lateness {LATENESS:?}: {alarms} alarms reached the other device's relay \
         after {half:.1?} (half), {most:.1?} (90 %), {nearly_all:.1?} (99 %), {all:.1?} (all)"
    );
    println!("{}", ways(&house).await);
    let busy = (cpu() - busy).as_secs_f64() / began.elapsed().as_secs_f64();
    println!("devices, server and store together kept {:.0} % of one processor busy", busy * 100.0);
    let limit = effort::size(IN_TIME.0, IN_TIME.1) + alone;
    println!("eight bare flushes beside it took {alone:.1?} (99 %): the limit is {limit:.1?}");
    assert!(nearly_all < limit, "{nearly_all:?}, where {limit:?} is promised");
    house.close().await;
}

fn late_of(segment: &Segment) -> u64 {
    segment.late.iter().map(|(_, first, last)| last - first + 1).sum()
}

/// What the machine itself takes for as many commits as are on the way, whatever else it is at: so many times a page is written and flushed
/// (twice for a commit, which may wait for one that is under way), now and then, until it is stopped.
fn machine(
    directory: PathBuf,
    flushes: usize,
    stop: Arc<AtomicBool>,
) -> std::thread::JoinHandle<Vec<Duration>> {
    std::thread::spawn(move || {
        let mut file = std::fs::File::create(directory.join("machine")).unwrap();
        let mut took = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let at = Instant::now();
            for _ in 0..flushes {
                file.write_all(&[7; 4_096]).unwrap();
                file.sync_data().unwrap();
            }
            took.push(at.elapsed());
            std::thread::sleep(Duration::from_millis(50));
        }
        took
    })
}

/// Sorts, and gives the value below which so many of a hundred lie.
fn part(took: &mut [Duration], of_100: usize) -> Duration {
    took.sort();
    took[(took.len() * of_100 / 100).min(took.len() - 1)]
}

/// What this process has used of the processors.
#[cfg(not(unix))]
fn cpu() -> Duration {
    Duration::ZERO
}

#[cfg(unix)]
fn cpu() -> Duration {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).unwrap();
    let time = |t: nix::sys::time::TimeVal| {
        Duration::from_secs(t.tv_sec() as u64) + Duration::from_micros(t.tv_usec() as u64)
    };
    time(usage.user_time()) + time(usage.system_time())
}

/// Where the time went: from the reading to the alarm's commit, from there to the command's, and how much came too late.
async fn ways(house: &House) -> String {
    let mut tx = house.store.read_own().await.unwrap();
    let sql = "SELECT c.written_us - c.at_us, k.created_us - c.written_us, k.settled_us - k.created_us FROM alarm_change c \
               JOIN alarm_action t ON t.alarm_key = c.alarm_key AND c.n = 1 \
               JOIN command k ON k.idempotency_key = t.alarm_key || '/' || t.action";
    let rows = tx.rows(sql, &[]).await.unwrap();
    let half = |i: usize| {
        let mut all: Vec<i64> = rows.iter().filter_map(|row| row.maybe_int(i).unwrap()).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default() as f64 / 1_000.0
    };
    let (mut late, mut segments) = (0, 0);
    for row in tx.rows("SELECT entries FROM rule_log", &[]).await.unwrap() {
        segments += 1;
        let entries: Vec<Entry> = serde_json::from_slice(&row.bytes(0).unwrap()).unwrap();
        late += entries.iter().map(|e| if let Entry::Judged(s) = e { late_of(s) } else { 0 }).sum::<u64>();
    }
    tx.commit().await.unwrap();
    format!(
        "half of them: reading to alarm {:.1} ms, alarm to command {:.1} ms, command to answer {:.1} ms; {late} records came later than the \
         lateness, {segments} segments",
        half(0),
        half(1),
        half(2)
    )
}

/// A device comes back with a long backlog, and right then measures something alarming, in the lane of alarms.
#[tokio::test(flavor = "multi_thread")]
async fn prove_an_alarm_does_not_wait_behind_a_backlog() {
    let records = effort::size(5_000, 100_000);
    let directory = tempfile::tempdir().unwrap();
    let house = House::judging(&sqlite(&directory), zone(1, 1_000, LATENESS)).await;
    let address = listen(&house.server);
    // It measures before anybody listens where it dials.
    let later = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (device, _) = dialling::<4_194_304>(name(0), later);
    for n in 0..records {
        device.record(&[TEMPERATURE.is(20.0 + (n % 7) as f32 / 100.0), HUMIDITY.is(50.0)]).unwrap();
    }
    tokio::spawn(async move {
        let listener = TcpListener::bind(later).await.unwrap();
        while let Ok((mut from, _)) = listener.accept().await {
            let mut to = TcpStream::connect(address).await.unwrap();
            to.set_nodelay(true).unwrap();
            from.set_nodelay(true).unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut from, &mut to).await });
        }
    });
    let draining = async {
        while device.status().waiting > records - records / 20 || house.server.connected().is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, draining).await.unwrap();
    let at = Instant::now();
    let position = device.alarm(&[TEMPERATURE.is(70.0), HUMIDITY.is(50.0)]).unwrap().0.cast_signed();
    let left = device.status().waiting;
    let stored = timeout(PATIENCE, stored(&house, position, at)).await.unwrap();
    // Looked for often, but without taking a reader of the store from the judge all the time.
    while list::alarms(&house.store, 0, false).await.unwrap().is_empty() {
        assert!(at.elapsed() < PATIENCE);
        sleep(Duration::from_millis(2)).await;
    }
    let raised = at.elapsed();
    println!(
        "behind {left} records of {records}: the alarm's record was stored after {stored:.1?}, the rules' alarm after {raised:.1?}"
    );
    let limit = effort::size(Duration::from_secs(10), Duration::from_millis(50));
    assert!(stored < limit, "{stored:?}, where {limit:?} is promised");
    assert!(raised < limit + LATENESS + limit, "{raised:?}: the rules let it wait behind the backlog");
    house.close().await;
}

/// How long after `at` the alarm of this position is seen in the store.
async fn stored(house: &House, position: i64, at: Instant) -> Duration {
    loop {
        let mut tx = house.store.read_own().await.unwrap();
        let sql = "SELECT 1 FROM mark m JOIN lane l ON l.id = m.lane_id WHERE l.lane = 0 AND m.mark >= ?";
        let is_stored = !tx.rows(sql, &[position.into()]).await.unwrap().is_empty();
        tx.commit().await.unwrap();
        if is_stored {
            return at.elapsed();
        }
        sleep(Duration::from_millis(1)).await;
    }
}
