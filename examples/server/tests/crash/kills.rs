//! Twenty devices stream while their server is killed, and they are too.

use anyhow::{Result, ensure};
use sensock_testkit::{effort, mariadb};

use crate::daemon::{Daemon, Fail};
use crate::scene::Scene;

/// How many kills.
#[derive(Clone, Copy)]
struct Size {
    /// Of the server, at each fail-point.
    each_point: u64,
    /// Of the server, at random moments.
    at_random: u64,
    /// Of devices; every second time the server was killed before.
    crews: u64,
}

const SHORT: Size = Size { each_point: 1, at_random: 2, crews: 4 };
const LONG: Size = Size { each_point: 30, at_random: 30, crews: 40 };

#[test]
fn prove_crash_sqlite() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let store = format!("sqlite:{}", directory.path().join("crash.sqlite").display());
    crash("crashes over SQLite", &store)
}

#[test]
fn prove_crash_mariadb() -> Result<()> {
    let Some(database) = mariadb::available_or_skip("crashes over MariaDB") else { return Ok(()) };
    crash("crashes over MariaDB", &database.database()?)
}

fn crash(name: &str, store: &str) -> Result<()> {
    let size = effort::size(SHORT, LONG);
    let directory = tempfile::tempdir()?;
    let mut daemon = Daemon::new(store)?;
    let mut scene = Scene::start(store, &[daemon.address()], directory.path())?;

    let mut kills: Vec<Option<Fail>> = vec![None; size.at_random as usize];
    Fail::ALL.iter().for_each(|point| kills.extend((0..size.each_point).map(|_| Some(*point))));
    shuffle(&mut scene, &mut kills);
    for kill in &kills {
        end_a_server(&mut scene, &mut daemon, *kill)?;
    }
    scene.no_gap_so_far()?;

    daemon.start(None)?;
    for round in 0..size.crews {
        scene.pass(100..900);
        // Every second time the server is away: what devices without flash hold then is lost, and must be accounted for.
        let server_away = (round + round / scene.crews()).is_multiple_of(2);
        if server_away {
            daemon.kill()?;
            scene.pass(50..300);
        }
        scene.kill_a_crew(round)?;
        if server_away {
            scene.pass(0..300);
            daemon.start(None)?;
        }
    }
    scene.drain()?;
    daemon.stop()?;
    let kills = kills.len() as u64 + size.crews.div_ceil(2);
    let figures = scene
        .verdict(name, &format!("{kills} kills of the server ({} at each fail-point)", size.each_point))?;
    // Devices without flash that were killed while no server was there: without a loss the test was too gentle.
    ensure!(figures.missing > 0, "no killed device lost anything: the predicate was not put to the test");
    Ok(())
}

/// One life of a server, from its start to its violent end.
fn end_a_server(scene: &mut Scene, daemon: &mut Daemon, how: Option<Fail>) -> Result<()> {
    match how {
        None => {
            daemon.start(None)?;
            scene.pass(50..1_500);
            daemon.kill()?;
        }
        Some(point) => {
            daemon.start(Some((point, scene.rng.within(1..12))))?;
            daemon.aborts(|| scene.listen())?;
        }
    }
    scene.pass(0..100);
    Ok(())
}

fn shuffle<T>(scene: &mut Scene, items: &mut [T]) {
    for n in (1..items.len()).rev() {
        let other = scene.rng.within(0..n as u64 + 1) as usize;
        items.swap(n, other);
    }
}
