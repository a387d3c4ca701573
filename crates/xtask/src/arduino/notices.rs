//! Whose work is inside of the archive, with the licences it comes under.

use crate::cargo::{Metadata, cargo};
use crate::part::DEBIAN_RUSTC;
use crate::plan::Context;
use crate::run;
use anyhow::{Context as _, Result, ensure};
use std::fmt::Write as _;
use std::path::Path;

/// The notices, made of what `sensock-ffi` links.
pub fn text(context: &Context, metadata: &Metadata) -> Result<String> {
    let mut out = String::from(
        "# Third-party notices\n\nThe static library holds code of the packages below, under the licences that each gives here.\n",
    );
    // Procedural macros write code and are not linked.
    let mut tree = cargo(context);
    tree.args(["tree", "--locked", "--package", "sensock-ffi", "--edges", "normal,no-proc-macro"]);
    tree.args(["--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"]);
    let mut linked: Vec<String> = run::output(&mut tree)?.lines().map(str::to_owned).collect();
    linked.sort();
    linked.dedup();
    for line in &linked {
        let (package, licence) = line.split_once('|').context("cargo tree says package|licence")?;
        let mut words = package.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if name.starts_with("sensock") {
            continue;
        }
        let folder = metadata.folder_of(name, version.trim_start_matches('v'));
        let folder = folder.with_context(|| format!("{name} {version} is not in the metadata"))?;
        write!(out, "\n## {name} {version}\n\n{licence}\n")?;
        let texts = licences(folder)?;
        ensure!(!texts.is_empty(), "{name} {version} brings no licence text");
        texts.iter().try_for_each(|(file, text)| {
            write!(out, "\n### {file}\n\n```text\n{}\n```\n", text.trim_end())
        })?;
    }
    let compiler = run::output(std::process::Command::new(DEBIAN_RUSTC).arg("--version"))?;
    write!(
        out,
        "\n## core and compiler-builtins, of {}\n\nCopyright (c) The Rust Project Developers and contributors. MIT OR Apache-2.0, and for compiler-builtins also \
         Apache-2.0 with the LLVM exception: <https://github.com/rust-lang/rust/blob/main/COPYRIGHT>. The texts of both licences are in this archive.\n",
        compiler.trim()
    )?;
    Ok(out)
}

/// Names and contents of a folder's licence files.
fn licences(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("LICENSE") || name.starts_with("LICENCE") || name.starts_with("COPYING") {
            found.push((name, std::fs::read_to_string(entry.path())?));
        }
    }
    found.sort();
    Ok(found)
}
