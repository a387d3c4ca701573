//! The program as a person runs it: `run` in one process, the other commands beside it, a device of the real device crate.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use catalog::{CELLAR, HUMIDITY, INTERVAL, RELAY, TEMPERATURE};
use embedded_io_adapters::tokio_1::FromTokio;
use sensock_device::{Boot, Buffers, Device, Key, Node, Outbox, TokioClock};
use sensock_testkit::process::Process;

const PATIENCE: Duration = Duration::from_secs(30);

fn sensockd() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sensockd"))
}

/// Runs a command to its end.
fn output(args: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } = sensockd().args(args).output().unwrap();
    (status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

/// A server process; what `env` says is in its environment.
fn serve(listen: &str, store: &str, devices: &Path, env: &[(&str, &str)]) -> Process {
    let mut command = sensockd();
    command.args(["run", "--listen", listen, "--store", store, "--insecure", "--devices"]).arg(devices);
    Process::spawn(command.envs(env.iter().copied())).unwrap()
}

struct Daemon {
    process: Process,
    address: SocketAddr,
    devices: PathBuf,
    store: String,
    _dir: tempfile::TempDir,
}

impl Daemon {
    /// A server that takes one device.
    fn start() -> Daemon {
        let dir = tempfile::tempdir().unwrap();
        let devices = dir.path().join("devices.txt");
        std::fs::write(&devices, "attic-6\n").unwrap();
        let store = format!("sqlite:{}", dir.path().join("plants.sqlite").display());
        let mut process = serve("127.0.0.1:0", &store, &devices, &[]);
        let line = process.wait_for("NO ENCRYPTION", PATIENCE).unwrap();
        assert!(line.contains("can claim to be any device"), "{line}");
        let line = process.wait_for("listening on", PATIENCE).unwrap();
        let address = line.split([' ', ',']).find_map(|word| word.parse().ok()).unwrap();
        Daemon { process, address, devices, store, _dir: dir }
    }
}

/// A device that dials until the program ends; gives its handle and says when an interval was set.
fn device(id: &'static str, server: SocketAddr) -> (Device<'static>, Receiver<u32>) {
    let outbox: &'static Outbox<65536> = Box::leak(Box::new(Outbox::new()));
    let buffers: &'static mut Buffers<512> = Box::leak(Box::new(Buffers::new()));
    let (handles, handle) = channel();
    let (intervals, set) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let clock: &'static TokioClock = Box::leak(Box::new(TokioClock::new()));
            let node = Node { id, key: Key::Insecure, catalog: &CELLAR, boot: Boot::Number(1) };
            let (device, mut runner) = outbox.start(&node, clock, buffers);
            runner.backoff_between(50, 100);
            handles.send(device).unwrap();
            let network = async {
                loop {
                    if let Ok(stream) = tokio::net::TcpStream::connect(server).await {
                        let (reader, writer) = stream.into_split();
                        runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await;
                    }
                    // A refusal asks for minutes; a person who presses the reset button does not wait.
                    let _ = tokio::time::timeout(Duration::from_millis(200), runner.backoff()).await;
                }
            };
            let obey = async {
                loop {
                    device.next_command().await.on(&RELAY, Ok).otherwise_refuse();
                }
            };
            let tune = async {
                loop {
                    intervals.send(device.setting(&INTERVAL).await).unwrap();
                }
            };
            tokio::join!(network, obey, tune);
        });
    });
    (handle.recv_timeout(PATIENCE).unwrap(), set)
}

#[test]
fn an_operators_day() {
    operators_day(Daemon::start());
}

/// There the server does with one thread what it else does with several.
#[cfg(target_os = "linux")]
#[test]
fn an_operators_day_on_one_processor() {
    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    let this_thread = nix::unistd::Pid::from_raw(0);
    let all = sched_getaffinity(this_thread).unwrap();
    let mut one = CpuSet::new();
    one.set((0..CpuSet::count()).find(|&cpu| all.is_set(cpu).unwrap()).unwrap()).unwrap();
    sched_setaffinity(this_thread, &one).unwrap();
    operators_day(Daemon::start());
}

fn operators_day(mut daemon: Daemon) {
    // A browser dials, and is told; so is the operator.
    let mut browser = TcpStream::connect(daemon.address).unwrap();
    browser.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = browser.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    daemon.process.wait_for("HTTP", PATIENCE).unwrap();

    // A device that nobody listed: the operator reads what to do, does it, and the device comes in.
    let (device, intervals) = device("attic-7", daemon.address);
    let line = daemon.process.wait_for("is not listed", PATIENCE).unwrap();
    let told = format!(
        "(`attic-6` is listed): add a line `attic-7` to {} and it may connect",
        daemon.devices.display()
    );
    assert!(line.contains(&told), "{line}");
    std::fs::write(&daemon.devices, "attic-6\nattic-7\n").unwrap();
    daemon.process.wait_for("attic-7  connected for the first time, boot 1", PATIENCE).unwrap();

    for n in 0..10u16 {
        device.record(&[TEMPERATURE.is(20.0 + f32::from(n)), HUMIDITY.is(56.7)]).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, device.drain()).await }).unwrap();

    let store = ["--store", &daemon.store];
    let (ok, said) = output(&[&["status"], &store[..]].concat());
    assert!(ok && said.contains("connected for") && said.contains("temperature 29.00 °C"), "{said}");

    let (ok, said) = output(&[&["command", "attic-7", "relay", "on"], &store[..]].concat());
    assert!(ok && said.contains("command 1 (relay) is done; the answer is true"), "{said}");
    let (ok, said) = output(&[&["command", "attic-7", "rely", "on"], &store[..]].concat());
    assert!(!ok && said.contains("attic-7 has no command `rely`: did you mean `relay`?"), "{said}");

    let (ok, said) = output(&[&["setting", "attic-7", "interval-s", "60"], &store[..]].concat());
    assert!(ok && said.contains("attic-7 applied interval-s = 60"), "{said}");
    assert_eq!(intervals.recv_timeout(PATIENCE), Ok(60));

    let (ok, said) = output(&[&["export", "attic-7", "1h..now"], &store[..]].concat());
    assert!(
        ok && said.contains("20 readings of attic-7") && said.contains("attic-7,temperature,29.00,Cel,,"),
        "{said}"
    );

    let (ok, said) = output(&[&["why", "attic-7", "1h..now"], &store[..]].concat());
    assert!(ok && said.contains("VERDICT: ") && said.contains("No record was lost."), "{said}");
    let (ok, said) = output(&[&["why", "attic-8", "1h..now"], &store[..]].concat());
    assert!(
        !ok && said.contains("no device `attic-8` ever connected to this store: did you mean `attic-7`?"),
        "{said}"
    );

    // Ctrl-C: the server ends in order, and the store says so.
    if cfg!(unix) {
        daemon.process.interrupt().unwrap();
        daemon.process.wait_for("everything that was received is committed", PATIENCE).unwrap();
        assert!(daemon.process.wait(PATIENCE).unwrap().success());
        let (ok, said) = output(&[&["why", "attic-7", "1h..now"], &store[..]].concat());
        assert!(ok && said.contains("The server ended in order at"), "{said}");
    }
}

#[test]
fn a_fail_point_kills_the_server_and_nothing_is_lost_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let devices = dir.path().join("devices.txt");
    std::fs::write(&devices, "attic-7\n").unwrap();
    let store = format!("sqlite:{}", dir.path().join("plants.sqlite").display());
    let listen = format!("127.0.0.1:{}", sensock_testkit::net::free_port().unwrap());
    let (device, _) = device("attic-7", listen.parse().unwrap());
    let mut made = 0i32;
    for place in ["before-begin", "in-transaction", "after-commit", "after-ack"] {
        let env = [("SENSOCK_FAILPOINT", place), ("SENSOCK_FAIL_AFTER", "2")];
        let mut process = serve(&listen, &store, &devices, &env);
        while process.is_running() {
            made += 1;
            device.record(&[TEMPERATURE.is(made as f32 / 100.0)]).unwrap();
            std::thread::sleep(Duration::from_millis(10));
        }
        let status = process.wait(PATIENCE).unwrap();
        assert!(!status.success() && status.code().is_none_or(|code| code != 1), "{place}: {status}");
    }
    let _process = serve(&listen, &store, &devices, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, device.drain()).await }).unwrap();
    let (ok, said) = output(&["export", "attic-7", "1h..now", "--store", &store]);
    let values: Vec<&str> =
        said.lines().filter_map(|line| line.strip_prefix("attic-7,temperature,")).collect();
    assert!(ok && values.len() == made as usize, "{made} made: {said}");
    for (n, value) in (1..).zip(values) {
        assert!(value.starts_with(&format!("{:.2},", f64::from(n) / 100.0)), "record {n}: {value}");
    }
}

#[test]
fn what_stands_in_the_way_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let said = |args: &[&str]| {
        let (ok, said) = output(args);
        assert!(!ok, "{args:?} succeeded: {said}");
        said
    };

    let config = at("sensockd.toml");
    std::fs::write(&config, "store = \"sqlite:a.sqlite\"\nlisten-on = \"0.0.0.0:7070\"\n").unwrap();
    let typo = said(&["run", "--config", &config]);
    assert!(
        typo.contains(&format!(
            "sensockd: {config}, line 2: there is no key `listen-on`: did you mean `listen`?"
        )),
        "{typo}"
    );

    assert!(
        said(&["run", "--insecure", "--any-device"])
            .contains("no store is named: say --store sqlite:plants.sqlite")
    );
    let file = format!("sqlite:{}", at("plants.sqlite"));
    let who = said(&["run", "--store", &file]);
    assert!(
        who.contains("who may connect? make a device's key with `sensockd keys add DEVICE --keys keys.txt`"),
        "{who}"
    );
    assert!(who.contains("then start the server with `sensockd run --keys keys.txt`"), "{who}");
    let plain = said(&["run", "--store", &file, "--any-device"]);
    assert!(
        plain.contains("--any-device lets devices in without a key")
            && plain.contains("or say --insecure too"),
        "{plain}"
    );
    let which = said(&["run", "--store", &file, "--insecure"]);
    assert!(which.contains("--insecure: which devices may connect without a key?"), "{which}");
    let no_keys = said(&["run", "--store", &file, "--keys", &at("keys.txt")]);
    assert!(
        no_keys.contains("keys.txt: there is no such file: `sensockd keys add DEVICE --keys "),
        "{no_keys}"
    );
    let nobody = said(&["run", "--store", &file, "--insecure", "--devices", &at("none.txt")]);
    assert!(
        nobody.contains("none.txt: cannot be read (") && nobody.contains("or run with --any-device"),
        "{nobody}"
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let busy = said(&["run", "--store", &file, "--insecure", "--any-device", "--listen", &port]);
    assert!(busy.contains("is another program using the port? choose another with --listen"), "{busy}");

    let absent = said(&["status", "--store", &format!("sqlite:{}", at("no.sqlite"))]);
    assert!(absent.contains("no.sqlite does not exist: check --store"), "{absent}");
    assert!(!Path::new(&at("no.sqlite")).exists());
    let nowhere = said(&[
        "run",
        "--insecure",
        "--any-device",
        "--store",
        &format!("sqlite:{}", at("no/such/dir/a.sqlite")),
    ]);
    assert!(nowhere.contains("no/such/dir"), "{nowhere}");
    std::fs::write(
        at("text.sqlite"),
        "this is a text, not a database, and long enough to look like a header of one",
    )
    .unwrap();
    let text = said(&["status", "--store", &format!("sqlite:{}", at("text.sqlite"))]);
    assert!(text.contains("text.sqlite"), "{text}");
    let scheme = said(&["status", "--store", "postgres://me:s3cret@db/plants"]);
    assert!(scheme.contains("sqlite:FILE") && !scheme.contains("s3cret"), "{scheme}");
}

/// A rule file, an alarm, another device's relay, and the operator who has seen it.
#[test]
fn a_rule_file_closes_a_relay_whatever_becomes_of_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let (devices, rules) = (dir.path().join("devices.txt"), dir.path().join("kitchen.toml"));
    std::fs::write(&devices, "oven-1\nfan-1\n").unwrap();
    std::fs::write(
        &rules,
        r#"
devices = ["oven-1"]
grid = "100 ms"
origin = "2026-01-01"
lateness = "100 ms"

[quantity.temperature]
id = 1
unit = "°C"
scale = -2

[[rule]]
name = "heat"
words = "temperature"
quantity = "temperature"
above = { warning = 50, critical = 60 }

[[hazard]]
name = "fire"
cells = [{ rule = "heat", at = "critical", weight = 0.90 }]

[[action]]
hazard = "fire"
when = "critical"
command = { device = "fan-1", name = "relay", value = true }
"#,
    )
    .unwrap();
    let store = format!("sqlite:{}", dir.path().join("plants.sqlite").display());
    let run = |listen: &str| {
        let mut command = sensockd();
        command.args(["run", "--listen", listen, "--store", &store, "--insecure", "--devices"]).arg(&devices);
        Process::spawn(command.arg("--rules").arg(&rules)).unwrap()
    };
    let mut process = run("127.0.0.1:0");
    let line = process.wait_for("listening on", PATIENCE).unwrap();
    let address: SocketAddr = line.split([' ', ',']).find_map(|word| word.parse().ok()).unwrap();
    process.wait_for("zone kitchen of ", PATIENCE).unwrap();
    let (oven, _) = device("oven-1", address);
    let (_fan, _) = device("fan-1", address);
    process.wait_for("fan-1  connected for the first time", PATIENCE).unwrap();
    oven.record(&[TEMPERATURE.is(70.0), HUMIDITY.is(30.0)]).unwrap();
    process.wait_for("ALARM fire 0.90: temperature critical (kitchen, critical)", PATIENCE).unwrap();
    // Killed before it can do anything about it: the next one does, once, as soon as the lease of the dead one is over.
    process.kill().unwrap();
    let mut process = run(&address.to_string());
    process.wait_for("command to fan-1: relay true: done: command 1, answered true", PATIENCE).unwrap();

    let at = ["--store", &store];
    let (ok, said) = output(&[&["alarms", "--open"], &at[..]].concat());
    assert!(ok && said.contains("fire 0.90: temperature critical") && said.contains("NOT OVER"), "{said}");
    assert_eq!(said.matches("fire 0.90").count(), 1, "{said}");
    assert!(said.contains("command to fan-1: relay true: done"), "{said}");
    let key = said.split_whitespace().find(|word| word.starts_with("kitchen-")).unwrap();
    let (ok, said) = output(&[&["alarms", "ack", key, "--by", "me"], &at[..]].concat());
    assert!(ok && said == format!("{key}: seen by me\n"), "{said}");
    oven.record(&[TEMPERATURE.is(20.0), HUMIDITY.is(30.0)]).unwrap();
    process.wait_for("alarm fire 0.00: over after ", PATIENCE).unwrap();
    let (ok, said) = output(&[&["alarms", "--open"], &at[..]].concat());
    assert!(ok && said == "No alarm is open.\n", "{said}");
    let (ok, said) = output(&[&["alarms", "ack", "nobody"], &at[..]].concat());
    assert!(!ok && said.contains("no alarm has the key"), "{said}");
}
