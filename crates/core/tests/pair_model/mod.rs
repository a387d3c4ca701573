//! A device and its servers, joined by queues of frames, over a store that is a list with one mark a lane.
#![allow(unreachable_pub, clippy::unwrap_used, reason = "a test says no by panicking")]

mod store;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use sensock::batch::Cell;
use sensock::device::{self, Event, Node, Outbox, Policy, Share, Transmit};
use sensock::error::Misuse;
use sensock::server::{self, Config, Proposal};
use sensock::wire::data::Outcome;
use sensock::wire::header::Kind;
use sensock::wire::hello::{Account, End, Grant, Hello};
use sensock::{CommandId, DeviceId, Lane, Micros, Position, StoreId, Tag, Tick};

use crate::common::{CELLAR, HUMIDITY, TEMPERATURE};
use store::{Batch, Store, Work, batch};

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Op {
    Record {
        lane: usize,
        n: u8,
        ms: u16,
    },
    Burst(u16),
    Time(u32),
    DeviceWrites(usize),
    ServerReads(usize),
    ServerWrites(usize),
    DeviceReads(usize),
    Commit(usize),
    /// The connection is lost; what its server held is committed later, or never.
    Cut(bool),
    LateCommit(usize),
    /// The store did not take what it was given: the server forgets it and asks again.
    RollBack,
    Nap,
    /// An answer to a command, or an applied setting.
    Control(bool),
    Window(Grant),
    /// Frames move both ways for some rounds, and the store commits or stands still.
    Pump {
        n: usize,
        commit: bool,
    },
}

/// How often a schedule met what it is about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Rewinds that the device was sent.
    pub rewinds: usize,
    /// Floors that rose on a connection.
    pub floors: usize,
    /// Batches of a lost connection that were stored after all.
    pub late_rows: usize,
    /// Batches that held what was stored already.
    pub repeats: usize,
}

impl Seen {
    pub fn add(&mut self, other: Seen) {
        self.rewinds += other.rewinds;
        self.floors += other.floors;
        self.late_rows += other.late_rows;
        self.repeats += other.repeats;
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub policy: Policy,
    pub ttl_ms: u32,
    /// Whether the device persists its boot number.
    pub numbered: bool,
}

/// What was accepted at a position.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    Record(Tick, Vec<(u16, Cell)>),
    Reply(u32),
    Applied(u32),
}

pub struct Model {
    setup: Setup,
    now: u64,
    outbox: RefCell<Outbox<4096>>,
    device: device::Session<'static>,
    server: server::Session,
    window: [Grant; Lane::COUNT],
    up: VecDeque<Vec<u8>>,
    down: VecDeque<Vec<u8>>,
    /// What this connection's server holds for the store, in order; and what those of earlier connections still hold.
    work: VecDeque<Work>,
    late: VecDeque<Batch>,
    hello: Option<(Hello, [Position; Lane::COUNT])>,
    store: Store,
    accepted: [BTreeMap<u64, Accepted>; Lane::COUNT],
    /// Records of a keep-latest lane: how many, and the last.
    latest: (u64, Option<Accepted>),
    serial: i32,
    pub seen: Seen,
}

impl Model {
    pub fn new(setup: Setup) -> Self {
        let scratch = Box::leak(vec![0; 512].into_boxed_slice());
        let node = Node { id: DeviceId::new("cellar-3").unwrap(), catalog: &CELLAR, max_frame: 512 };
        let window = [Config::default().window[0]; Lane::COUNT];
        let mut model = Model {
            setup,
            now: 1_000,
            outbox: RefCell::new(Outbox::new()),
            device: device::Session::new(node, scratch).unwrap(),
            server: server::Session::new(Config::default(), Micros(0)).unwrap(),
            window,
            up: VecDeque::new(),
            down: VecDeque::new(),
            work: VecDeque::new(),
            late: VecDeque::new(),
            hello: None,
            store: Store::default(),
            accepted: Default::default(),
            latest: (0, None),
            serial: 0,
            seen: Seen::default(),
        };
        model.outbox.with(|o| {
            o.start(setup.numbered.then_some(3));
            o.policy(Lane::Readings, setup.policy, setup.ttl_ms);
        });
        model.dial();
        model
    }

    pub fn apply(&mut self, op: &Op) {
        match *op {
            Op::Record { lane, n, ms } => (0..n).for_each(|_| self.record(Lane::ALL[lane], ms.into())),
            Op::Burst(n) => (0..n).for_each(|_| self.record(Lane::Readings, 7)),
            Op::Time(ms) => self.pass(ms.into()),
            Op::DeviceWrites(n) => drop(self.device_writes(n)),
            Op::ServerReads(n) => (0..n).for_each(|_| self.server_reads()),
            Op::ServerWrites(n) => drop(self.server_writes(n)),
            Op::DeviceReads(n) => (0..n).for_each(|_| self.device_reads()),
            Op::Commit(n) => (0..n).for_each(|_| self.commit()),
            Op::Cut(late) => self.cut(late),
            Op::LateCommit(n) => {
                for batch in self.late.drain(..n.min(self.late.len())) {
                    let before = self.store.marks;
                    let _ = self.store.append(&batch);
                    self.seen.late_rows += usize::from(before != self.store.marks);
                }
            }
            Op::Pump { n, commit } => {
                for _ in 0..n {
                    self.device_writes(3);
                    (0..self.up.len()).for_each(|_| self.server_reads());
                    // The Hello transaction is quick even where commits are slow.
                    while !self.work.is_empty() && (commit || matches!(self.work[0], Work::Hello)) {
                        self.commit();
                    }
                    self.server_writes(9);
                    (0..self.down.len()).for_each(|_| self.device_reads());
                }
            }
            Op::RollBack => self.roll_back(),
            Op::Nap => self.device.sleep(5_000, false),
            Op::Control(reply) => self.control(reply),
            Op::Window(grant) => {
                self.window[2] = grant;
                self.server.window(Lane::Readings, grant);
            }
        }
    }

    /// Faults stop: within so many rounds everything is stored, on the connection that there is.
    pub fn finish(&mut self) {
        for _ in 0..400 {
            let moved = self.device_writes(100) + self.up.len() + self.down.len() + self.work.len();
            (0..self.up.len()).for_each(|_| self.server_reads());
            (0..self.work.len()).for_each(|_| self.commit());
            let moved = moved + self.server_writes(100);
            (0..self.down.len()).for_each(|_| self.device_reads());
            if moved == 0 && Lane::ALL.into_iter().all(|l| self.is_stored(l)) {
                return;
            }
            self.pass(if moved == 0 { 1_000 } else { 1 });
        }
        let fill = Lane::ALL.map(|l| self.outbox.with(|o| (o.fill(l).0, o.acked(l), o.next(l))));
        panic!("it does not come to rest: {fill:?}, marks {:?}", self.store.marks);
    }

    /// Whether the outbox is empty, and the store's mark is the last position that was made.
    fn is_stored(&self, lane: Lane) -> bool {
        let (drained, next) = self.outbox.with(|o| (o.is_drained(lane), o.wire(o.next(lane))));
        drained && self.store.marks[lane.index()].next() == next
    }

    pub fn verify(&self) {
        let shift = self.outbox.with(|o| u64::from(o.shift()) << 32);
        for lane in Lane::ALL {
            if lane == Lane::Readings && self.setup.policy == Policy::KeepLatest {
                self.store.verify_latest(lane, self.latest.0, self.latest.1.as_ref());
            } else {
                let accepted = self.accepted[lane.index()].iter().map(|(p, a)| (p + shift, a));
                self.store.verify(lane, accepted.collect());
            }
        }
    }

    // ---- the device

    fn dial(&mut self) {
        self.device.lost();
        self.up.clear();
        self.down.clear();
        self.hello = None;
        let config = Config { window: self.window, ..Config::default() };
        self.server = server::Session::new(config, self.micros()).unwrap();
        self.device.start(Tick(self.now), Account::default(), Default::default());
    }

    fn record(&mut self, lane: Lane, ms: u64) {
        self.now += ms;
        self.serial += 1;
        let readings = [TEMPERATURE.is(self.serial as f32), HUMIDITY.is((self.serial % 100) as f32)];
        let tick = Tick(self.now);
        let position = self.outbox.with(|o| o.record(lane, tick, &readings)).unwrap();
        let what = Accepted::Record(tick, readings.iter().map(|r| (r.quantity, r.cell)).collect());
        if lane == Lane::Readings && self.setup.policy == Policy::KeepLatest {
            self.latest = (self.latest.0 + 1, Some(what));
        } else {
            assert!(
                self.accepted[lane.index()].insert(position.0, what).is_none(),
                "{position} was given twice"
            );
        }
    }

    fn control(&mut self, reply: bool) {
        self.serial += 1;
        let id = self.serial as u32;
        let (taken, what) = if reply {
            let body = vec![7; (id % 100) as usize];
            let taken = self.outbox.with(|o| o.reply(CommandId(id), Outcome::Done, &body));
            (taken, Accepted::Reply(id))
        } else {
            (self.outbox.with(|o| o.applied(id, None)), Accepted::Applied(id))
        };
        match taken {
            Ok(position) => drop(self.accepted[1].insert(position.0, what)),
            Err(e) => assert_eq!(e, Misuse::Full),
        }
    }

    fn device_writes(&mut self, n: usize) -> usize {
        let mut buf = [0; 4096];
        for i in 0..n {
            match self.device.poll_transmit(&self.outbox, Tick(self.now), &mut buf) {
                Transmit::Frame(len) => self.up.push_back(buf[..len].to_vec()),
                Transmit::Idle => return i,
                Transmit::Fetch { .. } => panic!("there is no flash"),
            }
        }
        n
    }

    fn device_reads(&mut self) {
        let Some(mut frame) = self.down.pop_front() else { return };
        match self.device.handle_frame(&self.outbox, Tick(self.now), &mut frame) {
            Ok(Some(Event::Bye(_))) => self.cut(true),
            Ok(_) => {}
            Err(e) => panic!("an honest server was refused: {e}"),
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now += ms;
        let device = self.device.handle_timeout(Tick(self.now));
        let server = self.server.handle_timeout(self.micros());
        if device.is_err() || server.is_err() || self.device.is_closed() {
            self.cut(true);
        }
    }

    fn cut(&mut self, late: bool) {
        for work in std::mem::take(&mut self.work) {
            if let (Work::Data(batch), true) = (work, late) {
                self.late.push_back(batch);
            }
        }
        self.dial();
    }

    // ---- the server

    fn micros(&self) -> Micros {
        Micros(self.now * 1_000 + 5_000_000)
    }

    fn server_writes(&mut self, n: usize) -> usize {
        let mut buf = [0; 512];
        for i in 0..n {
            match self.server.poll_transmit(self.micros(), &mut buf).unwrap() {
                0 => return i,
                len => {
                    self.seen.rewinds += usize::from(buf[0] & 31 == Kind::Rewind as u8);
                    self.down.push_back(buf[..len].to_vec());
                }
            }
        }
        n
    }

    fn server_reads(&mut self) {
        let Some(mut frame) = self.up.pop_front() else { return };
        let (now, len) = (self.micros(), frame.len());
        if self.server.is_closed() {
            return;
        }
        match self.server.handle_frame(now, &mut frame) {
            Ok(None) => {}
            Ok(Some(server::Event::Hello(hello))) => self.judge(hello),
            Ok(Some(server::Event::Proved)) => self.work.push_back(Work::Hello),
            Ok(Some(server::Event::Data(data))) => self.work.push_back(Work::Data(batch(&data, len))),
            Ok(Some(server::Event::Floor { lane, floor })) => self.work.push_back(Work::Floor(lane, floor)),
            Ok(Some(server::Event::Sleep(_))) => self.bye(End::Slept),
            Ok(Some(server::Event::Clock)) => {}
            Ok(Some(other)) => panic!("{other:?}"),
            Err(e) => panic!("an honest device was refused: {e}"),
        }
    }

    fn bye(&mut self, reason: End) {
        let mut buf = [0; 256];
        let n = self.server.bye(reason, 0, "", &mut buf).unwrap();
        self.down.push_back(buf[..n].to_vec());
    }

    fn judge(&mut self, hello: Hello) {
        let shift = if hello.boot.is_none() { 5 } else { 0 };
        let mut probe = self.store.clone();
        let marks = probe.hello(&hello, shift);
        let welcome = Proposal {
            boot_shift: shift,
            tag: Tag(7),
            marks,
            want_catalog: false,
            pending: 0,
            store: StoreId(9),
            nonce: self.now,
        };
        self.server.welcome(welcome).unwrap();
        self.hello = Some((hello, marks));
    }

    fn commit(&mut self) {
        let Some(work) = self.work.pop_front() else { return };
        match work {
            Work::Hello => {
                // What was said in Welcome must still be so.
                let (hello, said) = self.hello.unwrap();
                let shift = if hello.boot.is_none() { 5 } else { 0 };
                if self.store.clone().hello(&hello, shift) == said {
                    let marks = self.store.hello(&hello, shift);
                    self.server.confirm(marks);
                } else {
                    self.work.clear();
                    self.bye(End::Refused);
                }
            }
            Work::Floor(lane, floor) => {
                let before = self.store.marks;
                let mark = self.store.subtract(lane, floor.floor);
                self.seen.floors += usize::from(before != self.store.marks);
                self.server.committed(lane, mark);
            }
            Work::Data(batch) => {
                let lane = batch.lane;
                let mark = self.store.marks[lane.index()];
                self.seen.repeats += usize::from(batch.first <= mark);
                match self.store.append(&batch) {
                    Ok(mark) => self.server.committed(lane, mark),
                    Err(mark) => self.server.rewind(lane, mark.next()),
                }
                self.server.release(lane, batch.records, batch.bytes);
            }
        }
    }

    fn roll_back(&mut self) {
        let Some(at) = self.work.iter().position(|w| matches!(w, Work::Data(_))) else { return };
        let Some(Work::Data(batch)) = self.work.remove(at) else { return };
        let lane = batch.lane;
        // What follows it in the lane cannot be stored either; floors can.
        let (dropped, kept): (VecDeque<_>, _) = std::mem::take(&mut self.work)
            .into_iter()
            .enumerate()
            .partition(|(i, w)| *i >= at && matches!(w, Work::Data(b) if b.lane == lane));
        self.work = kept.into_iter().map(|(_, w)| w).collect();
        self.server.release(lane, batch.records, batch.bytes);
        for (_, work) in dropped {
            if let Work::Data(b) = work {
                self.server.release(lane, b.records, b.bytes);
            }
        }
        self.server.rewind(lane, batch.first);
    }
}
