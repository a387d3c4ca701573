//! Publishing.

use crate::cargo::{Metadata, cargo};
use crate::plan::{Context, Done};
use crate::run;
use anyhow::{Result, ensure};

const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Every package is packed, unpacked and built from its own files alone; those to be published carry both licences.
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
    command.args(["package", "--workspace", "--locked"]);
    if std::env::var_os("CI").is_none() {
        command.arg("--allow-dirty");
    }
    run::run(&mut command)?;
    Ok(Done::Noted(format!("to be published: {}", publishable.join(" "))))
}
