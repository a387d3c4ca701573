//! Documentation.

use crate::cargo::cargo;
use crate::plan::{Context, Done};
use crate::run;
use anyhow::Result;

/// Rustdoc with denied warnings: broken links and missing pages are errors.
pub fn docs(context: &Context) -> Result<Done> {
    let mut command = cargo(context);
    command.args(["doc", "--workspace", "--all-features", "--no-deps", "--locked"]);
    run::run(command.env("RUSTDOCFLAGS", "-Dwarnings"))?;
    Ok(Done::Passed)
}
