//! A simulated server process: the real session per connection, rule A over the shared store.

mod commits;
mod frames;

use std::collections::{BTreeMap, VecDeque};

use futures_util::FutureExt as _;
use sensock::catalog::CatalogView;
use sensock::server::{Config, Event, Proposal, Session};
use sensock::wire::call::{Call, SettingValue};
use sensock::wire::hello::{Account, End, Hello, Refusal};
use sensock::{DeviceId, Lane, Micros, Tag};
use sensock_store::append::commit;
use sensock_store::identity::judge;
use sensock_store::memory::{MemoryError, MemoryStore};
use sensock_store::work::{CommandWork, Done, FloorWork, HelloWork, Identity, Refuse, Verdict, Work};
use sensock_store::{
    AnchorRow, Batch, CatalogRow, CommandRow, ConnectionRow, LaneId, SettingRow, Store as _,
};

use crate::intake::{self, Terms};
use crate::link::LinkId;

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
    scales: BTreeMap<u16, i8>,
    catalog: Vec<u8>,
    deliver: VecDeque<CommandRow>,
    settings: VecDeque<SettingRow>,
    /// Revisions on the device that it did not say it applied.
    unapplied: Vec<u32>,
    /// Sleep was the last that came.
    sleep_said: bool,
    /// A command is being stored as sent.
    sending: bool,
    since: Micros,
}

struct Queued {
    link: Option<LinkId>,
    work: Work,
    release: Option<(Lane, u32, usize)>,
}

pub(crate) struct Host {
    pub number: u64,
    /// The server's steady clock started then, in true time.
    pub started_us: u64,
    /// Wall clock minus true time.
    pub skew_us: i64,
    pub conns: BTreeMap<LinkId, Conn>,
    queue: Vec<Queued>,
    pub config: Config,
    /// The store takes this long; works pile up meanwhile.
    pub commit_us: u64,
    pub commit_at: Option<u64>,
    pub hold: bool,
    pub crash: Option<Crash>,
    pub up: bool,
    pub events: Vec<String>,
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
            config: Config::default(),
            commit_us: 2_000,
            commit_at: None,
            hold: false,
            crash: None,
            up: true,
            events: vec![],
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
        let since = self.micros(now);
        if let Ok(session) = Session::new(self.config, since) {
            let conn = Conn {
                session,
                hello: None,
                identity: None,
                confirmed: false,
                scales: BTreeMap::new(),
                catalog: vec![],
                deliver: VecDeque::new(),
                settings: VecDeque::new(),
                unapplied: vec![],
                sleep_said: false,
                sending: false,
                since,
            };
            self.conns.insert(link, conn);
        }
    }

    fn push(&mut self, now: u64, link: Option<LinkId>, work: Work, release: Option<(Lane, u32, usize)>) {
        self.queue.push(Queued { link, work, release });
        self.commit_at.get_or_insert(now + self.commit_us);
    }

    /// Puts work of the operator into the queue.
    pub(crate) fn order(&mut self, now: u64, work: Work) {
        self.push(now, None, work, None);
    }

    fn conn_of(&mut self, device: DeviceId) -> Option<&mut Conn> {
        self.conns.values_mut().find(|c| c.confirmed && c.hello.is_some_and(|h| h.device == device))
    }

    /// When something is due.
    pub(crate) fn next_at(&self) -> Option<u64> {
        let sessions = (self.conns.values().filter_map(|c| c.session.poll_timeout()))
            .map(|m| m.0 + self.started_us - 1_000_000)
            .min();
        let commit = self.commit_at.filter(|_| !self.hold);
        match (sessions, commit) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    pub(crate) fn timeouts(&mut self, now: u64) -> Vec<Act> {
        let at = self.micros(now);
        let late: Vec<LinkId> = (self.conns.iter_mut())
            .filter_map(|(link, c)| c.session.handle_timeout(at).is_err().then_some(*link))
            .collect();
        late.into_iter()
            .map(|link| {
                self.conns.remove(&link);
                self.events.push(format!("{now:>12} server: link {} is silent", link.0));
                Act::Close(link)
            })
            .collect()
    }
}

fn store_id(store: &MemoryStore) -> sensock::StoreId {
    store.info().now_or_never().and_then(Result::ok).map(|i| i.id).unwrap_or_default()
}

fn scales(bytes: &[u8]) -> BTreeMap<u16, i8> {
    CatalogView::new(bytes).map(|v| v.quantities().map(|q| (q.id, q.scale)).collect()).unwrap_or_default()
}
