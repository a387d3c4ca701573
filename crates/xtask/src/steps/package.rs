//! Publishing.

use crate::cargo::{Metadata, cargo};
use crate::plan::{Context, Done};
use crate::run;
use anyhow::{Result, ensure};
use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Packed and not built: with TLS and all that programs are made of they take longer to build than the libraries together.
const HEAVY: [&str; 2] = ["example-device", "example-server"];

/// Every package that is to be published is packed, and carries both licences; the libraries are unpacked and built from their own files alone.
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
    let pack = |names: &[&str], more: &[&str]| {
        let mut command = cargo(context);
        command.args(["package", "--locked"]).args(more);
        for name in names {
            command.args(["--package", name]);
        }
        if std::env::var_os("CI").is_none() {
            command.arg("--allow-dirty");
        }
        command
    };
    let built: Vec<&str> = publishable.iter().copied().filter(|name| !HEAVY.contains(name)).collect();
    // Cargo keeps what it unpacked and built by name and version: in a place that was used before it would build yesterday's files.
    let fresh = fresh_place(context)?;
    let packed = run::run(pack(&publishable, &["--no-verify"]).env("CARGO_TARGET_DIR", &fresh))
        .and_then(|()| run::run(pack(&built, &[]).env("CARGO_TARGET_DIR", &fresh)));
    // What is left behind costs space and nothing else.
    let _ = fs::remove_dir_all(&fresh);
    packed?;
    Ok(Done::Noted(format!("packed and built: {}; packed: {}", built.join(" "), HEAVY.join(" "))))
}

/// A directory below `target` that no run used before.
fn fresh_place(context: &Context) -> Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    Ok(context.root.join("target").join(format!("package-{now}")))
}
