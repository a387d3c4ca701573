//! The project's own chores: `cargo xtask test` checks everything, `cargo xtask prove` runs the long proofs, `cargo xtask load` measures
//! the server under load, `cargo xtask size` weighs the device side.

mod arduino;
mod cargo;
mod firmware;
mod header;
mod install;
mod instructions;
mod load;
mod part;
mod plan;
mod planted;
mod prove;
mod run;
mod size;
mod steps;
mod test;

use clap::Parser;
use std::process::ExitCode;

/// The project's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    /// Checks everything: formatting, lints, tests, docs, packages, bare metal builds, fuzz targets, examples, demo.
    Test(test::Options),
    /// Runs the proofs in their long form: every test named `prove_…`, and the fuzz targets.
    Prove(prove::Options),
    /// Measures the server under load, beside its peers in the same run, against the limits that are stated for it.
    Load(load::Options),
    /// Counts the instructions of the hot paths and holds them against limits and a recorded baseline.
    Instructions(instructions::Options),
    /// Packs the library for the Arduino IDE, with its static library for the ESP8266.
    Arduino(arduino::Options),
    /// Makes the C header of sensock-ffi of its source.
    Header(header::Options),
    /// Builds the firmware of all boards and runs it under QEMU against the real server.
    Firmware(firmware::Options),
    /// Prints how much flash and memory the device side takes on bare metal, and holds it against its limits.
    Size(size::Options),
}

fn main() -> ExitCode {
    let done = match Chore::parse() {
        Chore::Test(options) => test::run(options),
        Chore::Prove(options) => prove::run(options),
        Chore::Load(options) => load::run(options),
        Chore::Instructions(options) => instructions::run(options),
        Chore::Arduino(options) => arduino::run(options),
        Chore::Header(options) => header::run(options),
        Chore::Firmware(options) => firmware::run(options),
        Chore::Size(options) => size::run(options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
