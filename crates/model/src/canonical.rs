//! States that differ only in names are one state.
//!
//! Tags mean nothing but whether they are the same; connections and servers have no other nature than what they hold. So they are
//! numbered by where they stand, and what nobody can ever show again is forgotten. Everything that can happen to a state can happen to
//! its canonical form under other names, and no promise names a name.

use std::collections::BTreeSet;

use crate::scope::Bug;
use crate::state::{Down, Hello, Stage, State, Task, Up};
use crate::step::Action;
use crate::store::{Identity, Store};

/// The number of a connection that is no more.
const NOBODY: u8 = u8::MAX;

impl State {
    /// The canonical state after a step.
    pub fn then(&self, action: Action, bug: Option<Bug>) -> State {
        let mut next = self.clone();
        next.step(action, bug);
        next.rename();
        next
    }

    fn rename(&mut self) {
        let linked = self.device.link.as_ref().map(|l| l.conn);
        // The device's own connection is the first.
        self.conns.sort_by_key(|c| Some(c.id) != linked);
        let ids: Vec<u8> = self.conns.iter().map(|c| c.id).collect();
        let new = |id: u8| ids.iter().position(|i| *i == id).map_or(NOBODY, |at| at as u8);
        for (at, conn) in self.conns.iter_mut().enumerate() {
            conn.id = at as u8;
            conn.held.iter_mut().for_each(|w| w.conn = new(w.conn));
        }
        self.queues.iter_mut().flatten().for_each(|w| w.conn = new(w.conn));
        if let Some(link) = &mut self.device.link {
            link.conn = new(link.conn);
        }
        self.order_servers();
        self.forget_tags();
        let mut names = vec![0];
        self.tags(&mut |tag| {
            let at = names.iter().position(|n| n == tag).unwrap_or_else(|| {
                names.push(*tag);
                names.len() - 1
            });
            *tag = at as u8;
        });
    }

    /// Two servers: the one of the first connection comes first, or the one that has more to do.
    fn order_servers(&mut self) {
        let swap = match self.conns.first() {
            Some(conn) => conn.server == 1,
            None => self.queues.len() == 2 && self.queues[0].len() < self.queues[1].len(),
        };
        if swap && self.queues.len() == 2 {
            self.queues.swap(0, 1);
            self.conns.iter_mut().for_each(|c| c.server = 1 - c.server);
        }
    }

    /// Superseded tags that nobody holds will never be shown.
    fn forget_tags(&mut self) {
        let mut held = BTreeSet::new();
        let (store, backup) = (std::mem::take(&mut self.store), self.backup.take());
        self.tags(&mut |tag| {
            held.insert(*tag);
        });
        (self.store, self.backup) = (store, backup);
        // The current tag of one of the two may be superseded in the other, and the device may yet be given it.
        let current: Vec<u8> = self.stores().map(|s| s.tag).collect();
        held.extend(current);
        self.stores().for_each(|s| s.superseded.retain(|t| held.contains(t)));
    }

    fn stores(&mut self) -> impl Iterator<Item = &mut Store> {
        std::iter::once(&mut self.store).chain(self.backup.as_deref_mut())
    }

    /// Every tag there is, always in the same order.
    pub(crate) fn tags(&mut self, f: &mut impl FnMut(&mut u8)) {
        for store in self.stores() {
            f(&mut store.tag);
            store.superseded.iter_mut().for_each(&mut *f);
        }
        let device = &mut self.device;
        f(&mut device.tag);
        f(&mut device.pending);
        if let Some(link) = &mut device.link {
            f(&mut link.tag);
        }
        for conn in &mut self.conns {
            conn.up.iter_mut().for_each(|frame| {
                if let Up::Hello(hello) = frame {
                    of_hello(hello, f);
                }
            });
            conn.down.iter_mut().for_each(|frame| {
                if let Down::Welcome { tag, .. } = frame {
                    f(tag);
                }
            });
            if let Some((hello, identity)) = &mut conn.met {
                of_met(hello, identity, f);
            }
        }
        for work in self.queues.iter_mut().flatten() {
            if let Task::Hello(hello, identity) = &mut work.task {
                of_met(hello, identity, f);
            }
        }
    }

    /// A tag that is nowhere in use.
    pub(crate) fn fresh_tag(&self) -> u8 {
        let mut highest = 0;
        self.clone().tags(&mut |tag| highest = highest.max(*tag));
        highest + 1
    }

    /// Whether a batch waits that was stored long ago by way of another connection.
    pub fn is_late(&self) -> bool {
        let known = |task: &Task| {
            matches!(task, Task::Records(lane, first, items, _)
                if first.0 + items.len() as u16 - 1 <= self.store.marks[*lane].0)
        };
        let gone = |id: u8| self.conns.iter().all(|c| c.id != id || c.stage == Stage::Gone);
        self.queues.iter().flatten().any(|w| gone(w.conn) && known(&w.task))
    }
}

fn of_hello(hello: &mut Hello, f: &mut impl FnMut(&mut u8)) {
    f(&mut hello.tag);
    f(&mut hello.pending);
}

fn of_met(hello: &mut Hello, identity: &mut Identity, f: &mut impl FnMut(&mut u8)) {
    of_hello(hello, f);
    f(&mut identity.tag);
}
