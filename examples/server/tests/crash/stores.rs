//! Databases that are killed, hang, are full or read-only while devices stream: nothing is acknowledged meanwhile, nothing is
//! lost, the server says what is wrong, and everything goes on by itself.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sensock_testkit::require::{announce, skip_or_fail};
use sensock_testkit::rng::Rng;
use sensock_testkit::{effort, mariadb};

use crate::daemon::Daemon;
use crate::ledger::Ledger;
use crate::line::Line;
use crate::scene::Scene;

/// The server says what is the matter within this.
const PATIENCE: Duration = Duration::from_secs(60);
/// The disk of the server that comes to its end.
const DISK_KIB: u32 = 6 * 1024;
/// Somebody else's file on it.
const FILLER: &str = "filler";

/// What befalls MariaDB.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Kill,
    ReadOnly,
    Hang,
}

#[test]
fn prove_mariadb_killed_hanging_or_read_only() -> Result<()> {
    let Some(database) = mariadb::private_or_skip("MariaDB in trouble") else { return Ok(()) };
    let rounds = effort::size(1, 12);
    let name = database.database()?.rsplit('/').next().unwrap_or_default().to_owned();
    // Read-only does not hold for root.
    database.sql(&format!(
        "CREATE USER sensor@'%' IDENTIFIED BY 'secret'; GRANT ALL ON {name}.* TO sensor@'%'"
    ))?;
    let store = format!("mysql://sensor:secret@127.0.0.1:{}/{name}", database.port());
    let directory = tempfile::tempdir()?;
    let mut daemon = Daemon::new(&store)?;
    daemon.start(None)?;
    let mut scene = Scene::start(&store, &[daemon.address()], directory.path())?;
    for round in 0..rounds {
        for blow in [Blow::Kill, Blow::ReadOnly, Blow::Hang] {
            scene.pass(500..1_500);
            match blow {
                Blow::Kill => database.kill(),
                Blow::ReadOnly => database.sql("SET GLOBAL read_only = 1").map(drop)?,
                Blow::Hang => database.pause()?,
            }
            let said = daemon.process()?.wait_for("store  does not answer: ", PATIENCE)?;
            let expected: &[&str] = match blow {
                Blow::Kill => {
                    &["not reachable: is it running", "no connection within 3 s", "dropped the connection"]
                }
                Blow::ReadOnly => &["it is read-only: use the primary, or end the read-only mode"],
                Blow::Hang => &[
                    "no connection within 3 s",
                    "not reachable",
                    "for more than 3 s",
                    "no answer for more than 10 s",
                ],
            };
            ensure!(expected.iter().any(|words| said.contains(words)), "{blow:?}: {said}");
            ensure!(!said.contains("secret"), "{said}");
            if round == 0 && matches!(blow, Blow::Kill) {
                status_says(&store, "the database is not reachable: is it running")?;
            }
            scene.pass(200..1_000);
            match blow {
                Blow::Kill => database.restart()?,
                Blow::ReadOnly => database.sql("SET GLOBAL read_only = 0").map(drop)?,
                Blow::Hang => database.resume()?,
            }
            daemon.process()?.wait_for("store  answers again after", PATIENCE)?;
        }
    }
    scene.no_gap_so_far()?;
    scene.drain()?;
    daemon.stop()?;
    let figures =
        scene.verdict("MariaDB in trouble", &format!("{rounds} times killed, read-only and hanging"))?;
    ensure!(figures.missing == 0 && figures.gaps == 0, "{figures}");
    Ok(())
}

/// `sensockd status`, which must fail with these words.
fn status_says(store: &str, words: &str) -> Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_sensockd")).args(["status", "--store", store]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success() && said.contains(words), "status says {said}");
    ensure!(!said.contains("secret"), "{said}");
    Ok(())
}

/// A file system of its own for the server: what it holds is visible through `/proc` as long as the server lives.
const ON_SMALL_DISK: &str = r#"mount -t tmpfs -o size="$1"k none "$2" && shift 2 && exec "$@""#;

#[test]
fn a_full_disk_is_said_and_everything_goes_on_once_there_is_room() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let disk = directory.path().join("disk");
    std::fs::create_dir(&disk)?;
    let (size, at) = (DISK_KIB.to_string(), disk.display().to_string());
    let unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", ON_SMALL_DISK, "sh"];
    let probe = Command::new(unshare[0]).args(&unshare[1..]).args([&size, &at, "true"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        let remedy =
            "no file system of its own can be mounted: user namespaces must be allowed, or run as root";
        skip_or_fail("tmpfs", "a full disk", remedy);
        return Ok(());
    }
    let wrapper = [&unshare[..], &[size.as_str(), at.as_str()]].concat();
    let full = "the disk is full: make room; devices keep their records meanwhile";
    runs_out("a full disk", &wrapper, &disk, full, |seen, _| {
        fill(&seen.join(FILLER))?;
        Ok(Box::new(move |seen, _| Ok(std::fs::remove_file(seen.join(FILLER))?)))
    })
}

/// Files of the server may not grow beyond this many blocks of 512 bytes, as a quota would have it; a signal that says so is ignored.
#[cfg(target_os = "linux")]
const WITH_SMALL_FILES: &str = r#"trap '' XFSZ && ulimit -S -f 2400 && exec "$@""#;

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_takes_no_more_is_said_and_everything_goes_on_once_it_does() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let refused = "the disk does not read or write";
    runs_out("a quota", &["sh", "-c", WITH_SMALL_FILES, "sh"], directory.path(), refused, |_, _| {
        Ok(Box::new(|_, pid| {
            let raised =
                Command::new("prlimit").args(["--fsize=unlimited", "--pid", &pid.to_string()]).status();
            ensure!(
                raised.is_ok_and(|raised| raised.success()),
                "prlimit (of util-linux) cannot raise the limit"
            );
            Ok(())
        }))
    })
}

/// Undoes what was done to the directory of the server with this number.
type Mend = Box<dyn FnOnce(&Path, u32) -> Result<()>>;

/// A server, started by `wrapper` on a store in `disk`, that cannot write for a while and says so in these `words`.
fn runs_out(
    name: &str,
    wrapper: &[&str],
    disk: &Path,
    words: &str,
    spoil: impl FnOnce(&Path, u32) -> Result<Mend>,
) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let store = format!("sqlite:{}", disk.join("full.sqlite").display());
    let mut daemon = Daemon::new(&store)?.within(wrapper);
    daemon.start(None)?;
    let pid = daemon.process()?.id();
    let seen = PathBuf::from(format!("/proc/{pid}/root{}", disk.display()));
    let rng = Rng::from_env_or_random("SENSOCK_SEED");
    let mut line = Line::start("full", 1, daemon.address(), rng, directory.path())?;

    let mend = spoil(&seen, pid)?;
    let said = daemon.process()?.wait_for("store  does not answer: ", PATIENCE)?;
    ensure!(said.contains(words), "{said}");
    let before = line.fleet.accepted();
    line.listen_for(Duration::from_secs(1));
    ensure!(line.fleet.accepted() > before, "devices stopped recording");
    mend(&seen, pid)?;
    daemon.process()?.wait_for("store  answers again after", PATIENCE)?;
    let took = line.recovers("the disk had room again")?;
    line.end()?;

    let faults = line.faults(&Ledger::open(&copied(&seen, directory.path())?)?.kept()?);
    daemon.stop()?;
    announce(&format!(
        "{name}: {} records, everything stored {} ms after the server's word",
        line.fleet.accepted(),
        took.as_millis()
    ));
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// Takes all the room that is left.
fn fill(file: &Path) -> Result<()> {
    let mut file = std::fs::File::create(file)?;
    let mut block = vec![7; 64 * 1024];
    while !block.is_empty() {
        if file.write_all(&block).is_err() {
            block.truncate(block.len() / 2);
        }
    }
    Ok(())
}

/// A copy of a database that nobody writes to, out of another process's file system.
fn copied(from: &Path, to: &Path) -> Result<String> {
    for name in ["full.sqlite", "full.sqlite-wal"] {
        std::fs::copy(from.join(name), to.join(name)).with_context(|| format!("copying {name}"))?;
    }
    Ok(format!("sqlite:{}", to.join("full.sqlite").display()))
}

#[test]
fn a_database_that_became_read_only_is_said_at_the_start_and_devices_keep_their_records() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("plants.sqlite");
    let store = format!("sqlite:{}", file.display());
    let mut daemon = Daemon::new(&store)?;
    daemon.start(None)?;
    let rng = Rng::from_env_or_random("SENSOCK_SEED");
    let mut line = Line::start("read-only", 1, daemon.address(), rng, directory.path())?;
    daemon.stop()?;
    for read_only in [true, false] {
        let mut rights = std::fs::metadata(&file)?.permissions();
        rights.set_readonly(read_only);
        std::fs::set_permissions(&file, rights)?;
        daemon.start(None)?;
        if read_only {
            daemon
                .process()?
                .wait_for("the file is read-only: give this user the right to write it", PATIENCE)?;
            ensure!(!daemon.process()?.wait(PATIENCE)?.success(), "it runs on a file that it cannot write");
        }
        line.listen_for(Duration::from_millis(200));
    }
    line.recovers("the file was writable again")?;
    line.end()?;
    daemon.stop()?;
    let faults = line.faults(&Ledger::open(&store)?.kept()?);
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}
