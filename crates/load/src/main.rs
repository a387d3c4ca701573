//! `sensock-load`: see the library's front page. `cargo xtask load` builds and runs it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use sensock_load::limit::{self, Limit};
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
    /// What a connection weighs that does nothing, beside the peers.
    Idle(modes::idle::Options),
    /// A fleet that comes back all at once, beside a bare accept loop.
    Storm(modes::storm::Options),
    /// What a record costs as the fleet grows.
    Scale(modes::scale::Options),
    /// A child of this program: what is read is written back.
    #[command(hide = true)]
    ServeEcho,
    /// A child of this program: connections are accepted and kept.
    #[command(hide = true)]
    ServeAccept {
        /// Says when it has this many.
        connections: usize,
    },
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
    let limits = match arguments.mode {
        Mode::Fleet(options) => modes::fleet::run(&programs()?, &options)?,
        Mode::Idle(options) => modes::idle::run(&programs()?, &options)?,
        Mode::Storm(options) => modes::storm::run(&programs()?, &options)?,
        Mode::Scale(options) => modes::scale::run(&programs()?, &options)?,
        Mode::ServeEcho => block_on(serve::echo::run())?,
        Mode::ServeAccept { connections } => block_on(serve::accept::run(connections))?,
        Mode::ServeMemory => block_on(serve::memory::run())?,
    };
    print!("{}", limit::summary(&limits));
    Ok(if limits.iter().all(Limit::holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A child's life; it measures nothing.
fn block_on(work: impl Future<Output = Result<()>>) -> Result<Vec<Limit>> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)?;
    Ok(vec![])
}
