//! Random runs: whatever goes wrong, every invariant holds.

use std::time::Instant;

use sensock_sim::many::{Until, many};
use sensock_sim::plan::{Size, plan};
use sensock_sim::run::run;
use sensock_testkit::effort;

/// In the long form 100,000 device-hours with 1,000,000 faults, each kind in each step 1,000 times.
#[test]
fn prove_simulation() {
    let size = Size { hours: effort::size(1, 2), ..Size::default() };
    let until = Until {
        runs: effort::size(6, u64::MAX),
        device_hours: effort::size(18, 100_000),
        faults: effort::size(0, 1_000_000),
        each: effort::size(0, 1_000),
        seconds: u64::MAX,
    };
    let begun = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let sum = many(1, &size, &until, threads);
    let hours = sum.device_seconds as f64 / 3_600.0;
    println!("{}", sum.table);
    println!(
        "{} runs, {hours:.0} device-hours, {} faults, {:?}",
        sum.runs,
        sum.table.total(),
        begun.elapsed()
    );
    println!("{:?}", sum.counts);
    if let Some((seed, words, at)) = sum.failed {
        panic!(
            "seed {seed} after {at} s: {words}; replay it: cargo run --release -p sensock-sim -- --seed {seed} --hours {}",
            size.hours
        );
    }
    assert!(sum.table.total() > effort::size(100, 1_000_000), "faults did hit");
    let (flipped, again, denied) = sum.counts.attacks;
    assert!(
        sum.counts.sealed > 0 && again > 0 && denied >= again,
        "{flipped} bits changed, {:?}",
        sum.counts
    );
    assert!(sum.counts.stored > 0 && sum.counts.in_gaps > 0 && sum.counts.commands.1 > 0, "{:?}", sum.counts);
}

#[test]
fn a_seed_says_the_same_each_time() {
    let size = Size { hours: 1, ..Size::default() };
    let of = |traced| {
        let outcome = run(3, &size, &plan(3, &size), traced);
        (outcome.table, outcome.counts, outcome.violation)
    };
    assert_eq!(of(false), of(true));
}
