//! The simulation is built with mistakes that it has to find, each in a path that is shipped.

use crate::cargo::cargo;
use crate::plan::{Context, Done};
use crate::run;
use anyhow::{Result, ensure};
use std::process::Command;
use std::time::Instant;

/// Simulated device-hours within which each must be found.
const HOURS: &str = "3000";

/// One build holds all of them; each run makes one, and has to fail.
pub fn planted(context: &Context) -> Result<Done> {
    let target = context.root.join("target/planted");
    let mut build = cargo(context);
    build.args(["build", "--release", "--locked", "-p", "sensock-sim"]).arg("--target-dir").arg(&target);
    run::run(build.env("RUSTFLAGS", "--cfg sensock_planted"))?;
    let program = target.join("release/sensock-sim");
    let list = run::output(Command::new(&program).arg("--list-planted"))?;
    let names: Vec<&str> = list.lines().filter_map(|line| line.split(':').next()).collect();
    ensure!(names.len() >= 15, "only {} mistakes are listed: {list}", names.len());
    let mut missed = vec![];
    for name in &names {
        let begun = Instant::now();
        let found =
            Command::new(&program).args(["--device-hours", HOURS, "--brief", "--planted", name]).output()?;
        let said = String::from_utf8_lossy(&found.stdout);
        println!("{name:<20} {:>6.1} s  {}", begun.elapsed().as_secs_f64(), said.trim());
        // It fails with the seed that showed it; anything else is no finding.
        if found.status.success() || !said.contains("failed after") {
            missed.push(*name);
        }
    }
    ensure!(missed.is_empty(), "not found: {}", missed.join(", "));
    Ok(Done::Noted(format!("{} mistakes, all found", names.len())))
}
