//! The real server with a store of its own, behind a proxy, and what it has stored.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use sensock_testkit::process::Process;
use sensock_testkit::proxy::Proxy;
use sensock_testkit::{binary, net};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    pub(crate) proxy: Proxy,
    process: Process,
    program: PathBuf,
    address: SocketAddr,
    store: String,
    keys: PathBuf,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Lets in whom this file of keys names.
    pub(crate) fn start(keys: PathBuf) -> Server {
        let program = binary::path("example-server", "sensockd").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("plants.sqlite").display());
        let address = SocketAddr::from(([127, 0, 0, 1], net::free_port().unwrap()));
        let process = run(&program, address, &store, &keys);
        let proxy = Proxy::start(address).unwrap();
        Server { proxy, process, program, address, store, keys, _folder: folder }
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
    }

    /// Cuts the line; waits until there is one if need be.
    pub(crate) fn cut(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.proxy.cut() == 0 {
            assert!(Instant::now() < deadline, "nobody dialled");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Starts it again.
    pub(crate) fn restart(&mut self) {
        self.process = run(&self.program, self.address, &self.store, &self.keys);
    }

    /// Another command of the program on the same store.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).args(["--store", &self.store]);
        command
    }

    /// Runs such a command and returns what it said, which must contain `words`.
    pub(crate) fn says(&self, arguments: &[&str], words: &str) -> String {
        let output = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains(words), "{arguments:?} said: {said}");
        said
    }

    /// Values of one quantity of a device with their lanes, boots and numbers, in the order in which the store has them.
    pub(crate) fn stored(&self, device: &str, quantity: &str) -> Vec<Stored> {
        let output = self.command(&["export", device, "1h..now"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        rows.filter(|row| row[1] == quantity)
            .map(|row| Stored {
                value: row[2].parse().unwrap_or(f64::NAN),
                fault: row[4].to_owned(),
                lane: row[7].to_owned(),
                boot: row[8].parse().unwrap(),
                n: row[9].parse().unwrap(),
            })
            .collect()
    }

    /// Waits until the store has so many values of a quantity.
    pub(crate) fn until_stored(&self, device: &str, quantity: &str, count: usize) -> Vec<Stored> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stored = self.stored(device, quantity);
            if stored.len() >= count {
                return stored;
            }
            assert!(Instant::now() < deadline, "{} of {count} are stored", stored.len());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A stored value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    /// Not a number if there is none.
    pub(crate) value: f64,
    /// Why there is none.
    pub(crate) fault: String,
    pub(crate) lane: String,
    pub(crate) boot: u32,
    pub(crate) n: u32,
}

fn run(program: &PathBuf, address: SocketAddr, store: &str, keys: &PathBuf) -> Process {
    let mut command = Command::new(program);
    command.args(["run", "--listen", &address.to_string(), "--store", store]).arg("--keys").arg(keys);
    let mut process = Process::spawn(&mut command).unwrap();
    process.wait_for("listening on", PATIENCE).unwrap();
    process
}
