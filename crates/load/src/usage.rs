//! What a process used: CPU time, memory; and which CPU and how many files this one may use.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// CPU time of a process since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cpu {
    /// All threads, user and system, to the nanosecond.
    pub total: Duration,
    /// How much of it the kernel used, in steps of 10 ms.
    pub system: Duration,
}

impl Cpu {
    /// Of the process with this number.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn of(pid: u32) -> Result<Self> {
        let gone = || format!("process {pid} has no CPU clock: has it ended?");
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid.cast_signed())).with_context(gone)?;
        let total = Duration::from(clock_gettime(clock).with_context(gone)?);
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).with_context(gone)?;
        // The name of the program stands in brackets, and may contain anything.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = fields.split_whitespace().nth(12).and_then(|f| f.parse().ok()).with_context(gone)?;
        Ok(Self { total, system: Duration::from_millis(ticks * 10) })
    }

    /// What was used since `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            total: self.total.saturating_sub(before.total),
            system: self.system.saturating_sub(before.system),
        }
    }
}

/// Memory of a process that is its alone (anonymous pages, proportional), in bytes.
///
/// # Errors
/// When there is no such process, or the kernel does not say.
pub fn memory(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss_Anon:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|n| n.parse::<u64>().ok());
    Ok(kib.with_context(|| format!("{path} has no line Pss_Anon: Linux 5.10 or newer is expected"))? * 1024)
}

/// This thread, and every child that it starts meanwhile, bound to one CPU; dropping it frees the thread again.
#[derive(Debug)]
pub struct Pinned {
    before: CpuSet,
    /// Which CPU.
    pub cpu: usize,
}

impl Pinned {
    /// To the last CPU that this thread may use.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn to_one() -> Result<Self> {
        let before = sched_getaffinity(THIS_THREAD)?;
        let last = (0..CpuSet::count()).rev().find(|cpu| before.is_set(*cpu).unwrap_or(false));
        let cpu = last.context("this process may use no CPU")?;
        let mut one = CpuSet::new();
        one.set(cpu)?;
        sched_setaffinity(THIS_THREAD, &one)?;
        Ok(Self { before, cpu })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // What was allowed before is allowed still; at worst the thread stays where it is.
        let _freed = sched_setaffinity(THIS_THREAD, &self.before);
    }
}

const THIS_THREAD: Pid = Pid::from_raw(0);

/// Lets this process, and every child that it starts from now on, open so many files.
///
/// # Errors
/// When the system's hard limit is lower; the message says how to raise it.
pub fn allow_files(wanted: u64) -> Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= wanted {
        return Ok(());
    }
    let raised = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted));
    let raised = raised.or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, hard.min(wanted), hard));
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    ensure!(
        raised.is_ok() && soft >= wanted,
        "{wanted} open files are needed and {soft} are allowed: raise the limit (ulimit -Hn {wanted}), or ask for fewer connections"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs_time_and_rest_does_not() {
        let me = std::process::id();
        let before = Cpu::of(me).unwrap();
        let mut sum = 0u64;
        while Cpu::of(me).unwrap().since(before).total < Duration::from_millis(5) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(sum > 0);
        assert_eq!(before.since(before).total, Duration::ZERO);
    }

    #[test]
    fn memory_that_is_touched_is_counted() {
        let me = std::process::id();
        let before = memory(me).unwrap();
        let block = vec![1u8; 32 << 20];
        let grown = memory(me).unwrap().saturating_sub(before);
        assert!(grown >= 24 << 20, "{grown} of {}", block.len());
    }
}
