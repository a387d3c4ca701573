//! Both real sessions, joined by nothing but calls; the "store" is a list.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part, and a test says no by panicking"
)]

use std::cell::RefCell;

use sensock::batch::{Cell, Sink};
use sensock::catalog::{Catalog, Command, Quantity, Setting};
use sensock::device::{self, Node, Outbox, Policy, Share, Transmit};
use sensock::server::{self, Config, Proposal};
use sensock::wire::data::Item;
use sensock::wire::hello::{Account, Hello};
use sensock::{DeviceId, Lane, Micros, Position, StoreId, Tag, Tick};

pub const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
pub const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-1);
pub const RELAY: Command<bool, bool> = Command::new(1, "relay");
pub const INTERVAL: Setting<u32> = Setting::new(1, "interval-s");
pub static CELLAR: Catalog<'static> = Catalog::new(
    "cellar-node 1.4.0",
    &[TEMPERATURE.entry(), HUMIDITY.entry()],
    &[RELAY.entry()],
    &[INTERVAL.entry()],
);

/// What arrived: lane, position, tick, cells; or a gap.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    Record(Lane, Position, Tick, Vec<(u16, Cell)>),
    Gap(Lane, Position, Position),
    Reply(Position, u32),
    Applied(Position, u32),
}

pub struct Pair {
    pub outbox: RefCell<Outbox<4096>>,
    pub device: device::Session<'static>,
    pub server: server::Session,
    pub rows: Vec<Row>,
    pub marks: [Position; 3],
    pub known_catalog: bool,
    pub pending: u16,
    pub catalog_bytes: Vec<u8>,
    pub now: u64,
    pub up: Vec<Vec<u8>>,
    pub down: Vec<Vec<u8>>,
    pub up_bytes: usize,
    /// The largest Data frame since it was last reset.
    pub largest_data: usize,
    pub events: Vec<String>,
    pub hello: Option<Hello>,
    /// Commits wait until this is called by hand.
    pub hold_commits: bool,
    pub held: Vec<(Lane, Position, u32, usize)>,
}

impl Pair {
    pub fn new() -> Self {
        let scratch = Box::leak(vec![0; 512].into_boxed_slice());
        let node = Node { id: DeviceId::new("cellar-3").unwrap(), catalog: &CELLAR, max_frame: 512 };
        let pair = Pair {
            outbox: RefCell::new(Outbox::new()),
            device: device::Session::new(node, scratch).unwrap(),
            server: server::Session::new(Config::default(), Micros(0)).unwrap(),
            rows: vec![],
            marks: [Position::NONE; 3],
            known_catalog: true,
            pending: 0,
            catalog_bytes: vec![],
            now: 1_000,
            up: vec![],
            down: vec![],
            up_bytes: 0,
            largest_data: 0,
            events: vec![],
            hello: None,
            hold_commits: false,
            held: vec![],
        };
        pair.outbox.with(|o| o.start(Some(1)));
        pair
    }

    pub fn policy(&self, policy: Policy) {
        self.outbox.with(|o| o.policy(Lane::Readings, policy, 0));
    }

    pub fn micros(&self) -> Micros {
        Micros(self.now * 1_000 + 5_000_000)
    }

    pub fn record(&self, t: f32, h: f32) -> Position {
        self.outbox
            .with(|o| o.record(Lane::Readings, Tick(self.now), &[TEMPERATURE.is(t), HUMIDITY.is(h)]))
            .unwrap()
    }

    pub fn dial(&mut self) {
        self.device.lost();
        self.up.clear();
        self.down.clear();
        self.held.clear();
        self.server = server::Session::new(Config::default(), self.micros()).unwrap();
        self.device.start(Tick(self.now), Account::default(), Default::default());
    }

    /// Moves frames both ways until nothing moves.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    pub fn step(&mut self) -> bool {
        let mut moved = false;
        let mut buf = [0; 4096];
        while let Transmit::Frame(n) = self.device.poll_transmit(&self.outbox, Tick(self.now), &mut buf) {
            self.up_bytes += n;
            if buf[0] & 31 == sensock::wire::header::Kind::Data as u8 {
                self.largest_data = self.largest_data.max(n);
            }
            self.up.push(buf[..n].to_vec());
            moved = true;
        }
        for mut frame in std::mem::take(&mut self.up) {
            moved = true;
            self.serve(&mut frame);
        }
        loop {
            let n = self.server.poll_transmit(self.micros(), &mut buf).unwrap();
            if n == 0 {
                break;
            }
            self.down.push(buf[..n].to_vec());
            moved = true;
        }
        for mut frame in std::mem::take(&mut self.down) {
            moved = true;
            let event = self.device.handle_frame(&self.outbox, Tick(self.now), &mut frame).unwrap();
            self.events.extend(event.map(|e| format!("{e:?}")));
        }
        moved
    }

    fn serve(&mut self, frame: &mut [u8]) {
        let (now, len) = (self.micros(), frame.len());
        let Some(event) = self.server.handle_frame(now, frame).unwrap() else { return };
        match event {
            server::Event::Hello(hello) => {
                for (mark, lane) in self.marks.iter_mut().zip(&hello.lanes) {
                    if lane.floor > mark.next() {
                        *mark = lane.floor.prev();
                    }
                }
                self.hello = Some(hello);
                self.server
                    .welcome(Proposal {
                        boot_shift: 0,
                        tag: Tag(7),
                        marks: self.marks,
                        want_catalog: !self.known_catalog,
                        pending: self.pending,
                        store: StoreId(9),
                        nonce: 0x1234_5678_9abc_def0,
                    })
                    .unwrap();
            }
            server::Event::Proved => self.server.confirm(self.marks),
            server::Event::Catalog(part) => {
                assert_eq!(part.offset as usize, self.catalog_bytes.len());
                self.catalog_bytes.extend_from_slice(part.bytes);
                if self.catalog_bytes.len() == part.total as usize {
                    assert_eq!(sensock::catalog::fnv1a(&self.catalog_bytes), part.hash);
                    self.server.catalog_stored();
                }
            }
            server::Event::Data(data) => {
                let lane = data.lane;
                for item in data.items() {
                    self.rows.extend(rows(lane, item));
                }
                let (next, records) = (data.next, data.records);
                if self.hold_commits {
                    self.held.push((lane, next.prev(), records, len));
                } else {
                    self.commit(lane, next.prev(), records, len);
                }
            }
            server::Event::Floor { lane, floor } => {
                let mark = &mut self.marks[lane.index()];
                if floor.floor > mark.next() {
                    self.rows.push(Row::Gap(lane, mark.next(), floor.floor.prev()));
                    *mark = floor.floor.prev();
                }
                self.server.committed(lane, *mark);
            }
            other => self.events.push(format!("server: {other:?}")),
        }
    }

    /// Lets the server read everything that is under way, and the device what the server then wrote; returns that.
    pub fn serve_all(&mut self) -> Vec<Vec<u8>> {
        for mut frame in std::mem::take(&mut self.up) {
            self.serve(&mut frame);
        }
        let (mut written, mut buf) = (vec![], [0; 4096]);
        loop {
            let n = self.server.poll_transmit(self.micros(), &mut buf).unwrap();
            if n == 0 {
                break;
            }
            written.push(buf[..n].to_vec());
        }
        for frame in &written {
            self.device.handle_frame(&self.outbox, Tick(self.now), &mut frame.clone()).unwrap();
        }
        written
    }

    fn commit(&mut self, lane: Lane, mark: Position, records: u32, bytes: usize) {
        self.marks[lane.index()] = mark;
        self.server.committed(lane, mark);
        self.server.release(lane, records, bytes);
    }

    pub fn release_commits(&mut self) {
        for (lane, mark, records, bytes) in std::mem::take(&mut self.held) {
            self.commit(lane, mark, records, bytes);
        }
    }

    pub fn positions(&self, lane: Lane) -> Vec<u64> {
        self.rows
            .iter()
            .filter_map(|r| match r {
                Row::Record(l, p, ..) if *l == lane => Some(p.0),
                _ => None,
            })
            .collect()
    }
}

pub fn rows(lane: Lane, item: Item<'_>) -> Vec<Row> {
    match item {
        Item::Run(run) => {
            let mut t = Table { ticks: vec![], cells: vec![vec![]; run.count] };
            run.decode(&mut t).unwrap();
            let ids = run.shape.as_slice();
            (0..run.count)
                .map(|i| {
                    let cells = t.cells[i].iter().map(|(c, v)| (ids[*c], *v)).collect();
                    Row::Record(lane, run.first.plus(i as u64), Tick(t.ticks[i]), cells)
                })
                .collect()
        }
        Item::Gap { first, last, .. } => vec![Row::Gap(lane, first, last)],
        Item::Reply { position, command, .. } => vec![Row::Reply(position, command.0)],
        Item::Applied { position, revision, .. } => vec![Row::Applied(position, revision)],
        other => panic!("{other:?}"),
    }
}

struct Table {
    ticks: Vec<u64>,
    cells: Vec<Vec<(usize, Cell)>>,
}

impl Sink for Table {
    fn tick(&mut self, row: usize, tick: u64) {
        assert_eq!(row, self.ticks.len());
        self.ticks.push(tick);
    }
    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        self.cells[row].push((column, cell));
    }
}
