//! What this project is built from: licences, sources, banned crates, advisories; the core's own list; and where `unsafe` may stand.

use super::WORKSPACES;
use crate::cargo::cargo;
use crate::part::Part;
use crate::plan::{Context, Done};
use crate::run;
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// All that the core is built from, by feature. One more is a decision, taken here.
const CORE: [(&str, &[&str]); 2] = [
    ("", &["cobs", "postcard", "serde", "serde_core", "thiserror"]),
    (
        "seal",
        &[
            "aead",
            "block-buffer",
            "cfg-if",
            "chacha20",
            "chacha20poly1305",
            "cipher",
            "cmov",
            "cobs",
            "cpufeatures",
            "crypto-common",
            "ctutils",
            "curve25519-dalek",
            "digest",
            "hmac",
            "hybrid-array",
            "inout",
            "poly1305",
            "postcard",
            "rand_core",
            "serde",
            "serde_core",
            "sha2",
            "subtle",
            "thiserror",
            "typenum",
            "universal-hash",
            "x25519-dalek",
            "zeroize",
        ],
    ),
];

/// Where C calls in, where registers are, and where an interrupt polls.
const UNSAFE: [&str; 5] = [
    "crates/ffi",
    "benches/size",
    "examples/embassy/boards",
    "examples/embassy/executors",
    "examples/esp8266",
];

/// All of it.
pub fn supply(context: &Context) -> Result<Done> {
    core(context)?;
    only_where_it_may(&context.root)?;
    if let Some(why) = context.require(Part::Deny)? {
        return Ok(Done::Partly(why));
    }
    for workspace in WORKSPACES {
        run::run(deny(context, workspace).args(["check", "licenses", "bans", "sources"]))?;
    }
    // Fetched, or as it was fetched before. Where neither can be had, nothing is known, and that is said.
    let fetched = deny(context, ".").args(["fetch", "db"]).output().is_ok_and(|o| o.status.success());
    if !fetched {
        return Ok(Done::Partly("advisories NOT RUN: their database cannot be reached from here".into()));
    }
    for workspace in WORKSPACES {
        run::run(deny(context, workspace).args(["check", "advisories"]))?;
    }
    Ok(Done::Passed)
}

fn deny(context: &Context, workspace: &str) -> Command {
    let mut command = cargo(context);
    let manifest = Path::new(workspace).join("Cargo.toml");
    command.args(["deny", "--locked", "--config", "deny.toml", "--manifest-path"]).arg(manifest);
    command
}

/// Prints what the core is built from, and compares it with the list above.
fn core(context: &Context) -> Result<()> {
    for (features, expected) in CORE {
        let mut tree = cargo(context);
        tree.args(["tree", "--locked", "--package", "sensock", "--edges", "normal,no-proc-macro"]);
        tree.args(["--no-default-features", "--features", features, "--prefix", "none", "--format", "{p}"]);
        let text = run::output(&mut tree)?;
        let found = names(&text);
        let listed: Vec<&str> = found.iter().copied().collect();
        let feature = if features.is_empty() { "no feature" } else { features };
        println!("the core with {feature} is built from {}: {}", listed.len(), listed.join(" "));
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        let (more, fewer) = (listed_in(&found, &expected), listed_in(&expected, &found));
        ensure!(
            more.is_empty() && fewer.is_empty(),
            "the core with {feature} is built from others than crates/xtask/src/steps/supply.rs lists: [{more}] are new, [{fewer}] are gone"
        );
    }
    Ok(())
}

/// The names in cargo's list, without the core itself.
fn names(tree: &str) -> BTreeSet<&str> {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "sensock").collect()
}

/// Those of `these` that are not among `others`.
fn listed_in(these: &BTreeSet<&str>, others: &BTreeSet<&str>) -> String {
    these.difference(others).copied().collect::<Vec<_>>().join(" ")
}

/// `unsafe` stands in the C boundary and where registers are, and nowhere else.
fn only_where_it_may(root: &Path) -> Result<()> {
    let files = run::output(Command::new("git").current_dir(root).args(["ls-files", "*.rs"]))?;
    let mut wrong = Vec::new();
    for file in files.lines().filter(|file| !UNSAFE.iter().any(|folder| file.starts_with(folder))) {
        let text = std::fs::read_to_string(root.join(file))?;
        wrong.extend(
            text.lines().zip(1..).filter(|(line, _)| is_unsafe(line)).map(|(_, n)| format!("{file}:{n}")),
        );
    }
    ensure!(wrong.is_empty(), "unsafe code outside of {}: {}", UNSAFE.join(", "), wrong.join(", "));
    Ok(())
}

fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    // Put together, so that this very file holds none of them.
    let word = concat!("un", "safe");
    let opens =
        ["{", "fn", "impl", "extern", "trait"].iter().any(|next| code.contains(&format!("{word} {next}")));
    opens || code.contains(&format!("allow({word}_code"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_code_is_told_from_a_word_about_it() {
        let word = concat!("un", "safe");
        for code in
            [format!("    {word} {{ f() }}"), format!("pub {word} fn f()"), format!("#![allow({word}_code)]")]
        {
            assert!(is_unsafe(&code), "{code}");
        }
        for words in [format!("#![forbid({word}_code)]"), format!("// {word} {{"), "safe".into()] {
            assert!(!is_unsafe(&words), "{words}");
        }
    }

    #[test]
    fn a_new_dependency_is_named() {
        let tree = "sensock v0.1.0 (/a/b)\ncobs v0.3.0\n\nserde v1.0.229 (*)\n";
        let expected = BTreeSet::from(["cobs", "postcard"]);
        assert_eq!(listed_in(&names(tree), &expected), "serde");
        assert_eq!(listed_in(&expected, &names(tree)), "postcard");
    }
}
