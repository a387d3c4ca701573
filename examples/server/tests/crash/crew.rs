//! A process of a few devices, which lives, dies and comes back.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sensock::DeviceId;
use sensock_testkit::binary;
use sensock_testkit::process::{Process, Stream};

use crate::said::Fleet;
use crate::sealed;

/// Everything must be stored within this after the last record.
const DRAIN: Duration = Duration::from_secs(120);

/// Where the devices of a crew keep their records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Lost with the process; only the number of the boot outlives it.
    Ram,
    /// In a file.
    Flash,
}

/// Devices that share a process.
#[derive(Debug)]
pub(crate) struct Crew {
    /// Their names.
    pub(crate) devices: Vec<DeviceId>,
    /// Where their records are.
    pub(crate) memory: Memory,
    arguments: Vec<String>,
    process: Option<Process>,
}

/// How the devices of a crew work.
#[derive(Clone, Debug)]
pub(crate) struct Duties<'d> {
    /// Servers that they try in turn.
    pub(crate) servers: &'d [std::net::SocketAddr],
    /// How many devices.
    pub(crate) devices: u32,
    /// Pause between two records.
    pub(crate) interval_ms: u32,
    /// The longest pause between two dials.
    pub(crate) redial_ms: u32,
    /// What they measure.
    pub(crate) seed: u64,
    /// Whether they have no keys.
    pub(crate) insecure: bool,
}

impl Crew {
    /// A crew that does not run yet; `name` is the beginning of its devices' names, their files lie in `directory`.
    pub(crate) fn new(name: &str, memory: Memory, duties: &Duties<'_>, directory: &Path) -> Result<Self> {
        ensure!(duties.devices > 1, "a single device's name has no number");
        let file = directory.join(name).display().to_string();
        let keep = match memory {
            Memory::Ram => ["--boot-file".to_owned(), file],
            Memory::Flash => ["--outbox".to_owned(), file],
        };
        let mut arguments: Vec<String> = ["--report", "--alarm-every", "16"].map(String::from).into();
        for server in duties.servers {
            arguments.extend(["--server".into(), server.to_string()]);
        }
        for (option, value) in [
            ("--id", name.to_owned()),
            ("--devices", duties.devices.to_string()),
            ("--interval-ms", duties.interval_ms.to_string()),
            ("--redial-ms", duties.redial_ms.to_string()),
            ("--seed", duties.seed.to_string()),
        ] {
            arguments.extend([option.into(), value]);
        }
        arguments.extend(keep);
        arguments.extend(match duties.insecure {
            true => vec!["--insecure".to_owned()],
            false => vec!["--key".to_owned(), sealed::file().display().to_string()],
        });
        let devices = (1..=duties.devices).map(|n| DeviceId::new(&format!("{name}-{n}")));
        Ok(Self { devices: devices.collect::<Result<_, _>>()?, memory, arguments, process: None })
    }

    /// Starts the process.
    pub(crate) fn start(&mut self) -> Result<()> {
        let program = binary::path("example-device", "example-device")?;
        self.process = Some(Process::spawn(Command::new(program).args(&self.arguments))?);
        Ok(())
    }

    /// The operating system's number for the process.
    pub(crate) fn id(&self) -> Result<u32> {
        Ok(self.process.as_ref().context("the devices are not running")?.id())
    }

    /// Hears what it said since.
    pub(crate) fn listen(&mut self, fleet: &mut Fleet) {
        if let Some(process) = &mut self.process {
            let lines = process.arrived();
            lines.iter().filter(|line| line.stream == Stream::Out).for_each(|line| fleet.hear(&line.text));
        }
    }

    /// Ends it at once, and hears its last words.
    pub(crate) fn kill(&mut self, fleet: &mut Fleet) -> Result<()> {
        let mut process = self.process.take().context("the devices are not running")?;
        ensure!(process.is_running(), "the devices ended by themselves: {:?}", process.rest());
        process.kill()?;
        let lines = process.rest();
        lines.iter().filter(|line| line.stream == Stream::Out).for_each(|line| fleet.hear(&line.text));
        self.devices.iter().for_each(|device| fleet.killed(*device));
        Ok(())
    }

    /// Asks the devices to record no more.
    pub(crate) fn rest(&mut self) -> Result<()> {
        self.process.as_ref().context("the devices are not running")?.interrupt()
    }

    /// After [`Crew::rest`], waits until everything is stored and the process has ended.
    pub(crate) fn drained(&mut self, fleet: &mut Fleet) -> Result<()> {
        let mut process = self.process.take().context("the devices are not running")?;
        let status = process.wait(DRAIN)?;
        let lines = process.rest();
        lines.iter().filter(|line| line.stream == Stream::Out).for_each(|line| fleet.hear(&line.text));
        ensure!(status.success(), "the devices ended with {status}");
        Ok(())
    }
}
