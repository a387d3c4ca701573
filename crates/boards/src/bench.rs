//! A machine, a proxy, a daemon and a store, put together.

use crate::board::{Board, Options};
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::stored::Stored;
use anyhow::Result;
use sensock_testkit::proxy::Proxy;
use std::path::Path;
use tempfile::TempDir;

/// One board with a server of its own. Fields end in this order: first the board, last the directory.
#[derive(Debug)]
pub struct Bench {
    /// The board.
    pub machine: Machine,
    /// The line between them.
    pub proxy: Proxy,
    /// The server.
    pub daemon: Daemon,
    /// The store, as one reads it.
    pub stored: Stored,
    /// Where the store lies, and what else a test keeps.
    pub directory: TempDir,
}

impl Bench {
    /// Starts the server, then the board with `image`; `options` are as given, the server's port apart.
    ///
    /// # Errors
    /// When one of them does not start.
    pub fn start(board: Board, image: &Path, options: Options) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("sensock-boards-").tempdir()?;
        let mut daemon = Daemon::new(directory.path())?;
        daemon.start()?;
        let proxy = Proxy::start(daemon.address())?;
        let stored = Stored::open(daemon.store(), board)?;
        let options = Options { server: Some(proxy.addr().port()), ..options };
        let machine = Machine::start(board, image, &options)?;
        Ok(Self { machine, proxy, daemon, stored, directory })
    }
}
