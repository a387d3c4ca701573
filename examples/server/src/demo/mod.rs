//! The demonstration: simulated devices with real recordings, faults, an operator, and a proof out of the database.
//!
//! ```text
//! fleet   which recording each board replays     board   one device: the real crate, over TCP
//! way     the network, which can be cut          script  what the operator does, and what breaks
//! screen  what a person sees meanwhile           verify  the rows, by SQL      compare  offered against stored
//! alarm   the rules, and what came of them
//! ```

mod alarm;
mod board;
mod compare;
mod fleet;
mod screen;
mod script;
mod verify;
mod way;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sensock::DeviceId;
use sensock::seal::Credential;
use sensock_server::Server;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::database;
use crate::guests::{Guests, Plain};
use crate::keys::{Locked, Ring, made};
use crate::rules::alarms::trail::Keeping;
use crate::rules::running::{Rules, Said, Say};
use crate::stop::stop;
use board::Running;
use fleet::Board;
use screen::Screen;
use way::Way;

/// How often devices are pinged: short, so that a silent network shows within the demo.
const PING: Duration = Duration::from_secs(1);
/// How long the devices may take to deliver what is left, and the server to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs it all; success only if the database agrees with what the devices were given to keep.
pub(crate) async fn run(keep: bool) -> Result<ExitCode> {
    let directory = Directory::make(keep)?;
    tokio::select! {
        ended = play(&directory) => ended,
        // The directory is removed all the same.
        () = stop() => Ok(ExitCode::FAILURE),
    }
}

async fn play(directory: &Directory) -> Result<ExitCode> {
    let path = directory.path.join("demo.sqlite");
    let address = format!("sqlite:{}", path.display());
    let store = database::open(&address).await?;

    let boards = fleet::boards()?;
    let began = Instant::now();
    let screen = Screen::new(&boards, began);
    screen.greet(&path);
    let (keys, guests) = directory.keys(&boards)?;
    let (server, events) = Server::builder(store.clone(), guests.clone()).ping_interval(PING).start().await?;
    let listener =
        sensock_server::listen((Ipv4Addr::LOCALHOST, 0).into()).context("no port on loopback is free")?;
    let listening = listener.local_addr()?;
    let watching = tokio::spawn(screen.clone().watch(events, guests));
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(listener, std::future::pending()).await }
    });

    let (say, mut said) = Say::channel();
    let rules = Rules::start(&server, &store, alarm::zones(&boards)?, Keeping::default(), &say)?;
    drop(say);
    let telling = tokio::spawn({
        let screen = screen.clone();
        async move {
            while let Some(Said { text, .. }) = said.recv().await {
                screen.say("rules", &text);
            }
        }
    });

    let (stop, stopped) = watch::channel(false);
    let (leave, leaving) = watch::channel(false);
    let (mut samplers, mut tasks) = (JoinSet::new(), JoinSet::new());
    let mut fleet = Vec::new();
    for (board, key) in boards.into_iter().zip(keys) {
        let way = Way::open(listening).await.context("no port on loopback is free")?;
        fleet.push(Running::start(
            board,
            key,
            way,
            (stopped.clone(), leaving.clone()),
            &mut samplers,
            &mut tasks,
        )?);
    }
    let done = script::play(&fleet, &server, &screen).await;

    screen.say("demo", "the links are whole again; the devices deliver what is left");
    stop.send_replace(true);
    while samplers.join_next().await.is_some() {}
    for running in &fleet {
        if timeout(PATIENCE, running.device.drain()).await.is_err() {
            screen.say(running.board.name, &format!("did not deliver in time: {}", running.device.status()));
        }
    }
    leave.send_replace(true);
    for running in &fleet {
        running.device.close();
    }
    let left = async {
        while fleet.iter().any(|r| r.device.is_connected()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _ = timeout(PATIENCE, left).await;
    tasks.shutdown().await;
    rules.stop().await;
    let _ = telling.await;
    server.shutdown().await;
    drop(server);
    let _ = serving.await;
    let _ = watching.await;
    screen.finish();

    let adds_up = verify::report(&path, &store, &fleet, &done, &screen).await?;
    screen.print(&format!("\nThe demo took {:.0} s.", began.elapsed().as_secs_f64()));
    store.close().await;
    directory.farewell(&screen);
    Ok(if adds_up { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where the database file lies; removed at the end unless it is to be kept.
struct Directory {
    path: PathBuf,
    keep: bool,
}

impl Directory {
    fn make(keep: bool) -> Result<Self> {
        let path = std::env::temp_dir().join(format!(
            "sensockd-demo-{}-{}",
            std::process::id(),
            rand::random::<u32>()
        ));
        std::fs::create_dir(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self { path, keep })
    }

    /// A key for each board, as an operator would make them, and a server's view of them.
    fn keys(&self, boards: &[Board]) -> Result<(Vec<Credential>, Guests)> {
        let path = self.path.join("keys.txt");
        let (mut file, mut keys) = (Locked::open(&path, true)?, Vec::new());
        for board in boards {
            let key = made(&file.document)?;
            file.document.add(DeviceId::new(board.name)?, key.clone());
            keys.push(key);
        }
        file.write()?;
        Ok((keys, Guests::new(Some(Ring::open(&path)?.0), Plain::Nobody)))
    }

    fn farewell(&self, screen: &Screen) {
        if self.keep {
            let file = self.path.join("demo.sqlite");
            let file = Path::new(&file).display();
            screen.print(&format!("The database is kept: {file}"));
            screen.print(&format!("  sensockd status --store sqlite:{file}"));
            screen.print(&format!(
                "  sqlite3 {file} \"SELECT * FROM readings WHERE device = 'office' LIMIT 5\""
            ));
        } else {
            screen.print(
                "The database is removed; --keep keeps it, for `sensockd status`, `why`, `export` and SQL.",
            );
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
