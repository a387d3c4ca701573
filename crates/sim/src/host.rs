//! A simulated server process: the real session per connection, rule A over the shared store.

mod commits;
mod frames;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use sensock::link::Bounds;
use sensock::server::{Config, Event, Proposal, Session};
use sensock::wire::hello::{Account, End, Hello, Refusal};
use sensock::{DeviceId, Lane, Micros, Tag, Tick};
use sensock_store::append::commit;
use sensock_store::identity::judge;
use sensock_store::memory::{MemoryError, MemoryStore};
use sensock_store::work::{CommandWork, Done, FloorWork, HelloWork, Identity, Refuse, Verdict, Work};
use sensock_store::{Batch, BootRow, CatalogRow, CommandState, ConnectionRow, LaneId, Store as _};

use crate::gate::{Gate, GatedStore};
use crate::link::LinkId;
use crate::log::Log;
use crate::shipped::downlink::Downlink;
use crate::shipped::intake::{Facts, Intake, anchor};
use crate::shipped::sheet::Sheet;
use crate::shipped::times::Times;

impl Committing {
    pub(crate) fn next_at(&self) -> u64 {
        self.next_at
    }
}

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostId(pub usize);

/// Where a server dies in its next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Before the transaction.
    Before,
    /// After COMMIT and before any ack.
    AfterCommit,
}

pub(crate) struct Conn {
    pub session: Session,
    pub hello: Option<Hello>,
    pub identity: Option<Identity>,
    /// The Hello transaction stands.
    pub confirmed: bool,
    times: Times,
    sheet: Option<Sheet>,
    older: Vec<Arc<Sheet>>,
    /// The catalogue is on its way.
    pub wants_catalog: bool,
    catalog: Vec<u8>,
    /// Works that wait for the Hello transaction.
    held: Vec<Queued>,
    /// Counts rewinds of each lane: what was under way before one is no reason for another.
    epochs: [u32; Lane::COUNT],
    /// The tick of the last anchor.
    anchored: Option<Tick>,
    /// Bytes of records that are not done with.
    pub outstanding: usize,
    /// Commands and settings.
    pub down: Downlink,
    /// Sleep was the last that came.
    sleep_said: bool,
}

/// Whose a work is, and what its connection gets back when it is done.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub link: Option<LinkId>,
    release: Option<(Lane, u32, usize)>,
    epoch: u32,
}

pub(crate) struct Queued {
    pub origin: Origin,
    pub work: Work,
}

type Committed = (Vec<Work>, Result<Vec<Result<Done, Refuse>>, MemoryError>);

/// A transaction under way.
pub(crate) struct Committing {
    pub origins: Vec<Origin>,
    future: Pin<Box<dyn Future<Output = Committed> + Send>>,
    next_at: u64,
    devices: Vec<DeviceId>,
}

pub(crate) struct Host {
    pub number: u64,
    /// The server's steady clock started then, in true time.
    pub started_us: u64,
    /// Wall clock minus true time.
    pub skew_us: i64,
    pub conns: BTreeMap<LinkId, Conn>,
    pub queue: Vec<Queued>,
    pub committing: Option<Committing>,
    pub gate: Arc<Mutex<Gate>>,
    /// A step of a transaction takes so long; none if 0.
    pub step_us: u64,
    /// Whether catalogues are asked for though they are known, the next time.
    pub recheck: bool,
    /// Devices that were turned away because the clock is not set.
    pub clock_refusals: u32,
    /// The most that one connection had outstanding, in bytes.
    pub outstanding_max: usize,
    pub config: Config,
    /// The store takes this long; works pile up meanwhile.
    pub commit_us: u64,
    pub commit_at: Option<u64>,
    pub hold: bool,
    /// How often what the store says of connected devices is looked at, as other servers may have written it; and when next.
    pub poll_us: u64,
    poll_at: u64,
    pub crash: Option<Crash>,
    pub up: bool,
    /// Something happened to it: it may have something to say.
    pub touched: bool,
    pub log: Log,
    entropy: u64,
}

/// What a host wants of the world.
pub(crate) enum Act {
    Down(LinkId, Vec<u8>),
    Close(LinkId),
    Crash,
}

impl Host {
    pub(crate) fn new(number: u64, now: u64) -> Self {
        Host {
            number,
            started_us: now,
            skew_us: 0,
            conns: BTreeMap::new(),
            queue: vec![],
            committing: None,
            gate: Arc::default(),
            step_us: 0,
            recheck: false,
            clock_refusals: 0,
            outstanding_max: 0,
            config: Config::default(),
            commit_us: 2_000,
            commit_at: None,
            hold: false,
            poll_us: 1_000_000,
            poll_at: now + 1_000_000,
            crash: None,
            up: true,
            touched: true,
            log: Log::default(),
            entropy: number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    fn micros(&self, now: u64) -> Micros {
        Micros(now - self.started_us + 1_000_000)
    }

    /// Added to the steady clock to give wall time.
    fn wall(&self) -> i64 {
        self.started_us as i64 - 1_000_000 + self.skew_us
    }

    fn wall_now(&self, now: u64) -> i64 {
        now as i64 + self.skew_us
    }

    fn random(&mut self) -> u64 {
        self.entropy =
            self.entropy.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.entropy ^ self.entropy >> 31) | 1
    }

    pub(crate) fn accept(&mut self, now: u64, link: LinkId) {
        self.touched = true;
        let since = self.micros(now);
        if let Ok(session) = Session::new(self.config, since) {
            let conn = Conn {
                session,
                hello: None,
                identity: None,
                confirmed: false,
                times: Times::default(),
                sheet: None,
                older: vec![],
                wants_catalog: false,
                catalog: vec![],
                held: vec![],
                epochs: [0; Lane::COUNT],
                anchored: None,
                outstanding: 0,
                down: Downlink::default(),
                sleep_said: false,
            };
            self.conns.insert(link, conn);
        }
    }

    pub(crate) fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A work of a connection; it waits for the Hello transaction unless it is that.
    fn push(&mut self, now: u64, link: LinkId, work: Work, release: Option<(Lane, u32, usize)>) {
        let Some(conn) = self.conns.get_mut(&link) else { return };
        let lane = match &work {
            Work::Records(w) => w.lane.lane,
            Work::Floor(w) => w.lane.lane,
            _ => Lane::Alarm,
        };
        let origin = Origin { link: Some(link), release, epoch: conn.epochs[lane.index()] };
        conn.outstanding += release.map_or(0, |(_, _, bytes)| bytes);
        self.outstanding_max = self.outstanding_max.max(conn.outstanding);
        let queued = Queued { origin, work };
        if conn.confirmed || matches!(queued.work, Work::Hello(_)) {
            self.queue.push(queued);
            self.commit_at.get_or_insert(now + self.commit_us);
        } else {
            conn.held.push(queued);
        }
    }

    /// Puts work of the operator into the queue.
    pub(crate) fn order(&mut self, now: u64, work: Work) {
        self.touched = true;
        self.queue.push(Queued { origin: Origin { link: None, release: None, epoch: 0 }, work });
        self.commit_at.get_or_insert(now + self.commit_us);
    }

    /// Whether a work of this device is in the transaction under way.
    pub(crate) fn is_storing(&self, device: DeviceId) -> bool {
        self.committing.as_ref().is_some_and(|c| c.devices.contains(&device))
    }

    /// Whether rows must not be stamped now: the wall clock shows a time before the newest row, or before this was made.
    fn clock_holds(&self, now: u64, store: &MemoryStore) -> bool {
        let latest = store.info().now_or_never().and_then(Result::ok).map_or(i64::MIN, |i| i.latest_us);
        self.wall_now(now) < latest.saturating_sub(1_000_000).max(crate::world::BEGIN_US as i64)
    }

    fn conn_of(&mut self, device: DeviceId) -> Option<&mut Conn> {
        self.conns.values_mut().find(|c| c.confirmed && c.hello.is_some_and(|h| h.device == device))
    }

    /// When something is due.
    pub(crate) fn next_at(&self) -> Option<u64> {
        let sessions = (self.conns.values().filter_map(|c| c.session.poll_timeout()))
            .map(|m| m.0 + self.started_us - 1_000_000)
            .min();
        let commit = match &self.committing {
            Some(c) => Some(c.next_at),
            None => self.commit_at.filter(|_| !self.hold),
        };
        let poll = self.conns.values().any(|c| c.confirmed).then_some(self.poll_at);
        [sessions, commit, poll].into_iter().flatten().min()
    }

    /// Looks at what other servers may have written, as the server's sweeper does.
    pub(crate) fn sweep(&mut self, now: u64, store: &MemoryStore) {
        if now < self.poll_at {
            return;
        }
        self.poll_at = now + self.poll_us;
        self.touched = true;
        let now_us = self.wall_now(now);
        let mut late = vec![];
        for conn in self.conns.values_mut().filter(|c| c.confirmed) {
            let (Some(hello), Some(identity)) = (conn.hello, conn.identity) else { continue };
            let Some(Ok(resume)) = store.load(&hello.device).now_or_never() else { continue };
            for row in resume.commands {
                match row.state {
                    CommandState::Queued if row.deadline_us < now_us => late.push(hello.device),
                    CommandState::Queued | CommandState::Sent(_) => conn.down.deliver(row, identity.boot),
                    _ => {}
                }
            }
            let settings = resume.settings.into_iter();
            settings.filter(|s| s.applied_us.is_none() && s.refused.is_none()).for_each(|s| conn.down.set(s));
        }
        late.dedup();
        for device in late {
            self.order(now, Work::Command(CommandWork::Expire { device, now_us }));
        }
    }

    pub(crate) fn timeouts(&mut self, now: u64) -> Vec<Act> {
        self.touched = true;
        let at = self.micros(now);
        let late: Vec<LinkId> = (self.conns.iter_mut())
            .filter_map(|(link, c)| c.session.handle_timeout(at).is_err().then_some(*link))
            .collect();
        late.into_iter()
            .map(|link| {
                self.conns.remove(&link);
                self.log.say(now, || format!("server: link {} is silent", link.0));
                Act::Close(link)
            })
            .collect()
    }
}

fn store_id(store: &MemoryStore) -> sensock::StoreId {
    store.info().now_or_never().and_then(Result::ok).map(|i| i.id).unwrap_or_default()
}
