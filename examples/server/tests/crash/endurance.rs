//! A soak: faults at a steady rate for a long time, and nothing grows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sensock_testkit::effort;
use sensock_testkit::require::announce;
use sensock_testkit::rng::Rng;

use crate::daemon::Daemon;
use crate::ledger::Ledger;
use crate::line::{DEVICES, Line, at_once, quantile};
use crate::usage::Usage;

const LINES: u8 = 4;
/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What may be more in the last third than in the second: one step of an allocator that takes 4 MiB at a time while SQLite's page
/// caches still fill, and the rest of its four readers, each with a thread and three files, which are opened when first needed at
/// once. Hundreds of faults lie between: what each of them left behind would be more.
fn tolerated(before: Usage) -> Usage {
    Usage {
        kib: before.kib + before.kib / 20 + 5 * 1_024,
        files: before.files + 12,
        threads: before.threads + 4,
    }
}

#[test]
fn prove_soak() -> Result<()> {
    let lasting = Duration::from_secs(effort::size(75, 1_800));
    let rng = Rng::from_env_or_random("SENSOCK_SEED");
    let directory = tempfile::tempdir()?;
    let store = format!("sqlite:{}", directory.path().join("soak.sqlite").display());
    let mut daemon = Daemon::new(&store)?.with(&["--ping-interval", "500ms", "--log", "quiet"]);
    daemon.start(None)?;
    let address = daemon.address();
    let start = |n: u8| Line::start("soak", n, address, rng.fork(n.into()), directory.path());
    let mut lines = (1..=LINES).map(start).collect::<Result<Vec<_>>>()?;
    let mut pids = vec![("sensockd", daemon.process()?.id())];
    for line in &lines {
        pids.push(("devices", line.crew.id()?));
    }

    let (began, over) = (Instant::now(), AtomicBool::new(false));
    let (suffered, looks) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| look(&pids, &over));
        let suffered = at_once(&mut lines, |_, line| {
            while began.elapsed() < lasting {
                let kind = line.any_kind();
                line.suffer(kind, 300..1_200)?;
            }
            Ok(())
        });
        over.store(true, Ordering::Relaxed);
        (suffered, looking.join())
    });
    let looks = looks.ok().context("the look at the processes panicked")??;
    let seed = rng.seed();
    suffered.map_err(|error| error.context(format!("SENSOCK_SEED={seed}")))?;
    at_once(&mut lines, |_, line| line.end())?;
    daemon.stop()?;

    let kept = Ledger::open(&store)?.kept()?;
    let faults: Vec<String> = lines.iter().flat_map(|line| line.faults(&kept)).collect();
    let mut recoveries: Vec<Duration> = lines.iter().flat_map(|l| &l.struck).map(|s| s.recovery).collect();
    recoveries.sort();
    let records: usize = lines.iter().map(|line| line.fleet.accepted()).sum();
    announce(&format!(
        "soak: {} devices, {:.0} s, {} faults, {records} records, {} wrong; recovery p50 {} ms, p99 {} ms",
        u32::from(LINES) * DEVICES,
        lasting.as_secs_f64(),
        recoveries.len(),
        faults.len(),
        quantile(&recoveries, 0.5).as_millis(),
        quantile(&recoveries, 0.99).as_millis(),
    ));
    let mut grown = vec![];
    for (n, (name, _)) in pids.iter().enumerate() {
        let of_it: Vec<Usage> = looks.iter().map(|look| look[n]).collect();
        let third = of_it.len() / 3;
        ensure!(third > 10, "{name} was looked at {} times only", of_it.len());
        let [second, last] = [&of_it[third..2 * third], &of_it[2 * third..]].map(Usage::median);
        announce(&format!("soak: {name:<8} second third {second}; last third {last}"));
        let tenths = of_it.chunks(of_it.len().div_ceil(10)).map(|part| Usage::median(part).mib());
        announce(&format!("soak: {name:<8} MiB by tenth: {}", tenths.collect::<Vec<_>>().join(", ")));
        let most = tolerated(second);
        if last.kib > most.kib || last.files > most.files || last.threads > most.threads {
            grown.push(format!("{name} has grown from {second} to {last}; tolerated: {most}"));
        }
    }
    ensure!(faults.is_empty(), "SENSOCK_SEED={seed}: {} faults\n{}", faults.len(), faults.join("\n"));
    ensure!(grown.is_empty(), "SENSOCK_SEED={seed}: {}", grown.join("\n"));
    Ok(())
}

/// Looks at all processes until it is over.
fn look(pids: &[(&str, u32)], over: &AtomicBool) -> Result<Vec<Vec<Usage>>> {
    let mut looks = vec![];
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
        looks.push(pids.iter().map(|(_, pid)| Usage::of(*pid)).collect::<Result<Vec<_>>>()?);
    }
    Ok(looks)
}
