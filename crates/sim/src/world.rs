//! True time, and everything that happens in it.

mod boards;
mod servers;

use sensock::device::Share as _;
use sensock::wire::hello::End;
use sensock::{DeviceId, Lane, Position, StoreId};
use sensock_store::memory::MemoryStore;
use sensock_store::work::{CommandWork, Work};
use sensock_store::{CommandRow, CommandState, SettingRow};

use crate::board::{Board, BoardId, Memory};
use crate::host::{Act, Crash, Host, HostId};
use crate::link::{Link, LinkId};
use crate::log::{Log, merged};
use crate::sealed::{Covers, Sealed};

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
    /// Links that are not closed, or on which something is on its way.
    pub(crate) open: Vec<LinkId>,
    pub(crate) log: Log,
    /// Connections are sealed, and somebody sits on the line.
    pub(crate) sealed: Option<Sealed>,
    /// One-way delays of the next connections, in us.
    pub delays: (u64, u64),
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
            open: vec![],
            log: Log::default(),
            sealed: None,
            delays: (5_000, 5_000),
        }
    }

    /// The connection breaks, and both ends notice. What was on its way is gone.
    pub fn cut(&mut self, link: LinkId) {
        self.say(|| format!("link {} is cut", link.0));
        self.close(link);
    }

    /// Bytes of readings that were written and have not arrived.
    pub fn readings_on_their_way(&self, link: LinkId) -> usize {
        self.links[link.0].up.backlog()
    }

    /// Frames vanish in both directions, and nobody is told.
    pub fn half_open(&mut self, link: LinkId) {
        self.say(|| format!("link {} goes half-open", link.0));
        let l = &mut self.links[link.0];
        (l.up.dead, l.down.dead) = (true, true);
        l.up.clear();
        l.down.clear();
    }

    /// Only what goes up vanishes, or only what goes down.
    pub fn one_way(&mut self, link: LinkId, up_dead: bool, down_dead: bool) {
        let l = &mut self.links[link.0];
        (l.up.dead, l.down.dead) = (up_dead, down_dead);
    }

    /// A frame that no server wrote reaches the board.
    pub fn forge_down(&mut self, link: LinkId, frame: &[u8]) {
        let now = self.now;
        self.links[link.0].down.send(now, frame, false);
    }

    pub(crate) fn close(&mut self, link: LinkId) {
        let l = &mut self.links[link.0];
        let again = std::mem::replace(&mut l.closed, true);
        let said = l.covers.as_mut().filter(|c| !again && !c.forged).map(|c| std::mem::take(&mut c.said));
        l.up.clear();
        l.down.clear();
        let (board, host) = (l.board, l.host);
        self.open.retain(|l| *l != link);
        self.hosts[host.0].conns.remove(&link);
        if self.boards[board.0].link == Some(link) {
            self.boards[board.0].drop_link(End::Transport);
        }
        if let Some(said) = said {
            self.say_again(board, host, &said);
        }
    }

    /// Somebody says a connection again that is over, perhaps.
    fn say_again(&mut self, board: BoardId, host: HostId, said: &[Vec<u8>]) {
        let (now, (up, down)) = (self.now, self.delays);
        let Some(sealed) = &mut self.sealed else { return };
        if said.len() < 2 || !sealed.replays() {
            return;
        }
        let all: Vec<usize> = (0..self.hosts.len()).filter(|h| self.hosts[*h].up).collect();
        // The same server, or another one.
        let host = match all.iter().find(|h| **h != host.0) {
            Some(other) if sealed.replays() => HostId(*other),
            _ if self.hosts[host.0].up => host,
            _ => return,
        };
        sealed.replayed += 1;
        let mut link = Link::new(board, host, up, down);
        link.covers = Some(Box::new(Covers::forged()));
        said.iter().for_each(|message| link.up.send(now, message, false));
        self.links.push(link);
        let id = LinkId(self.links.len() - 1);
        self.open.push(id);
        self.hosts[host.0].accept(now, id);
        self.say(|| format!("somebody says an old connection again on link {}", id.0));
    }

    /// Takes the cover off what came up or down; closes the link if it cannot be.
    fn uncover(&mut self, link: LinkId, up: bool, len: usize) -> Option<std::ops::Range<usize>> {
        let l = &mut self.links[link.0];
        let Some(covers) = &mut l.covers else { return Some(0..len) };
        let sealed = self.sealed.as_mut()?;
        let opened = if up {
            let devices: Vec<DeviceId> = self.boards.iter().map(|b| b.id).collect();
            sealed.open_up(covers, l.host, &devices, &mut l.up.buf[..len])
        } else {
            covers.open_down(&mut l.down.buf[..len])
        };
        match opened {
            Ok(range) => Some(range),
            Err(_) => {
                sealed.denied += 1;
                self.say(|| format!("link {}: a sealed frame cannot be opened", link.0));
                self.close(link);
                None
            }
        }
    }

    /// Lets time pass.
    pub fn run_ms(&mut self, ms: u64) {
        let until = self.now + ms * 1_000;
        self.flush();
        while self.step(until) {}
    }

    /// Lets the next thing happen, if it does until then; else it is then.
    pub(crate) fn step(&mut self, until: u64) -> bool {
        match self.next_at() {
            Some(at) if at <= until => {
                self.now = at;
                self.happen();
                true
            }
            _ => {
                self.now = until;
                false
            }
        }
    }

    fn next_at(&self) -> Option<u64> {
        let links = self.open.iter().filter_map(|l| self.links[l.0].next_at());
        let hosts = self.hosts.iter().filter(|h| h.up).filter_map(Host::next_at);
        let boards = self.boards.iter().filter_map(Board::next_at);
        // What is due already happens one microsecond later at the earliest, so that time never stands still.
        links.chain(hosts).chain(boards).min().map(|at| at.max(self.now + 1))
    }

    fn happen(&mut self) {
        let now = self.now;
        let mut at = 0;
        while let Some(&link) = self.open.get(at) {
            let l = &self.links[link.0];
            if l.down.finishing || l.next_at().is_some_and(|at| at <= now) {
                self.arrive_up(link);
                self.arrive_down(link);
            }
            // A link that closed has made room for the next one.
            at += usize::from(self.open.get(at) == Some(&link));
        }
        for i in 0..self.hosts.len() {
            let host = &mut self.hosts[i];
            if !host.up || host.next_at().is_none_or(|at| at > now) {
                continue;
            }
            let due = host.committing.as_ref().map_or(host.commit_at, |c| Some(c.next_at()));
            if due.is_some_and(|at| at <= now) {
                let acts = host.commit(now, &self.store);
                self.act(HostId(i), acts);
            }
            let acts = self.hosts[i].timeouts(now);
            self.act(HostId(i), acts);
            self.hosts[i].sweep(now, &self.store);
        }
        for i in 0..self.boards.len() {
            let b = &mut self.boards[i];
            if b.next_at().is_none_or(|at| at > now) {
                continue;
            }
            b.touched = true;
            b.answer(now);
            let tick = b.tick(now);
            if let Some(link) = b.link
                && let Err(error) = b.session.handle_timeout(tick)
            {
                self.log.say(now, || format!("{} closes: {error}", b.id));
                b.drop_link(End::Silent);
                // Its transport is gone; the server finds out by itself.
                self.links[link.0].down.dead = true;
                self.links[link.0].up.clear();
            }
        }
        self.flush_touched();
    }

    fn arrive_up(&mut self, link: LinkId) {
        let (now, host) = (self.now, self.links[link.0].host);
        while let Some(mut chunk) = self.links[link.0].up.due(now) {
            if let Some(sealed) = &mut self.sealed {
                sealed.meddle(&mut chunk.bytes);
            }
            let mut at = 0;
            while !self.links[link.0].closed {
                let pipe = &mut self.links[link.0].up;
                let fed = pipe.deframe.feed(&chunk.bytes[at..], &mut pipe.buf);
                let Ok((used, Some(len))) = fed else {
                    if fed.is_err() {
                        self.close(link);
                    }
                    break;
                };
                at += used;
                let Some(range) = self.uncover(link, true, len) else { break };
                let frame = &mut self.links[link.0].up.buf[range];
                let acts = self.hosts[host.0].frame(now, link, frame, &self.store);
                self.act(host, acts);
            }
            if chunk.ends {
                self.say(|| format!("link {} ends in the middle of a frame", link.0));
                self.close(link);
            }
        }
    }

    fn arrive_down(&mut self, link: LinkId) {
        let (now, board) = (self.now, self.links[link.0].board);
        while let Some(mut chunk) = self.links[link.0].down.due(now) {
            if let Some(sealed) = &mut self.sealed {
                sealed.meddle(&mut chunk.bytes);
            }
            let mut at = 0;
            while !self.links[link.0].closed {
                let pipe = &mut self.links[link.0].down;
                let fed = pipe.deframe.feed(&chunk.bytes[at..], &mut pipe.buf);
                let Ok((used, Some(len))) = fed else {
                    if fed.is_err() {
                        self.close(link);
                    }
                    break;
                };
                at += used;
                if self.boards[board.0].link != Some(link) {
                    continue;
                }
                let Some(range) = self.uncover(link, false, len) else { break };
                let frame = &mut self.links[link.0].down.buf[range];
                let b = &mut self.boards[board.0];
                if !b.frame(now, frame, &mut self.log) {
                    b.drop_link(End::Bye);
                    self.close(link);
                }
            }
            if chunk.ends {
                self.say(|| format!("link {} ends in the middle of a frame", link.0));
                self.close(link);
            }
        }
        let l = &self.links[link.0];
        if l.down.finishing && l.down.is_empty() && !l.closed {
            self.close(link);
        }
    }

    /// Writes what is due on all ends.
    pub(crate) fn flush(&mut self) {
        self.boards.iter_mut().for_each(|b| b.touched = true);
        self.hosts.iter_mut().for_each(|h| h.touched = true);
        self.flush_touched();
    }

    /// Writes what is due where something happened.
    pub(crate) fn flush_touched(&mut self) {
        let now = self.now;
        for i in 0..self.boards.len() {
            let b = &mut self.boards[i];
            if !b.on || !std::mem::take(&mut b.touched) {
                continue;
            }
            b.write_flash(now);
            if let Some(link) = b.link {
                let Link { up, covers, .. } = &mut self.links[link.0];
                let backlog = up.backlog();
                let send = |frame: &[u8], readings| match covers {
                    Some(covers) => up.send(now, &covers.close_up(frame), readings),
                    None => up.send(now, frame, readings),
                };
                b.frames(now, send, backlog);
                if std::mem::take(&mut b.again) {
                    self.cut(link);
                }
            }
        }
        for i in 0..self.hosts.len() {
            if self.hosts[i].up && std::mem::take(&mut self.hosts[i].touched) {
                let acts = self.hosts[i].frames(now);
                self.act(HostId(i), acts);
            }
        }
    }

    fn act(&mut self, host: HostId, acts: Vec<Act>) {
        let now = self.now;
        for act in acts {
            match act {
                Act::Down(link, frame) => {
                    let Link { down, covers, .. } = &mut self.links[link.0];
                    match covers {
                        Some(covers) => down.send(now, &covers.close_down(&frame), false),
                        None => down.send(now, &frame, false),
                    }
                }
                Act::Close(link) => {
                    // What was written before still arrives; then the device sees the end.
                    let l = &mut self.links[link.0];
                    l.up.dead = true;
                    l.up.clear();
                    l.down.finishing = true;
                    if l.down.is_empty() && !l.down.dead {
                        self.close(link);
                    }
                }
                Act::Crash => self.crash(host),
            }
        }
    }

    pub(crate) fn say(&mut self, words: impl FnOnce() -> String) {
        self.log.say(self.now, words);
    }

    /// Everything that happened, for a person.
    pub fn trace(&self) -> String {
        merged(self.hosts.iter().map(|h| &h.log).chain([&self.log]))
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
