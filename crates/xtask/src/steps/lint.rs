//! Formatting and lints.

use crate::cargo::cargo;
use crate::plan::{Context, Done};
use crate::run;
use anyhow::Result;

/// `cargo fmt --check`.
pub fn format(context: &Context) -> Result<Done> {
    run::run(cargo(context).args(["fmt", "--all", "--check"]))?;
    Ok(Done::Passed)
}

/// Clippy with denied warnings over everything, the fuzz targets' own workspace apart.
pub fn clippy(context: &Context) -> Result<Done> {
    let mut command = cargo(context);
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
        "--",
        "-Dwarnings",
    ]);
    run::run(&mut command)?;
    Ok(Done::Passed)
}
