//! `cargo xtask load`: builds the load generator and the server optimised, and runs it.

use crate::plan::Context;
use crate::{cargo, run, test};
use anyhow::Result;
use std::collections::BTreeSet;

/// What the command line can say.
#[derive(clap::Args)]
pub struct Options {
    /// What to measure and how, as `sensock-load --help` says; everything unless said.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Says that all limits hold; one that does not is an error.
pub fn run(options: Options) -> Result<bool> {
    let context = Context { root: test::workspace(), allow_missing: BTreeSet::new(), fuzz_seconds: 0 };
    // The server is a program of its own: it lies beside the generator once both are built.
    let packages = ["--package", "example-server", "--package", "sensock-load"];
    run::run(cargo::cargo(&context).args(["build", "--release", "--locked", "--bins"]).args(packages))?;
    let generator = ["run", "--release", "--locked", "--quiet", "--package", "sensock-load", "--"];
    run::run(cargo::cargo(&context).args(generator).args(options.arguments))?;
    Ok(true)
}
