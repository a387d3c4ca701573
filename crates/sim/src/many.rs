//! Many runs at once, a seed each, on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::faults::Table;
use crate::oracle::Counts;
use crate::plan::{Size, plan};
use crate::run::run;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// Runs at the most.
    pub runs: u64,
    /// Device-hours, and faults that hit: both are wanted.
    pub device_hours: u64,
    /// See above.
    pub faults: u64,
    /// Of each kind in each step where it is possible: so many hits, or more.
    pub each: u64,
    /// Not longer than this, enough or not.
    pub seconds: u64,
}

/// What many runs came to.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// Runs that ended.
    pub runs: u64,
    /// Simulated time of all devices, in seconds.
    pub device_seconds: u64,
    /// Faults that hit.
    pub table: Table,
    /// Faults that found no moment to.
    pub missed: u64,
    /// Records and commands.
    pub counts: Counts,
    /// The lowest seed that failed: what, and after how many simulated seconds of its run.
    pub failed: Option<(u64, String, u64)>,
}

/// Runs seeds from `first` on until there is enough, or one fails.
pub fn many(first: u64, size: &Size, until: &Until, threads: usize) -> Sum {
    let begun = Instant::now();
    let (next, stop, sum) = (AtomicU64::new(first), AtomicBool::new(false), Mutex::new(Sum::default()));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed - first >= until.runs {
                return;
            }
            let outcome = run(seed, size, &plan(seed, size), false);
            let Ok(mut sum) = sum.lock() else { return };
            sum.runs += 1;
            sum.device_seconds += outcome.device_seconds;
            sum.table.add(&outcome.table);
            sum.missed += outcome.missed;
            sum.counts.add(&outcome.counts);
            if let Some((words, at)) = outcome.violation {
                if sum.failed.as_ref().is_none_or(|(s, ..)| seed < *s) {
                    sum.failed = Some((seed, words, at));
                }
                stop.store(true, Ordering::Relaxed);
            }
            let enough = sum.device_seconds >= until.device_hours * 3_600
                && sum.table.total() >= until.faults
                && sum.table.least().0 >= until.each;
            let enough = enough || begun.elapsed().as_secs() >= until.seconds;
            stop.fetch_or(enough, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    sum.into_inner().unwrap_or_default()
}
