//! Two servers over one store: devices hop between them, with commits pending at the one that they left.

use anyhow::{Result, ensure};
use sensock_testkit::proxy::Proxy;
use sensock_testkit::{effort, mariadb};

use crate::daemon::{Daemon, Fail};
use crate::scene::Scene;

/// Cuts of all connections to a server, and kills.
const SHORT: (u64, u64) = (12, 2);
const LONG: (u64, u64) = (250, 40);

#[test]
fn prove_two_servers_mariadb() -> Result<()> {
    let Some(database) = mariadb::available_or_skip("two servers over MariaDB") else { return Ok(()) };
    hop("two servers over MariaDB", &database.database()?)
}

#[test]
fn prove_two_servers_sqlite() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let store = format!("sqlite:{}", directory.path().join("hopping.sqlite").display());
    hop("two servers over SQLite", &store)
}

fn hop(name: &str, store: &str) -> Result<()> {
    let (cuts, kills) = effort::size(SHORT, LONG);
    let directory = tempfile::tempdir()?;
    let mut daemons = [Daemon::new(store)?, Daemon::new(store)?];
    let lines = [Proxy::start(daemons[0].address())?, Proxy::start(daemons[1].address())?];
    let mut scene = Scene::start(store, &[lines[0].addr(), lines[1].addr()], directory.path())?;
    for daemon in &mut daemons {
        daemon.start(None)?;
    }
    let mut hops = 0;
    let every = cuts.div_ceil(kills);
    for round in 0..cuts {
        scene.pass(30..500);
        let which = scene.rng.within(0..2) as usize;
        // Both ends are cut at once, with whatever lies in between: the server still commits what it has read.
        hops += lines[which].cut();
        if round % every == every - 1 {
            kill_one(&mut scene, &mut daemons[which], &lines[1 - which])?;
        }
    }
    scene.no_gap_so_far()?;
    scene.drain()?;
    for daemon in &mut daemons {
        daemon.stop()?;
    }
    let figures =
        scene.verdict(name, &format!("{hops} cut connections in {cuts} cuts, {kills} kills of a server"))?;
    ensure!(hops > 0 && figures.missing == 0, "{hops} hops, and {} records in gaps", figures.missing);
    Ok(())
}

/// Half of the kills come just after a commit of which no device has heard. The other server's line is cut meanwhile, or
/// no device would come back from there.
fn kill_one(scene: &mut Scene, daemon: &mut Daemon, other: &Proxy) -> Result<()> {
    daemon.kill()?;
    if scene.rng.one_in(2) {
        daemon.start(Some((Fail::AfterCommit, scene.rng.within(1..12))))?;
        daemon.aborts(|| {
            scene.listen();
            if scene.rng.one_in(20) {
                other.cut();
            }
        })?;
    }
    daemon.start(None)
}
