//! A simulated server process: the real session per connection, rule A over the shared store.

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
                sending: false,
                since,
            };
            self.conns.insert(link, conn);
        }
    }

    pub(crate) fn frame(
        &mut self,
        now: u64,
        link: LinkId,
        mut frame: Vec<u8>,
        store: &MemoryStore,
    ) -> Vec<Act> {
        let (at, wall, wall_now, len) = (self.micros(now), self.wall(), self.wall_now(now), frame.len());
        let fresh = Tag(self.random());
        let (nonce, server) = (self.random(), self.number);
        let Some(conn) = self.conns.get_mut(&link) else { return vec![] };
        let event = match conn.session.handle_frame(at, &mut frame) {
            Ok(Some(event)) => event,
            Ok(None) => return vec![],
            Err(error) => {
                self.events.push(format!("{now:>12} server closes: {error}"));
                self.conns.remove(&link);
                return vec![Act::Close(link)];
            }
        };
        let mut acts = vec![];
        match event {
            Event::Hello(hello) => {
                conn.hello = Some(hello);
                // A memory store that fails here refuses as busy.
                let Some(Ok(resume)) = store.load(&hello.device).now_or_never() else {
                    return self.refuse(link, Refusal::Busy, "the store is away");
                };
                match judge(&resume, &hello, fresh) {
                    Verdict::Collision => {
                        self.events.push(format!("{now:>12} collision: {}", hello.device));
                        return self.refuse(link, Refusal::IdentityInUse, "another board has this identity");
                    }
                    Verdict::Welcome(identity) => {
                        let known = resume.catalogs.iter().find(|c| c.hash == hello.catalog);
                        if let Some(row) = known {
                            conn.scales = scales(&row.bytes);
                        }
                        conn.identity = Some(identity);
                        let pending = resume.commands.iter().filter(|c| !c.state.is_settled()).count();
                        let proposal = Proposal {
                            boot_shift: identity.shift,
                            tag: identity.tag,
                            marks: identity.marks,
                            want_catalog: known.is_none(),
                            pending: pending as u16,
                            store: store_id(store),
                            nonce,
                        };
                        let _ = conn.session.welcome(proposal);
                    }
                }
            }
            Event::Proved => {
                if let (Some(hello), Some(identity), Some(bounds)) =
                    (conn.hello, conn.identity, conn.session.bounds())
                {
                    let zero = bounds.moment(sensock::Tick(0));
                    let work = HelloWork {
                        hello,
                        proposed: identity,
                        firmware: String::new(),
                        started: (Some(zero.0 + wall), Some(zero.1 + wall)),
                        connection: ConnectionRow {
                            id: fresh.0,
                            device: hello.device,
                            boot: identity.boot,
                            server,
                            peer: format!("link {}", link.0),
                            from_us: wall_now,
                            to_us: None,
                            reason: String::new(),
                            asleep_until_us: None,
                            account: Account::default(),
                            records: 0,
                            bytes: 0,
                        },
                        anchor: Some(AnchorRow {
                            device: hello.device,
                            boot: identity.boot,
                            tick: bounds.tick,
                            lo_us: bounds.lo + wall,
                            hi_us: bounds.hi + wall,
                            server,
                        }),
                        store: store_id(store),
                        now_us: wall_now,
                    };
                    self.push(now, Some(link), Work::Hello(Box::new(work)), None);
                }
            }
            Event::Data(data) => {
                if let (Some(hello), Some(bounds)) = (conn.hello, conn.session.bounds()) {
                    let terms = Terms {
                        device: hello.device,
                        catalog: hello.catalog,
                        bounds,
                        wall_us: wall,
                        received_us: wall_now,
                        scales: &conn.scales,
                    };
                    let (lane, records) = (data.lane, data.records);
                    let work = Work::Records(Box::new(intake::records(&data, &terms)));
                    self.push(now, Some(link), work, Some((lane, records, len)));
                }
            }
            Event::Floor { lane, floor } => {
                if let Some(hello) = conn.hello {
                    let lane = LaneId { device: hello.device, lane };
                    let work =
                        Work::Floor(FloorWork { lane, floor, between_us: (None, None), now_us: wall_now });
                    self.push(now, Some(link), work, None);
                }
            }
            Event::Catalog(part) => {
                conn.catalog.extend_from_slice(part.bytes);
                if conn.catalog.len() == part.total as usize {
                    let (hash, bytes) = (part.hash, std::mem::take(&mut conn.catalog));
                    conn.scales = scales(&bytes);
                    if let Some(hello) = conn.hello {
                        let catalogs = vec![CatalogRow { device: hello.device, hash, bytes }];
                        let rows = Work::Rows(Box::new(Batch { catalogs, ..Batch::default() }));
                        self.push(now, Some(link), rows, None);
                    }
                }
            }
            Event::ClockFault => self.events.push(format!("{now:>12} clock fault")),
            Event::Sleep(sleep) => {
                if let (Some(hello), true) = (conn.hello, sleep.ends_boot) {
                    let work = Work::Ended(hello.device, sleep.lasts);
                    self.push(now, Some(link), work, None);
                }
                acts.extend(self.bye(link, End::Slept, 0));
            }
            Event::Bye(bye) => {
                if let (Some(hello), true) = (conn.hello, bye.ends_boot) {
                    let work = Work::Ended(hello.device, bye.lasts);
                    self.push(now, None, work, None);
                }
                self.conns.remove(&link);
                acts.push(Act::Close(link));
            }
            _ => {}
        }
        acts
    }

    fn push(&mut self, now: u64, link: Option<LinkId>, work: Work, release: Option<(Lane, u32, usize)>) {
        self.queue.push(Queued { link, work, release });
        self.commit_at.get_or_insert(now + self.commit_us);
    }

    /// Puts work of the operator into the queue.
    pub(crate) fn order(&mut self, now: u64, work: Work) {
        self.push(now, None, work, None);
    }

    fn refuse(&mut self, link: LinkId, code: Refusal, text: &str) -> Vec<Act> {
        let mut out = [0; 256];
        let Some(mut conn) = self.conns.remove(&link) else { return vec![] };
        match conn.session.refuse(code, code.backoff_ms(), text, &mut out) {
            Ok(n) => vec![Act::Down(link, out[..n].to_vec()), Act::Close(link)],
            Err(_) => vec![Act::Close(link)],
        }
    }

    pub(crate) fn bye(&mut self, link: LinkId, reason: End, retry_ms: u32) -> Vec<Act> {
        let mut out = [0; 256];
        let Some(mut conn) = self.conns.remove(&link) else { return vec![] };
        match conn.session.bye(reason, retry_ms, "", &mut out) {
            Ok(n) => vec![Act::Down(link, out[..n].to_vec()), Act::Close(link)],
            Err(_) => vec![Act::Close(link)],
        }
    }

    /// Runs the queue through rule A.
    pub(crate) fn commit(&mut self, now: u64, store: &MemoryStore) -> Vec<Act> {
        self.commit_at = None;
        if self.hold || self.queue.is_empty() {
            return vec![];
        }
        if self.crash == Some(Crash::Before) {
            return vec![Act::Crash];
        }
        let works: Vec<Work> = self.queue.iter().map(|q| q.work.clone()).collect();
        let results = match commit(store, &works).now_or_never() {
            Some(Ok(results)) => results,
            Some(Err(MemoryError::Told(..))) => {
                self.commit_at = Some(now + 50_000);
                return vec![];
            }
            other => {
                self.events.push(format!("{now:>12} store: {other:?}"));
                return vec![];
            }
        };
        if self.crash == Some(Crash::AfterCommit) {
            return vec![Act::Crash];
        }
        let queue = std::mem::take(&mut self.queue);
        let mut acts = vec![];
        for (queued, result) in queue.into_iter().zip(results) {
            acts.extend(self.done(now, queued, result));
        }
        acts
    }

    fn done(&mut self, now: u64, queued: Queued, result: Result<Done, Refuse>) -> Vec<Act> {
        let mut acts = vec![];
        if let (Some(link), Some((lane, records, bytes))) = (queued.link, queued.release) {
            if let Some(conn) = self.conns.get_mut(&link) {
                conn.session.release(lane, records, bytes);
            }
        }
        match result {
            Ok(Done::Hello(done)) => {
                let device = match &queued.work {
                    Work::Hello(w) => w.hello.device,
                    _ => return acts,
                };
                for row in done.settled {
                    self.events.push(format!("{now:>12} command {} is {:?}", row.id, row.state));
                }
                for gap in &done.gaps {
                    self.events.push(format!("{now:>12} gap {}..{} {}", gap.first, gap.last, gap.cause));
                }
                // Takeover: the connection that proved itself live last wins.
                let old: Vec<LinkId> = (self.conns.iter())
                    .filter(|(l, c)| {
                        Some(**l) != queued.link && c.confirmed && c.hello.is_some_and(|h| h.device == device)
                    })
                    .map(|(l, _)| *l)
                    .collect();
                for link in old {
                    acts.extend(self.bye(link, End::Takeover, 0));
                }
                if let Some(conn) = queued.link.and_then(|l| self.conns.get_mut(&l)) {
                    conn.confirmed = true;
                    conn.session.confirm(done.identity.marks);
                    conn.deliver = done.deliver.into();
                    conn.settings = done.settings.into();
                }
            }
            Ok(Done::Appended(appended)) => {
                let lane = match &queued.work {
                    Work::Records(w) => w.lane.lane,
                    Work::Floor(w) => w.lane.lane,
                    _ => return acts,
                };
                for row in &appended.settled {
                    self.events.push(format!("{now:>12} command {} is {:?}", row.id, row.state));
                }
                for gap in &appended.gaps {
                    self.events.push(format!("{now:>12} gap {}..{} {}", gap.first, gap.last, gap.cause));
                }
                if let Some(conn) = queued.link.and_then(|l| self.conns.get_mut(&l)) {
                    appended.settled.iter().for_each(|_| conn.session.answered());
                    if appended.rewind {
                        conn.session.rewind(lane, appended.mark.next());
                    } else {
                        conn.session.committed(lane, appended.mark);
                    }
                }
            }
            Ok(Done::Command(row, _)) => {
                self.events.push(format!("{now:>12} command {} is {:?}", row.id, row.state));
                let moved = matches!(queued.work, Work::Command(CommandWork::Sent { .. }));
                if let Some(conn) = self.conn_of(row.device) {
                    conn.sending &= !moved;
                    match row.state {
                        sensock_store::CommandState::Queued => conn.deliver.push_back(*row),
                        sensock_store::CommandState::Sent(_) => acts.extend(self.send(now, &row)),
                        _ => {}
                    }
                }
            }
            Ok(Done::Setting(row)) => {
                if let Some(conn) = self.conn_of(row.device) {
                    conn.settings.push_back(*row);
                }
            }
            Ok(Done::Rows) => {
                if let (Some(conn), Work::Rows(rows)) =
                    (queued.link.and_then(|l| self.conns.get_mut(&l)), &queued.work)
                {
                    if !rows.catalogs.is_empty() {
                        conn.session.catalog_stored();
                    }
                }
            }
            Ok(_) => {}
            Err(Refuse::Busy) => {
                acts.extend(queued.link.map(|l| self.bye(l, End::Refused, 5_000)).unwrap_or_default())
            }
            Err(error) => {
                self.events.push(format!("{now:>12} refused: {error}"));
                acts.extend(queued.link.map(|l| self.bye(l, End::Refused, 300_000)).unwrap_or_default());
            }
        }
        acts
    }

    fn conn_of(&mut self, device: DeviceId) -> Option<&mut Conn> {
        self.conns.values_mut().find(|c| c.confirmed && c.hello.is_some_and(|h| h.device == device))
    }

    /// The command is stored as sent: now its frame may leave.
    fn send(&mut self, now: u64, row: &CommandRow) -> Vec<Act> {
        let wall_now = self.wall_now(now);
        let micros = self.micros(now);
        let Some((link, conn)) = self
            .conns
            .iter_mut()
            .find(|(_, c)| c.confirmed && c.hello.is_some_and(|h| h.device == row.device))
        else {
            return vec![];
        };
        let left_ms = (row.deadline_us - wall_now).max(0) as u64 / 1_000;
        let since_ms = micros.since(conn.since) / 1_000;
        let not_after = conn.hello.map(|h| h.tick.plus((left_ms + since_ms).saturating_sub(since_ms)));
        let mut out = [0; 512];
        let call = Call { id: row.id, key: row.key, policy: row.policy, not_after, body: &row.body };
        match conn.session.command(&call, &mut out) {
            Ok(n) => vec![Act::Down(*link, out[..n].to_vec())],
            Err(_) => vec![],
        }
    }

    /// Frames that are due, and commands and settings that may go.
    pub(crate) fn frames(&mut self, now: u64) -> Vec<Act> {
        let at = self.micros(now);
        let wall_now = self.wall_now(now);
        let mut acts = vec![];
        let mut works = vec![];
        let mut buf = [0; 4096];
        for (link, conn) in &mut self.conns {
            while let Ok(n @ 1..) = conn.session.poll_transmit(at, &mut buf) {
                acts.push(Act::Down(*link, buf[..n].to_vec()));
            }
            if !conn.confirmed {
                continue;
            }
            if let (true, Some(identity)) = (conn.session.can_command() && !conn.sending, conn.identity) {
                if let Some(row) = conn.deliver.pop_front() {
                    conn.sending = true;
                    works.push(Work::Command(CommandWork::Sent {
                        device: row.device,
                        id: row.id,
                        boot: identity.boot,
                        now_us: wall_now,
                    }));
                }
            }
            while let Some(row) = conn.settings.pop_front() {
                let setting = SettingValue { key: row.key, revision: row.revision, body: &row.body };
                if let Ok(n) = conn.session.setting(&setting, &mut buf) {
                    acts.push(Act::Down(*link, buf[..n].to_vec()));
                }
            }
        }
        works.into_iter().for_each(|w| self.order(now, w));
        acts
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
