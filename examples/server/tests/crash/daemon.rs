//! One server process: started, killed, or made to abort at a chosen point of its work.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sensock_testkit::process::Process;

use crate::sealed;

/// The server must pass its fail-point, or end, within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where in its work a server aborts, as a power cut would end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fail {
    BeforeBegin,
    InTransaction,
    AfterCommit,
    AfterAck,
}

impl Fail {
    pub(crate) const ALL: [Fail; 4] =
        [Fail::BeforeBegin, Fail::InTransaction, Fail::AfterCommit, Fail::AfterAck];

    fn name(self) -> &'static str {
        match self {
            Fail::BeforeBegin => "before-begin",
            Fail::InTransaction => "in-transaction",
            Fail::AfterCommit => "after-commit",
            Fail::AfterAck => "after-ack",
        }
    }
}

/// A server on a port that stays its own, over a store that stays the same.
#[derive(Debug)]
pub(crate) struct Daemon {
    port: u16,
    store: String,
    options: Vec<String>,
    wrapper: Vec<String>,
    insecure: bool,
    process: Option<Process>,
}

impl Daemon {
    /// A server that does not run yet.
    pub(crate) fn new(store: &str) -> Result<Self> {
        Ok(Self {
            port: lasting_port()?,
            store: store.to_owned(),
            options: vec![],
            wrapper: vec![],
            insecure: false,
            process: None,
        })
    }

    /// It, with further options of the command line.
    pub(crate) fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(|&option| option.to_owned()));
        self
    }

    /// It, letting every device in without a key.
    pub(crate) fn insecure(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// It, started by this program, which becomes it.
    pub(crate) fn within(mut self, wrapper: &[&str]) -> Self {
        self.wrapper.extend(wrapper.iter().map(|&word| word.to_owned()));
        self
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Starts it, to abort when it comes to this point for the n-th time.
    pub(crate) fn start(&mut self, fail: Option<(Fail, u64)>) -> Result<()> {
        let mut words = self.wrapper.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_sensockd")]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).arg("run");
        match self.insecure {
            true => command.args(["--insecure", "--any-device"]),
            false => command.arg("--keys").arg(sealed::file()),
        };
        command.args(["--listen", &self.address().to_string(), "--store", &self.store]).args(&self.options);
        if let Some((point, after)) = fail {
            command.env("SENSOCK_FAILPOINT", point.name()).env("SENSOCK_FAIL_AFTER", after.to_string());
        }
        self.process = Some(Process::spawn(&mut command)?);
        Ok(())
    }

    /// The process, to hear what it says.
    pub(crate) fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().context("the server is not running")
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the server is not running")?;
        ensure!(process.is_running(), "the server ended by itself: {:?}", process.rest());
        process.kill()
    }

    /// Waits until it has aborted at its fail-point; `meanwhile` is called now and then.
    pub(crate) fn aborts(&mut self, mut meanwhile: impl FnMut()) -> Result<()> {
        let mut process = self.process.take().context("the server is not running")?;
        let mut waited = Duration::ZERO;
        let step = Duration::from_millis(10);
        let status = loop {
            match process.wait(step) {
                Ok(status) => break status,
                Err(late) if waited > PATIENCE => return Err(late.context("the fail-point was not reached")),
                Err(_) => waited += step,
            }
            process.arrived();
            meanwhile();
        };
        ensure!(status.signal() == Some(6), "the server ended with {status}: {:?}", process.rest());
        Ok(())
    }

    /// Asks it to end in order, and waits.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the server is not running")?;
        process.interrupt()?;
        let status = process.wait(PATIENCE)?;
        ensure!(status.success(), "the server ended with {status}: {:?}", process.rest());
        Ok(())
    }
}

/// A free port that stays free while its server is dead. The system gives ports from 32768 on to dials, and a device that
/// dials a dead server's port could be given that very port as its own end.
fn lasting_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = (std::process::id() % 97) as u16 * 100;
    for _ in 0..1_000 {
        let port = 20_000 + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no port between 20000 and 32000 is free")
}
