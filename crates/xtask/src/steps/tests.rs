//! All tests.

use crate::cargo::{cargo, target};
use crate::part::Part;
use crate::plan::{Context, Done};
use crate::run;
use anyhow::Result;

/// `cargo test` over the workspace, the core once more with the ways that it takes on a chip, and what of the example firmware runs without a board;
/// suites that need MariaDB or mosquitto are demanded unless these may be missing.
pub fn tests(context: &Context) -> Result<Done> {
    let (mut there, mut skipped) = (vec![], vec![]);
    for part in [Part::Mariadb, Part::Mosquitto] {
        match context.require(part)? {
            None => there.push(part.name()),
            Some(why) => skipped.push(why),
        }
    }
    let mut command = cargo(context);
    command.args(["test", "--workspace", "--all-features", "--no-fail-fast", "--locked"]);
    // All programs are built before the first test begins: suites take them as they are.
    command.env("SENSOCK_BUILT", "1");
    if !there.is_empty() {
        command.env("SENSOCK_REQUIRE", there.join(","));
    }
    run::run(&mut command)?;
    let mut small = cargo(context);
    small.args([
        "test",
        "--package",
        "sensock",
        "--all-features",
        "--lib",
        "--tests",
        "--no-fail-fast",
        "--locked",
    ]);
    run::run(small.env("RUSTFLAGS", "--cfg sensock_small"))?;
    let mut firmware = cargo(context);
    firmware.args([
        "test",
        "--manifest-path",
        "examples/embassy/Cargo.toml",
        "--package",
        "example-embassy-app",
    ]);
    run::run(firmware.args(["--no-fail-fast", "--locked", "--target-dir"]).arg(target(context)))?;
    Ok(if skipped.is_empty() { Done::Passed } else { Done::Partly(skipped.join("; ")) })
}
