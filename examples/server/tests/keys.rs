//! Keys as an operator works with them: a real server and real devices while keys are made, changed, revoked and come to their end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use example_device::credentials::Source;
use sensock::DeviceId;
use sensock_testkit::binary;
use sensock_testkit::process::Process;

const PATIENCE: Duration = Duration::from_secs(30);
/// Within this a connection ends whose key was taken away.
const REVOKED: Duration = Duration::from_secs(3);

/// A directory with a file of keys, and everything that was printed.
struct Desk {
    dir: tempfile::TempDir,
    keys: PathBuf,
}

impl Desk {
    fn new() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys.txt");
        Desk { dir, keys }
    }

    /// Runs `sensockd keys …` to its end: whether it succeeded, and what it printed.
    fn keys(&self, words: &[&str]) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sensockd"));
        let output = command.arg("keys").args(words).arg("--keys").arg(&self.keys).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// Makes a device's key; the line.
    fn make(&self, words: &[&str]) -> String {
        let (ok, said) = self.keys(words);
        assert!(ok, "{said}");
        said.lines().find(|line| line.starts_with("snk1")).unwrap().to_owned()
    }

    /// A file for a device.
    fn give(&self, device: &str, line: &str) -> PathBuf {
        let path = self.dir.path().join(device);
        std::fs::write(&path, line).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn serve(&self, more: &[&str]) -> (Server, SocketAddr) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sensockd"));
        let store = format!("sqlite:{}", self.dir.path().join("plants.sqlite").display());
        command.args(["run", "--listen", "127.0.0.1:0", "--store", &store, "--keys"]).arg(&self.keys);
        let mut server = Server { process: Process::spawn(command.args(more)).unwrap(), heard: vec![] };
        let line = server.wait_for("listening on");
        (server, line.split([' ', ',']).find_map(|word| word.parse().ok()).unwrap())
    }
}

/// A server, and every line that it printed so far.
struct Server {
    process: Process,
    heard: Vec<String>,
}

impl Server {
    /// Waits for a line with these words.
    fn wait_for(&mut self, words: &str) -> String {
        let heard = &mut self.heard;
        let found = self.process.wait_until(PATIENCE, |line| {
            heard.push(line.text.clone());
            line.text.contains(words)
        });
        found.unwrap_or_else(|error| panic!("{words}: {error:#}")).text
    }

    /// Ends it in order; all that it said.
    fn end(mut self) -> String {
        self.process.interrupt().unwrap();
        assert!(self.process.wait(PATIENCE).unwrap().success());
        self.heard.extend(self.process.rest().into_iter().map(|line| line.text));
        self.heard.join("\n")
    }
}

/// A device that dials and records until its end.
fn device(id: &str, key: Option<&Path>, server: SocketAddr) -> Process {
    let program = binary::path("example-device", "example-device").unwrap();
    let mut command = Command::new(program);
    command.args(["--id", id, "--interval-ms", "50", "--redial-ms", "100", "--server", &server.to_string()]);
    match key {
        Some(file) => command.arg("--key").arg(file),
        None => command.arg("--insecure"),
    };
    Process::spawn(&mut command).unwrap()
}

/// The digits of a line that are the secret.
fn secret(line: &str) -> &str {
    &line[20..84]
}

/// The id of a line's key.
fn id(line: &str) -> &str {
    &line[4..20]
}

#[test]
fn a_key_is_printed_once_and_never_again() {
    let desk = Desk::new();
    let (ok, said) = desk.keys(&["add", "attic-6"]);
    assert!(ok && !said.contains('\x1b'), "no code without a terminal: {said}");
    let line = said.lines().find(|line| line.starts_with("snk1")).unwrap();
    for expected in [
        format!("  device.key(\"{line}\");"),
        format!("Credential::parse(\"{line}\")"),
        "example-device --id attic-6 --key FILE".to_owned(),
    ] {
        assert!(said.contains(&expected), "{said}");
    }
    assert_eq!(desk.keys.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let device = DeviceId::new("attic-6").unwrap();
    let kept = Source::Path(desk.keys.clone()).keys(&[device]).unwrap();
    assert_eq!(kept[0].text(), line.as_bytes());

    let second = desk.make(&["rotate", "attic-6"]);
    assert!(id(&second) != id(line) && secret(&second) != secret(line));
    let half = &line[..60];
    let wrong = [
        (vec!["add", "attic-6"], "`sensockd keys rotate attic-6` makes another"),
        (vec!["rotate", "atic-6"], "did you mean `attic-6`?"),
        (vec!["revoke", "atic-6"], "did you mean `attic-6`?"),
        (vec!["revoke", line], "no key of that"),
        (vec!["revoke", half], "no key of that"),
        (vec!["add", "attic 7"], "a character other than letters"),
    ];
    for (words, expected) in wrong {
        let (ok, said) = desk.keys(&words);
        assert!(!ok && said.contains(expected), "{said}");
        assert!(words[1].len() > 32 || !said.contains("snk1"), "{said}");
        assert!(!said.contains(secret(line)) && !said.contains(&secret(&second)[..12]), "{said}");
    }
    let (ok, said) = desk.keys(&["list"]);
    assert!(ok && said.contains(id(line)) && said.contains(id(&second)), "{said}");
    assert!(said.lines().count() == 3 && said.contains("until 20") && said.contains("always"), "{said}");
    let (ok, said) = desk.keys(&["revoke", id(line)]);
    assert!(ok && said.contains(&format!("revoked: key {} of attic-6", id(line))), "{said}");
    let (_, said) = desk.keys(&["list"]);
    assert!(!said.contains(id(line)) && said.contains(id(&second)), "{said}");
    std::fs::set_permissions(&desk.keys, std::fs::Permissions::from_mode(0o604)).unwrap();
    let (ok, said) = desk.keys(&["list"]);
    assert!(!ok && said.contains("(mode 0604): chmod 600 "), "{said}");
}

#[test]
fn keys_are_changed_while_devices_are_served() {
    let desk = Desk::new();
    let lines = ["attic-6", "attic-7"].map(|name| desk.make(&["add", name, "--no-qr"]));
    let files = [desk.give("attic-6", &lines[0]), desk.give("attic-7", &lines[1])];
    let (mut server, address) = desk.serve(&[]);
    let mut six = device("attic-6", Some(&files[0]), address);
    server.wait_for("attic-6  connected for the first time");
    let _seven = device("attic-7", Some(&files[1]), address);
    server.wait_for("attic-7  connected for the first time");
    let store = format!("sqlite:{}", desk.dir.path().join("plants.sqlite").display());
    let (_, said) = desk.keys(&["list", "--store", &store]);
    assert!(said.contains("SEEN") && said.matches("connected for").count() == 2, "{said}");

    // Whoever comes without a key is told apart by the operator: a stranger, and a device that has one.
    let mut stranger = device("attic-8", None, address);
    let told = server.wait_for("attic-8  device attic-8 has no key here");
    assert!(told.contains("has one): `sensockd keys add attic-8 --keys "), "{told}");
    stranger.kill().unwrap();
    let mut thief = device("attic-7", None, address);
    server.wait_for("attic-7  device attic-7 has a key and came without");
    thief.kill().unwrap();

    // Both keys are good while a device is given its new one.
    let next = desk.make(&["rotate", "attic-6", "--for", "1h"]);
    server.wait_for("keys  read again: 3 keys of 2 devices");
    for line in [&next, &lines[0]] {
        six.kill().unwrap();
        six = device("attic-6", Some(&desk.give("attic-6", line)), address);
        server.wait_for("attic-6  connected after a restart");
    }

    // The old one is revoked: its connection ends, and nobody else's.
    let (ok, said) = desk.keys(&["revoke", id(&lines[0])]);
    let revoked = Instant::now();
    assert!(ok && !said.contains("has no key left"), "{said}");
    let told = server.wait_for("was closed (key ");
    let took = revoked.elapsed();
    assert!(told.contains("attic-6  its connection from") && told.contains(id(&lines[0])), "{told}");
    assert!(took < REVOKED, "{took:?}");
    six.kill().unwrap();
    six = device("attic-6", Some(&desk.give("attic-6", &lines[0])), address);
    server.wait_for(&format!("nobody here has the key {}", id(&lines[0])));
    six.kill().unwrap();
    six = device("attic-6", Some(&desk.give("attic-6", &next)), address);
    server.wait_for("attic-6  connected after a restart");

    // A key that ends while its device is connected.
    let last = desk.make(&["rotate", "attic-6", "--for", "2s"]);
    let told = server.wait_for("was closed (key ");
    assert!(told.contains(id(&next)), "{told}");
    six.kill().unwrap();
    six = device("attic-6", Some(&desk.give("attic-6", &next)), address);
    let told = server.wait_for(&format!("keys  the key {} of device attic-6 was used", id(&next)));
    assert!(told.contains("which ended at 20") && told.contains("`sensockd keys rotate attic-6`"), "{told}");
    let (_, said) = desk.keys(&["list"]);
    assert!(said.contains("no more, since 20"), "{said}");
    six.kill().unwrap();

    // A file that is spoiled changes nothing.
    let good = std::fs::read(&desk.keys).unwrap();
    std::fs::write(&desk.keys, &good[..70]).unwrap();
    server.wait_for("the keys that were read before stay valid meanwhile");
    let _six = device("attic-6", Some(&desk.give("attic-6", &last)), address);
    server.wait_for("attic-6  connected after a restart");
    let all = server.end();
    let sevens = all.lines().filter(|line| line.contains("attic-7  disconnected")).count();
    assert!(sevens <= 1 && all.contains("attic-6  disconnected"), "attic-7 was connected to the end: {all}");
    for line in lines.iter().chain([&next, &last]) {
        assert!(!all.contains(&secret(line)[..12]), "the server says a secret");
    }
}

#[test]
fn a_device_with_a_key_never_comes_without_even_where_everybody_may() {
    let desk = Desk::new();
    let line = desk.make(&["add", "attic-6", "--no-qr"]);
    let (mut server, address) = desk.serve(&["--insecure", "--any-device"]);
    let _stranger = device("attic-8", None, address);
    server.wait_for("attic-8  connected for the first time");
    let mut thief = device("attic-6", None, address);
    server.wait_for("attic-6  device attic-6 has a key and came without");
    thief.kill().unwrap();
    let _six = device("attic-6", Some(&desk.give("attic-6", &line)), address);
    server.wait_for("attic-6  connected for the first time");
    // A device that was let in without gets a key: its connection ends.
    desk.make(&["add", "attic-8", "--no-qr"]);
    let told = server.wait_for("attic-8  its connection from");
    assert!(told.contains("has a key now"), "{told}");
}
