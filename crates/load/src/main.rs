//! `sensock-load`: see the library's front page. `cargo xtask load` builds and runs it.

#[cfg(target_os = "linux")]
mod command;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    command::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: what a process used is read as Linux tells it: run the load generator on Linux");
    ExitCode::FAILURE
}
