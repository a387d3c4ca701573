//! One run: a world of a seed, a plan of what goes wrong in it, and the oracle that watches.
//!
//! Devices sample, dial, sleep and come back by themselves; each takes one fault of the plan after the other, is brought to the step that
//! the fault is for, and is hit there. Then everything gets whole, and within a bounded time everything must be stored.

mod device;
mod fault;
mod step;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use sensock::{Lane, Position, StoreId};
use sensock_store::memory::{MemoryStore, Snapshot};
use sensock_store::work::{CommandWork, Work};
use sensock_store::{Batch, Span};

use crate::board::News;
use crate::chance::Chance;
use crate::check::ready;
use crate::faults::{Kind, Step, Table};
use crate::host::HostId;
use crate::oracle::{Backup, Counts, Oracle};
use crate::plan::{Op, Size};
use crate::sealed::Sealed;
use crate::world::{BEGIN_US, World};

use device::Device;

/// What became of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The first invariant that did not hold, and when, in simulated seconds.
    pub violation: Option<(String, u64)>,
    /// Simulated time of all devices, in seconds.
    pub device_seconds: u64,
    /// Faults that hit.
    pub table: Table,
    /// Faults of the plan that found no moment to hit.
    pub missed: u64,
    /// What was recorded and stored.
    pub counts: Counts,
    /// For a person; empty unless asked for.
    pub trace: String,
}

/// Something that was done to somebody, and counts once it has an effect.
struct Watch {
    kind: Kind,
    step: Step,
    until: u64,
    hit: fault::Hit,
}

/// One in so many worlds is sealed: its key exchanges cost as much as all else in it.
const SEALED_EVERY: u64 = 8;

struct Run {
    world: World,
    oracle: Oracle,
    devices: Vec<Device>,
    /// When servers that are down come back, and when their clocks are right again.
    up_at: Vec<Option<u64>>,
    clock_at: Vec<Option<u64>>,
    calm_at: Vec<Option<u64>>,
    backup: Option<(Snapshot, Backup)>,
    backup_at: u64,
    expire_at: u64,
    watches: Vec<Watch>,
    /// What servers committed.
    journal: Arc<Mutex<Vec<Batch>>>,
    /// Of each identity: which of its boards was connected last, and how often that changed since a clone came.
    turns: Vec<(usize, u32)>,
    table: Table,
    missed: u64,
    chance: Chance,
    /// This minute, and how much happened in it.
    minute: (u64, u32),
    /// Nothing goes wrong any more.
    healing: bool,
}

/// Runs a plan in the world of a seed; with a trace, if one is wanted.
pub fn run(seed: u64, size: &Size, ops: &[Op], traced: bool) -> Outcome {
    let mut run = Run::new(seed, size, ops, traced);
    let end = BEGIN_US + size.hours * 3_600_000_000;
    let whole = catch_unwind(AssertUnwindSafe(|| {
        run.until(end);
        run.heal();
    }));
    if let Err(panic) = whole {
        let words = panic.downcast_ref::<String>().cloned();
        let words =
            words.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
        run.oracle.violate(|| format!("panicked: {words}"));
    }
    let seconds = (run.world.now - BEGIN_US) / 1_000_000;
    if let Some(sealed) = &run.world.sealed {
        run.oracle.counts.sealed = 1;
        run.oracle.counts.attacks = (sealed.flipped, sealed.replayed, sealed.denied);
    }
    Outcome {
        violation: run.oracle.violation().map(|words| (words.to_owned(), seconds)),
        device_seconds: seconds * size.devices as u64,
        table: run.table,
        missed: run.missed,
        counts: run.oracle.counts,
        trace: if traced { run.world.trace() } else { String::new() },
    }
}

impl Run {
    fn new(seed: u64, size: &Size, ops: &[Op], traced: bool) -> Self {
        let mut chance = Chance::new(seed);
        let mut world = World::new();
        world.store = MemoryStore::new(StoreId(seed | 1));
        (1..size.servers).for_each(|_| _ = world.host());
        world.log.quiet = !traced;
        if seed % SEALED_EVERY == 5 {
            world.sealed = Some(Sealed::new(seed));
        }
        let journal = Arc::<Mutex<Vec<Batch>>>::default();
        for host in &mut world.hosts {
            host.gate().committed = journal.clone();
            host.log.quiet = !traced;
            host.step_us = chance.pick(100..8_000);
            host.gate().watched = true;
            host.config.ping_interval_ms = chance.of(&[10_000, 10_000, 20_000, 40_000]);
            host.config.max_frame = chance.of(&[256, 512, 4_096]);
            if chance.percent(50) {
                // Small windows, so that credit matters.
                let window = sensock::wire::hello::Grant { records: 64, bytes: 6_000 };
                host.config.window = [window; Lane::COUNT];
            }
        }
        let mut oracle = Oracle::default();
        let mut devices = vec![];
        for i in 0..size.devices {
            let ops = ops.iter().filter(|op| op.device == i).copied().collect();
            devices.push(Device::new(&mut world, &mut oracle, i, ops, seed));
        }
        Run {
            world,
            oracle,
            devices,
            up_at: vec![None; size.servers],
            clock_at: vec![None; size.servers],
            calm_at: vec![None; size.servers],
            backup: None,
            backup_at: BEGIN_US + chance.pick(60_000_000..1_200_000_000),
            expire_at: BEGIN_US,
            watches: vec![],
            journal,
            turns: vec![(0, 0); size.devices],
            table: Table::default(),
            missed: 0,
            chance,
            minute: (0, 0),
            healing: false,
        }
    }

    fn until(&mut self, end: u64) {
        while self.world.now < end && self.oracle.violation().is_none() {
            self.spin();
            let next = self.next_at().clamp(self.world.now + 1, end);
            self.world.step(next);
            self.watch();
            self.servers();
            for i in 0..self.devices.len() {
                self.live(i);
                self.strike(i);
            }
            self.settle_watches();
        }
    }

    /// Nothing goes round and round: so many things in one minute are no work.
    fn spin(&mut self) {
        let minute = self.world.now / 60_000_000;
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        self.minute.1 += 1;
        if self.minute.1 > 400_000 {
            self.oracle.violate(|| {
                "400,000 things happened within a minute: something goes round and round".to_owned()
            });
        }
    }

    /// When somebody does something of its own accord.
    fn next_at(&self) -> u64 {
        let devices = self.devices.iter().map(Device::next_at);
        let hosts = self.up_at.iter().chain(&self.clock_at).chain(&self.calm_at).flatten().copied();
        devices.chain(hosts).chain([self.expire_at, self.backup_at]).min().unwrap_or(u64::MAX)
    }

    /// Tells the oracle what happened.
    fn watch(&mut self) {
        let now = self.world.now;
        let committed = self.journal.lock().map(|mut j| std::mem::take(&mut *j)).unwrap_or_default();
        if !committed.is_empty() {
            (0..self.devices.len()).for_each(|i| self.floors(i));
            committed.iter().for_each(|batch| self.oracle.committed(batch, now));
        }
        if self.world.sealed.is_some() {
            self.attackers();
        }
        for host in &self.world.hosts {
            let window: u64 = host.config.window.iter().map(|w| w.bytes + 4_096).sum();
            if host.outstanding_max as u64 > window {
                let most = host.outstanding_max;
                self.oracle.violate(|| {
                    format!("a connection had {most} bytes outstanding, its windows are {window}")
                });
            }
        }
        for i in 0..self.devices.len() {
            let b = &mut self.world.boards[self.devices[i].board.0];
            if b.news.is_empty() {
                continue;
            }
            for news in std::mem::take(&mut b.news) {
                self.news(i, news);
            }
        }
    }

    /// Nobody who says an old connection again is ever taken for the device.
    fn attackers(&mut self) {
        for link in &self.world.open {
            let l = &self.world.links[link.0];
            let forged = l.covers.as_ref().is_some_and(|c| c.forged);
            if forged && self.world.hosts[l.host.0].conns.get(link).is_some_and(|c| c.confirmed) {
                self.oracle
                    .violate(|| format!("a connection that was said again is served on link {}", link.0));
            }
        }
    }

    fn news(&mut self, i: usize, news: News) {
        let now = self.world.now;
        let d = &mut self.devices[i];
        let b = &self.world.boards[d.board.0];
        match news {
            News::Connected { shifted_by } => {
                let mut boot = b.outbox.borrow_mut();
                let boot = boot.as_mut();
                let boot = boot.boot() + boot.shift();
                self.oracle.welcomed(d.life, boot, shifted_by);
                d.backoff.succeeded();
                if d.chance.percent(20) {
                    // Something trips just when it has much to tell.
                    d.trips_at = Some(now + d.chance.pick(1_000..80_000));
                }
                d.heard += 1;
                let turn = &mut self.turns[d.book];
                if turn.0 != i {
                    *turn = (i, turn.1 + 1);
                    if turn.1 > 12 {
                        let id = b.id;
                        self.oracle.violate(|| {
                            format!("two boards with the identity {id} flap, and nobody is told")
                        });
                    }
                }
            }
            News::Acked { lane, mark } => {
                let drained = b.outbox.borrow_mut().as_mut().is_drained(lane);
                let (book, life) = (d.book, d.life);
                self.oracle.acked(book, lane, mark);
                if drained {
                    self.floors(i);
                    self.oracle.drained(life, lane);
                }
            }
            News::Ran { body, .. } => {
                let slack = self.oracle.skews.iter().map(|(_, s, _)| s.unsigned_abs()).max().unwrap_or(0);
                if let Err(words) = self.oracle.commands.ran(&body, now, slack) {
                    self.oracle.violate(|| words);
                }
            }
            News::Refused { backoff_ms, in_use } => {
                d.backoff.at_least(backoff_ms.min(60_000));
                d.heard += 1;
                d.in_use |= in_use;
            }
            News::Bye { retry_ms } => d.backoff.at_least(retry_ms.min(60_000)),
            News::Overtaken => self.oracle.violate(|| "readings left while an alarm waited".to_owned()),
            News::Behind(bytes) => {
                let host = b.link.map(|l| self.world.links[l.0].host);
                let frame =
                    host.map_or(512, |h| usize::from(self.world.hosts[h.0].config.max_frame).min(512));
                let tag = if self.world.sealed.is_some() { sensock::seal::TAG } else { 0 };
                if bytes > 2 * (frame + tag) {
                    self.oracle.violate(|| {
                        format!(
                            "{bytes} bytes of readings are on their way before an alarm, a frame has {frame}"
                        )
                    });
                }
            }
        }
    }

    /// What servers and operators do by themselves.
    fn servers(&mut self) {
        let now = self.world.now;
        for i in 0..self.world.hosts.len() {
            if self.up_at[i].is_some_and(|at| at <= now) {
                self.up_at[i] = None;
                self.world.restart(HostId(i));
                self.world.say(|| format!("server {i} starts"));
            }
            if self.clock_at[i].is_some_and(|at| at <= now) {
                self.clock_at[i] = None;
                self.world.hosts[i].skew_us = 0;
                let number = i as i64;
                self.world.say(|| format!("the clock of server {number} is right again"));
            }
            if self.calm_at[i].is_some_and(|at| at <= now) {
                self.calm_at[i] = None;
                self.world.hosts[i].step_us = self.chance.pick(100..8_000);
            }
        }
        if now >= self.expire_at {
            self.expire_at = now + 20_000_000;
            for i in 0..self.devices.len() {
                let Some(host) = self.some_host() else { break };
                let device = self.world.boards[self.devices[i].board.0].id;
                let now_us = now as i64 + self.world.hosts[host.0].skew_us;
                self.world.order(host, Work::Command(CommandWork::Expire { device, now_us }));
            }
        }
        if now >= self.backup_at {
            self.backup_at = now + self.chance.pick(600_000_000..3_000_000_000);
            self.watch();
            if !self.healing {
                self.backup = Some((self.world.store.snapshot(), self.oracle.backup(now)));
            }
        }
    }

    /// A server that runs and whose clock is near the truth.
    fn some_host(&mut self) -> Option<HostId> {
        let all: Vec<usize> = (0..self.world.hosts.len()).filter(|i| self.world.hosts[*i].up).collect();
        (!all.is_empty()).then(|| HostId(self.chance.of(&all)))
    }

    fn settle_watches(&mut self) {
        let now = self.world.now;
        let mut i = 0;
        while i < self.watches.len() {
            let w = &self.watches[i];
            let hit = self.has_hit(&w.hit);
            if hit {
                self.table.count(w.kind, w.step);
            } else if w.until > now {
                i += 1;
                continue;
            } else {
                self.missed += 1;
            }
            self.watches.swap_remove(i);
        }
    }

    /// Faults stop: everything must be stored within twenty minutes.
    fn heal(&mut self) {
        self.healing = true;
        for i in 0..self.world.hosts.len() {
            self.world.hosts[i].step_us = 500;
            let mut gate = self.world.hosts[i].gate();
            gate.fail = None;
            drop(gate);
            self.up_at[i] = self.up_at[i].map(|_| self.world.now + 1_000_000);
            self.clock_at[i] = self.clock_at[i].map(|_| self.world.now + 1_000_000);
        }
        self.watches.clear();
        for i in (0..self.devices.len()).rev() {
            self.heal_device(i);
        }
        let deadline = self.world.now + 1_200_000_000;
        while self.world.now < deadline && self.oracle.violation().is_none() {
            self.until(self.world.now + 5_000_000);
            if self.devices.iter().all(|d| self.is_quiet(d)) && self.oracle.commands.finish().is_none() {
                break;
            }
        }
        if self.oracle.violation().is_some() {
            return;
        }
        for d in &self.devices {
            if !self.is_quiet(d) {
                let b = &self.world.boards[d.board.0];
                let lanes = Lane::ALL.map(|l| b.outbox.borrow_mut().as_mut().is_drained(l));
                let words = format!(
                    "{}: twenty minutes after the last fault it is not drained: connected {}, live {}, lanes {lanes:?}",
                    b.id,
                    b.link.is_some(),
                    b.session.is_live()
                );
                self.oracle.violate(|| words);
            }
        }
        let store = self.world.store.clone();
        let ids: Vec<_> = self.devices.iter().map(|d| self.world.boards[d.board.0].id).collect();
        use sensock_store::History as _;
        let gaps: Vec<_> = ids.iter().map(|id| (*id, ready(store.gaps(id, Span::ALL)))).collect();
        self.oracle.finish(|id, lane, at: Position| {
            let of = gaps.iter().find(|(d, _)| *d == id);
            of.is_some_and(|(_, gaps)| {
                gaps.iter().any(|g| g.lane.lane == lane && (g.first..=g.last).contains(&at))
            })
        });
    }

    fn is_quiet(&self, d: &Device) -> bool {
        let b = &self.world.boards[d.board.0];
        d.is_clone
            || b.on
                && b.session.is_live()
                && Lane::ALL.into_iter().all(|l| b.outbox.borrow_mut().as_mut().is_drained(l))
    }
}
