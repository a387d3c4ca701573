//! `sensockd demo`: what sensock does, in less than a minute.

use std::process::ExitCode;

use anyhow::Result;

#[derive(clap::Args)]
pub(super) struct Demo {
    /// Keep the database afterwards.
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(super) async fn run(self) -> Result<ExitCode> {
        crate::demo::run(self.keep).await
    }
}
