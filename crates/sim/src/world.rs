//! True time, and everything that happens in it.

use std::fmt::Write as _;

use sensock::device::Share as _;
use sensock::wire::hello::End;
use sensock::{DeviceId, Lane, Position, StoreId};
use sensock_store::memory::MemoryStore;
use sensock_store::work::{CommandWork, Work};
use sensock_store::{CommandRow, CommandState, SettingRow};

use crate::board::{Board, BoardId, Memory};
use crate::host::{Act, Crash, Host, HostId};
use crate::link::{Link, LinkId};

/// True time begins here: 2026-01-01 UTC, in us since 1970.
pub const BEGIN_US: u64 = 1_767_225_600_000_000;

/// Boards, servers, links, a store, and the true time.
pub struct World {
    /// True time in us since 1970.
    pub now: u64,
    /// The store that all servers share, unless a scenario exchanges it.
    pub store: MemoryStore,
    pub(crate) boards: Vec<Board>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) links: Vec<Link>,
    pub(crate) trace: Vec<String>,
    /// One-way delays of the next connections, in us.
    pub delays: (u64, u64),
    passing: bool,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A world with one server and an empty store.
    pub fn new() -> Self {
        World {
            now: BEGIN_US,
            store: MemoryStore::new(StoreId(0xaaaa)),
            boards: vec![],
            hosts: vec![Host::new(1, BEGIN_US)],
            links: vec![],
            trace: vec![],
            delays: (5_000, 5_000),
            passing: false,
        }
    }

    // ---- boards

    /// A board with power.
    pub fn board(&mut self, name: &str, memory: Memory) -> BoardId {
        let id = self.board_off(name, memory);
        self.power_on(id);
        id
    }

    /// A board without power.
    ///
    /// # Panics
    /// If the name is no device id.
    pub fn board_off(&mut self, name: &str, memory: Memory) -> BoardId {
        let Ok(id) = DeviceId::new(name) else { panic!("{name} is no device id") };
        self.boards.push(Board::new(id, memory));
        BoardId(self.boards.len() - 1)
    }

    /// Power comes back: a new boot.
    pub fn power_on(&mut self, board: BoardId) {
        let now = self.now;
        self.boards[board.0].power_on(now);
        self.say(format!("{} boots", self.boards[board.0].id));
    }

    /// Power goes at once; what was in memory is gone. The server hears nothing of it.
    pub fn power_off(&mut self, board: BoardId) {
        self.say(format!("{} loses power", self.boards[board.0].id));
        if let Some(link) = self.boards[board.0].link.take() {
            // A transport without its end: what was on its way still arrives, then silence.
            self.links[link.0].down_dead = true;
        }
        self.boards[board.0].on = false;
        self.boards[board.0].session.lost();
    }

    /// Changes a board before its next boot, or its crystal at once.
    pub fn tune(&mut self, board: BoardId, f: impl FnOnce(&mut Tuning<'_>)) {
        let b = &mut self.boards[board.0];
        f(&mut Tuning {
            ppm: &mut b.ppm,
            policy: &mut b.policy,
            ttl_ms: &mut b.ttl_ms,
            hangs: &mut b.hangs,
            boot: &mut b.kept.boot,
            begun: &mut b.kept.begun,
            catalog: &mut b.catalog,
        });
        b.answer();
    }

    /// Another board with the same identity and the same memory.
    pub fn clone_board(&mut self, board: BoardId) -> BoardId {
        let (id, memory, kept) = {
            let b = &self.boards[board.0];
            (b.id, b.memory, b.kept)
        };
        self.boards.push(Board::new(id, memory));
        let clone = BoardId(self.boards.len() - 1);
        self.boards[clone.0].kept = kept;
        clone
    }

    /// Records two readings in the readings lane.
    pub fn record(&mut self, board: BoardId, t: f32) -> Option<Position> {
        self.record_in(board, Lane::Readings, t)
    }

    /// Records two readings in a lane.
    pub fn record_in(&mut self, board: BoardId, lane: Lane, t: f32) -> Option<Position> {
        let now = self.now;
        let position = self.boards[board.0].record(now, lane, t, 50.0);
        self.flush();
        position
    }

    /// Dials a server: a new connection. An old one stays as it is (half-open) unless it was cut.
    pub fn dial(&mut self, board: BoardId, host: HostId) -> LinkId {
        let (up, down) = self.delays;
        self.links.push(Link::new(board, host, up, down));
        let link = LinkId(self.links.len() - 1);
        if !self.hosts[host.0].up {
            self.links[link.0].closed = true;
            return link;
        }
        let now = self.now;
        self.say(format!("{} dials server {} on link {}", self.boards[board.0].id, host.0, link.0));
        self.hosts[host.0].accept(now, link);
        self.boards[board.0].start(now, link);
        self.flush();
        link
    }

    /// The device sleeps: for so long, with or without an end of the boot.
    pub fn sleep(&mut self, board: BoardId, for_ms: u32, ends_boot: bool) {
        self.boards[board.0].session.sleep(for_ms, ends_boot);
        self.flush();
    }

    /// Whether a session is live on the board.
    pub fn is_live(&self, board: BoardId) -> bool {
        self.boards[board.0].link.is_some() && self.boards[board.0].session.is_live()
    }

    /// Commands that the board ran: ids and keys, in order.
    pub fn ran(&self, board: BoardId) -> Vec<u32> {
        self.boards[board.0].ran.iter().map(|(id, _)| id.0).collect()
    }

    /// Settings that the board got: key and revision.
    pub fn settings(&self, board: BoardId) -> &[(u16, u32)] {
        &self.boards[board.0].settings
    }

    /// What servers told the board when they refused it.
    pub fn refusals(&self, board: BoardId) -> &[String] {
        &self.boards[board.0].refused
    }

    /// How often the board was connected.
    pub fn connected(&self, board: BoardId) -> usize {
        self.boards[board.0].connected
    }

    /// Whether everything that the board accepted in this lane is stored or explained, as the board knows it.
    pub fn is_drained(&self, board: BoardId, lane: Lane) -> bool {
        self.boards[board.0].outbox.with(|o| o.is_drained(lane))
    }

    /// The store that last acknowledged something to the board.
    pub fn board_store(&self, board: BoardId) -> StoreId {
        self.boards[board.0].store()
    }

    // ---- links

    /// The connection breaks, and both ends notice. What was on its way is gone.
    pub fn cut(&mut self, link: LinkId) {
        self.say(format!("link {} is cut", link.0));
        self.close(link);
    }

    /// Frames vanish in both directions, and nobody is told.
    pub fn half_open(&mut self, link: LinkId) {
        self.say(format!("link {} goes half-open", link.0));
        let l = &mut self.links[link.0];
        (l.up_dead, l.down_dead) = (true, true);
        l.up.clear();
        l.down.clear();
    }

    /// Only what goes up vanishes, or only what goes down.
    pub fn one_way(&mut self, link: LinkId, up_dead: bool, down_dead: bool) {
        let l = &mut self.links[link.0];
        (l.up_dead, l.down_dead) = (up_dead, down_dead);
    }

    fn close(&mut self, link: LinkId) {
        let l = &mut self.links[link.0];
        l.closed = true;
        l.up.clear();
        l.down.clear();
        let (board, host) = (l.board, l.host);
        self.hosts[host.0].conns.remove(&link);
        if self.boards[board.0].link == Some(link) {
            self.boards[board.0].drop_link(End::Transport);
        }
    }

    // ---- servers

    /// Another server over the same store.
    pub fn host(&mut self) -> HostId {
        let number = self.hosts.len() as u64 + 1;
        self.hosts.push(Host::new(number, self.now));
        HostId(self.hosts.len() - 1)
    }

    /// Changes a server's behaviour.
    pub fn hold_commits(&mut self, host: HostId, hold: bool) {
        let now = self.now;
        let h = &mut self.hosts[host.0];
        h.hold = hold;
        if !hold {
            h.commit_at = Some(now);
        }
    }

    /// How long the store takes for a commit, in us.
    pub fn slow_store(&mut self, host: HostId, commit_us: u64) {
        self.hosts[host.0].commit_us = commit_us;
    }

    /// How much of each lane a server lets be under way, on connections from now on.
    pub fn window(&mut self, host: HostId, records: u64, bytes: u64) {
        self.hosts[host.0].config.window = [sensock::wire::hello::Grant { records, bytes }; Lane::COUNT];
    }

    /// The server dies in its next commit.
    pub fn crash_in_commit(&mut self, host: HostId, crash: Crash) {
        self.hosts[host.0].crash = Some(crash);
    }

    /// The server dies now; boards notice.
    pub fn crash(&mut self, host: HostId) {
        self.say(format!("server {} dies", host.0));
        let links: Vec<LinkId> = (0..self.links.len())
            .map(LinkId)
            .filter(|l| self.links[l.0].host == host && !self.links[l.0].closed)
            .collect();
        links.into_iter().for_each(|l| self.close(l));
        let number = self.hosts[host.0].number;
        let skew = self.hosts[host.0].skew_us;
        let events = std::mem::take(&mut self.hosts[host.0].events);
        self.hosts[host.0] = Host::new(number + 100, self.now);
        self.hosts[host.0].skew_us = skew;
        self.hosts[host.0].events = events;
        self.hosts[host.0].up = false;
    }

    /// The server starts again.
    pub fn restart(&mut self, host: HostId) {
        self.hosts[host.0].started_us = self.now;
        self.hosts[host.0].up = true;
    }

    /// Whether the server runs.
    pub fn is_up(&self, host: HostId) -> bool {
        self.hosts[host.0].up
    }

    /// Sets a server's wall clock apart from the true time.
    pub fn skew(&mut self, host: HostId, skew_us: i64) {
        self.hosts[host.0].skew_us = skew_us;
    }

    /// Orders a command through a server; returns nothing: its row tells.
    pub fn command(&mut self, host: HostId, row: CommandRow) {
        let now = self.now;
        self.hosts[host.0].order(now, Work::Command(CommandWork::New(Box::new(row))));
    }

    /// A command's row as an operator would make it.
    pub fn new_command(
        &self,
        board: BoardId,
        key: u16,
        policy: sensock::catalog::Policy,
        ttl_ms: i64,
    ) -> CommandRow {
        CommandRow {
            device: self.boards[board.0].id,
            id: Default::default(),
            key,
            name: String::new(),
            policy,
            body: if key == 2 { vec![1] } else { vec![] },
            issuer: "operator".to_owned(),
            idempotency_key: None,
            keep_all: true,
            created_us: self.now as i64,
            deadline_us: self.now as i64 + ttl_ms * 1_000,
            state: CommandState::Queued,
            answer: vec![],
            settled_us: None,
        }
    }

    /// Puts any work into a server's queue.
    pub fn order(&mut self, host: HostId, work: Work) {
        let now = self.now;
        self.hosts[host.0].order(now, work);
    }

    /// Sets desired state.
    pub fn set(&mut self, host: HostId, board: BoardId, key: u16, body: Vec<u8>) {
        let row = SettingRow {
            device: self.boards[board.0].id,
            key,
            name: String::new(),
            revision: 0,
            body,
            issuer: "operator".to_owned(),
            set_us: self.now as i64,
            applied_us: None,
            refused: None,
        };
        self.order(host, Work::Setting(Box::new(row)));
    }

    /// What the servers said, in order of server.
    pub fn said(&self, words: &str) -> usize {
        self.hosts.iter().flat_map(|h| &h.events).filter(|e| e.contains(words)).count()
    }

    // ---- time

    /// Lets time pass.
    pub fn run_ms(&mut self, ms: u64) {
        let until = self.now + ms * 1_000;
        self.passing = true;
        self.flush();
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.happen();
        }
        self.now = until;
        self.passing = false;
    }

    fn next_at(&self) -> Option<u64> {
        let links = self.links.iter().filter_map(Link::next_at);
        let hosts = self.hosts.iter().filter(|h| h.up).filter_map(Host::next_at);
        let boards = (self.boards.iter().filter(|b| b.on && b.link.is_some()))
            .filter_map(|b| b.session.poll_timeout().map(|t| b.true_us(t)));
        // What is due already happens one microsecond later at the earliest, so that time never stands still.
        links.chain(hosts).chain(boards).min().map(|at| at.max(self.now + 1))
    }

    fn happen(&mut self) {
        let now = self.now;
        for i in 0..self.links.len() {
            let (board, host) = (self.links[i].board, self.links[i].host);
            while self.links[i].up.front().is_some_and(|(at, _)| *at <= now) {
                let Some((_, frame)) = self.links[i].up.pop_front() else { break };
                let acts = self.hosts[host.0].frame(now, LinkId(i), frame, &self.store);
                self.act(host, acts);
            }
            while self.links[i].down.front().is_some_and(|(at, _)| *at <= now) {
                let Some((_, frame)) = self.links[i].down.pop_front() else { break };
                let b = &mut self.boards[board.0];
                if b.link == Some(LinkId(i)) && !b.frame(now, frame, &mut self.trace) {
                    b.drop_link(End::Bye);
                    self.close(LinkId(i));
                }
            }
        }
        for i in 0..self.hosts.len() {
            if self.hosts[i].commit_at.is_some_and(|at| at <= now) {
                let acts = self.hosts[i].commit(now, &self.store);
                self.act(HostId(i), acts);
            }
            let acts = self.hosts[i].timeouts(now);
            self.act(HostId(i), acts);
        }
        for i in 0..self.boards.len() {
            let b = &mut self.boards[i];
            let tick = b.tick(now);
            if let (true, Some(link)) = (b.on, b.link)
                && let Err(error) = b.session.handle_timeout(tick)
            {
                let line = format!("{} closes: {error}", b.id);
                self.say(line);
                self.boards[i].drop_link(End::Silent);
                // Its transport is gone; the server finds out by itself.
                self.links[link.0].down_dead = true;
                self.links[link.0].up.clear();
            }
        }
        self.flush();
    }

    /// Writes what is due on all ends.
    fn flush(&mut self) {
        let now = self.now;
        for i in 0..self.boards.len() {
            let b = &mut self.boards[i];
            if let (true, Some(link)) = (b.on, b.link) {
                for frame in b.frames(now) {
                    self.links[link.0].send_up(now, frame);
                }
            }
        }
        for i in 0..self.hosts.len() {
            if self.hosts[i].up {
                let acts = self.hosts[i].frames(now);
                self.act(HostId(i), acts);
            }
        }
    }

    fn act(&mut self, host: HostId, acts: Vec<Act>) {
        let now = self.now;
        for act in acts {
            match act {
                Act::Down(link, frame) => self.links[link.0].send_down(now, frame),
                Act::Close(link) => {
                    // What was written before still arrives; then the device sees the end.
                    let l = &mut self.links[link.0];
                    l.up_dead = true;
                    l.up.clear();
                    if l.down.is_empty() {
                        self.close(link);
                    }
                }
                Act::Crash => self.crash(host),
            }
        }
    }

    pub(crate) fn say(&mut self, line: String) {
        self.trace.push(format!("{:>12} {line}", self.now - BEGIN_US));
    }

    /// Everything that happened, for a person.
    pub fn trace(&self) -> String {
        let mut text = String::new();
        let events = self.hosts.iter().flat_map(|h| &h.events);
        for line in self.trace.iter().chain(events) {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

/// What a scenario may change of a board.
pub struct Tuning<'a> {
    /// Its crystal's deviation.
    pub ppm: &'a mut i64,
    /// Overflow policy of the readings lane, from the next boot on.
    pub policy: &'a mut sensock::device::Policy,
    /// Time to live of readings, from the next boot on.
    pub ttl_ms: &'a mut u32,
    /// Commands are begun but not answered.
    pub hangs: &'a mut bool,
    /// The kept boot number.
    pub boot: &'a mut u32,
    /// The kept last begun command.
    pub begun: &'a mut sensock::CommandId,
    /// What it says of itself, from the next boot on.
    pub catalog: &'a mut &'static sensock::Catalog<'static>,
}
