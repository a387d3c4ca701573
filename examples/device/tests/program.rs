//! The program as a person runs it: against a server, and with mistakes.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use catalog::{INTERVAL, RELAY};
use example_device::replay::Recording;
use sensock::seal::Credential;
use sensock::{DeviceId, Reading, StoreId};
use sensock_server::{Outcome, Server};
use sensock_store::{Cursor, FeedItem, History as _, Keyring, MemoryStore};
use sensock_testkit::keys;
use sensock_testkit::process::{Process, Stream};

const SOON: Duration = Duration::from_secs(60);

/// Who has a key.
const DEVICES: [&str; 3] = ["attic", "attic-1", "attic-2"];

fn plain(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-device"));
    command.args(line.split_whitespace());
    command
}

/// With the keys of [`DEVICES`].
fn program(line: &str) -> Command {
    static KEYS: OnceLock<PathBuf> = OnceLock::new();
    let file = KEYS.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("program-keys.txt");
        keys::file(&path, DEVICES).unwrap();
        path
    });
    let mut command = plain(line);
    command.arg("--key").arg(file);
    command
}

fn recording() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/occupancy/datatest.txt.gz")
}

/// A server in this process, over a store in memory.
async fn serve() -> (Server, MemoryStore, SocketAddr) {
    let store = MemoryStore::new(StoreId(1));
    let mut ring = Keyring::default();
    for device in DEVICES {
        ring.add(DeviceId::new(device).unwrap(), Credential::parse(&keys::line(device)).unwrap());
    }
    let (server, _events) = Server::builder(store.clone(), ring).start().await.unwrap();
    let listener = sensock_server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = server.clone();
    tokio::spawn(async move { serving.serve(listener, std::future::pending::<()>()).await });
    (server, store, address)
}

/// Runs the program to its end; what it printed to each stream.
async fn run(mut command: Command) -> (bool, String, String) {
    let ended = tokio::task::spawn_blocking(move || {
        let mut process = Process::spawn(&mut command).unwrap();
        let status = process.wait(SOON).unwrap();
        let lines = process.rest();
        let of = |stream| {
            let lines = lines.iter().filter(|line| line.stream == stream).map(|line| line.text.as_str());
            lines.collect::<Vec<_>>().join("\n")
        };
        (status.success(), of(Stream::Out), of(Stream::Err))
    });
    ended.await.unwrap()
}

async fn stored(store: &MemoryStore, device: &str) -> Vec<Vec<Reading>> {
    let (mut records, mut cursor) = (Vec::new(), Cursor::default());
    loop {
        let (items, next) = store.feed(&cursor, 1_000).await.unwrap();
        if items.is_empty() {
            return records;
        }
        cursor = next;
        for item in items {
            let FeedItem::Record(rows) = item else { panic!("{item:?}") };
            if *rows[0].lane.device == *device {
                let cell = |row: &sensock_store::ReadingRow| match row.fault {
                    Some(fault) => sensock::batch::Cell::Fault(fault.0),
                    None => sensock::batch::Cell::Value(row.raw),
                };
                records.push(rows.iter().map(|r| Reading { quantity: r.quantity, cell: cell(r) }).collect());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_recording_arrives_to_the_digit() {
    let (_server, store, address) = serve().await;
    let mut command = program(&format!("--server {address} --id attic --speed 1000000 --report"));
    command.arg("--replay").arg(recording());
    let (success, out, err) = run(command).await;
    assert!(success, "{err}");
    let recording = Recording::open(recording()).unwrap();
    let expected: Vec<Vec<Reading>> = recording.rows().map(|row| row.readings().collect()).collect();
    assert_eq!(out.lines().filter(|line| line.starts_with("accepted attic 2 ")).count(), expected.len());
    assert!(out.ends_with("\ndrained attic"), "{out}");
    assert!(stored(&store, "attic").await == expected, "the store holds something else than the recording");
    assert!(err.contains(&format!("attic: everything is stored: {} records", expected.len())), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_obeys_while_it_records() {
    let (server, store, address) = serve().await;
    // The pause after the first record is so long that only the setting can make it end within the test.
    let line = format!("--server {address} --id attic --devices 2 --interval-ms 600000 --max-records 2");
    let running = tokio::spawn(run(program(&line)));
    let device = server.device("attic-2");
    let relay = device.command(&RELAY, true, SOON).await.unwrap();
    assert_eq!(relay.outcome().await, Outcome::Done(true));
    let reading = device.read_now().await.unwrap();
    assert!(matches!(reading.outcome().await, Outcome::Done(_)));
    for device in ["attic-1", "attic-2"] {
        server.device(device).set(&INTERVAL, 1).await.unwrap();
    }
    let (success, _, err) = running.await.unwrap();
    assert!(success, "{err}");
    assert!(err.contains("attic-2: the relay is on"), "{err}");
    assert!(err.contains("attic-1: records every 1 s from now on"), "{err}");
    assert_eq!(stored(&store, "attic-1").await.len(), 2);
    assert_eq!(stored(&store, "attic-2").await.len(), 3, "two of its own, and the one that was asked for");
}

#[tokio::test]
async fn mistakes_are_answered_in_words() {
    let directory = tempfile::tempdir().unwrap();
    let letter = directory.path().join("letter.txt");
    std::fs::write(&letter, "Dear Sir or Madam").unwrap();
    let letter = letter.display();
    for (line, words) in [
        (
            format!("--outbox {letter}"),
            "letter.txt holds 17 bytes, but an outbox of 1048576 bytes was asked for",
        ),
        (format!("--boot-file {letter}"), "letter.txt holds \"Dear Sir or Madam\" instead of a boot number"),
        (format!("--replay {letter}"), "letter.txt"),
        ("--replay no-such-file.csv".to_owned(), "no-such-file.csv"),
    ] {
        let (success, out, err) = run(program(&format!("--server localhost:1 --id attic {line}"))).await;
        assert!(!success && out.is_empty(), "{line}: {out}");
        assert!(
            err.starts_with("example-device: ") && err.contains(words) && err.lines().count() == 1,
            "{err}"
        );
    }
    let (success, _, err) = run(plain("--server localhost:1 --id attic")).await;
    let words = "example-device: how does attic prove who it is? name a file with its key, --key FILE";
    assert!(!success && err.starts_with(words), "{err}");
    let both = format!("--server localhost:1 --id attic --insecure --key {letter}");
    assert!(run(plain(&both)).await.2.contains("cannot be used with"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_may_come_from_the_environment_and_is_never_said() {
    let (_server, store, address) = serve().await;
    let line = keys::line("attic");
    let mut command = plain(&format!("--server {address} --id attic --max-records 3 --interval-ms 5"));
    command.env("SENSOCK_KEY", &line);
    let (success, out, err) = run(command).await;
    assert!(success && !(out + &err).contains(&line[20..40]), "it said its key");
    assert_eq!(stored(&store, "attic").await.len(), 3);
    // A digit too few: no key, and no path either.
    let command = plain(&format!("--server {address} --id attic --key {}", &line[..91]));
    let (success, out, err) = run(command).await;
    assert!(
        !success && err.contains("88 hexadecimal digits") && !(out + &err).contains(&line[20..40]),
        "{err}"
    );
    let (_, help, _) = run(plain("--help")).await;
    assert!(help.contains("whoever lists processes can"), "{help}");
}
