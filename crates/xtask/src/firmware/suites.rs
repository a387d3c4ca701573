//! Running the suites: several at a time, since machines and servers mostly wait for each other.

use super::{REQUIRED, VARIABLE, images};
use crate::cargo::{cargo, programs, unbound};
use crate::part::{DEBIAN_CARGO, DEBIAN_RUSTC};
use crate::plan::Context;
use crate::run;
use anyhow::{Context as _, Result, anyhow, ensure};
use std::process::Command;
use std::time::Instant;

/// Suites by the names of their test programs. Those of a wave run side by side: in the first one nothing depends on how fast the computer is
/// (`jitter` waits for a minute, and counts instructions); the last ones measure time and have the computer to themselves.
const WAVES: [&[&str]; 3] =
    [&["journey", "idle", "vectors", "streams", "sealed", "jitter"], &["power"], &["sleeper", "lx106"]];

/// Runs all; what they said of themselves, in short.
pub fn run(context: &Context) -> Result<String> {
    run::run(&mut toolchain(context))?;
    // Compiled once, so that no two wait for each other's compiler.
    programs(context)?;
    let all = WAVES.concat();
    run::run(suites(context, &all).arg("--no-run"))?;
    let mut figures = Vec::new();
    for wave in WAVES {
        let began = Instant::now();
        let outputs = std::thread::scope(|scope| {
            let running: Vec<_> = wave.iter().map(|suite| scope.spawn(|| output(context, suite))).collect();
            let ended =
                running.into_iter().map(|suite| suite.join().map_err(|_| anyhow!("a suite panicked"))?);
            // All of them end before the first error is told.
            ended.collect::<Vec<_>>()
        });
        for (suite, output) in wave.iter().zip(outputs) {
            let (passed, text) = output?;
            println!("--- {suite}\n{text}");
            figures.extend(text.lines().filter_map(figure).map(str::to_owned));
            ensure!(passed, "suite {suite} failed; its output stands above");
        }
        println!("{}: {} s", wave.join(", "), began.elapsed().as_secs());
    }
    Ok(format!("{} suites, {} figures above", all.len(), figures.len()))
}

/// The check of what links for LX106: if that fails, nothing that a board says of the core means much.
fn toolchain(context: &Context) -> Command {
    let mut command = unbound("python3", context);
    command.arg(context.root.join("examples/esp8266/toolchain/check/check.py"));
    command.env("CARGO", DEBIAN_CARGO).env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
    command
}

/// What a suite announces of a board begins with the board's name.
fn figure(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(": ")?;
    ["mps2", "virt", "lx106"].contains(&name).then_some(line)
}

fn output(context: &Context, suite: &str) -> Result<(bool, String)> {
    let mut command = suites(context, &[suite]);
    // Each board is a test in most suites, and waits most of the time.
    let output = command.args(["--", "--test-threads=4"]).output().context("cargo cannot be started")?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

fn suites(context: &Context, names: &[&str]) -> Command {
    let mut command = cargo(context);
    // With the features of the whole workspace, as the test step has compiled it.
    command.args(["test", "--workspace", "--all-features", "--locked", "--quiet"]);
    command.args(names.iter().flat_map(|name| ["--test", name]));
    command
        .env(VARIABLE, images::directory(context))
        .env("SENSOCK_REQUIRE", REQUIRED)
        .env("SENSOCK_BUILT", "1");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_has_a_file() {
        let root = crate::test::workspace();
        for suite in WAVES.concat() {
            let places =
                [format!("crates/boards/tests/{suite}.rs"), format!("crates/ffi/tests/{suite}/main.rs")];
            assert!(places.iter().any(|place| root.join(place).is_file()), "there is no suite {suite}");
        }
    }

    #[test]
    fn figures_are_what_boards_announce() {
        assert_eq!(figure("mps2: idle"), Some("mps2: idle"));
        assert_eq!(figure("test virt: ok"), None);
    }
}
