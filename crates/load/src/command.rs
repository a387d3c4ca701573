//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use sensock_load::limit::{self, Limit};
use sensock_load::modes::{self, Mode};
use sensock_load::serve;
use sensock_load::server::Programs;

/// Load for a sensock server, and for its peers in the same run.
#[derive(Parser)]
#[command(name = "sensock-load", version)]
struct Arguments {
    /// Our server's program; beside this one unless said.
    #[arg(long, global = true, value_name = "PATH")]
    sensockd: Option<PathBuf>,
    /// After so many minutes the run is broken off.
    #[arg(long, global = true, default_value_t = 20, value_name = "NUMBER")]
    minutes: u64,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(clap::Subcommand)]
enum What {
    /// Everything, as it comes: what runs unless said.
    All,
    #[command(flatten)]
    Mode(Mode),
    /// A child of this program: what is read is written back.
    #[command(hide = true)]
    ServeEcho,
    /// A child of this program: connections are accepted and kept.
    #[command(hide = true)]
    ServeAccept,
    /// A child of this program: our server over a store in memory.
    #[command(hide = true)]
    ServeMemory {
        /// How many devices have keys; without it everyone comes without one.
        #[arg(long)]
        sealed: Option<usize>,
    },
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says whether everything ran and all limits hold.
fn run(arguments: Arguments) -> Result<bool> {
    let mode = match arguments.what {
        Some(What::ServeEcho) => return block_on(serve::echo::run()),
        Some(What::ServeAccept) => return block_on(serve::accept::run()),
        Some(What::ServeMemory { sealed }) => return block_on(serve::memory::run(sealed)),
        Some(What::Mode(mode)) => Some(mode),
        Some(What::All) | None => None,
    };
    end_after(Duration::from_secs(arguments.minutes * 60));
    let programs = Programs::find(arguments.sensockd.as_deref())?;
    programs.versions().iter().for_each(|line| println!("  {line}"));
    let (limits, fine) = match mode {
        Some(mode) => (mode.run(&programs)?, true),
        None => modes::all(&programs)?,
    };
    if !limits.is_empty() {
        print!("\n{}", limit::summary(&limits));
    }
    Ok(fine && limits.iter().all(Limit::holds))
}

/// A run that hangs ends all the same; its children die with it.
fn end_after(limit: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        eprintln!("error: still running after {} minutes, broken off (--minutes)", limit.as_secs() / 60);
        std::process::exit(2);
    });
}

/// A child's life.
fn block_on(work: impl Future<Output = Result<()>>) -> Result<bool> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)?;
    Ok(true)
}
