//! `sensockd run`: the server as one would run it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use sensock_server::{Event, Events, Limits, Server};
use sensock_sql::SqlStore;
use sensock_store::{Durability, Store as _, StoreInfo};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Receiver, channel};

use super::rules::catalogues;
use crate::config::{Config, Log};
use crate::database;
use crate::failpoint::{FailIo, FailPoint, FailStore};
use crate::guests::{Guests, Plain};
use crate::keys::Ring;
use crate::rules::alarms::trail::Keeping;
use crate::rules::file::{Loaded, devices, load};
use crate::rules::running::{Rules, Said, Say};
use crate::show::events;
use crate::show::terminal::Terminal;
use crate::show::time::{Times, duration, now_us};
use crate::show::words::count;
use crate::stop::stop;
use crate::tls::{Files, Tls};

/// How long a shutdown may take unless told otherwise.
const DRAIN: Duration = Duration::from_secs(10);
/// How often it is looked whether who may connect has changed.
const LOOK: Duration = Duration::from_secs(1);
/// When devices come back after a shutdown.
const RETRY: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub(super) struct Run {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The store: sqlite:FILE or mysql://user:password@host/database; made if it is not there.
    #[arg(long, env = "SENSOCK_STORE", hide_env_values = true)]
    store: Option<String>,
    /// The devices' keys, as `sensockd keys add` writes them; read again when they change.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Let devices in without a key, and talk to them in plain text: those of --devices, or --any-device.
    #[arg(long)]
    insecure: bool,
    /// With --insecure: a file with the id of a device that may connect on each line; read again when it changes.
    #[arg(long, value_name = "FILE", conflicts_with = "any_device")]
    devices: Option<PathBuf>,
    /// With --insecure: every device may connect, except that one with a key needs it.
    #[arg(long)]
    any_device: bool,
    /// A file with these options as keys, as in: listen = "0.0.0.0:7070".
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on with TLS 1.3, for gateways, proxies and browsers (WebSocket "sensock.1").
    #[arg(long, value_name = "ADDRESS:PORT")]
    tls_listen: Option<SocketAddr>,
    /// The certificate chain, PEM (sensockd.crt unless said); made together with its key if neither is there. Read again when it changed.
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM (sensockd.key unless said), readable by its owner alone.
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Rule files to judge by; each makes a zone. Several servers may share them and a database: one judges, another takes over.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    rules: Vec<PathBuf>,
    /// For how long the log of what was judged can be played back (30d unless said).
    #[arg(long, value_parser = duration, value_name = "TIME")]
    rules_log_keep: Option<Duration>,
    /// How often it is kept what rules know, to play their log from there (6h unless said).
    #[arg(long, value_parser = duration, value_name = "TIME")]
    rules_log_checkpoint: Option<Duration>,
    /// How often devices are pinged.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    ping_interval: Option<Duration>,
    /// How long a shutdown may take.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    drain: Option<Duration>,
    /// How many devices may be connected at once.
    #[arg(long, value_name = "NUMBER")]
    max_connections: Option<usize>,
    /// How much is printed.
    #[arg(long, value_enum)]
    log: Option<Log>,
}

impl Run {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let mut terminal = Terminal::stdout();
        let config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        let (guests, notices) = self.guests(&config)?;
        let Some(address) = self.store.as_ref().or(config.store.as_ref()) else {
            bail!(
                "no store is named: say --store sqlite:plants.sqlite, or put `store` into the file of --config"
            );
        };
        let listen = self.listen.or(config.listen).unwrap_or(SocketAddr::from(([0, 0, 0, 0], 7070)));
        let point = FailPoint::from_env()?;
        let sql = database::open(address).await?;
        let store = FailStore { store: sql.clone(), point: point.clone() };
        let zones = self.zones(&sql).await?;
        let listener = socket(listen)?;
        let bound = listener.local_addr()?;
        let tls = self.tls(&config)?;
        greet(&mut terminal, &store.info().await?, &guests);
        if let Some((tls, listener)) = &tls {
            let (words, qr) = tls.words();
            terminal.line(words);
            qr.iter().flat_map(|qr| qr.lines()).for_each(|line| terminal.line(line));
            terminal.line(format!("listening with TLS on {}", listener.local_addr()?));
        }
        // Tests and scripts wait for this line; with port 0 it tells the port.
        terminal.line(format!("listening on {bound}, Ctrl-C ends"));

        if point.is_armed() {
            terminal.loud(
                "SENSOCK_FAILPOINT is set: this server will abort in the middle of its work, for a test",
            );
        }

        let mut builder = Server::builder(store, guests.clone())
            .limits(self.limits(&config))
            .shutdown_times(RETRY, self.drain.or(config.drain).unwrap_or(DRAIN));
        if let Some(interval) = self.ping_interval.or(config.ping_interval) {
            builder = builder.ping_interval(interval);
        }
        let (server, events) = builder.start().await?;
        let log = self.log.or(config.log).unwrap_or_default();
        let (say, said) = Say::channel();
        for loaded in &zones {
            terminal.line(format!(
                "zone {} of {}: {}, {}",
                loaded.zone.name,
                loaded.file,
                count(loaded.zone.table.table().hazards.len() as u64, "hazard"),
                count(loaded.zone.actions.len() as u64, "action")
            ));
        }
        let zones = zones.into_iter().map(|loaded| loaded.zone).collect();
        let rules = Rules::start(&server, &sql, zones, self.keeping(&config), &say)?;
        drop(say);
        let printing = tokio::spawn(print(events, notices, said, guests.clone(), log, terminal));
        let minding = tokio::spawn(mind(server.clone(), guests.clone()));
        let tidying = tokio::spawn(database::tidy(sql.clone()));
        let covered = tls.map(|(tls, listener)| {
            let server = server.clone();
            // Ends with the server.
            let agree = move |io, peer| tls.clone().agree(io, peer);
            tokio::spawn(async move { server.serve_through(listener, agree, std::future::pending()).await })
        });
        match point.is_armed() {
            false => server.serve(listener, stop()).await?,
            true => serve_to_fail(&server, listener, point).await?,
        }
        if let Some(covered) = covered {
            covered.await??;
        }
        rules.stop().await;
        minding.abort();
        tidying.abort();
        // The stream of events ends with the server, and the task that minds keys holds one.
        let _aborted = minding.await;
        drop(server);
        let mut terminal = printing.await?;
        terminal.line("sensockd has ended; everything that was received is committed and acknowledged");
        Ok(ExitCode::SUCCESS)
    }

    /// The zones that its rule files make, with the quantities that the devices themselves have stated.
    async fn zones(&self, store: &SqlStore) -> Result<Vec<Loaded>> {
        let catalogues = catalogues(store, &devices(&self.rules)).await?;
        Ok(load(&self.rules, &catalogues)?)
    }

    /// Who may connect, and what an operator should hear of it later.
    fn guests(&self, config: &Config) -> Result<(Guests, Receiver<String>)> {
        let devices = self.devices.as_ref().or(config.devices.as_ref());
        let any = self.any_device || (self.devices.is_none() && config.any_device == Some(true));
        let keys = self.keys.as_ref().or(config.keys.as_ref());
        let plain = match (self.insecure || config.insecure == Some(true), any, devices) {
            (true, true, _) => Plain::Any,
            (true, false, Some(path)) => Plain::file(path)?,
            (true, false, None) => bail!(
                "--insecure: which devices may connect without a key? name a file with --devices FILE (the id of a device on each line), \
                 or say --any-device"
            ),
            (false, false, None) => Plain::Nobody,
            (false, any, _) => bail!(
                "{} lets devices in without a key, in plain text: give each its key (`sensockd keys add DEVICE --keys keys.txt`) \
                 and run with --keys keys.txt, or say --insecure too",
                if any { "--any-device" } else { "--devices" }
            ),
        };
        let (keys, notices) = match (keys, &plain) {
            (Some(path), _) => Ring::open(path).map(|(ring, heard)| (Some(ring), heard))?,
            (None, Plain::Nobody) => bail!(
                "who may connect? make a device's key with `sensockd keys add DEVICE --keys keys.txt`, \
                 then start the server with `sensockd run --keys keys.txt`"
            ),
            (None, _) => (None, channel(1).1),
        };
        Ok((Guests::new(keys, plain), notices))
    }

    /// TLS, if it is asked for, and where it listens.
    fn tls(&self, config: &Config) -> Result<Option<(Arc<Tls>, TcpListener)>> {
        let file = |said: &Option<PathBuf>, in_config: &Option<PathBuf>, else_: &str| {
            said.as_ref().or(in_config.as_ref()).cloned().unwrap_or_else(|| else_.into())
        };
        let Some(listen) = self.tls_listen.or(config.tls_listen) else {
            let named = self.tls_cert.as_ref().or(self.tls_key.as_ref()).or(config.tls_cert.as_ref());
            ensure!(
                named.or(config.tls_key.as_ref()).is_none(),
                "where shall TLS listen? say --tls-listen 0.0.0.0:7443"
            );
            return Ok(None);
        };
        let files = Files {
            cert: file(&self.tls_cert, &config.tls_cert, "sensockd.crt"),
            key: file(&self.tls_key, &config.tls_key, "sensockd.key"),
        };
        let tls = Tls::open(files)?;
        Ok(Some((Arc::new(tls), socket(listen)?)))
    }

    fn keeping(&self, config: &Config) -> Keeping {
        let usual = Keeping::default();
        Keeping {
            checkpoint: self.rules_log_checkpoint.or(config.rules_log_checkpoint).unwrap_or(usual.checkpoint),
            keep: self.rules_log_keep.or(config.rules_log_keep).unwrap_or(usual.keep),
        }
    }

    fn limits(&self, config: &Config) -> Limits {
        let mut limits = Limits::default();
        if let Some(connections) = self.max_connections.or(config.max_connections) {
            limits.connections = connections;
        }
        limits
    }
}

fn socket(listen: SocketAddr) -> Result<TcpListener> {
    sensock_server::listen(listen).with_context(|| {
        format!("{listen} cannot be listened on: is another program using the port? choose another with --listen or --tls-listen")
    })
}

/// What a person should know before anything happens.
fn greet(terminal: &mut Terminal<std::io::Stdout>, info: &StoreInfo, guests: &Guests) {
    terminal.line(format!("sensockd {}, store {}", env!("CARGO_PKG_VERSION"), info.name));
    if guests.is_insecure() {
        terminal.loud(
            "--insecure: NO ENCRYPTION, NO KEYS: whoever reaches the port can read along, and can claim to be any device \
             that may connect without a key. Keep it inside of a network that you trust.",
        );
    }
    match &info.durability {
        Durability::Flushed => {}
        Durability::Weaker(why) => terminal.loud(format!("a power cut may lose acknowledged records: {why}")),
        Durability::Memory => terminal.loud("the store is in memory: nothing outlives this process"),
    }
    terminal.line(guests.words());
}

/// Closes connections that would not be let in any more, soon after keys were taken away or came to their end.
async fn mind(server: Server, guests: Guests) {
    let mut phase = guests.phase();
    loop {
        tokio::time::sleep(LOOK).await;
        let now = guests.phase();
        if now != phase {
            phase = now;
            server.recheck_keys().await;
        }
    }
}

/// Prints events until the server ends.
async fn print(
    mut events: Events,
    mut notices: Receiver<String>,
    mut said: Receiver<Said>,
    guests: Guests,
    log: Log,
    mut terminal: Terminal<std::io::Stdout>,
) -> Terminal<std::io::Stdout> {
    let times = Times::local();
    if log != Log::Readings {
        events = events.without_rows();
    }
    loop {
        let event = tokio::select! {
            Some(notice) = notices.recv() => {
                terminal.loud(format!("{}  keys  {notice}", times.clock(now_us())));
                continue;
            }
            Some(Said { text, loud }) = said.recv() => {
                let text = format!("{}  rules  {text}", times.clock(now_us()));
                match (loud, log) {
                    (true, _) => terminal.loud(text),
                    (false, Log::Quiet) => {}
                    (false, _) => terminal.line(text),
                }
                continue;
            }
            event = events.next() => event,
        };
        let Some(event) = event else { return terminal };
        let now = times.clock(now_us());
        if let Event::Stored { rows } = &event {
            for row in rows.iter() {
                let (device, at) = (row.lane.device, times.clock(row.not_after_us));
                terminal.line(format!("{now}  {device}  quantity {} = {} at {at}", row.quantity, row.value));
            }
        }
        let Some(line) = events::line(&event, &guests, &times) else { continue };
        let text = format!("{now}  {}  {}", line.who, line.what);
        match (line.loud, log) {
            (true, _) => terminal.loud(text),
            (false, Log::Quiet) => {}
            (false, _) => terminal.line(text),
        }
    }
}

/// As [`Server::serve`], with connections that may die behind an acknowledgement.
async fn serve_to_fail(server: &Server, listener: TcpListener, point: FailPoint) -> Result<()> {
    let stop = stop();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (io, peer) = accepted?;
                io.set_nodelay(true)?;
                tokio::spawn(server.attach(FailIo::new(io, point.clone()), peer));
            }
            () = &mut stop => break,
        }
    }
    server.shutdown().await;
    Ok(())
}
