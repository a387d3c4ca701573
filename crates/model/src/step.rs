//! What can happen next, and what then is.

use crate::position::{CONTROL, LANES, READINGS};
use crate::scope::{Bug, Scope};
use crate::state::{Conn, Item, Sending, Stage, State, Truth};
use crate::store::{Store, Ticket};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The device takes a reading.
    Record,
    /// An operator orders the command.
    Order,
    /// The device dials this server.
    Dial(u8),
    /// The next frame of this connection reaches its server.
    Up(u8),
    /// The next frame of this connection, or its end, reaches the device.
    Down(u8),
    /// This server does the next work in a transaction.
    Commit(u8),
    /// The server of this connection looks at what the store says of the command.
    Look(u8),
    /// The server of this connection finds that nothing comes any more.
    Silent(u8),
    /// A server finds the command too late.
    Expire,
    /// The device finds its connection dead. With `true`, what it had sent still arrives.
    Cut(bool),
    /// The device loses power and boots again; with `true` with the memory of the boot before.
    Reboot(bool),
    /// This server dies, and starts again.
    Crash(u8),
    /// A backup of the store is made.
    Backup,
    /// The store is put back to it; for that the servers are stopped.
    Restore,
    /// The device drops its oldest reading for want of room.
    Drop,
    /// The command's time runs out.
    Late,
}

impl Action {
    /// Whether this goes on by itself: no fault, and nothing new.
    pub fn is_progress(self) -> bool {
        use Action::*;
        matches!(self, Dial(_) | Up(_) | Down(_) | Commit(_) | Look(_) | Silent(_) | Expire)
    }
}

impl State {
    /// The device has just booted for the first time; nobody knows it.
    pub fn start(scope: Scope) -> State {
        let mut state = State {
            left: scope,
            store: Store::default(),
            backup: None,
            device: crate::device::Device { memory: scope.memory, ..Default::default() },
            conns: Vec::new(),
            queues: vec![Default::default(); scope.servers as usize],
            late: false,
            truth: Truth::default(),
        };
        state.device.boot(false, &mut state.truth);
        state
    }

    /// Everything that can happen.
    pub fn actions(&self, bug: Option<Bug>, actions: &mut Vec<Action>) {
        self.progress(bug, actions);
        let left = &self.left;
        let ordered = self.store.ticket != Ticket::None;
        let mut may = |can: bool, action: Action| {
            if can {
                actions.push(action);
            }
        };
        may(left.records > 0, Action::Record);
        may(left.commands > 0, Action::Order);
        may(left.cuts > 0 && self.device.link.is_some(), Action::Cut(true));
        let under_way = self.linked().is_some_and(|c| !c.up.is_empty());
        may(left.cuts > 0 && under_way, Action::Cut(false));
        may(left.reboots > 0, Action::Reboot(false));
        // Memory that never was in use by a boot before is no other memory.
        let rolls = left.reboots > 0 && left.rollbacks > 0 && self.device.memory;
        may(rolls, Action::Reboot(true));
        for server in 0..left.servers {
            let alive = !self.queues[server as usize].is_empty()
                || self.conns.iter().any(|c| c.server == server && c.stage != Stage::Gone);
            may(left.crashes > 0 && alive, Action::Crash(server));
        }
        may(left.restores > 0 && self.backup.is_none(), Action::Backup);
        let lost = self.backup.as_ref().is_some_and(|b| **b != self.store);
        may(left.restores > 0 && lost, Action::Restore);
        may(left.drops > 0 && !self.device.lanes[READINGS].items.is_empty(), Action::Drop);
        may(left.lates > 0 && ordered, Action::Late);
    }

    /// What goes on by itself.
    pub fn progress(&self, bug: Option<Bug>, actions: &mut Vec<Action>) {
        if self.device.link.is_none() && self.conns.len() < self.left.connections as usize {
            actions.extend((0..self.left.servers).map(Action::Dial));
        }
        for conn in &self.conns {
            let linked = self.device.link.as_ref().is_some_and(|l| l.conn == conn.id);
            let gone = conn.stage == Stage::Gone;
            if !conn.up.is_empty() {
                actions.push(Action::Up(conn.id));
            }
            if linked && (gone || !conn.down.is_empty()) {
                actions.push(Action::Down(conn.id));
            }
            if !linked && !gone && conn.up.is_empty() {
                actions.push(Action::Silent(conn.id));
            }
            let waits = match self.store.ticket {
                Ticket::Queued => !self.late && self.store.boot <= conn.boot,
                Ticket::Sent(to) => to == conn.boot && bug != Some(Bug::SentForgotten),
                _ => false,
            };
            if conn.stage == Stage::Confirmed && conn.sending == Sending::Idle && waits {
                actions.push(Action::Look(conn.id));
            }
        }
        for (server, queue) in self.queues.iter().enumerate() {
            if !queue.is_empty() {
                actions.push(Action::Commit(server as u8));
            }
        }
        let expires = self.store.ticket == Ticket::Queued
            || bug == Some(Bug::ExpiredThoughSent) && self.store.ticket.is_open();
        if self.late && expires {
            actions.push(Action::Expire);
        }
    }

    /// Takes a step that [`State::actions`] names.
    pub fn step(&mut self, action: Action, bug: Option<Bug>) {
        match action {
            Action::Record => {
                let number = self.truth.accepted.iter().filter(|a| a.lane == READINGS).count() as u8;
                self.left.records -= 1;
                self.device.accept(READINGS, Item::Reading(number), &mut self.truth);
            }
            Action::Order => {
                self.left.commands -= 1;
                self.store.ticket = Ticket::Queued;
            }
            Action::Dial(server) => {
                let taken = |id: &u8| {
                    self.conns.iter().any(|c| c.id == *id)
                        || self.queues.iter().flatten().any(|w| w.conn == *id)
                };
                let id = (0..u8::MAX).find(|id| !taken(id)).unwrap_or(u8::MAX);
                let mut conn = Conn::new(id, server);
                conn.up.push_back(self.device.dial(id, self.truth.lives.len() as u8 - 1));
                self.conns.push(conn);
            }
            Action::Up(id) => {
                let fresh = self.fresh_tag();
                self.up(id, fresh, bug);
            }
            Action::Down(id) => self.down(id, bug),
            Action::Commit(server) => self.commit(server, bug),
            Action::Look(id) => self.send(id),
            Action::Silent(id) => self.conn(id).map_or((), Conn::close),
            Action::Expire => self.store.expire(bug),
            Action::Cut(arrives) => {
                self.left.cuts -= 1;
                self.unlink(arrives);
            }
            Action::Reboot(rolled) => {
                self.left.reboots -= 1;
                self.left.rollbacks -= u8::from(rolled);
                self.unlink(true);
                self.device.boot(rolled, &mut self.truth);
            }
            Action::Crash(server) => {
                self.left.crashes -= 1;
                self.crash(server);
            }
            Action::Backup => self.backup = Some(Box::new(self.store.clone())),
            Action::Restore => {
                self.left.restores -= 1;
                (0..self.left.servers).for_each(|server| self.crash(server));
                if let Some(backup) = self.backup.take() {
                    // An order is a row too: a command that nobody knows any more was not ordered.
                    self.store = *backup;
                }
                self.truth.restored = true;
            }
            Action::Drop => {
                self.left.drops -= 1;
                self.device.drop_oldest(&mut self.truth);
            }
            Action::Late => {
                self.left.lates -= 1;
                self.late = true;
            }
        }
        self.settle();
    }

    /// The next frame reaches the device, or it sees the end.
    fn down(&mut self, id: u8, bug: Option<Bug>) {
        let Some(place) = self.conns.iter().position(|c| c.id == id) else { return };
        match self.conns[place].down.pop_front() {
            Some(frame) => {
                if !self.device.frame(frame, self.late, &mut self.truth, bug) {
                    self.truth.broken = true;
                    self.device.link = None;
                }
            }
            None => self.device.link = None,
        }
    }

    fn unlink(&mut self, arrives: bool) {
        let id = self.linked().map(|c| c.id);
        self.device.link = None;
        if let (Some(id), false) = (id, arrives)
            && let Some(conn) = self.conn(id)
        {
            conn.up.clear();
        }
    }

    fn crash(&mut self, server: u8) {
        self.queues[server as usize].clear();
        self.conns.iter_mut().filter(|c| c.server == server).for_each(Conn::close);
    }

    fn linked(&self) -> Option<&Conn> {
        let id = self.device.link.as_ref()?.conn;
        self.conns.iter().find(|c| c.id == id)
    }

    /// Frames that are due go out; connections that nobody holds are forgotten.
    fn settle(&mut self) {
        let linked = self.device.link.as_ref().map(|l| l.conn);
        let frames = self.device.frames();
        if let Some(conn) = linked.and_then(|id| self.conn(id)).filter(|c| c.stage != Stage::Gone) {
            conn.up.extend(frames);
        }
        for conn in &mut self.conns {
            if linked != Some(conn.id) {
                conn.down.clear();
            }
        }
        self.conns.retain(|c| c.stage != Stage::Gone || linked == Some(c.id));
        // What no action can use any more must not tell states apart.
        if self.left.restores == 0 {
            self.backup = None;
        }
    }

    /// What is a row or in a gap now was committed once.
    pub(crate) fn truth_of_commit(&mut self) {
        let lives = self.truth.lives.clone();
        for a in &mut self.truth.accepted {
            let at = a.local.shifted(lives[a.life as usize].0);
            a.committed |= self.store.rows.contains(&(a.lane, at, a.item));
        }
    }

    /// Everything is at rest: no step goes on by itself.
    pub fn rests(&self, bug: Option<Bug>) -> bool {
        let mut actions = Vec::new();
        self.progress(bug, &mut actions);
        actions.is_empty()
    }

    /// Whether the device holds nothing that is not stored or explained.
    pub fn is_drained(&self) -> bool {
        let lanes = &self.device.lanes;
        (0..LANES).all(|l| lanes[l].items.is_empty() && !lanes[l].dropped) && lanes[CONTROL].items.is_empty()
    }
}
