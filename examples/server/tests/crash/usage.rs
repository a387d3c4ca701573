//! What a process holds of the system: memory, open files, threads.

use std::fmt;

use anyhow::{Context as _, Result, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// At one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Resident memory.
    pub(crate) kib: u64,
    /// Open descriptors.
    pub(crate) files: u64,
    /// Threads.
    pub(crate) threads: u64,
}

impl Usage {
    /// Of the process with this number.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
            .with_context(|| format!("process {pid} has no status: has it ended?"))?;
        let number = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let number = line.and_then(|line| line.split_whitespace().next()).and_then(|n| n.parse().ok());
            number.with_context(|| format!("the status of process {pid} has no {key}"))
        };
        let files = std::fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64;
        Ok(Self { kib: number("VmRSS:")?, files, threads: number("Threads:")? })
    }

    /// Resident memory in MiB, to read.
    pub(crate) fn mib(self) -> String {
        format!("{:.1}", self.kib as f64 / 1024.0)
    }

    /// The middle one of each.
    pub(crate) fn median(all: &[Usage]) -> Self {
        let middle = |part: fn(&Usage) -> u64| {
            let mut numbers: Vec<u64> = all.iter().map(part).collect();
            numbers.sort_unstable();
            numbers.get(numbers.len() / 2).copied().unwrap_or(0)
        };
        Self { kib: middle(|u| u.kib), files: middle(|u| u.files), threads: middle(|u| u.threads) }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB, {} files, {} threads", self.mib(), self.files, self.threads)
    }
}

/// Lets this process, and those that it starts, open so many files.
pub(crate) fn allow_files(wanted: u64) -> Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    ensure!(
        hard >= wanted,
        "{wanted} open files are needed, {hard} are allowed: raise the limit (ulimit -Hn)"
    );
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    Ok(())
}
