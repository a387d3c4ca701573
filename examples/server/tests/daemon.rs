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

struct Daemon {
    process: Process,
    address: SocketAddr,
    devices: PathBuf,
    store: String,
    _dir: tempfile::TempDir,
}

impl Daemon {
    /// A server with an empty list of devices.
    fn start() -> Daemon {
        let dir = tempfile::tempdir().unwrap();
        let devices = dir.path().join("devices.txt");
        std::fs::write(&devices, "attic-6\n").unwrap();
        let store = format!("sqlite:{}", dir.path().join("plants.sqlite").display());
        let mut command = sensockd();
        command.args(["run", "--listen", "127.0.0.1:0", "--store", &store, "--devices"]).arg(&devices);
        let mut process = Process::spawn(&mut command).unwrap();
        let line = process.wait_for("NO ENCRYPTION", PATIENCE).unwrap();
        assert!(line.contains("can claim to be any device"), "{line}");
        let line = process.wait_for("listening on", PATIENCE).unwrap();
        let address = line.split([' ', ',']).find_map(|word| word.parse().ok()).unwrap();
        Daemon { process, address, devices, store, _dir: dir }
    }
}

/// A device that dials until the program ends; gives its handle and says when an interval was set.
fn device(id: &'static str, server: SocketAddr) -> (Device<'static>, Receiver<u32>) {
    let outbox: &'static Outbox<8192> = Box::leak(Box::new(Outbox::new()));
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
    let mut daemon = Daemon::start();

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

    assert!(said(&["run", "--any-device"]).contains("no store is named: say --store sqlite:plants.sqlite"));
    let file = format!("sqlite:{}", at("plants.sqlite"));
    assert!(said(&["run", "--store", &file]).contains("who may connect? name a file with --devices FILE"));
    let nobody = said(&["run", "--store", &file, "--devices", &at("none.txt")]);
    assert!(
        nobody.contains("none.txt: cannot be read (") && nobody.contains("or run with --any-device"),
        "{nobody}"
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let busy = said(&["run", "--store", &file, "--any-device", "--listen", &port]);
    assert!(busy.contains("is another program using the port? choose another with --listen"), "{busy}");

    let absent = said(&["status", "--store", &format!("sqlite:{}", at("no.sqlite"))]);
    assert!(absent.contains("no.sqlite does not exist: check --store"), "{absent}");
    assert!(!Path::new(&at("no.sqlite")).exists());
    let nowhere =
        said(&["run", "--any-device", "--store", &format!("sqlite:{}", at("no/such/dir/a.sqlite"))]);
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
