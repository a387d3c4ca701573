//! A sensockd process that is killed, stopped and started again on the same port, over the same store.

use anyhow::{Context as _, Result, ensure};
use sensock_testkit::process::Process;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// A debug build on a busy computer starts, answers and ends within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server, running or not.
#[derive(Debug)]
pub struct Daemon {
    program: PathBuf,
    port: u16,
    store: String,
    process: Option<Process>,
}

impl Daemon {
    /// A server over a SQLite file in `directory`, which does not run yet, for boards with keys. Builds the program if need be.
    ///
    /// # Errors
    /// When it cannot be built, or no port is free.
    pub fn new(directory: &Path) -> Result<Self> {
        let program = sensock_testkit::binary::path("example-server", "sensockd")?;
        let store = format!("sqlite:{}", directory.join("boards.sqlite").display());
        Ok(Self { program, port: lasting_port()?, store, process: None })
    }

    /// Where it listens when it runs.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The store's address.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    /// When it does not come up; the message repeats what it printed.
    pub fn start(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(["run", "--listen", &self.address().to_string(), "--store", &self.store]);
        command.arg("--keys").arg(crate::images::keys()?);
        // A line that is cut without a word is noticed after two and a half intervals: seconds here, a minute in the field.
        command.args(["--ping-interval", "1s"]);
        let mut process = Process::spawn(&mut command)?;
        process.wait_for("listening on", PATIENCE)?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it at once, as a power cut would.
    ///
    /// # Errors
    /// When it had ended by itself.
    pub fn kill(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the server is not running")?;
        ensure!(process.is_running(), "the server ended by itself: {:?}", process.rest());
        process.kill()
    }

    /// Asks it to end in order, and waits.
    ///
    /// # Errors
    /// When it does not end well.
    pub fn stop(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the server is not running")?;
        process.interrupt()?;
        let status = process.wait(PATIENCE)?;
        ensure!(status.success(), "the server ended with {status}: {:?}", process.rest());
        Ok(())
    }

    /// Runs `sensockd ARGS --store STORE` to its end; what it printed, or an error with it.
    ///
    /// # Errors
    /// When the command fails.
    pub fn ask(&self, args: &[&str]) -> Result<String> {
        let output = Command::new(&self.program).args(args).args(["--store", &self.store]).output()?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure!(output.status.success(), "sensockd {}: {}\n{said}", args.join(" "), output.status);
        Ok(said)
    }

    /// As [`Daemon::ask`], but does not wait: the process ends when the device has answered.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn ask_later(&self, args: &[&str]) -> Result<Process> {
        Process::spawn(Command::new(&self.program).args(args).args(["--store", &self.store]))
    }
}

/// A free port that stays free while its server is dead. The system gives ports from 32768 on to dials, and a relay that dials a dead
/// server's port could be given that very port as its own end.
fn lasting_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = (std::process::id() % 89) as u16 * 100;
    for _ in 0..1_000 {
        let port = 22_000 + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("there is no free port between 22000 and 32000")
}
