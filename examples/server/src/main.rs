//! `sensockd`: a sensock server as one would run it, and a demonstration of what it promises.
//!
//! ```text
//! cli/      one file a command: run, status, why, command, setting, rules, export, demo
//! why/      what the store knows of a span of time: facts, timeline, verdict
//! show/     words, times, the terminal
//! demo/     simulated devices with real recordings, faults, and the proof out of the database
//! rules/    zones: rule files, what they say of records
//! keys/     the file of the devices' keys, and the keys of a running server
//! tls/      TLS 1.3 in front of it
//! guests    who may connect             devices    the list of those who may without a key
//! config    the configuration file      database   the store behind an address
//! device    a device and its catalogue  secret     files for their owner alone
//! failpoint where a crash test kills the server
//! ```

mod cli;
mod config;
#[cfg(test)]
mod corpus;
mod database;
mod demo;
mod device;
mod devices;
mod failpoint;
mod guests;
mod keys;
mod rules;
mod secret;
mod show;
mod stop;
mod tls;
mod why;

use std::num::NonZero;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    // RUST_LOG=sensock_server=debug and the like: what the server itself says, for whoever looks for a fault.
    if std::env::var_os("RUST_LOG").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::from_default_env())
            .with_writer(std::io::stderr)
            .init();
    }
    let mut builder = match std::thread::available_parallelism() {
        // On one processor a second thread has nothing to add, and each task that it hands over is a switch.
        Ok(NonZero::<usize>::MIN) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the system gives no threads: {error}")),
    };
    match runtime.block_on(cli::run()) {
        Ok(code) => code,
        Err(error) => fail(&format!("{error:#}")),
    }
}

/// Gives memory back after a fleet came back all at once, which the system's allocator does not.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Says what stands in the way.
fn fail(words: &str) -> ExitCode {
    eprintln!("sensockd: {words}");
    ExitCode::FAILURE
}
