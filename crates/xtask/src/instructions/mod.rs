//! `cargo xtask instructions`: counts instructions under valgrind, and holds them against limits and a baseline.
//!
//! A count says the same on every machine and under any load, so it can be a gate where time cannot. Two things are
//! held: how many times the instructions of a peer we may take, in the same run, and that no count of ours grows
//! unnoticed. Compilers differ: against a baseline of another compiler only the ratios are held, and that is said.

mod baseline;
mod counts;

use crate::cargo::{Metadata, cargo};
use crate::part::{GUNGRAUN, Part};
use crate::plan::{self, Context, Done, Step};
use crate::{run, test};
use anyhow::{Result, bail, ensure};
use baseline::Baseline;
use counts::Counts;
use std::process::Command;

/// What the command line can say.
#[derive(clap::Args)]
pub struct Options {
    /// Write what is counted as the new baseline.
    #[arg(long)]
    bless: bool,
}

/// At most so many times a peer's instructions, in the worst of all series.
struct Limit {
    ours: &'static str,
    peer: &'static str,
    /// More than this fails.
    most: f64,
    /// What it is to come to; as long as it is missed, each run says so.
    aim: f64,
}

const fn limit(ours: &'static str, peer: &'static str, most: f64) -> Limit {
    Limit { ours, peer, most, aim: most }
}

const LIMITS: [Limit; 4] = [
    limit("one_encode_sensock", "one_encode_postcard", 1.2),
    Limit { aim: 1.2, ..limit("one_decode_sensock", "one_decode_postcard", 1.45) },
    limit("many_encode_sensock", "many_encode_postcard", 1.5),
    limit("many_decode_sensock", "many_decode_postcard", 1.5),
];

/// Says whether all limits hold; with `--bless`, also when the baseline did not.
pub fn run(options: Options) -> Result<bool> {
    let context = Context { root: test::workspace(), allow_missing: [].into(), fuzz_seconds: 0 };
    let step = if options.bless {
        Step::new("bless", "instructions are counted anew", |context| check(context, true))
    } else {
        Step::new("instructions", CHECKS, instructions)
    };
    Ok(plan::run(&[step], &context))
}

/// For the list of steps.
pub const CHECKS: &str = "no more instructions than recorded, nor than the peers allow";

/// Counts, and holds the counts against the limits and the baseline.
pub fn instructions(context: &Context) -> Result<Done> {
    if let Some(why) = context.require(Part::Valgrind)? {
        return Ok(Done::Skipped(why));
    }
    check(context, false)
}

fn check(context: &Context, bless: bool) -> Result<Done> {
    if let Some(why) = Part::Valgrind.missing() {
        bail!("{why}");
    }
    let metadata = Metadata::read(context)?;
    let locked = metadata.version_of("gungraun").unwrap_or_default();
    ensure!(
        locked == GUNGRAUN,
        "Cargo.lock has gungraun {locked}, its program is installed as {GUNGRAUN}; make both the same"
    );
    let mut command = cargo(context);
    command.args(["bench", "--locked", "--package", "benches-instructions", "--bench", "instructions"]);
    let counts = Counts::read(&run::output(command.args(["--", "--output-format=json"]))?)?;
    let compiler = compiler()?;
    let path = context.root.join("benches/instructions/recorded.toml");
    let old = Baseline::read(&path)?;
    show(&counts, &old);
    let (mut broken, missed) = over_limits(&counts)?;
    let mut note = format!("{} counts{missed}", counts.ours().count());
    if bless {
        Baseline::of(&counts, &compiler).write(&path)?;
    } else if old.compiler == compiler {
        broken.extend(old.compare(&counts));
    } else {
        note = format!(
            "counts are not held: the baseline is of {}, this is {compiler}; only ratios are",
            old.compiler
        );
    }
    ensure!(broken.is_empty(), "{}", broken.join("; "));
    Ok(if bless || old.compiler == compiler { Done::Noted(note) } else { Done::Partly(note) })
}

/// What is above its limit, and what only misses its aim.
fn over_limits(counts: &Counts) -> Result<(Vec<String>, String)> {
    let (mut broken, mut missed) = (Vec::new(), String::new());
    for Limit { ours, peer, most, aim } in LIMITS {
        let ratio = counts.ratio(ours, peer)?;
        println!(
            "{ours}: {:.2} of {peer} ({:.2} in the median), may be {most:.2}",
            ratio.worst, ratio.median
        );
        if ratio.worst > most {
            broken.push(format!("{ours} takes {:.2} times {peer}, more than {most:.2}", ratio.worst));
        } else if ratio.worst > aim {
            missed += &format!("; {ours} takes {:.2} times {peer}, its aim is {aim:.2}", ratio.worst);
        }
    }
    Ok((broken, missed))
}

fn show(counts: &Counts, old: &Baseline) {
    println!("{:<26} {:>9} {:>9} {:>9}", "instructions", "median", "worst", "recorded");
    for (name, series) in counts.all() {
        let recorded = old.counts.get(name).and_then(|series| series.iter().max());
        let recorded = recorded.map_or("-".into(), u64::to_string);
        println!("{name:<26} {:>9} {:>9} {recorded:>9}", counts::median(series), counts::worst(series));
    }
}

/// The compiler's release and what it compiles for.
fn compiler() -> Result<String> {
    let text = run::output(Command::new("rustc").arg("-vV"))?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("unknown");
    Ok(format!("rustc {} {}", field("release: "), field("host: ")))
}
