//! What a server does with frames, and after a commit.

use crate::position::{LANES, Pos};
use crate::scope::Bug;
use crate::state::{Conn, Down, LaneLink, Sending, Stage, State, Task, Up, Work};

impl Conn {
    /// A transport was accepted.
    pub fn new(id: u8, server: u8) -> Conn {
        Conn {
            id,
            server,
            up: Default::default(),
            down: Default::default(),
            stage: Stage::AwaitHello,
            met: None,
            boot: 0,
            lanes: [LaneLink::default(); LANES],
            held: Vec::new(),
            sending: Sending::Idle,
        }
    }

    /// The server is done with it: what it has written still arrives.
    pub fn close(&mut self) {
        self.stage = Stage::Gone;
        self.up.clear();
        self.held.clear();
        (self.met, self.boot) = (None, 0);
        self.lanes = Default::default();
        self.sending = Sending::Idle;
    }

    /// A mark that may be acknowledged.
    fn committed(&mut self, lane: usize, mark: Pos) {
        let link = &mut self.lanes[lane];
        link.mark = link.mark.max(mark);
        if link.mark >= link.expected {
            // An earlier connection had brought more. A rewind that the device was told of holds on.
            (link.expected, link.fresh) = (link.mark.next(), true);
            link.due = link.rewind;
        }
    }

    /// The store, or this end, found a hole: everything is thrown away until what follows comes.
    fn rewind(&mut self, lane: usize, to: Pos) {
        let link = &mut self.lanes[lane];
        link.expected = to.max(link.mark.next());
        (link.fresh, link.rewind, link.due) = (true, true, true);
    }

    /// Takes a Data frame if it follows.
    fn takes(&mut self, lane: usize, first: Pos, len: usize, alone: bool) -> bool {
        let link = &mut self.lanes[lane];
        // A frame that refers to one before it cannot be read once that is forgotten.
        if first == link.expected && (alone || !link.fresh) {
            link.expected = Pos(first.0 + len as u16);
            (link.fresh, link.rewind, link.due) = (false, false, false);
            return true;
        }
        link.due |= !link.rewind;
        (link.fresh, link.rewind) = (true, true);
        false
    }

    /// Writes what is due.
    pub fn flush(&mut self) {
        for (lane, link) in self.lanes.iter_mut().enumerate() {
            if self.stage != Stage::Confirmed {
                return;
            }
            if link.mark > link.told {
                link.told = link.mark;
                self.down.push_back(Down::Ack(lane, link.mark));
            }
            if std::mem::take(&mut link.due) {
                self.down.push_back(Down::Rewind(lane, link.expected));
            }
        }
    }
}

impl State {
    /// The next frame of a connection reaches its server.
    pub fn up(&mut self, id: u8, fresh: u8, bug: Option<Bug>) {
        let Some(place) = self.conns.iter().position(|c| c.id == id) else { return };
        let Some(frame) = self.conns[place].up.pop_front() else { return };
        let (store, conn) = (&self.store, &mut self.conns[place]);
        let work = match frame {
            Up::Hello(hello) => {
                let Some(identity) = store.judge(&hello, fresh, bug) else {
                    // A Hello of a connection that is dead proves nothing.
                    self.truth.collided |= self.device.link.as_ref().is_some_and(|l| l.conn == id);
                    return conn.close();
                };
                conn.stage = Stage::AwaitProof;
                conn.met = Some((hello, identity));
                conn.lanes = identity.marks.map(|mark| LaneLink {
                    expected: mark.next(),
                    mark,
                    told: mark,
                    ..LaneLink::default()
                });
                conn.down.push_back(Down::Welcome {
                    shift: identity.shift,
                    tag: identity.tag,
                    marks: identity.marks,
                });
                return;
            }
            Up::Proof => {
                let Some((hello, identity)) = conn.met.take() else { return };
                (conn.stage, conn.boot) = (Stage::Proved, identity.boot);
                let task = Task::Hello(hello, identity);
                self.queues[conn.server as usize].push_back(Work { conn: id, task, stale: false });
                return;
            }
            Up::Data(lane, first, items, alone) => {
                if !conn.takes(lane, first, items.len(), alone) {
                    return conn.flush();
                }
                if bug == Some(Bug::AckBeforeCommit) && conn.stage == Stage::Confirmed {
                    conn.committed(lane, conn.lanes[lane].expected.prev());
                    conn.flush();
                }
                Task::Records(lane, first, items, store.marks[lane])
            }
            Up::Floor(lane, floor) => {
                let link = &mut conn.lanes[lane];
                if floor.floor > link.expected {
                    (link.expected, link.rewind, link.due) = (floor.floor, false, false);
                }
                link.fresh = true;
                Task::Floor(lane, floor)
            }
        };
        self.submit(id, Work { conn: id, task: work, stale: false });
    }

    /// Works wait for the Hello transaction.
    fn submit(&mut self, id: u8, work: Work) {
        let Some(conn) = self.conns.iter_mut().find(|c| c.id == id) else { return };
        match conn.stage {
            Stage::Confirmed => self.queues[conn.server as usize].push_back(work),
            _ => conn.held.push(work),
        }
    }

    /// A server looks at what the store says of the command (it does so now and then).
    pub fn send(&mut self, id: u8) {
        let Some(conn) = self.conns.iter_mut().find(|c| c.id == id) else { return };
        let boot = conn.boot;
        conn.sending = Sending::Storing;
        self.submit(id, Work { conn: id, task: Task::Send(boot), stale: false });
    }

    /// One transaction of a server, and what follows from it.
    pub fn commit(&mut self, server: u8, bug: Option<Bug>) {
        let Some(work) = self.queues[server as usize].pop_front() else { return };
        let (id, late) = (work.conn, self.late);
        let before = self.store.marks;
        match &work.task {
            Task::Hello(hello, identity) => {
                let done = self.store.hello(hello, identity, late, bug);
                self.truth.lives[hello.life as usize].1 |= done.is_some();
                self.truth_of_commit();
                self.hello_done(server, id, done);
            }
            Task::Records(lane, first, items, seen) => {
                let done = self.store.append(*lane, *first, items, *seen, bug);
                self.truth_of_commit();
                self.appended(id, *lane, done.rewind && !work.stale, done.rewind, done.mark);
            }
            Task::Floor(lane, floor) => {
                let mark = self.store.floor(*lane, floor, bug);
                self.truth_of_commit();
                self.appended(id, *lane, false, false, mark);
            }
            Task::Send(boot) => {
                let leaves = self.store.send(*boot, late, bug);
                if let Some(conn) = self.conn(id).filter(|c| c.stage == Stage::Confirmed) {
                    conn.sending = if leaves { Sending::Left } else { Sending::Idle };
                    if leaves {
                        conn.down.push_back(Down::Call);
                    }
                }
            }
        }
        self.truth.broken |=
            bug.is_none() && self.store.marks.iter().zip(before).any(|(now, then)| *now < then);
    }

    fn hello_done(&mut self, server: u8, id: u8, done: Option<(crate::store::Identity, bool)>) {
        let Some(conn) = self.conn(id).filter(|c| c.stage == Stage::Proved) else { return };
        let Some((identity, deliver)) = done else { return conn.close() };
        conn.stage = Stage::Confirmed;
        conn.down.push_back(Down::Confirmed);
        let held = std::mem::take(&mut conn.held);
        for (lane, mark) in identity.marks.into_iter().enumerate() {
            conn.committed(lane, mark);
        }
        conn.flush();
        self.queues[server as usize].extend(held);
        // Whoever proved itself last is the one that is there.
        let old = |c: &&mut Conn| c.server == server && c.id != id && c.stage == Stage::Confirmed;
        self.conns.iter_mut().filter(old).for_each(Conn::close);
        if deliver {
            self.send(id);
        }
    }

    fn appended(&mut self, id: u8, lane: usize, ask: bool, rewind: bool, mark: Pos) {
        let Some(conn) = self.conn(id).filter(|c| c.stage == Stage::Confirmed) else { return };
        if !rewind {
            conn.committed(lane, mark);
            conn.flush();
        } else if ask {
            conn.rewind(lane, mark.next());
            conn.flush();
            let server = conn.server as usize;
            let of = |w: &&mut Work| {
                w.conn == id && matches!(&w.task, Task::Records(l, ..) | Task::Floor(l, _) if *l == lane)
            };
            self.queues[server].iter_mut().filter(of).for_each(|w| w.stale = true);
        }
    }
}
