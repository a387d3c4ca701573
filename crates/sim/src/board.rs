//! A simulated board: the real outbox and session, a crystal, and what it keeps without power.

pub mod catalog;
pub(crate) mod flash;
mod talk;
mod work;

use std::cell::RefCell;

use sensock::batch::Cell;
use sensock::catalog::{Catalog, Reading};
use sensock::device::{Node, Outbox, Policy, Session, Share};
use sensock::wire::hello::{Account, End};
use sensock::{CommandId, DeviceId, Lane, Position, StoreId, Tick};

use flash::Flash;

use crate::link::LinkId;
use crate::log::Log;

/// Which board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BoardId(pub usize);

/// What a board keeps without power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Nothing: the server numbers its boots.
    None,
    /// Its boot number, the shift and the last begun command.
    Boot,
    /// Those, and its outbox: a record is framed once it is persisted.
    Flash,
}

/// A record that the outbox accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Lane.
    pub lane: Lane,
    /// Position as the outbox gave it.
    pub local: Position,
    /// Which power-on of the board.
    pub life: usize,
    /// When, truly.
    pub true_us: u64,
    /// What it holds.
    pub cells: Vec<(u16, Cell)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub boot: u32,
    pub shift: u32,
    pub begun: CommandId,
}

pub(crate) struct Life {
    pub shift: u32,
}

/// A command between its arrival and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub id: CommandId,
    key: u16,
    once: bool,
    body: Vec<u8>,
    /// It may run: that it began is kept, if the board keeps that.
    ready: bool,
    ran: bool,
    answer_at: u64,
}

/// What an oracle wants to know of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Connected {
        shifted_by: u32,
    },
    Acked {
        lane: Lane,
        mark: Position,
    },
    Ran {
        id: CommandId,
        once: bool,
        body: Vec<u8>,
    },
    Refused {
        backoff_ms: u32,
        in_use: bool,
    },
    Bye {
        retry_ms: u32,
    },
    /// A frame of readings left while an alarm could have.
    Overtaken,
    /// An alarm left behind so many bytes of backlog.
    Behind(usize),
}

pub(crate) struct Board {
    pub id: DeviceId,
    pub memory: Memory,
    pub kept: Kept,
    pub flash: Flash,
    pub catalog: &'static Catalog<'static>,
    pub outbox: Box<RefCell<Outbox<4096>>>,
    pub session: Session<'static>,
    session_catalog: u64,
    pub link: Option<LinkId>,
    pub on: bool,
    /// Something happened to it: it may have something to say.
    pub touched: bool,
    pub boot_us: u64,
    /// The crystal: true time and clock at which it last changed its rate, and by how much it is off.
    since_us: u64,
    since_clock_us: u64,
    pub ppm: i64,
    pub accepted: Vec<Accepted>,
    pub lives: Vec<Life>,
    pub ran: Vec<(CommandId, u16)>,
    pub relay: bool,
    /// Commands are held, not answered, until this is false.
    pub hangs: bool,
    /// How long a command takes, in us.
    pub work_us: u64,
    pub waiting: Vec<Held>,
    pub settings: Vec<(u16, u32)>,
    pub refused: Vec<String>,
    pub connected: usize,
    pub policy: Policy,
    pub ttl_ms: u32,
    pub last_end: End,
    /// News are kept for an oracle.
    pub watched: bool,
    pub news: Vec<News>,
    /// Alarms that were recorded and are not framed, as far as they could be.
    alarms_due: u32,
    /// Boots announced on this connection.
    announced: Vec<u32>,
    /// The connection is to be dialled again at once.
    pub again: bool,
}

impl Board {
    pub(crate) fn new(id: DeviceId, memory: Memory) -> Self {
        let node = Node { id, catalog: &catalog::BOARD, max_frame: 512 };
        Board {
            id,
            memory,
            kept: Kept::default(),
            flash: Flash::default(),
            catalog: &catalog::BOARD,
            outbox: Box::default(),
            session: session(node),
            session_catalog: catalog::BOARD.hash(),
            link: None,
            on: false,
            touched: true,
            boot_us: 0,
            since_us: 0,
            since_clock_us: 0,
            ppm: 0,
            accepted: vec![],
            lives: vec![],
            ran: vec![],
            relay: false,
            hangs: false,
            work_us: 0,
            waiting: vec![],
            settings: vec![],
            refused: vec![],
            connected: 0,
            policy: Policy::DropOldest,
            ttl_ms: 0,
            last_end: End::Unknown,
            watched: false,
            news: vec![],
            alarms_due: 0,
            announced: vec![],
            again: false,
        }
    }

    pub(crate) fn power_on(&mut self, now: u64) {
        self.touched = true;
        *self.outbox = Default::default();
        let hash = self.catalog.hash();
        self.flash.catalog = hash;
        if self.session_catalog != hash {
            self.session = session(Node { id: self.id, catalog: self.catalog, max_frame: 512 });
            self.session_catalog = hash;
        }
        self.session.lost();
        (self.on, self.boot_us, self.link) = (true, now, None);
        (self.since_us, self.since_clock_us) = (now, 0);
        self.waiting.clear();
        (self.alarms_due, self.again) = (0, false);
        let (policy, ttl, memory) = (self.policy, self.ttl_ms, self.memory);
        let (kept, flash) = (&mut self.kept, &mut self.flash);
        self.outbox.with(|o| {
            o.policy(Lane::Readings, policy, ttl);
            match memory {
                Memory::None => o.start(None),
                Memory::Boot => {
                    kept.boot += 1;
                    o.start(Some(kept.boot + kept.shift));
                    o.begun_persists(kept.begun);
                }
                Memory::Flash => flash.recover(o),
            }
        });
        self.lives.push(Life { shift: 0 });
    }

    /// The number of the last boot that it remembers, on the wire.
    pub(crate) fn kept_boot(&self) -> u32 {
        match self.memory {
            Memory::None => 0,
            Memory::Boot => self.kept.boot + self.kept.shift,
            Memory::Flash => self.flash.boot_on_wire(),
        }
    }

    /// Power is gone, and with it all that is not kept.
    pub(crate) fn power_off(&mut self) {
        self.on = false;
        self.link = None;
        self.session.lost();
        self.waiting.clear();
        self.flash.power_off();
    }

    fn clock_us(&self, now: u64) -> u64 {
        let elapsed = now.saturating_sub(self.since_us) as i64;
        self.since_clock_us + (elapsed + elapsed / 1_000 * self.ppm / 1_000) as u64
    }

    /// The board's clock at a true time.
    pub(crate) fn tick(&self, now: u64) -> Tick {
        Tick(self.clock_us(now) / 1_000)
    }

    /// The crystal gets warmer or colder.
    pub(crate) fn drift(&mut self, now: u64, ppm: i64) {
        self.since_clock_us = self.clock_us(now);
        (self.since_us, self.ppm) = (now, ppm);
    }

    /// The first true time at which the board's clock shows at least `tick`.
    pub(crate) fn true_us(&self, tick: Tick) -> u64 {
        let us =
            tick.0.saturating_mul(1_000).saturating_sub(self.since_clock_us).min(i64::MAX as u64 / 2) as i64;
        self.since_us + (us - us / 1_000 * self.ppm / 1_000).max(0) as u64 + 1_000
    }

    /// When something is due.
    pub(crate) fn next_at(&self) -> Option<u64> {
        if !self.on {
            return None;
        }
        let session = self.link.and_then(|_| self.session.poll_timeout()).map(|t| self.true_us(t));
        let answers = self.waiting.iter().filter(|h| h.ran && !self.hangs).map(|h| h.answer_at).min();
        [session, answers, self.flash.next_at()].into_iter().flatten().min()
    }

    pub(crate) fn record(&mut self, now: u64, lane: Lane, t: f32, h: f32) -> Option<Position> {
        let readings = [catalog::TEMPERATURE.is(t), catalog::HUMIDITY.is(h)];
        let local = self.take(now, lane, &readings)?;
        self.accepted.push(Accepted {
            lane,
            local,
            life: self.lives.len() - 1,
            true_us: now,
            cells: readings.iter().map(|r| (r.quantity, r.cell)).collect(),
        });
        Some(local)
    }

    /// Records readings; nobody keeps books of it.
    pub(crate) fn take(&mut self, now: u64, lane: Lane, readings: &[Reading]) -> Option<Position> {
        let tick = self.tick(now);
        self.touched = true;
        let local = self.outbox.with(|o| o.record(lane, tick, readings)).ok()?;
        self.alarms_due += u32::from(lane == Lane::Alarm && self.memory != Memory::Flash);
        Some(local)
    }

    pub(crate) fn store(&self) -> StoreId {
        self.outbox.with(|o| o.store())
    }
}

fn session(node: Node<'static>) -> Session<'static> {
    let scratch = Box::leak(vec![0; 512].into_boxed_slice());
    match Session::new(node, scratch) {
        Ok(session) => session,
        // 512 bytes are within every limit.
        Err(error) => unreachable!("{error}"),
    }
}
