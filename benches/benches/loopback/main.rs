//! From `record` to the acknowledgement over TCP on loopback: a real device, a real server, a store; beside an echo of the same bytes.
//!
//! Both ends and the echo run on one thread, so that no figure hangs on how fast one CPU wakes another (SQLite has a thread of its own,
//! as always). One connection; the next record, or the next batch, when the one before is acknowledged.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

mod ways;

use std::rc::Rc;
use std::time::{Duration, Instant};

use benches::Rounds;
use sensock_server::MemoryStore;
use sensock_sql::SqlStore;
use tokio::runtime::{Builder, Runtime};
use ways::{Way, echo, sensock};

fn main() {
    let once = Rounds::from_args().is_once();
    let directory = tempfile::tempdir().unwrap();
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build().unwrap());
    let mut ways = all(&runtime, &format!("sqlite:{}", directory.path().join("bench.db").display()));
    latencies(&mut ways, if once { (1, 1) } else { (5, 400) });
    for count in [1, 64, 1_000] {
        throughput(&mut ways, count);
    }
}

fn all(runtime: &Rc<Runtime>, url: &str) -> Vec<Way> {
    let sqlite = runtime.block_on(SqlStore::open(url)).unwrap();
    vec![
        echo(runtime),
        sensock("sensock, store in memory", runtime, MemoryStore::default()),
        sensock("sensock, SQLite flushed at each commit", runtime, sqlite),
    ]
}

/// Each record waits for the one before.
fn latencies(ways: &mut [Way], (rounds, records): (usize, usize)) {
    println!(
        "from `record` to acknowledged, one record at a time, µs: medians of {rounds} interleaved rounds of {records}"
    );
    println!("  {:<40} {:>8} {:>8} {:>8}", "", "p50", "p99", "p99.9");
    let mut found = vec![[const { Vec::new() }; 3]; ways.len()];
    for _ in 0..rounds {
        for (way, found) in ways.iter_mut().zip(&mut found) {
            let mut took: Vec<Duration> = (0..records).map(|_| timed(|| (way.go)(1))).collect();
            took.sort();
            for (found, share) in found.iter_mut().zip([0.5, 0.99, 0.999]) {
                found.push(took[(took.len() as f64 * share) as usize]);
            }
        }
    }
    for (way, found) in ways.iter().zip(&mut found) {
        let [p50, p99, p999] = found.each_mut().map(|rounds| {
            rounds.sort();
            rounds[rounds.len() / 2].as_nanos() as f64 / 1_000.0
        });
        println!("  {:<40} {p50:>8.1} {p99:>8.1} {p999:>8.1}", way.name);
    }
}

fn throughput(ways: &mut [Way], count: usize) {
    println!(
        "\nby {count}, each batch waits for the one before: records/s, µs a record (least to most of the rounds), beside the echo"
    );
    let names: Vec<_> = ways.iter().map(|way| way.name).collect();
    let mut functions: Vec<Box<dyn FnMut() + '_>> = Vec::new();
    for way in &mut *ways {
        functions.push(Box::new(|| (way.go)(count)));
    }
    let mut functions: Vec<&mut dyn FnMut()> = functions.iter_mut().map(|f| &mut **f as _).collect();
    let times = Rounds::from_args().run(&mut functions);
    for (name, time) in names.iter().zip(&times) {
        let each = time.each(1_000 * count);
        println!(
            "  {name:<40} {:>10.0}  {:>7.2} ({:.2} to {:.2})  {:>6.2}",
            1e6 / each.median,
            each.median,
            each.least,
            each.most,
            time.median / times[0].median
        );
    }
}

fn timed(f: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    f();
    begun.elapsed()
}
