//! The real session of a server, and what a runtime does around it.

use std::collections::VecDeque;

use futures_util::FutureExt as _;
use sensock::batch::{Cell, Sink};
use sensock::server::{Config, Event, Proposal, Session};
use sensock::wire::call::Call;
use sensock::wire::data::{Data, Item, Outcome};
use sensock::wire::hello::{Account, Hello};
use sensock::{CommandId, Micros, Tag, Tick};
use sensock_store::append::commit;
use sensock_store::identity::judge;
use sensock_store::work::*;
use sensock_store::{CommandState, ConnectionRow, LaneId, ReadingRow, Store as _};

use crate::device::name;
use crate::real::{BEGIN_US, Real, STORE};

/// A work, the connection that wants to know, and whether a rewind was asked for after it came.
pub struct Queued {
    pub conn: u8,
    work: Work,
    stale: bool,
}

pub struct Conn {
    pub id: u8,
    pub server: u8,
    pub up: VecDeque<Vec<u8>>,
    pub down: VecDeque<Vec<u8>>,
    pub gone: bool,
    session: Session,
    hello: Option<(Hello, u64)>,
    identity: Option<Identity>,
    confirmed: bool,
    held: Vec<Queued>,
}

fn micros(now_ms: u64) -> Micros {
    Micros(now_ms * 1_000)
}

impl Conn {
    pub fn new(id: u8, server: u8, now_ms: u64) -> Conn {
        let session = Session::new(Config::default(), micros(now_ms)).unwrap();
        let (up, down) = Default::default();
        Conn {
            id,
            server,
            up,
            down,
            gone: false,
            session,
            hello: None,
            identity: None,
            confirmed: false,
            held: vec![],
        }
    }

    pub fn close(&mut self) {
        self.gone = true;
        self.confirmed = false;
        self.up.clear();
    }

    pub fn flush(&mut self, now_ms: u64) {
        let mut buf = [0; 2048];
        while !self.gone {
            match self.session.poll_transmit(micros(now_ms), &mut buf).unwrap() {
                0 => break,
                n => self.down.push_back(buf[..n].to_vec()),
            }
        }
    }

    fn boot(&self) -> u32 {
        self.identity.map_or(0, |i| i.boot)
    }
}

impl Real {
    /// The next frame of a connection reaches its server.
    pub fn up(&mut self, id: u8) {
        let (nonce, fresh, wall_us, now) = (self.draw(), Tag(self.draw()), self.wall_us(), self.now_ms);
        let store = self.store.clone();
        let conn = self.conn(id);
        let mut frame = conn.up.pop_front().expect("the model has one too");
        let event = match conn.session.handle_frame(micros(now), &mut frame) {
            Ok(Some(event)) => event,
            Ok(None) => return,
            Err(error) => panic!("the server finds the protocol broken: {error}"),
        };
        let work = match event {
            Event::Hello(hello) => {
                conn.hello = Some((hello, now));
                let resume = store.load(&hello.device).now_or_never().unwrap().unwrap();
                let Verdict::Welcome(identity) = judge(&resume, &hello, fresh) else { return conn.close() };
                conn.identity = Some(identity);
                let proposal = Proposal {
                    boot_shift: identity.shift,
                    tag: identity.tag,
                    marks: identity.marks,
                    want_catalog: false,
                    pending: 0,
                    store: STORE,
                    nonce,
                };
                return conn.session.welcome(proposal).unwrap();
            }
            Event::Proved => {
                let ((hello, _), proposed) = (conn.hello.unwrap(), conn.identity.unwrap());
                let connection = ConnectionRow {
                    id: fresh.0,
                    device: hello.device,
                    boot: proposed.boot,
                    server: conn.server.into(),
                    peer: String::new(),
                    from_us: wall_us,
                    to_us: None,
                    reason: String::new(),
                    asleep_until_us: None,
                    account: Account::default(),
                    records: 0,
                    bytes: 0,
                };
                let (server, started) = (conn.server as usize, (None, Some(wall_us)));
                let (firmware, anchor) = (String::new(), None);
                let work = HelloWork {
                    hello,
                    proposed,
                    firmware,
                    started,
                    connection,
                    anchor,
                    store: STORE,
                    now_us: wall_us,
                };
                let work = Work::Hello(Box::new(work));
                return self.queues[server].push_back(Queued { conn: id, work, stale: false });
            }
            Event::Data(data) => Work::Records(Box::new(records(&data, wall_us))),
            Event::Floor { lane, floor } => {
                let lane = LaneId { device: name(), lane };
                Work::Floor(FloorWork { lane, floor, between_us: (None, None), now_us: wall_us })
            }
            other => panic!("the model has no such thing: {other:?}"),
        };
        self.submit(id, work);
    }

    fn submit(&mut self, id: u8, work: Work) {
        let conn = self.conn(id);
        let (server, queued) = (conn.server as usize, Queued { conn: id, work, stale: false });
        if conn.confirmed { self.queues[server].push_back(queued) } else { conn.held.push(queued) }
    }

    /// The command is to be marked as sent.
    pub fn send(&mut self, id: u8) {
        let (boot, now_us) = (self.conn(id).boot(), self.wall_us());
        let sent = CommandWork::Sent { device: name(), id: CommandId(1), boot, after: CommandId(0), now_us };
        self.submit(id, Work::Command(sent));
    }

    /// One transaction of a server, and what follows from it.
    pub fn commit(&mut self, server: u8) {
        let queued = self.queues[server as usize].pop_front().expect("the model has one too");
        let Queued { conn: id, work, stale } = queued;
        // The time of a work is that of its transaction: that is when the model looks at the clock.
        let work = stamped(work, self.wall_us());
        let done =
            commit(&self.store, std::slice::from_ref(&work)).now_or_never().unwrap().unwrap().remove(0);
        let Some(at) = self.conns.iter().position(|c| c.id == id && !c.gone) else { return };
        let conn = &mut self.conns[at];
        match (work, done) {
            (Work::Hello(_), Ok(Done::Hello(done))) => {
                conn.confirmed = true;
                conn.session.confirm(done.identity.marks);
                let held = std::mem::take(&mut conn.held);
                self.queues[server as usize].extend(held);
                let old = |c: &&mut Conn| c.server == server && c.id != id && c.confirmed;
                self.conns.iter_mut().filter(old).for_each(Conn::close);
                if !done.deliver.is_empty() {
                    self.send(id);
                }
            }
            (Work::Hello(_), Err(_)) => conn.close(),
            (Work::Records(work), Ok(Done::Appended(done))) => {
                let lane = work.lane.lane;
                conn.session.release(lane, 1, 1);
                if !done.rewind {
                    conn.session.committed(lane, done.mark);
                } else if !stale {
                    conn.session.rewind(lane, done.mark.next());
                    let of = |q: &&mut Queued| {
                        let same = match &q.work {
                            Work::Records(w) => w.lane.lane == lane,
                            Work::Floor(w) => w.lane.lane == lane,
                            _ => false,
                        };
                        same && q.conn == id
                    };
                    self.queues[server as usize].iter_mut().filter(of).for_each(|q| q.stale = true);
                }
            }
            (Work::Floor(work), Ok(Done::Appended(done))) => {
                conn.session.committed(work.lane.lane, done.mark)
            }
            (Work::Command(_), Ok(Done::Command(row, _))) => {
                if conn.confirmed && row.state == CommandState::Sent(conn.boot()) {
                    let ((hello, at_ms), mut out) = (conn.hello.unwrap(), [0; 512]);
                    let left_ms = (row.deadline_us - BEGIN_US) / 1_000 - at_ms as i64;
                    let not_after = Some(hello.tick.plus(left_ms.max(0) as u64));
                    let call =
                        Call { id: row.id, key: row.key, policy: row.policy, not_after, body: &row.body };
                    let n = conn.session.command(&call, &mut out).unwrap();
                    conn.down.push_back(out[..n].to_vec());
                }
            }
            (work, done) => panic!("{work:?} came to {done:?}"),
        }
    }
}

fn stamped(mut work: Work, wall_us: i64) -> Work {
    match &mut work {
        Work::Hello(w) => w.now_us = wall_us,
        Work::Command(CommandWork::Sent { now_us, .. }) => *now_us = wall_us,
        _ => {}
    }
    work
}

/// A Data frame as work for rule A.
fn records(data: &Data<'_>, now_us: i64) -> RecordsWork {
    let lane = LaneId { device: name(), lane: data.lane };
    let (mut steps, mut readings, mut replies) = (vec![], vec![], vec![]);
    for item in data.items() {
        match item {
            Item::Run(run) => {
                let mut rows = Rows::default();
                run.decode(&mut rows).unwrap();
                steps.push(Step::Records { first: run.first, count: run.count as u32 });
                readings.extend(rows.0.iter().enumerate().map(|(i, raw)| ReadingRow {
                    lane,
                    position: run.first.plus(i as u64),
                    quantity: 1,
                    catalog: crate::device::BOARD.hash(),
                    raw: *raw,
                    fault: None,
                    value: f64::from(*raw),
                    tick: Tick(0),
                    not_before_us: None,
                    not_after_us: now_us,
                }));
            }
            Item::Reply { position, command, outcome, body } => {
                steps.push(Step::Records { first: position, count: 1 });
                let state = match outcome {
                    Outcome::Done => CommandState::Done,
                    Outcome::Expired => CommandState::Expired,
                    other => panic!("the model answers so never: {other:?}"),
                };
                replies.push(Reply { position, command, state, answer: body.to_vec() });
            }
            other => panic!("the model sends no such thing: {other:?}"),
        }
    }
    RecordsWork { lane, steps, readings, replies, applied: vec![], anchors: vec![], raw: vec![], now_us }
}

#[derive(Default)]
struct Rows(Vec<i32>);

impl Sink for Rows {
    fn tick(&mut self, _: usize, _: u64) {}
    fn cell(&mut self, _: usize, _: usize, cell: Cell) {
        if let Cell::Value(v) = cell {
            self.0.push(v);
        }
    }
}
