//! What a person sees while the demo runs: lines for what happens, and on a terminal a table of what is measured.

use std::collections::BTreeMap;
use std::io::Stdout;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sensock::catalog::QuantityEntry;
use sensock_server::{End, Event, Events};
use sensock_store::ReadingRow;
use tokio::time::{Instant, interval};

use super::fleet::Board;
use crate::guests::Guests;
use crate::show::events;
use crate::show::terminal::{Terminal, table};
use crate::show::time::Times;
use crate::show::words::{count, thousands, value};

/// How often a line of progress is printed where nothing can be redrawn.
const PROGRESS_S: u64 = 3;

/// The screen, shared by all who have something to say.
#[derive(Clone)]
pub(crate) struct Screen {
    inner: Arc<Mutex<Inner>>,
    began: Instant,
}

struct Inner {
    terminal: Terminal<Stdout>,
    devices: BTreeMap<String, Seen>,
    stored: u64,
    shown: usize,
}

/// What was seen of a device.
struct Seen {
    quantities: &'static [QuantityEntry<'static>],
    source: String,
    stored: u64,
    connected: bool,
    latest: BTreeMap<u16, ReadingRow>,
}

impl Screen {
    pub(crate) fn new(boards: &[Board], began: Instant) -> Self {
        let seen = |b: &Board| Seen {
            quantities: b.catalog.quantities,
            source: b.source.clone(),
            stored: 0,
            connected: false,
            latest: BTreeMap::new(),
        };
        let devices = boards.iter().map(|b| (b.name.to_owned(), seen(b))).collect();
        let inner = Inner { terminal: Terminal::stdout(), devices, stored: 0, shown: 0 };
        Self { inner: Arc::new(Mutex::new(inner)), began }
    }

    /// What this is.
    pub(crate) fn greet(&self, file: &Path) {
        let boards = {
            let inner = self.lock();
            let one = |(name, seen): (&String, &Seen)| {
                let names: Vec<&str> = seen.quantities.iter().map(|q| q.name).take(3).collect();
                let more = if seen.quantities.len() > 3 { ", …" } else { "" };
                vec![format!("  {name}"), seen.source.clone(), format!("{}{more}", names.join(", "))]
            };
            table(&inner.devices.iter().map(one).collect::<Vec<_>>())
        };
        self.print(&format!("sensock demo: a server on loopback with a SQLite file, {}", file.display()));
        self.print(&format!(
            "{} replay recordings; only the pauses are compressed, all times are real:",
            count(boards.len() as u64, "device")
        ));
        boards.iter().for_each(|line| self.print(line));
        self.print("Their links will be cut, some for longer. Each has a key of its own, and all that goes over them is sealed.\n");
    }

    /// Something that happened, with the time since the beginning.
    pub(crate) fn say(&self, who: &str, what: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        self.print(&format!("{seconds:6.1} s  {who:<9} {what}"));
    }

    /// A line as it is.
    pub(crate) fn print(&self, text: &str) {
        let mut inner = self.lock();
        inner.terminal.line(text);
        inner.draw();
    }

    /// No more table.
    pub(crate) fn finish(&self) {
        self.lock().devices.clear();
        self.lock().terminal.draw(&[]);
    }

    /// Shows what the server reports, until it ends.
    pub(crate) async fn watch(self, mut events: Events, guests: Guests) {
        let times = Times::local();
        let mut second = interval(Duration::from_secs(1));
        let mut seconds = 0;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.event(&event, &guests, &times),
                    None => return,
                },
                _ = second.tick() => {
                    seconds += 1;
                    self.tick(seconds, &times);
                }
            }
        }
    }

    fn event(&self, event: &Event, guests: &Guests, times: &Times) {
        {
            let mut inner = self.lock();
            match event {
                Event::Stored { rows } => inner.stored(rows),
                Event::Connected { device, .. } | Event::Resumed { device, .. } => {
                    inner.connected(device, true)
                }
                Event::Disconnected { device, .. } => inner.connected(device, false),
                _ => {}
            }
        }
        // What commands lead to is told where they are sent, and that devices leave in the end is no news.
        let told = matches!(event, Event::Settled(_) | Event::Disconnected { end: End::Bye, .. });
        if let Some(line) = events::line(event, guests, times).filter(|_| !told) {
            self.say(&line.who, &line.what);
        }
    }

    fn tick(&self, seconds: u64, times: &Times) {
        let mut inner = self.lock();
        if inner.terminal.is_live() {
            inner.draw();
        } else if seconds.is_multiple_of(PROGRESS_S) {
            let line = inner.progress(times);
            drop(inner);
            self.say("stored", &line);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn stored(&mut self, rows: &[ReadingRow]) {
        self.stored += rows.len() as u64;
        let Some(seen) = rows.first().and_then(|r| self.devices.get_mut(r.lane.device.as_str())) else {
            return;
        };
        seen.stored += rows.len() as u64;
        let last = rows.len().saturating_sub(seen.quantities.len());
        for row in &rows[last..] {
            seen.latest.insert(row.quantity, *row);
        }
    }

    fn connected(&mut self, device: &str, now: bool) {
        if let Some(seen) = self.devices.get_mut(device) {
            seen.connected = now;
        }
    }

    /// The table below the lines.
    fn draw(&mut self) {
        if self.devices.is_empty() || !self.terminal.is_live() {
            return;
        }
        let times = Times::local().fine(true);
        let mut rows = Vec::new();
        for (name, seen) in &self.devices {
            let link = if seen.connected { "link up" } else { "no link" };
            rows.push(vec![
                format!("  {name}"),
                link.to_owned(),
                count(seen.stored, "reading"),
                seen.at(&times),
                seen.latest(),
            ]);
        }
        let mut lines = vec![format!("  {} readings stored", thousands(self.stored))];
        lines.extend(table(&rows));
        self.terminal.draw(&lines);
    }

    /// One line instead of the table: the total, and the latest of one device in turn.
    fn progress(&mut self, times: &Times) -> String {
        self.shown += 1;
        let up = self.devices.values().filter(|s| s.connected).count();
        let total = format!(
            "{} readings so far, {up} of {} devices connected",
            thousands(self.stored),
            self.devices.len()
        );
        match self.devices.iter().nth(self.shown % self.devices.len().max(1)) {
            Some((name, seen)) if !seen.latest.is_empty() => {
                format!("{total}; {name}: {} at {}", seen.latest(), seen.at(times))
            }
            _ => total,
        }
    }
}

impl Seen {
    /// Some of its latest readings, with units.
    fn latest(&self) -> String {
        let one = |row: &ReadingRow| {
            let q = self.quantities.iter().find(|q| q.id == row.quantity)?;
            Some(format!("{} {}", q.name, value(row.raw, q.scale, q.unit, row.fault)))
        };
        self.latest.values().filter_map(one).take(2).collect::<Vec<_>>().join(", ")
    }

    /// When they were measured.
    fn at(&self, times: &Times) -> String {
        self.latest.values().map(|r| r.not_after_us).max().map_or_else(String::new, |at| times.clock(at))
    }
}
