//! `cargo xtask test`: everything that must hold before a change is merged.

use crate::part::Part;
use crate::plan::{self, Context, Step};
use crate::{firmware, install, instructions, size, steps};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// What the command line can say.
#[derive(clap::Args)]
pub struct Options {
    /// First fetch what is missing (as root, on Debian 12).
    #[arg(long)]
    install: bool,
    /// Skip, rather than fail, what needs these parts if they are missing.
    #[arg(long, value_delimiter = ',')]
    allow_missing: Vec<Part>,
    /// Run these steps only.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Print the steps, and run none.
    #[arg(long)]
    list: bool,
    /// How long each fuzz target runs.
    #[arg(long, default_value_t = 10)]
    fuzz_seconds: u32,
}

/// Says whether all passed.
pub fn run(options: Options) -> Result<bool> {
    let steps = plan::select(all(), &options.only)?;
    if options.list {
        plan::list(&steps);
        return Ok(true);
    }
    let context = Context {
        root: workspace(),
        allow_missing: options.allow_missing.into_iter().collect(),
        fuzz_seconds: options.fuzz_seconds,
    };
    if options.install {
        install::missing_parts(&context)?;
    }
    Ok(plan::run(&steps, &context))
}

/// The directory above `crates/xtask`.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Cheap steps first, and those that share what they compile next to each other.
fn all() -> Vec<Step> {
    vec![
        Step::new("format", "rustfmt would change nothing", steps::lint::format),
        Step::new("clippy", "no warning, in any target with any feature", steps::lint::clippy),
        Step::new("msrv", "each package holds to the rust-version it declares", steps::msrv::msrv),
        Step::new(
            "supply",
            "licences, sources and advisories of all that is built from",
            steps::supply::supply,
        ),
        Step::new("docs", "the documentation builds without a warning", steps::docs::docs),
        Step::new("test", "all tests, MariaDB suites included", steps::tests::tests),
        Step::new("examples", "every example of the server runs to its end", steps::examples::examples),
        Step::new("instructions", instructions::CHECKS, instructions::instructions),
        Step::new("cross", "core and device build for bare metal with nothing but core", steps::cross::cross),
        Step::new(
            "size",
            "flash and memory of the device side on bare metal hold to their limits",
            size::step,
        ),
        Step::new(
            "firmware",
            "firmware builds for every board, and holds under QEMU against the real server",
            firmware::step,
        ),
        Step::new(
            "package",
            "every package that is to be published can be, licences included",
            steps::package::package,
        ),
        Step::new("fuzz", "every fuzz target, from its seeds", steps::fuzz::fuzz),
        Step::new("demo", "the demo adds up", steps::examples::demo),
    ]
}
