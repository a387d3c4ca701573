//! `cargo xtask prove`: the same proofs as in the tests, in their long form.
//!
//! A proof is a test whose name begins with `prove_`. The test command runs it in a short form; here it runs
//! optimised, alone, with `SENSOCK_EFFORT=long` (which `sensock_testkit::effort` reads), ignored ones included, and
//! with its figures shown.

use crate::part::Part;
use crate::plan::{self, Context, Done, Step};
use crate::{cargo, firmware, planted, run, steps, test};
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the command line can say.
#[derive(clap::Args)]
pub struct Options {
    /// Run only the proofs whose names contain one of these words.
    names: Vec<String>,
    /// Where recordings lie that cannot be bundled; proofs that need them say so when it is not given.
    #[arg(long)]
    data: Option<PathBuf>,
    /// How long each fuzz target runs; 0 for none.
    #[arg(long, default_value_t = 1800)]
    fuzz_seconds: u32,
    /// Skip, rather than fail, what needs these parts if they are missing.
    #[arg(long, value_delimiter = ',')]
    allow_missing: Vec<Part>,
    /// Print the names of the proofs, and run none.
    #[arg(long)]
    list: bool,
}

/// Says whether all passed.
pub fn run(options: Options) -> Result<bool> {
    let context = Context {
        root: test::workspace(),
        allow_missing: options.allow_missing.into_iter().collect(),
        fuzz_seconds: options.fuzz_seconds,
    };
    let names = if options.names.is_empty() { vec!["prove_".into()] } else { options.names };
    if options.list {
        find(&context, &names)?.iter().for_each(|name| println!("{name}"));
        return Ok(true);
    }
    let whole = names.iter().any(|name| matches!(name.as_str(), "prove_" | "planted"));
    let data = options.data.map(std::fs::canonicalize).transpose()?;
    ensure!(data.as_ref().is_none_or(|data| data.is_dir()), "--data must name a directory");
    let proofs_too = names != ["planted"];
    let mut steps = vec![Step::new(
        "proofs",
        "every test named prove_…, optimised and in its long form",
        move |context| proofs(context, &names, data.as_deref()),
    )];
    if !proofs_too {
        steps.clear();
    }
    if whole {
        let words = "mistakes that are built into what is shipped: the simulation finds every one";
        steps.push(Step::new("planted", words, planted::planted));
    }
    if context.fuzz_seconds > 0 {
        steps.push(Step::new("fuzz", "every fuzz target, for long", steps::fuzz::fuzz));
    }
    Ok(plan::run(&steps, &context))
}

fn proofs(context: &Context, names: &[String], data: Option<&Path>) -> Result<Done> {
    let skipped = context.require(Part::Mariadb)?;
    let firmware = if names.iter().any(|name| name == "prove_" || name.contains("boards")) {
        firmware::for_proofs(context)?
    } else {
        None
    };
    let found = find(context, names)?;
    let mut command = suite(context);
    command.args(["--nocapture", "--test-threads=1", "--exact"]).args(&found).env("SENSOCK_EFFORT", "long");
    if skipped.is_none() {
        command.env("SENSOCK_REQUIRE", Part::Mariadb.name());
    }
    if let Some(images) = firmware {
        command.env(firmware::VARIABLE, images);
    }
    if let Some(data) = data {
        command.env("SENSOCK_DATA", data);
    }
    run::run(&mut command)?;
    Ok(skipped.map_or(Done::Noted(format!("{} proofs", found.len())), Done::Partly))
}

/// The full names of the proofs; none is an error, since a run that proves nothing must not pass.
fn find(context: &Context, names: &[String]) -> Result<Vec<String>> {
    let text = run::output(suite(context).arg("--list").args(names))?;
    let found = text.lines().filter_map(|line| line.strip_suffix(": test"));
    let found: Vec<String> = found.filter(|name| name.contains("prove_")).map(str::to_owned).collect();
    ensure!(!found.is_empty(), "there is no test named prove_… that matches {}", names.join(" or "));
    Ok(found)
}

/// All tests of the workspace, optimised; arguments for the test programs may follow.
fn suite(context: &Context) -> Command {
    let mut command = cargo::cargo(context);
    command.args(["test", "--workspace", "--all-features", "--release", "--locked", "--no-fail-fast"]);
    command.args(["--lib", "--bins", "--tests", "--", "--include-ignored"]);
    command
}
