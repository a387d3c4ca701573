//! `sensockd rules`: what a rule file says, and what it would have said.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use sensock_store::{History, Store};

use crate::database;
use crate::device::Known;
use crate::rules::check;
use crate::rules::file::{Catalogues, Listed, devices, load};

#[derive(clap::Args)]
pub(super) struct Rules {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Show how rule files are understood, or everything that is wrong with them.
    Check(Check),
}

#[derive(clap::Args)]
struct Check {
    /// Rule files; those that a server runs together are checked together.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Take ids, scales and intervals from the catalogues in this store.
    #[arg(long, env = "SENSOCK_STORE", hide_env_values = true, value_name = "STORE")]
    store: Option<String>,
}

impl Rules {
    pub(super) async fn run(self) -> Result<ExitCode> {
        match self.what {
            What::Check(check) => check.run().await,
        }
    }
}

impl Check {
    async fn run(self) -> Result<ExitCode> {
        let catalogues = match &self.store {
            Some(address) => catalogues(&database::existing(address).await?, &devices(&self.files)).await?,
            None => Catalogues::default(),
        };
        let mut out = std::io::stdout().lock();
        match load(&self.files, &catalogues) {
            Ok(zones) => {
                for (i, loaded) in zones.iter().enumerate() {
                    if i > 0 {
                        writeln!(out)?;
                    }
                    check::write(loaded, &mut out)?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(errors) => {
                for error in &errors.0 {
                    eprintln!("{error}");
                }
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

/// What the store's catalogues say of these devices; of a device that it does not know, nothing.
pub(crate) async fn catalogues<S: Store + History>(store: &S, devices: &[String]) -> Result<Catalogues>
where
    <S as History>::Error: 'static,
{
    let known_devices = store.devices().await?;
    let mut catalogues = Catalogues::default();
    for name in devices.iter().filter(|name| known_devices.iter().any(|row| row.device.as_str() == *name)) {
        let known = Known::find(store, name).await?;
        let Ok(catalog) = known.catalog() else { continue };
        let listed = catalog.quantities().map(|quantity| Listed {
            id: quantity.id,
            name: quantity.name.to_owned(),
            unit: quantity.unit.to_owned(),
            scale: quantity.scale,
            interval_ms: quantity.interval_ms,
        });
        catalogues.0.insert(name.clone(), listed.collect());
    }
    Ok(catalogues)
}
