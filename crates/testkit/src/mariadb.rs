//! A private MariaDB server in a temporary directory.
//!
//! It listens on a free loopback port, keeps the durability that a real one has by default (each commit is
//! flushed), needs no root, and starts in about a second. `root` has no password.

use crate::guard::{Guard, own_group};
use crate::net::free_port;
use crate::process::signal;
use crate::require::skip_or_fail;
use anyhow::{Context as _, Result, bail, ensure};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What to do where MariaDB is missing.
pub const REMEDY: &str =
    "MariaDB is not installed: apt-get install mariadb-server, or run cargo xtask test --install";

const START_LIMIT: Duration = Duration::from_secs(60);

/// One server, running or killed. Dropping it removes all its data.
#[derive(Debug)]
pub struct MariaDb {
    directory: TempDir,
    port: u16,
    options: Vec<String>,
    server: Mutex<Option<Child>>,
    databases: AtomicU32,
}

/// The server that all tests of this process share, or `None` after saying that `suite` is skipped.
///
/// # Panics
/// When MariaDB is missing and [`crate::require`] demands `mariadb`, or when it is there and does not start.
pub fn available_or_skip(suite: &str) -> Option<&'static MariaDb> {
    static SHARED: OnceLock<MariaDb> = OnceLock::new();
    installed_or_skip(suite).then(|| SHARED.get_or_init(start_or_panic))
}

/// A server for one test alone, which may kill it; otherwise as [`available_or_skip`].
///
/// # Panics
/// As [`available_or_skip`].
pub fn private_or_skip(suite: &str) -> Option<MariaDb> {
    installed_or_skip(suite).then(start_or_panic)
}

impl MariaDb {
    /// Starts a server with further command line `options`, such as `--max-connections=4`.
    ///
    /// # Errors
    /// When MariaDB is not installed or does not start; the message ends with the server's own last lines.
    pub fn start(options: &[&str]) -> Result<Self> {
        let install = find("mariadb-install-db").context(REMEDY)?;
        let directory = tempfile::Builder::new().prefix("sensock-mariadb-").tempdir()?;
        Guard::of_this_process().remove(directory.path());
        std::fs::create_dir(directory.path().join("tmp"))?;
        let installed = Command::new(install)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .args(["--skip-name-resolve", "--innodb-log-file-size=16M"])
            .args(places(directory.path())?)
            .stdin(Stdio::null())
            .output()
            .context("mariadb-install-db cannot be started")?;
        let said = String::from_utf8_lossy(&installed.stderr);
        ensure!(installed.status.success(), "mariadb-install-db failed:\n{said}");

        let mut server = Self {
            directory,
            port: 0,
            options: options.iter().map(|&option| option.to_owned()).collect(),
            server: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        // Between choosing a free port and binding it another process may take it.
        let mut attempt = 1;
        loop {
            server.port = free_port()?;
            match server.restart() {
                Ok(()) => return Ok(server),
                Err(error) if attempt == 3 => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    /// The loopback port that it listens on; it stays the same across [`MariaDb::restart`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Creates an empty database and returns its address, `mysql://root@127.0.0.1:PORT/NAME`.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn database(&self) -> Result<String> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE DATABASE {name}"))?;
        Ok(format!("mysql://root@127.0.0.1:{}/{name}", self.port))
    }

    /// Runs SQL as `root` through MariaDB's own command line program, and returns its answer: a line a row,
    /// columns separated by tabs, no headings.
    ///
    /// # Errors
    /// When the server is not running or refuses the statement; the message is the program's.
    pub fn sql(&self, statements: &str) -> Result<String> {
        let output = Command::new(find("mariadb").context(REMEDY)?)
            .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--user=root", "--batch"])
            .args(["--skip-column-names", &format!("--port={}", self.port), "--execute", statements])
            .stdin(Stdio::null())
            .output()
            .context("the mariadb program cannot be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "MariaDB refused {statements:?}: {}", said.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Ends it at once (SIGKILL). Its data stay for [`MariaDb::restart`].
    pub fn kill(&self) {
        self.kill_now(&mut self.child());
    }

    /// Starts it again on the same port with the same data, after [`MariaDb::kill`] or while it runs.
    ///
    /// # Errors
    /// When it does not answer; the message ends with its own last lines.
    pub fn restart(&self) -> Result<()> {
        let mut child = self.child();
        self.kill_now(&mut child);
        let log = File::create(self.log())?;
        let mut command = Command::new(find("mariadbd").context(REMEDY)?);
        command
            .args(["--no-defaults", "--skip-networking=0", "--bind-address=127.0.0.1", "--skip-name-resolve"])
            .args(["--skip-log-bin", "--performance-schema=OFF", "--innodb-log-file-size=16M"])
            .args([
                "--innodb-buffer-pool-size=64M",
                "--innodb-flush-log-at-trx-commit=1",
                "--socket=server.sock",
            ])
            .args(places(self.directory.path())?)
            .arg(format!("--port={}", self.port))
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        own_group(&mut command);
        let started = command.spawn().context("mariadbd cannot be started")?;
        Guard::of_this_process().watch(started.id());
        let started = child.insert(started);
        self.is_ready(started)
    }

    /// Keeps it from running, as an overloaded machine would (SIGSTOP), until [`MariaDb::resume`].
    ///
    /// # Errors
    /// When it is not running.
    pub fn pause(&self) -> Result<()> {
        signal(self.child().as_ref().context("MariaDB is not running")?.id(), "STOP")
    }

    /// Lets it run again after [`MariaDb::pause`].
    ///
    /// # Errors
    /// When it is not running.
    pub fn resume(&self) -> Result<()> {
        signal(self.child().as_ref().context("MariaDB is not running")?.id(), "CONT")
    }

    /// Waits until the server's own log says that it is ready: on its port another server might answer.
    fn is_ready(&self, child: &mut Child) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while Instant::now() < deadline {
            if std::fs::read_to_string(self.log())?.contains("ready for connections") {
                return Ok(());
            }
            if let Some(status) = child.try_wait()? {
                bail!("MariaDB ended with {status} while starting:\n{}", self.last_words());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("MariaDB is not ready after {START_LIMIT:?}:\n{}", self.last_words())
    }

    fn kill_now(&self, child: &mut Option<Child>) {
        if let Some(mut server) = child.take() {
            // It may have ended by itself; either way it is gone after the wait.
            let _already_gone = server.kill();
            let _status = server.wait();
            Guard::of_this_process().forget(server.id());
        }
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("server.log")
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.kill();
    }
}

fn start_or_panic() -> MariaDb {
    MariaDb::start(&[]).unwrap_or_else(|error| panic!("MariaDB is installed but does not start: {error:#}"))
}

fn installed_or_skip(suite: &str) -> bool {
    let installed =
        ["mariadbd", "mariadb-install-db", "mariadb"].into_iter().all(|name| find(name).is_some());
    if !installed {
        skip_or_fail("mariadb", suite, REMEDY);
    }
    installed
}

/// Looks in the search path and where Debian keeps servers, which a plain user's path leaves out.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    places.map(|place| place.join(program)).find(|file| file.is_file())
}

/// Where it keeps things, and as whom. A server that starts clears its directory for temporary tables, so two that
/// shared one would take each other's away.
fn places(directory: &Path) -> Result<Vec<String>> {
    let mut options = vec![
        format!("--datadir={}", directory.join("data").display()),
        format!("--tmpdir={}", directory.join("tmp").display()),
    ];
    if is_ours_as_root(directory)? {
        options.push("--user=root".into());
    }
    Ok(options)
}

/// MariaDB refuses to run as root unless told to; the owner of a directory of ours is who we are.
#[cfg(unix)]
fn is_ours_as_root(directory: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(std::fs::metadata(directory)?.uid() == 0)
}

#[cfg(not(unix))]
fn is_ours_as_root(_: &Path) -> Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpStream};

    #[test]
    fn each_call_gives_a_fresh_database() {
        let Some(server) = available_or_skip("the testkit's own MariaDB test") else { return };
        let (one, two) = (server.database().unwrap(), server.database().unwrap());
        assert_ne!(one, two);
        assert!(one.starts_with(&format!("mysql://root@127.0.0.1:{}/", server.port())), "{one}");
        assert_eq!(server.sql("SELECT @@innodb_flush_log_at_trx_commit").unwrap(), "1\n");
        let error = server.sql("SELECT nonsense").unwrap_err().to_string();
        assert!(error.contains("nonsense"), "{error}");
    }

    #[test]
    fn committed_rows_survive_a_kill_and_the_port_stays() {
        let Some(server) = private_or_skip("the testkit's own MariaDB kill test") else { return };
        let port = server.port();
        server
            .sql("CREATE DATABASE d; CREATE TABLE d.t (n INT) ENGINE=InnoDB; INSERT INTO d.t VALUES (7)")
            .unwrap();
        server.kill();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        assert!(server.pause().is_err());
        server.restart().unwrap();
        assert_eq!((server.port(), server.sql("SELECT n FROM d.t").unwrap().as_str()), (port, "7\n"));
        let directory = server.directory.path().to_owned();
        drop(server);
        assert!(!directory.exists());
    }
}
