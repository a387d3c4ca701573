//! The real outbox and session, with what a board keeps without power.

use std::cell::RefCell;

use sensock::catalog::{Catalog, Command, Quantity};
use sensock::device::{Event, Node, Outbox, Policy, Session, Share as _, Transmit};
use sensock::wire::data::Outcome;
use sensock::wire::hello::Account;
use sensock::{CommandId, DeviceId, Lane, Tick};

pub const NUMBER: Quantity<f32> = Quantity::new(1, "number", "1").scale(0);
pub const TOGGLE: Command<(), bool> = Command::new(1, "toggle");
pub static BOARD: Catalog<'static> = Catalog::new("model 1", &[NUMBER.entry()], &[TOGGLE.entry()], &[]);

/// Far beyond every walk: only [`Device::drop_oldest`] lets a reading expire.
const TTL_MS: u32 = 4_000_000_000;

#[derive(Clone, Copy, Default)]
struct Kept {
    boot: u32,
    shift: u32,
    begun: CommandId,
}

pub struct Device {
    memory: bool,
    kept: Kept,
    booted_ms: u64,
    pub outbox: Box<RefCell<Outbox<1024>>>,
    session: Session<'static>,
    /// The connection's number.
    pub link: Option<u8>,
    numbers: u8,
    pub ran: u8,
}

pub fn name() -> DeviceId {
    DeviceId::new("cellar-3").unwrap()
}

fn session() -> Session<'static> {
    let node = Node { id: name(), catalog: &BOARD, max_frame: 512 };
    Session::new(node, Box::leak(vec![0; 512].into_boxed_slice())).unwrap()
}

impl Device {
    pub fn new(memory: bool) -> Device {
        let mut device = Device {
            memory,
            kept: Kept::default(),
            booted_ms: 0,
            outbox: Box::default(),
            session: session(),
            link: None,
            numbers: 0,
            ran: 0,
        };
        device.boot(0, false);
        device
    }

    pub fn boot(&mut self, now_ms: u64, rolled: bool) {
        *self.outbox = RefCell::default();
        self.session.lost();
        (self.booted_ms, self.link) = (now_ms, None);
        let (memory, kept) = (self.memory, &mut self.kept);
        self.outbox.with(|o| {
            o.policy(Lane::Readings, Policy::DropOldest, TTL_MS);
            if memory {
                kept.boot += u32::from(!rolled);
                o.start(Some(kept.boot + kept.shift));
                o.begun_persists(kept.begun);
            } else {
                o.start(None);
            }
        });
    }

    fn tick(&self, now_ms: u64) -> Tick {
        Tick(now_ms - self.booted_ms)
    }

    pub fn record(&mut self, now_ms: u64) {
        let (tick, value) = (self.tick(now_ms), f32::from(self.numbers));
        self.numbers += 1;
        self.outbox.with(|o| o.record(Lane::Readings, tick, &[NUMBER.is(value)])).unwrap();
    }

    /// The oldest reading finds no place any more: its time to live is over.
    pub fn drop_oldest(&mut self) {
        self.outbox.with(|o| {
            let at = o.expires_at().expect("there is one");
            o.expire(at);
        });
    }

    pub fn dial(&mut self, now_ms: u64, id: u8) {
        self.link = Some(id);
        self.session.start(self.tick(now_ms), Account::default(), Default::default());
    }

    pub fn unlink(&mut self) {
        self.link = None;
        self.session.lost();
    }

    /// Takes a frame.
    pub fn frame(&mut self, now_ms: u64, mut frame: Vec<u8>) {
        let tick = self.tick(now_ms);
        match self.session.handle_frame(&*self.outbox, tick, &mut frame) {
            Ok(Some(Event::Connected { welcomed, .. })) if self.memory => {
                self.kept.shift += welcomed.shifted_by;
            }
            Ok(Some(Event::Command(call))) => {
                let id = call.id;
                assert!(self.outbox.with(|o| o.begin(id)), "the session hands out nothing twice");
                if self.memory {
                    self.kept.begun = id;
                }
                self.ran += 1;
                self.session.reply(&*self.outbox, id, Outcome::Done, &[1]).unwrap();
            }
            Ok(Some(Event::Refused(_) | Event::Bye(_))) => panic!("the model refuses nobody"),
            Ok(_) => {}
            Err(error) => panic!("the device finds the protocol broken: {error}"),
        }
    }

    pub fn frames(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        let (tick, mut frames, mut buf) = (self.tick(now_ms), vec![], [0; 512]);
        while let Transmit::Frame(n) = self.session.poll_transmit(&*self.outbox, tick, &mut buf) {
            frames.push(buf[..n].to_vec());
        }
        frames
    }
}
