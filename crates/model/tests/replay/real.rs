//! The real counterpart of a state: sessions, outbox, store, and the frames between them.

use std::collections::VecDeque;

use futures_util::FutureExt as _;
use sensock::StoreId;
use sensock_model::{Action, Scope, State};
use sensock_store::append::commit;
use sensock_store::memory::{MemoryStore, Snapshot};
use sensock_store::work::{CommandWork, Work};
use sensock_store::{Batch, CatalogRow, CommandRow, CommandState};

use crate::device::{BOARD, Device, name};
use crate::server::{Conn, Queued};

/// 2026-01-01 UTC.
pub const BEGIN_US: i64 = 1_767_225_600_000_000;
pub const STORE: StoreId = StoreId(0xaaaa);
/// From the order of the command to the end of its time, in ms: longer than any walk, and shorter than a ping interval.
const TTL_MS: u64 = 1_000;

pub struct Real {
    pub now_ms: u64,
    pub store: MemoryStore,
    backup: Option<Snapshot>,
    pub device: Device,
    pub conns: Vec<Conn>,
    pub queues: Vec<VecDeque<Queued>>,
    pub drawn: u64,
}

impl Real {
    pub fn new(scope: Scope) -> Real {
        let store = MemoryStore::new(STORE);
        let mut bytes = vec![0; BOARD.len()];
        BOARD.copy_at(0, &mut bytes);
        // The model knows no catalogues: it is stored from the start.
        let catalogs = vec![CatalogRow { device: name(), hash: BOARD.hash(), bytes }];
        let known = Work::Rows(Box::new(Batch { catalogs, ..Batch::default() }));
        commit(&store, &[known]).now_or_never().unwrap().unwrap();
        let queues = (0..scope.servers).map(|_| VecDeque::new()).collect();
        let device = Device::new(scope.memory);
        Real { now_ms: 1_000, store, backup: None, device, conns: vec![], queues, drawn: 0 }
    }

    pub fn wall_us(&self) -> i64 {
        BEGIN_US + self.now_ms as i64 * 1_000
    }

    /// A number that was never drawn before, and odd: a Welcome with such a nonce asks for no grease.
    pub fn draw(&mut self) -> u64 {
        self.drawn += 2;
        self.drawn + 1
    }

    /// Takes the step that the model took.
    pub fn step(&mut self, action: Action, after: &State) {
        self.now_ms += 1;
        let now_ms = self.now_ms;
        match action {
            Action::Record => self.device.record(now_ms),
            Action::Order => self.order(),
            Action::Dial(server) => {
                let id = after.device.link.as_ref().expect("it dialled").conn;
                self.device.dial(now_ms, id);
                self.conns.push(Conn::new(id, server, now_ms));
            }
            Action::Up(id) => self.up(id),
            Action::Down(id) => match self.conn(id).down.pop_front() {
                Some(frame) => self.device.frame(now_ms, frame),
                None => self.device.unlink(),
            },
            Action::Commit(server) => self.commit(server),
            Action::Look(id) => self.send(id),
            Action::Silent(id) => self.conn(id).close(),
            Action::Expire => {
                let work = CommandWork::Expire { device: name(), now_us: self.wall_us() };
                commit(&self.store, &[Work::Command(work)]).now_or_never().unwrap().unwrap();
            }
            Action::Cut(arrives) => {
                if let (Some(id), false) = (self.device.link, arrives) {
                    self.conn(id).up.clear();
                }
                self.device.unlink();
            }
            Action::Reboot(rolled) => self.device.boot(now_ms, rolled),
            Action::Crash(server) => self.crash(server),
            Action::Backup => self.backup = Some(self.store.snapshot()),
            Action::Restore => {
                (0..self.queues.len()).for_each(|server| self.crash(server as u8));
                self.store.restore(&self.backup.take().expect("there is a backup"));
            }
            Action::Drop => self.device.drop_oldest(),
            Action::Late => self.now_ms += TTL_MS,
        }
        self.settle();
    }

    fn order(&mut self) {
        let row = CommandRow {
            device: name(),
            id: Default::default(),
            key: 1,
            name: "toggle".to_owned(),
            policy: sensock::catalog::Policy::Once,
            body: vec![],
            issuer: "operator".to_owned(),
            idempotency_key: None,
            keep_all: true,
            created_us: self.wall_us(),
            deadline_us: self.wall_us() + TTL_MS as i64 * 1_000,
            state: CommandState::Queued,
            answer: vec![],
            settled_us: None,
        };
        let work = Work::Command(CommandWork::New(Box::new(row)));
        commit(&self.store, &[work]).now_or_never().unwrap().unwrap();
    }

    fn crash(&mut self, server: u8) {
        self.queues[server as usize].clear();
        self.conns.iter_mut().filter(|c| c.server == server).for_each(Conn::close);
    }

    /// Frames that are due go out; connections that nobody holds are forgotten.
    fn settle(&mut self) {
        let (now_ms, link) = (self.now_ms, self.device.link);
        let frames = self.device.frames(now_ms);
        if let Some(conn) = self.conns.iter_mut().find(|c| Some(c.id) == link && !c.gone) {
            conn.up.extend(frames);
        }
        for conn in &mut self.conns {
            conn.flush(now_ms);
            if link != Some(conn.id) {
                conn.down.clear();
            }
        }
        self.conns.retain(|c| !c.gone || link == Some(c.id));
    }

    pub fn conn(&mut self, id: u8) -> &mut Conn {
        self.conns.iter_mut().find(|c| c.id == id).expect("the model has it too")
    }
}
