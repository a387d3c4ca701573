//! The servers, as child processes: started on a free port of the loopback, ended with their value.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sensock_testkit::keys;
use sensock_testkit::net::free_port;
use sensock_testkit::process::Process;
use tempfile::TempDir;

use crate::cover;
use crate::serve::LISTENING;
use crate::usage::{self, Cpu};

const START: Duration = Duration::from_secs(20);
const END: Duration = Duration::from_secs(60);

/// Which programs there are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `sensockd`.
    pub sensockd: PathBuf,
    /// This program itself.
    pub load: PathBuf,
    /// mosquitto, if it is installed.
    pub mosquitto: Option<PathBuf>,
}

/// A server that listens. It is killed when the value is dropped, and when this process ends in any way.
#[derive(Debug)]
pub struct Running {
    process: Process,
    address: SocketAddr,
    _directory: TempDir,
}

impl Running {
    /// The bare echo.
    ///
    /// # Errors
    /// When it does not start.
    pub fn echo(programs: &Programs) -> Result<Self> {
        Self::announced(Command::new(&programs.load).arg("serve-echo"), tempfile::tempdir()?)
    }

    /// The bare listener.
    ///
    /// # Errors
    /// When it does not start.
    pub fn accept(programs: &Programs) -> Result<Self> {
        Self::announced(Command::new(&programs.load).arg("serve-accept"), tempfile::tempdir()?)
    }

    /// Our server over memory, with keys of so many devices, or letting everyone in without one.
    ///
    /// # Errors
    /// When it does not start.
    pub fn in_memory(programs: &Programs, sealed: Option<usize>) -> Result<Self> {
        let mut command = Command::new(&programs.load);
        command.arg("serve-memory");
        if let Some(devices) = sealed {
            command.args(["--sealed", &devices.to_string()]);
        }
        Self::announced(&mut command, tempfile::tempdir()?)
    }

    /// `sensockd run` over this store, with keys of so many devices, or `--insecure --any-device`. Everything else is as a user finds
    /// it, but that it prints only what needs a person.
    ///
    /// # Errors
    /// When it does not start.
    pub fn sensockd(programs: &Programs, store: &str, sealed: Option<usize>) -> Result<Self> {
        let mut command = Command::new(&programs.sensockd);
        command.args(["run", "--listen", "127.0.0.1:0", "--log", "quiet", "--store", store]);
        let directory = tempfile::tempdir()?;
        match sealed {
            Some(devices) => {
                let file = directory.path().join("keys.txt");
                let names = (0..devices).map(cover::name).collect::<Result<Vec<_>>>()?;
                keys::file(&file, names.iter().map(|name| name.as_str()))?;
                command.arg("--keys").arg(file);
            }
            None => {
                command.args(["--insecure", "--any-device"]);
            }
        }
        Self::announced(&mut command, directory)
    }

    /// mosquitto with nothing but a listener: no persistence, no logging, everyone may connect, answers go out at once.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn mosquitto(programs: &Programs) -> Result<Self> {
        let program = programs.mosquitto.as_ref();
        let program = program.context("mosquitto is not installed (Debian package mosquitto)")?;
        let (directory, port) = (tempfile::tempdir()?, free_port()?);
        let file = directory.path().join("mosquitto.conf");
        std::fs::write(&file, format!("listener {port} 127.0.0.1\n{MOSQUITTO}"))?;
        let process = Process::spawn(Command::new(program).arg("-c").arg(&file))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut running = Self { process, address, _directory: directory };
        let deadline = Instant::now() + START;
        // It prints nothing, so the port is asked.
        while std::net::TcpStream::connect(address).is_err() {
            ensure!(running.process.is_running(), "mosquitto ended: {:?}", running.process.arrived());
            ensure!(Instant::now() < deadline, "mosquitto does not listen on {address}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(running)
    }

    fn announced(command: &mut Command, directory: TempDir) -> Result<Self> {
        let mut process = Process::spawn(command)?;
        let line = process.wait_for(LISTENING, START)?;
        let (_, rest) = line.split_once(LISTENING).unwrap_or_default();
        let address = rest.split(',').next().unwrap_or_default();
        let address = address.parse().with_context(|| format!("no address in {line:?}"))?;
        Ok(Self { process, address, _directory: directory })
    }

    /// Adds to an error what the server complained of, and what it said last. `RUST_LOG=sensock_server=debug` lets ours say more.
    pub fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        let lines: Vec<String> = self.process.arrived().into_iter().map(|line| line.text).collect();
        let bad = |line: &&String| ["panicked", "ERROR", "WARN"].iter().any(|word| line.contains(word));
        let loud = lines.iter().filter(bad).take(8);
        let last = lines.iter().skip(lines.len().saturating_sub(4));
        let words: String = loud.chain(last).map(|line| format!("\n    {line}")).collect();
        let words = if words.is_empty() { " nothing".to_owned() } else { words };
        error.context(format!("beside the server, which printed:{words}\n  "))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it used so far.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cpu(&self) -> Result<Cpu> {
        Cpu::of(self.process.id())
    }

    /// Memory that is its alone, in bytes.
    ///
    /// # Errors
    /// When it has ended.
    pub fn memory(&self) -> Result<u64> {
        usage::memory(self.process.id())
    }

    /// Ends it in order (Ctrl-C), and waits until it has.
    ///
    /// # Errors
    /// When it had ended before, or does not end.
    pub fn end(mut self) -> Result<()> {
        ensure!(self.process.is_running(), "the server ended by itself: {:?}", self.process.rest());
        self.process.interrupt()?;
        let status = self.process.wait(END)?;
        ensure!(status.success(), "the server ended with {status}: {:?}", self.process.rest());
        Ok(())
    }

    /// Kills it.
    ///
    /// # Errors
    /// When it had ended by itself.
    pub fn kill(mut self) -> Result<()> {
        ensure!(self.process.is_running(), "the server ended by itself: {:?}", self.process.rest());
        self.process.kill()
    }
}

const MOSQUITTO: &str = "allow_anonymous true
persistence false
log_dest none
set_tcp_nodelay true
max_connections -1
";

impl Programs {
    /// Beside this program, where cargo puts both; mosquitto where Debian puts it, or on the path.
    ///
    /// # Errors
    /// When `sensockd` is not there.
    pub fn find(sensockd: Option<&Path>) -> Result<Self> {
        let load = std::env::current_exe().context("this program has no path")?;
        let beside = load.with_file_name("sensockd");
        let sensockd = sensockd.map_or(beside, Path::to_owned);
        ensure!(
            sensockd.is_file(),
            "{} is not there: build it (cargo build --release -p example-server), or say --sensockd PATH",
            sensockd.display()
        );
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let mosquitto = places.map(|place| place.join("mosquitto")).find(|file| file.is_file());
        Ok(Self { sensockd, load, mosquitto })
    }

    /// What takes part, with versions and settings.
    pub fn versions(&self) -> Vec<String> {
        let first = |program: &Path, argument: &str| {
            let output = Command::new(program).arg(argument).output().ok()?;
            String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
        };
        let mosquitto = match &self.mosquitto {
            Some(program) => first(program, "-h").unwrap_or_else(|| "mosquitto, version unknown".into()),
            None => "mosquitto is not installed: its rows are missing".into(),
        };
        vec![
            first(&self.sensockd, "--version").unwrap_or_else(|| "sensockd, version unknown".into())
                + ": run --keys FILE --log quiet, and run --insecure --any-device --log quiet; everything else as it comes",
            format!("{mosquitto}: {}", MOSQUITTO.trim().replace('\n', ", ")),
            format!(
                "echo: tokio, several threads, one task a connection, backlog 1024; this program, version {}",
                env!("CARGO_PKG_VERSION")
            ),
        ]
    }
}
