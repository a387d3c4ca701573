//! Both sessions, joined by calls: no sockets, no store, no allocation once it is made.

use std::cell::RefCell;

use sensock::batch::{Cell, Sink};
use sensock::device::{self, Node, Outbox, Share, Transmit};
use sensock::error::{Misuse, Peer};
use sensock::server::{self, Config, Proposal};
use sensock::wire::data::Item;
use sensock::wire::hello::Account;
use sensock::{DeviceId, Lane, Micros, Position, StoreId, Tag, Tick};

use crate::records::{CELLAR, HUMIDITY, Plain, TEMPERATURE};

/// A device and a server; what arrives is decoded, counted and acknowledged at once.
#[derive(Debug)]
pub struct Pair {
    outbox: RefCell<Outbox<{ 64 << 10 }>>,
    device: device::Session<'static>,
    server: server::Session,
    marks: [Position; Lane::COUNT],
    now: u64,
    /// Readings that the server decoded.
    pub readings: usize,
    /// Bytes of frames that went up.
    pub up: usize,
    frame: Vec<u8>,
}

impl Pair {
    /// Both ends, with a live session.
    ///
    /// # Panics
    /// If the two ends do not agree: then there is nothing to time.
    #[allow(clippy::expect_used, reason = "the sizes are those that the two sessions ask for")]
    pub fn new() -> Self {
        let id = DeviceId::new("cellar-3").expect("a plain name");
        let node = Node { id, catalog: &CELLAR, max_frame: 4_096 };
        let scratch = Box::leak(Box::new([0; 4_096]));
        let mut pair = Pair {
            outbox: RefCell::new(Outbox::new()),
            device: device::Session::new(node, scratch).expect("4 KiB are enough"),
            server: server::Session::new(Config::default(), Micros(0)).expect("defaults are in range"),
            marks: [Position::NONE; Lane::COUNT],
            now: 0,
            readings: 0,
            up: 0,
            frame: vec![0; 4_096],
        };
        pair.outbox.with(|o| o.start(Some(1)));
        pair.dial();
        assert!(pair.device.is_live(), "the session is taken up");
        pair
    }

    /// A new connection, up to the end of its handshake.
    ///
    /// # Panics
    /// If the two ends do not agree.
    #[allow(clippy::expect_used, reason = "defaults are in range")]
    pub fn dial(&mut self) {
        let now = Micros(self.now * 1_000);
        self.server = server::Session::new(Config::default(), now).expect("defaults are in range");
        self.device.start(Tick(self.now), Account::default(), Default::default());
        self.settle();
    }

    /// A record into the outbox; nothing moves yet.
    ///
    /// # Errors
    /// None, unless ticks fall back.
    pub fn record(&mut self, r: &Plain) -> Result<Position, Misuse> {
        self.now = self.now.max(r.tick);
        let readings = [TEMPERATURE.is(r.temperature), HUMIDITY.is(r.humidity)];
        self.outbox.with(|o| o.record(Lane::Readings, Tick(self.now), &readings))
    }

    /// Carries frames both ways until nothing moves: everything recorded is then acknowledged, and the outbox is empty.
    ///
    /// # Panics
    /// If the two ends do not agree.
    #[allow(
        clippy::expect_used,
        reason = "both ends are ours: a broken protocol is a bug that must stop the bench"
    )]
    pub fn settle(&mut self) {
        self.exchange().expect("both ends keep to the protocol");
    }

    fn exchange(&mut self) -> Result<(), Peer> {
        let mut frame = std::mem::take(&mut self.frame);
        let (now, micros) = (Tick(self.now), Micros(self.now * 1_000));
        let mut moved = true;
        while std::mem::take(&mut moved) {
            while let Transmit::Frame(n) = self.device.poll_transmit(&self.outbox, now, &mut frame) {
                self.up += n;
                self.serve(micros, &mut frame[..n])?;
                moved = true;
            }
            while let Ok(n @ 1..) = self.server.poll_transmit(micros, &mut frame) {
                self.device.handle_frame(&self.outbox, now, &mut frame[..n])?;
                moved = true;
            }
        }
        self.frame = frame;
        Ok(())
    }

    fn serve(&mut self, now: Micros, frame: &mut [u8]) -> Result<(), Peer> {
        let len = frame.len();
        match self.server.handle_frame(now, frame)? {
            Some(server::Event::Hello(hello)) => {
                for (mark, lane) in self.marks.iter_mut().zip(&hello.lanes) {
                    *mark = (*mark).max(lane.floor.prev());
                }
                let proposal = Proposal {
                    boot_shift: 0,
                    tag: Tag(7),
                    marks: self.marks,
                    want_catalog: false,
                    pending: 0,
                    store: StoreId(9),
                    nonce: 1,
                };
                self.server.welcome(proposal).map_err(|_| Peer::Unexpected)?;
            }
            Some(server::Event::Proved) => self.server.confirm(self.marks),
            Some(server::Event::Data(data)) => {
                for item in data.items() {
                    if let Item::Run(run) = item {
                        let mut count = Count(0);
                        run.decode(&mut count).map_err(|_| Peer::Malformed)?;
                        self.readings += count.0;
                    }
                }
                self.marks[data.lane.index()] = data.next.prev();
                let (lane, mark, records) = (data.lane, data.next.prev(), data.records);
                self.server.committed(lane, mark);
                self.server.release(lane, records, len);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Default for Pair {
    fn default() -> Self {
        Self::new()
    }
}

struct Count(usize);

impl Sink for Count {
    fn tick(&mut self, _: usize, tick: u64) {
        std::hint::black_box(tick);
    }
    fn cell(&mut self, _: usize, _: usize, cell: Cell) {
        std::hint::black_box(cell);
        self.0 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_arrives_and_is_acknowledged() {
        let mut pair = Pair::new();
        for r in crate::records(1_000) {
            pair.record(&r).unwrap();
        }
        pair.settle();
        assert_eq!(pair.readings, 2_000);
        assert!(pair.outbox.with(|o| o.is_drained(Lane::Readings)));
    }
}
