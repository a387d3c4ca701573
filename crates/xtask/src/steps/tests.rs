//! All tests.

use crate::cargo::cargo;
use crate::part::Part;
use crate::plan::{Context, Done};
use crate::run;
use anyhow::Result;

/// `cargo test` over the workspace; suites that need MariaDB are demanded unless it may be missing.
pub fn tests(context: &Context) -> Result<Done> {
    let skipped = context.require(Part::Mariadb)?;
    let mut command = cargo(context);
    command.args(["test", "--workspace", "--all-features", "--no-fail-fast", "--locked"]);
    if skipped.is_none() {
        command.env("SENSOCK_REQUIRE", Part::Mariadb.name());
    }
    run::run(&mut command)?;
    Ok(skipped.map_or(Done::Passed, Done::Partly))
}
