//! A running machine.

use crate::board::{Board, Options};
use anyhow::{Context as _, Result, ensure};
use sensock_testkit::process::Process;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// QEMU with a board and its firmware. It is killed when the value is dropped, and when the test ends in any way.
#[derive(Debug)]
pub struct Machine {
    board: Board,
    image: PathBuf,
    options: Options,
    process: Process,
}

impl Machine {
    /// Switches the machine on.
    ///
    /// # Errors
    /// When QEMU is not installed, or the relay cannot be built.
    pub fn start(board: Board, image: &Path, options: &Options) -> Result<Self> {
        let process = spawn(board, image, options)?;
        Ok(Self { board, image: image.to_owned(), options: options.clone(), process })
    }

    /// Which board it is.
    pub fn board(&self) -> Board {
        self.board
    }

    /// Its console: lines, and waiting for them.
    pub fn console(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Cuts its power. Memory is lost, and what lies in files of QEMU is as it was.
    ///
    /// # Errors
    /// When it had ended before, which a board never does by itself unless its program says so.
    pub fn cut_power(&mut self) -> Result<()> {
        ensure!(self.process.is_running(), "{} had ended: {:?}", self.board.id(), self.process.rest());
        self.process.kill()
    }

    /// Switches it on again after [`Machine::cut_power`].
    ///
    /// # Errors
    /// As [`Machine::start`].
    pub fn power_on(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process = spawn(self.board, &self.image, &self.options)?;
        Ok(())
    }

    /// Waits until the firmware ends the machine, and gives its exit code.
    ///
    /// # Errors
    /// When it still runs after `within`; the message repeats what it printed last.
    pub fn wait(&mut self, within: Duration) -> Result<ExitStatus> {
        self.process.wait(within)
    }

    /// Processor time that the machine has used so far, on the computer that it runs on.
    ///
    /// # Errors
    /// When it has ended, or the system has no `/proc`.
    pub fn cpu_time(&self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.process.id());
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("{path}: has the machine ended?"))?;
        // The program's name, in parentheses, may hold blanks; user and system time are fields 14 and 15, in hundredths of a second.
        let fields = text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>());
        let ticks = |n: usize| fields.as_ref()?.get(n)?.parse::<u64>().ok();
        let (user, system) =
            ticks(11).zip(ticks(12)).with_context(|| format!("{path} holds no times: {text}"))?;
        Ok(Duration::from_millis((user + system) * 10))
    }
}

fn spawn(board: Board, image: &Path, options: &Options) -> Result<Process> {
    let relay = sensock_testkit::binary::path(env!("CARGO_PKG_NAME"), "relay")?;
    Process::spawn(&mut board.command(image, &relay, options)).with_context(|| {
        format!(
            "is QEMU installed? (Debian packages qemu-system-arm and qemu-system-misc) {}",
            board.program()
        )
    })
}
