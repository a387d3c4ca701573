//! Formatting and lints.

use super::WORKSPACES;
use crate::cargo::cargo;
use crate::plan::{Context, Done};
use crate::run;
use anyhow::Result;
use std::path::Path;

/// `cargo fmt --check` of every workspace.
pub fn format(context: &Context) -> Result<Done> {
    for workspace in WORKSPACES {
        let manifest = Path::new(workspace).join("Cargo.toml");
        run::run(cargo(context).args(["fmt", "--all", "--check", "--manifest-path"]).arg(manifest))?;
    }
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
