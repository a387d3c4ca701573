//! `sensock-load`: see the library's front page. `cargo xtask load` builds and runs it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use sensock_load::server::Programs;
use sensock_load::{modes, serve};

/// Load for a sensock server, and for its peers in the same run.
#[derive(Parser)]
#[command(name = "sensock-load", version)]
struct Arguments {
    /// Our server's program; beside this one unless said.
    #[arg(long, global = true, value_name = "PATH")]
    sensockd: Option<PathBuf>,
    #[command(subcommand)]
    mode: Mode,
}

#[derive(clap::Subcommand)]
enum Mode {
    /// Many connections with one exchange outstanding each, beside the peers.
    Fleet(modes::fleet::Options),
    /// A child of this program: what is read is written back.
    #[command(hide = true)]
    ServeEcho,
    /// A child of this program: our server over a store in memory.
    #[command(hide = true)]
    ServeMemory,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let programs = || Programs::find(arguments.sensockd.as_deref());
    match arguments.mode {
        Mode::Fleet(options) => modes::fleet::run(&programs()?, &options)?,
        Mode::ServeEcho => block_on(serve::echo::run())?,
        Mode::ServeMemory => block_on(serve::memory::run())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
