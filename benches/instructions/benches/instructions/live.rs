//! A device and a server with a live session, moved by one call at a time, so that each call can be counted alone.

use std::cell::RefCell;

use benches::{CELLAR, HUMIDITY, TEMPERATURE};
use sensock::device::{self, Node, Outbox, Share, Transmit};
use sensock::server::{self, Config, Event, Proposal};
use sensock::wire::hello::Account;
use sensock::{DeviceId, Lane, Micros, Position, Reading, StoreId, Tag, Tick};

const FRAME: usize = 4_096;

pub struct Live {
    outbox: RefCell<Outbox<8192>>,
    device: device::Session<'static>,
    server: server::Session,
    readings: [Reading; 2],
    now: u64,
    pub frame: Vec<u8>,
    pub len: usize,
}

impl Live {
    /// With some records stored, so that both ends know the shape.
    pub fn new() -> Self {
        let id = DeviceId::new("cellar-3").unwrap();
        let node = Node { id, catalog: &CELLAR, max_frame: 4_096 };
        let mut live = Live {
            outbox: RefCell::new(Outbox::new()),
            device: device::Session::new(node, vec![0; FRAME].leak()).unwrap(),
            server: server::Session::new(Config::default(), Micros(0)).unwrap(),
            readings: [TEMPERATURE.is(23.45), HUMIDITY.is(56.7)],
            now: 1_000,
            frame: vec![0; FRAME],
            len: 0,
        };
        live.outbox.with(|o| o.start(Some(1)));
        live.device.start(Tick(live.now), Account::default(), Default::default());
        while live.to_server() | live.to_device() {}
        assert!(live.device.is_live(), "the session is taken up");
        for _ in 0..200 {
            live.record();
            while live.to_server() | live.to_device() {}
        }
        live
    }

    /// One more record, ten seconds later.
    pub fn record(&mut self) {
        self.now += 10_000;
        self.outbox.with(|o| o.record(Lane::Readings, Tick(self.now), &self.readings)).unwrap();
    }

    /// The device's next frame, if there is one.
    pub fn device_says(&mut self) -> bool {
        match self.device.poll_transmit(&self.outbox, Tick(self.now), &mut self.frame) {
            Transmit::Frame(len) => {
                self.len = len;
                true
            }
            _ => false,
        }
    }

    /// The server's next frame, if there is one.
    pub fn server_says(&mut self) -> bool {
        self.len = self.server.poll_transmit(Micros(self.now * 1_000), &mut self.frame).unwrap();
        self.len > 0
    }

    /// The frame reaches the device.
    pub fn device_hears(&mut self) {
        self.device.handle_frame(&self.outbox, Tick(self.now), &mut self.frame[..self.len]).unwrap();
    }

    /// The frame reaches the server, which stores at once whatever it holds.
    pub fn server_hears(&mut self) {
        let now = Micros(self.now * 1_000);
        match self.server.handle_frame(now, &mut self.frame[..self.len]).unwrap() {
            Some(Event::Hello(_)) => {
                let proposal = Proposal {
                    boot_shift: 0,
                    tag: Tag(7),
                    marks: [Position::NONE; Lane::COUNT],
                    want_catalog: false,
                    pending: 0,
                    store: StoreId(9),
                    nonce: 1,
                };
                self.server.welcome(proposal).unwrap();
            }
            Some(Event::Proved) => self.server.confirm([Position::NONE; Lane::COUNT]),
            Some(Event::Data(data)) => {
                let (lane, mark, records) = (data.lane, data.next.prev(), data.records);
                self.server.committed(lane, mark);
                self.server.release(lane, records, self.len);
            }
            _ => {}
        }
    }

    fn to_server(&mut self) -> bool {
        let said = self.device_says();
        if said {
            self.server_hears();
        }
        said
    }

    fn to_device(&mut self) -> bool {
        let said = self.server_says();
        if said {
            self.device_hears();
        }
        said
    }
}
