//! Real devices and a real server with a faulty network between them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sensock_testkit::effort;
use sensock_testkit::require::announce;
use sensock_testkit::rng::Rng;

use crate::daemon::Daemon;
use crate::fault::Kind;
use crate::ledger::Ledger;
use crate::line::{DEVICES, Line, at_once, quantile};

/// Lines, and faults of each kind.
const SHORT: (u8, usize) = (7, 2);
const LONG: (u8, usize) = (10, 200);
/// In the long form, which runs alone on its machine.
const RECOVERY_P99: Duration = Duration::from_secs(3);

#[test]
fn prove_proxy_faults() -> Result<()> {
    let (lines, each) = effort::size(SHORT, LONG);
    let began = Instant::now();
    let mut rng = Rng::from_env_or_random("SENSOCK_SEED");
    let directory = tempfile::tempdir()?;
    let store = format!("sqlite:{}", directory.path().join("lines.sqlite").display());
    let mut daemon = Daemon::new(&store)?.with(&["--ping-interval", "500ms", "--log", "quiet"]);
    daemon.start(None)?;
    let address = daemon.address();
    let start = |n: u8| Line::start("house", n, address, rng.fork(n.into()), directory.path());
    let mut all = (1..=lines).map(start).collect::<Result<Vec<_>>>()?;

    let mut kinds: Vec<Kind> = Kind::ALL.iter().flat_map(|kind| vec![*kind; each]).collect();
    for n in (1..kinds.len()).rev() {
        kinds.swap(n, rng.within(0..n as u64 + 1) as usize);
    }
    let outcome = at_once(&mut all, |n, line| {
        let mine = kinds.iter().skip(n).step_by(lines.into());
        mine.copied().try_for_each(|kind| line.suffer(kind, 100..400))?;
        line.end()
    });
    daemon.stop()?;
    let seed = rng.seed();
    outcome.map_err(|error| error.context(format!("SENSOCK_SEED={seed}")))?;

    let kept = Ledger::open(&store)?.kept()?;
    let faults: Vec<String> = all.iter().flat_map(|line| line.faults(&kept)).collect();
    let wrongs: Vec<_> = all.iter().flat_map(|line| line.wrongs(&kept)).collect();
    let records: usize = all.iter().map(|line| line.fleet.accepted()).sum();
    let mut table = format!(
        "{} devices behind {lines} lines, ping 500 ms, backoff cap 1 s: {records} records, {:.0} s\n\
         {:<20} {:>6} {:>6} {:>10}   recovery {:>6} {:>8} {:>8}",
        u32::from(lines) * DEVICES,
        began.elapsed().as_secs_f64(),
        "fault",
        "faults",
        "lost",
        "duplicated",
        "p50",
        "p99",
        "max"
    );
    let struck = || all.iter().flat_map(|line| &line.struck);
    let mut worst = Duration::ZERO;
    for kind in Kind::ALL.into_iter().map(Some).chain([None]) {
        let mut times: Vec<Duration> =
            struck().filter(|s| kind.is_none_or(|kind| s.kind == kind)).map(|s| s.recovery).collect();
        times.sort();
        let count = |is_lost: bool| {
            wrongs.iter().filter(|w| (kind.is_none() || w.0 == kind) && w.1 == is_lost).count()
        };
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|q| quantile(&times, q).as_millis());
        writeln!(
            table,
            "\n{:<20} {:>6} {:>6} {:>10}   {p50:>12} ms {p99:>5} ms {max:>5} ms",
            kind.map_or("all".to_owned(), |kind| kind.to_string()),
            times.len(),
            count(true),
            count(false)
        )?;
        table.truncate(table.trim_end().len());
        worst = worst.max(quantile(&times, 0.99));
    }
    announce(&table);
    ensure!(faults.is_empty(), "SENSOCK_SEED={seed}: {} faults\n{}", faults.len(), faults.join("\n"));
    ensure!(wrongs.is_empty() && struck().count() == kinds.len(), "{wrongs:?}");
    ensure!(
        effort::size(true, worst < RECOVERY_P99),
        "SENSOCK_SEED={seed}: recovery p99 {worst:?}, expected below {RECOVERY_P99:?}"
    );
    Ok(())
}
