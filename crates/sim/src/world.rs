//! True time, and everything that happens in it.

mod boards;
mod servers;

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

    /// A frame that no server wrote reaches the board.
    pub fn forge_down(&mut self, link: LinkId, frame: &[u8]) {
        let now = self.now;
        self.links[link.0].send_down(now, frame.to_vec());
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
