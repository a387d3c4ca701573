use std::cell::RefCell;

use sensock::batch::{Cell, Sink};
use sensock::device::{self, Node, Outbox, Share, Transmit};
use sensock::server::{self, Config, Proposal};
use sensock::wire::data::{Data, Item};
use sensock::wire::hello::Account;
use sensock::{
    Catalog, Command, DeviceId, Lane, Micros, Position, Quantity, Reading, Setting, StoreId, Tag, Tick,
};

const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-1);
const RELAY: Command<bool, bool> = Command::new(1, "relay");
const INTERVAL: Setting<u32> = Setting::new(1, "interval-s");
static CELLAR: Catalog<'static> = Catalog::new(
    "cellar-node 1.4.0",
    &[TEMPERATURE.entry(), HUMIDITY.entry()],
    &[RELAY.entry()],
    &[INTERVAL.entry()],
);

/// Both ends, joined by calls instead of a network. The "store" is a list and a mark for each lane.
struct Road {
    outbox: RefCell<Outbox<4096>>,
    device: device::Session<'static>,
    server: server::Session,
    stored: Vec<String>,
    marks: [Position; Lane::COUNT],
    now: u64,
}

impl Road {
    fn new() -> Road {
        let node = Node { id: DeviceId::new("cellar-3").unwrap(), catalog: &CELLAR, max_frame: 512 };
        let road = Road {
            outbox: RefCell::new(Outbox::new()),
            device: device::Session::new(node, Box::leak(Box::new([0; 512]))).unwrap(),
            server: server::Session::new(Config::default(), Micros(0)).unwrap(),
            stored: vec![],
            marks: [Position::NONE; Lane::COUNT],
            now: 1_000,
        };
        road.outbox.with(|o| o.start(Some(1))); // the first boot: a board counts and persists this number
        road
    }

    /// A record of this instant; it does not matter whether there is a connection.
    fn record(&self, readings: &[Reading]) -> Position {
        self.outbox.with(|o| o.record(Lane::Readings, Tick(self.now), readings)).unwrap()
    }

    /// The server's own clock: it started ten seconds before the device's.
    fn micros(&self) -> Micros {
        Micros(self.now * 1_000 + 10_000_000)
    }

    /// A new connection; what the one before had under way is forgotten.
    fn dial(&mut self) {
        self.server = server::Session::new(Config::default(), self.micros()).unwrap();
        self.device.start(Tick(self.now), Account::default(), Default::default());
    }

    /// Carries frames both ways until nothing moves.
    fn settle(&mut self) {
        let (mut frame, mut moved) = ([0; 4096], true);
        while std::mem::take(&mut moved) {
            let now = Tick(self.now);
            while let Transmit::Frame(n) = self.device.poll_transmit(&self.outbox, now, &mut frame) {
                self.serve(&mut frame[..n]);
                moved = true;
            }
            let micros = self.micros();
            while let n @ 1.. = self.server.poll_transmit(micros, &mut frame).unwrap() {
                self.device.handle_frame(&self.outbox, now, &mut frame[..n]).unwrap();
                moved = true;
            }
        }
    }

    /// What a server's runtime does with each frame.
    fn serve(&mut self, frame: &mut [u8]) {
        let (now, len) = (self.micros(), frame.len());
        match self.server.handle_frame(now, frame).unwrap() {
            // The device says where it stands. Look it up, subtract what it can no longer deliver, answer with the marks.
            Some(server::Event::Hello(hello)) => {
                for (i, lane) in hello.lanes.iter().enumerate() {
                    self.explain(Lane::ALL[i], lane.floor);
                }
                let proposal = Proposal {
                    boot_shift: 0,
                    tag: Tag(7),
                    marks: self.marks,
                    want_catalog: false, // as if its catalogue were stored already
                    pending: 0,
                    store: StoreId(9),
                    nonce: 42, // random, in a server
                };
                self.server.welcome(proposal).unwrap();
            }
            // It answered with the nonce, so it is live: only now may anything be written.
            Some(server::Event::Proved) => self.server.confirm(self.marks),
            // Records and their mark are committed together; only then is there an acknowledgement.
            Some(server::Event::Data(data)) => {
                self.stored.extend(data.items().map(words));
                self.marks[data.lane.index()] = data.next.prev();
                let (lane, mark, records) = (data.lane, data.next.prev(), data.records);
                self.server.committed(lane, mark);
                self.server.release(lane, records, len);
            }
            Some(server::Event::Floor { lane, floor }) => {
                self.explain(lane, floor.floor);
                self.server.committed(lane, self.marks[lane.index()]);
            }
            _ => {}
        }
    }

    /// What lies between the mark and a floor will never come: that is a gap, and the mark moves over it.
    fn explain(&mut self, lane: Lane, floor: Position) {
        let mark = &mut self.marks[lane.index()];
        // A boot's first position follows nothing that is missing.
        let first = mark.next().max(Position::boot_start(floor.boot()));
        if floor > first {
            self.stored.push(format!("{first} to {}: gap", floor.prev()));
        }
        *mark = (*mark).max(floor.prev());
    }
}

/// An item in a line.
fn words(item: Item<'_>) -> String {
    match item {
        Item::Run(run) => {
            let mut rows = Rows(vec![String::new(); run.count]);
            run.decode(&mut rows).unwrap();
            let named =
                rows.0.iter().enumerate().map(|(i, row)| format!("{}{row}", run.first.plus(i as u64)));
            named.collect::<Vec<_>>().join("\n")
        }
        Item::Reply { position, command, outcome, body } => {
            format!("{position}: command {command} {outcome:?} {body:?}")
        }
        Item::Applied { position, revision, .. } => format!("{position}: setting {revision} applied"),
        Item::Gap { first, last, cause, .. } => format!("{first} to {last}: gap, {cause}"),
        other => format!("{other:?}"),
    }
}

struct Rows(Vec<String>);

impl Sink for Rows {
    fn tick(&mut self, row: usize, tick: u64) {
        self.0[row] += &format!(" at {tick} ms:");
    }
    fn cell(&mut self, row: usize, _column: usize, cell: Cell) {
        match cell {
            Cell::Value(v) => self.0[row] += &format!(" {v}"),
            Cell::Fault(code) => self.0[row] += &format!(" fault {code}"),
        }
    }
}
