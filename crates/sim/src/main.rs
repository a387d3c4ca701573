//! Runs the simulation: one seed with its trace, or many until there is enough.
#![allow(clippy::print_stdout, reason = "that is what it is for")]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sensock_sim::many::{Until, many};
use sensock_sim::plan::{Size, plan};
use sensock_sim::run::run;
use sensock_sim::shrink::shrink;

/// Most of a run is small pieces of memory that come and go.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Devices and servers in virtual time, with everything that can go wrong.
#[derive(Parser)]
#[command(name = "sensock-sim")]
struct Options {
    /// Replays this seed: on a failure, its plan made short, and the trace of that.
    #[arg(long)]
    seed: Option<u64>,
    /// The first seed of many.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Simulated hours of one run.
    #[arg(long, default_value_t = Size::default().hours)]
    hours: u64,
    /// At the most so many runs.
    #[arg(long, default_value_t = u64::MAX)]
    runs: u64,
    /// Until so many simulated device-hours.
    #[arg(long, default_value_t = 1_000)]
    device_hours: u64,
    /// And until so many faults have hit.
    #[arg(long, default_value_t = 0)]
    faults: u64,
    /// And each kind each step so often.
    #[arg(long, default_value_t = 0)]
    each: u64,
    /// Not longer than this, enough or not.
    #[arg(long, default_value_t = u64::MAX)]
    seconds: u64,
    /// Prints the whole trace of a seed, not its end.
    #[arg(long)]
    whole: bool,
    /// Makes this mistake all the while; only in a build with `--cfg sensock_planted`.
    #[arg(long)]
    planted: Option<String>,
    /// Lists those mistakes.
    #[arg(long)]
    list_planted: bool,
    /// Says in one line what came of it.
    #[arg(long)]
    brief: bool,
    /// Does not shorten the plan of a seed that fails.
    #[arg(long)]
    as_it_is: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let size = Size { hours: options.hours, ..Size::default() };
    if options.list_planted {
        sensock_sim::planted::ALL.iter().for_each(|(name, what)| println!("{name}: {what}"));
        return ExitCode::SUCCESS;
    }
    if let Some(name) = &options.planted
        && !sensock_sim::planted::choose(name)
    {
        println!(
            "there is no mistake {name} to be made here: build with --cfg sensock_planted, and name one of"
        );
        sensock_sim::planted::ALL.iter().for_each(|(name, what)| println!("  {name}: {what}"));
        return ExitCode::FAILURE;
    }
    // A panic is a finding like any other, and is told as one.
    std::panic::set_hook(Box::new(|_| {}));
    match options.seed {
        Some(seed) => one(seed, &size, &options),
        None => all(&size, &options),
    }
}

fn one(seed: u64, size: &Size, options: &Options) -> ExitCode {
    let mut ops = plan(seed, size);
    let mut outcome = run(seed, size, &ops, true);
    if outcome.violation.is_some() && !options.as_it_is {
        let before = ops.len();
        let (short, runs) = shrink(seed, size, ops);
        println!("the plan of {before} faults is {} after {runs} runs:", short.len());
        short.iter().for_each(|op| {
            println!(
                "  {:>10.3} s  device {}  {} while {}",
                op.at_us as f64 / 1e6,
                op.device,
                op.kind.name(),
                op.step.name()
            );
        });
        ops = short;
        outcome = run(seed, size, &ops, true);
    }
    let lines: Vec<&str> = outcome.trace.lines().collect();
    let from = if options.whole { 0 } else { lines.len().saturating_sub(60) };
    lines[from..].iter().for_each(|line| println!("{line}"));
    match outcome.violation {
        Some((words, at)) => {
            println!("seed {seed}: after {at} simulated seconds: {words}");
            ExitCode::FAILURE
        }
        None => {
            println!("{}seed {seed}: every invariant held, {:?}", outcome.table, outcome.counts);
            ExitCode::SUCCESS
        }
    }
}

fn all(size: &Size, options: &Options) -> ExitCode {
    let begun = Instant::now();
    let until = Until {
        runs: options.runs,
        device_hours: options.device_hours,
        faults: options.faults,
        each: options.each,
        seconds: options.seconds,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let sum = many(options.first, size, &until, threads);
    if let (true, Some((seed, words, at))) = (options.brief, &sum.failed) {
        let hours = sum.device_seconds as f64 / 3_600.0;
        println!("seed {seed} failed after {at} s, {hours:.1} device-hours in all: {words}");
        return ExitCode::FAILURE;
    }
    println!("{}", sum.table);
    let (least, kind, step) = sum.table.least();
    println!(
        "{} runs, {:.0} device-hours, {} faults (the rarest, {} while {}, {least} times; {} found no moment), {:.0} s",
        sum.runs,
        sum.device_seconds as f64 / 3_600.0,
        sum.table.total(),
        kind.name(),
        step.name(),
        sum.missed,
        begun.elapsed().as_secs_f64()
    );
    println!("{:?}", sum.counts);
    match sum.failed {
        Some((seed, words, at)) => {
            println!("seed {seed} failed after {at} simulated seconds: {words}");
            println!("replay it: cargo run --release -p sensock-sim -- --seed {seed} --hours {}", size.hours);
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}
