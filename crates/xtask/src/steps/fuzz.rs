//! Fuzz targets.

use crate::cargo::unbound;
use crate::part::{Part, has_nightly};
use crate::plan::{Context, Done};
use crate::run;
use anyhow::{Context as _, Result, ensure};
use std::path::Path;

/// Runs each target of `fuzz/` for the chosen time, starting from its named seeds in `fuzz/corpus`.
///
/// What a run finds interesting goes to `target/fuzz-corpus`, never among the seeds; what crashes a target goes to
/// `fuzz/artifacts` and the step fails. The seeds themselves run as plain tests everywhere.
pub fn fuzz(context: &Context) -> Result<Done> {
    let folder = context.root.join("fuzz");
    ensure!(
        folder.join("Cargo.toml").is_file(),
        "fuzz/Cargo.toml does not exist; the fuzz targets belong there"
    );
    if !has_nightly() {
        return Ok(Done::Skipped("no nightly toolchain; the seeds ran as plain tests".into()));
    }
    if let Some(why) = context.require(Part::Fuzz)? {
        return Ok(Done::Skipped(why));
    }
    let targets = targets(&folder)?;
    ensure!(!targets.is_empty(), "fuzz/fuzz_targets holds no target");
    let cargo_fuzz = |arguments: &[&str]| {
        let mut command = unbound("rustup", context);
        command.current_dir(&folder).args(["run", "nightly", "cargo", "fuzz"]).args(arguments);
        command
    };
    // All at once: one after the other they would be linked on one core.
    run::run(&mut cargo_fuzz(&["build"]))?;
    for target in &targets {
        let found = context.root.join("target/fuzz-corpus").join(target);
        std::fs::create_dir_all(&found)?;
        let mut command = cargo_fuzz(&["run", target]);
        command.arg(&found);
        let seeds = folder.join("corpus").join(target);
        ensure!(seeds.is_dir(), "fuzz/corpus/{target} does not exist; every target starts from named seeds");
        command.arg(&seeds).args(["--", "-print_final_stats=1"]);
        command.arg(format!("-max_total_time={}", context.fuzz_seconds));
        run::run(&mut command)?;
    }
    Ok(Done::Noted(format!("{} s each: {}", context.fuzz_seconds, targets.join(" "))))
}

fn targets(folder: &Path) -> Result<Vec<String>> {
    let files = std::fs::read_dir(folder.join("fuzz_targets")).context("fuzz/fuzz_targets cannot be read")?;
    let mut names = Vec::new();
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}
