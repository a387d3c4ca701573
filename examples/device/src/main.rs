//! `example-device`: a simulated device, from the command line.

mod cli;
mod dial;
mod duty;
mod life;
mod report;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let lived = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(life::live(&cli)));
    match lived {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
