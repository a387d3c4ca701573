//! The examples and the demo.

use crate::cargo::{Metadata, cargo, programs};
use crate::plan::{Context, Done};
use crate::run;
use anyhow::{Context as _, Result, ensure};
use std::process::Command;
use std::time::Duration;

/// An example shows its point and ends.
const EXAMPLE_LIMIT: Duration = Duration::from_secs(60);
/// The demo ends within a minute on a machine that does nothing else.
const DEMO_LIMIT: Duration = Duration::from_secs(180);

/// Runs every example of `sensock-server`: each is a whole program that ends by itself with exit code 0.
pub fn examples(context: &Context) -> Result<Done> {
    let metadata = Metadata::read(context)?;
    let members = metadata.members();
    let server = members.iter().find(|package| package.name() == "sensock-server");
    let names = server.context("there is no package sensock-server")?.targets("example");
    ensure!(
        !names.is_empty(),
        "crates/server/examples holds no example; the README's first one belongs there"
    );
    let programs = programs(context)?.join("examples");
    for name in &names {
        run::run_within(EXAMPLE_LIMIT, Command::new(programs.join(name)).current_dir(&context.root))?;
    }
    Ok(Done::Noted(names.join(" ")))
}

/// Runs the README's demo, which ends with exit code 0 only if its own verification adds up.
pub fn demo(context: &Context) -> Result<Done> {
    run::run(cargo(context).args(["build", "--locked", "--package", "example-server"]))?;
    let mut command = cargo(context);
    command.args(["run", "--locked", "--package", "example-server", "--", "--demo"]);
    run::run_within(DEMO_LIMIT, &mut command)?;
    Ok(Done::Passed)
}
