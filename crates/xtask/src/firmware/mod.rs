//! `cargo xtask firmware`: builds the firmware of all boards and runs it under QEMU against the real server.
//!
//! Images lie in `target/firmware/TARGET/release`, built by Debian's compiler. The tests are those of `crates/boards` and the LX106 suite of
//! `crates/ffi`; they find the images by the variable `SENSOCK_FIRMWARE`. Each image is built with a key of its own, and the server is given all.

mod images;
mod keys;
mod suites;

use crate::part::Part;
use crate::plan::{Context, Done};
use crate::test;
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

pub use images::Board;
pub use keys::line_of as key_of;

/// What the command line can say.
#[derive(clap::Args)]
pub struct Options {
    /// These boards only.
    #[arg(long, value_enum, value_delimiter = ',')]
    board: Vec<Board>,
    /// Only build, or only run the tests with the images that are there.
    #[arg(long, value_enum)]
    only: Option<Half>,
    /// Skip, rather than fail, what needs these parts if they are missing.
    #[arg(long, value_delimiter = ',')]
    allow_missing: Vec<Part>,
}

/// One half of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Half {
    /// Build the images.
    Build,
    /// Run the tests.
    Tests,
}

/// Where the tests find the images.
pub const VARIABLE: &str = "SENSOCK_FIRMWARE";
/// What `SENSOCK_REQUIRE` demands them by.
pub const REQUIRED: &str = "firmware";

/// Says whether all passed.
pub fn run(options: Options) -> Result<bool> {
    let context = Context {
        root: test::workspace(),
        allow_missing: options.allow_missing.iter().copied().collect(),
        fuzz_seconds: 0,
    };
    let wanted = |board: &Board| options.board.is_empty() || options.board.contains(board);
    let boards = Board::all().filter(wanted).collect();
    let (boards, skipped) = possible(&context, boards)?;
    skipped.iter().for_each(|why| println!("SKIPPED: {why}"));
    if options.only != Some(Half::Tests) {
        let began = Instant::now();
        images::build(&context, &boards)?;
        println!("built in {} s", began.elapsed().as_secs());
    }
    match options.only {
        Some(Half::Build) => {}
        _ if options.board.is_empty() && skipped.is_empty() => {
            suites::run(&context)?;
        }
        _ => println!("the tests were not run: they need all boards, and QEMU"),
    }
    Ok(true)
}

/// The same as a step of the test command.
pub fn step(context: &Context) -> Result<Done> {
    let (boards, skipped) = possible(context, Board::all().collect())?;
    if boards.is_empty() {
        return Ok(Done::Skipped(skipped.join("; ")));
    }
    images::build(context, &boards)?;
    if !skipped.is_empty() {
        return Ok(Done::Partly(format!("{}; the boards were built but not run", skipped.join("; "))));
    }
    Ok(Done::Noted(suites::run(context)?))
}

/// Builds the images that proofs need; where they lie, or `None` if a part is missing that may be missing.
pub fn for_proofs(context: &Context) -> Result<Option<PathBuf>> {
    let (boards, skipped) = possible(context, Board::all().collect())?;
    if !skipped.is_empty() {
        return Ok(None);
    }
    images::build(context, &boards)?;
    Ok(Some(images::directory(context)))
}

/// The boards that can be built here, and why others, or the tests, cannot.
fn possible(context: &Context, mut boards: BTreeSet<Board>) -> Result<(BTreeSet<Board>, Vec<String>)> {
    let mut skipped = Vec::new();
    if let Some(why) = context.require(Part::Cross)? {
        boards.clear();
        skipped.push(why);
    }
    if let Some(why) = context.require(Part::Lx106)? {
        boards.remove(&Board::Lx106);
        skipped.push(why);
    }
    if let Some(why) = context.require(Part::Qemu)? {
        skipped.push(why);
    }
    Ok((boards, skipped))
}
