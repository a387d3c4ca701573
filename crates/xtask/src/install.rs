//! `--install`: fetches what is missing, from Debian 12 packages and the crates registry.

use crate::cargo::cargo;
use crate::part::{CARGO_DENY, CARGO_FUZZ, GUNGRAUN, Part, has_nightly};
use crate::plan::Context;
use crate::run;
use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum as _;
use std::process::Command;

/// Installs every missing part; asks for root only if something is missing.
pub fn missing_parts(context: &Context) -> Result<()> {
    components()?;
    let missing = |part: &Part| part.missing().is_some() && (*part != Part::Fuzz || has_nightly());
    let parts: Vec<Part> = Part::value_variants().iter().copied().filter(missing).collect();
    let packages: Vec<&str> = parts.iter().flat_map(|part| part.packages()).copied().collect();
    if !packages.is_empty() {
        debian(&packages)?;
    }
    if parts.contains(&Part::Fuzz) {
        let crate_name = format!("cargo-fuzz@{CARGO_FUZZ}");
        run::run(cargo(context).args(["install", "--locked", &crate_name]))?;
    }
    if parts.contains(&Part::Valgrind) {
        let crate_name = format!("gungraun-runner@{GUNGRAUN}");
        run::run(cargo(context).args(["install", "--locked", "--force", &crate_name]))?;
    }
    if parts.contains(&Part::Deny) {
        let crate_name = format!("cargo-deny@{CARGO_DENY}");
        // Unoptimised: it takes half as long to build, and no second longer to run.
        run::run(cargo(context).args(["install", "--locked", "--debug", &crate_name]))?;
    }
    for part in parts {
        ensure!(part.missing().is_none(), "{} is still missing after its installation", part.name());
    }
    Ok(())
}

/// A toolchain installed with rustup's minimal profile has neither.
fn components() -> Result<()> {
    for (program, component) in [("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")] {
        let works =
            Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
        if !works {
            run::run(Command::new("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}

fn debian(packages: &[&str]) -> Result<()> {
    ensure!(
        run::is_installed("apt-get"),
        "--install knows Debian 12; install by hand: {}",
        packages.join(" ")
    );
    let user = run::output(Command::new("id").arg("-u"))?;
    ensure!(user.trim() == "0", "--install needs root; run as root: apt-get install {}", packages.join(" "));
    run::run(Command::new("apt-get").arg("update")).context("the package lists cannot be fetched")?;
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    run::run(command.args(["install", "--yes", "--no-install-recommends"]).args(packages))
}
