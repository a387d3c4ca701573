//! A server with its store, from a fresh start to the count of what it stored.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use sensock_testkit::mariadb::MariaDb;
use tempfile::TempDir;

use crate::client::Protocol;
use crate::server::{Programs, Running};
use crate::{fleet, stored};

/// Where our server stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Storage {
    /// A file in a new temporary directory, at full durability.
    #[default]
    Sqlite,
    /// A new database of a MariaDB that this run starts for itself.
    Mariadb,
    /// Nowhere: our server over a store in memory, whose content ends with it and is not counted.
    Memory,
}

/// A server that listens, and what it stores into.
#[derive(Debug)]
pub struct Served {
    /// The server.
    pub server: Running,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A peer stores nothing.
    Nowhere,
    Memory,
    File(TempDir, PathBuf),
    Tables(&'static MariaDb, String),
}

/// MariaDB's own defaults, where tests have less.
pub const MARIADB: [&str; 2] = ["--innodb-log-file-size=96M", "--innodb-buffer-pool-size=128M"];

/// The MariaDB that this run starts for itself, once: flushed at each commit, no binary log, and the rest as [`MARIADB`] says.
///
/// # Errors
/// When it is not installed or does not start.
pub fn mariadb() -> Result<&'static MariaDb> {
    static STARTED: Mutex<Option<&MariaDb>> = Mutex::new(None);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    match *started {
        Some(database) => Ok(database),
        // It lives as long as the process.
        None => Ok(started.insert(Box::leak(Box::new(MariaDb::start(&MARIADB)?)))),
    }
}

impl Served {
    /// Starts the server that speaks `protocol`; ours over an empty store, where devices of numbers below `devices` have keys if they
    /// need them.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(programs: &Programs, protocol: Protocol, storage: Storage, devices: usize) -> Result<Self> {
        let server = match protocol {
            Protocol::Echo => Running::echo(programs)?,
            Protocol::Accept => Running::accept(programs)?,
            Protocol::Mqtt0 | Protocol::Mqtt1 | Protocol::Mqtt1Unheard => Running::mosquitto(programs)?,
            Protocol::Sensock => return Self::ours(programs, storage, Some(devices)),
            Protocol::Insecure => return Self::ours(programs, storage, None),
        };
        Ok(Self { server, place: Place::Nowhere })
    }

    fn ours(programs: &Programs, storage: Storage, sealed: Option<usize>) -> Result<Self> {
        match storage {
            Storage::Sqlite => {
                let directory = tempfile::tempdir()?;
                let file = directory.path().join("load.sqlite");
                let server = Running::sensockd(programs, &format!("sqlite:{}", file.display()), sealed)?;
                Ok(Self { server, place: Place::File(directory, file) })
            }
            Storage::Mariadb => {
                let database = mariadb()?;
                let address = database.database()?;
                let server = Running::sensockd(programs, &address, sealed)?;
                let name = address.rsplit('/').next().unwrap_or_default().to_owned();
                Ok(Self { server, place: Place::Tables(database, name) })
            }
            Storage::Memory => {
                Ok(Self { server: Running::in_memory(programs, sealed)?, place: Place::Memory })
            }
        }
    }

    /// Ends it; ours in order, and then counts what is stored.
    ///
    /// # Errors
    /// When it had ended before, or when what is stored is not exactly what was `answered`.
    pub fn end(self, answered: u64) -> Result<()> {
        let Self { server, place } = self;
        match place {
            Place::Nowhere => server.kill(),
            Place::Memory => server.end(),
            Place::File(_directory, file) => {
                server.end()?;
                let (records, gaps) = fleet::on_one_thread(stored::in_sqlite(&file))?;
                stored::check(answered, records, gaps)
            }
            Place::Tables(database, name) => {
                server.end()?;
                let (records, gaps) = stored::in_mariadb(database, &name)?;
                stored::check(answered, records, gaps)
            }
        }
    }
}
