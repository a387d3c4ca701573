//! Publishing.

use crate::cargo::{Metadata, cargo};
use crate::plan::{Context, Done};
use crate::run;
use anyhow::{Result, ensure};
use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Every package that is to be published is packed, unpacked and built from its own files alone, and carries both licences.
pub fn package(context: &Context) -> Result<Done> {
    let metadata = Metadata::read(context)?;
    let members = metadata.members();
    let publishable: Vec<&str> = members.iter().filter(|p| p.is_publishable()).map(|p| p.name()).collect();
    for name in &publishable {
        let files =
            run::output(cargo(context).args(["package", "--list", "--allow-dirty", "--package", name]))?;
        for licence in LICENCES {
            ensure!(files.lines().any(|file| file == licence), "{name} would be published without {licence}");
        }
    }
    let mut command = cargo(context);
    command.args(["package", "--locked"]);
    for name in &publishable {
        command.args(["--package", name]);
    }
    if std::env::var_os("CI").is_none() {
        command.arg("--allow-dirty");
    }
    // Cargo keeps what it unpacked and built by name and version: in a place that was used before it would build yesterday's files.
    let fresh = fresh_place(context)?;
    command.env("CARGO_TARGET_DIR", &fresh);
    let packed = run::run(&mut command);
    // What is left behind costs space and nothing else.
    let _ = fs::remove_dir_all(&fresh);
    packed?;
    Ok(Done::Noted(format!("to be published: {}", publishable.join(" "))))
}

/// A directory below `target` that no run used before.
fn fresh_place(context: &Context) -> Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    Ok(context.root.join("target").join(format!("package-{now}")))
}
