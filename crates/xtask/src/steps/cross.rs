//! Bare metal: `sensock`, `sensock-device` and `sensock-rules` with nothing but `core`.
//!
//! `-Zbuild-std=core` builds `core` and nothing else, so a crate that names `alloc` or `std`, or depends on one
//! that does, cannot compile. Debian's compiler is used because its package brings the sources of `core`.

use crate::cargo::{Metadata, unbound};
use crate::part::{DEBIAN_CARGO, DEBIAN_RUSTC, Part};
use crate::plan::{Context, Done};
use crate::run;
use anyhow::Result;

const TARGETS: [&str; 3] = ["thumbv6m-none-eabi", "thumbv7m-none-eabi", "riscv32imc-unknown-none-elf"];
const PACKAGES: [&str; 3] = ["sensock", "sensock-device", "sensock-rules"];
/// Features for hosts; all others must build on bare metal too.
const HOST_FEATURES: [&str; 2] = ["std", "tokio"];

/// Each target, without features and with all that are not for hosts.
pub fn cross(context: &Context) -> Result<Done> {
    if let Some(why) = context.require(Part::Cross)? {
        return Ok(Done::Skipped(why));
    }
    let metadata = Metadata::read(context)?;
    let mut features = Vec::new();
    for package in metadata.members().iter().filter(|package| PACKAGES.contains(&package.name())) {
        let bare = package.features().into_iter().filter(|feature| !HOST_FEATURES.contains(feature));
        features.extend(bare.map(|feature| format!("{}/{feature}", package.name())));
    }
    for target in TARGETS {
        check(context, target, &[])?;
        if !features.is_empty() {
            check(context, target, &features)?;
        }
    }
    let with = if features.is_empty() { "there are no features".into() } else { features.join(" ") };
    Ok(Done::Noted(format!("{}; with and without features: {with}", TARGETS.join(" "))))
}

fn check(context: &Context, target: &str, features: &[String]) -> Result<()> {
    let mut command = unbound(DEBIAN_CARGO, context);
    // The variable lets a stable compiler take -Z; build-std has no stable form.
    command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
    command.args([
        "check",
        "--locked",
        "--target-dir",
        "target/cross",
        "-Zbuild-std=core",
        "--target",
        target,
    ]);
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    command.arg("--no-default-features");
    if !features.is_empty() {
        command.args(["--features", &features.join(",")]);
    }
    run::run(&mut command)
}
