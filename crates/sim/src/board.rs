//! A simulated board: the real outbox and session, a crystal, and what it keeps without power.

use std::cell::RefCell;

use sensock::batch::Cell;
use sensock::catalog::{Catalog, Command, Quantity, Setting};
use sensock::device::{Event, Node, Outbox, Policy, Session, Share, Transmit};
use sensock::wire::data::Outcome;
use sensock::wire::hello::{Account, End};
use sensock::{CommandId, DeviceId, Lane, Position, StoreId, Tick};

use crate::link::LinkId;

/// What every board of the simulation says of itself.
pub mod catalog {
    use super::{Catalog, Command, Quantity, Setting};
    /// Air temperature.
    pub const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
    /// Relative humidity.
    pub const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-1);
    /// Switches; must never run twice.
    pub const TOGGLE: Command<(), bool> = Command::new(1, "toggle");
    /// Sets; may run twice.
    pub const SET: Command<bool, bool> = Command::new(2, "set").idempotent();
    /// Desired interval.
    pub const INTERVAL: Setting<u32> = Setting::new(1, "interval-s");
    /// All of it.
    pub static BOARD: Catalog<'static> = Catalog::new(
        "sim-board 1",
        &[TEMPERATURE.entry(), HUMIDITY.entry()],
        &[TOGGLE.entry(), SET.entry()],
        &[INTERVAL.entry()],
    );
}

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

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kept {
    pub boot: u32,
    pub shift: u32,
    pub begun: CommandId,
}

pub(crate) struct Life {
    pub shift: u32,
}

pub(crate) struct Board {
    pub id: DeviceId,
    pub memory: Memory,
    pub kept: Kept,
    pub catalog: &'static Catalog<'static>,
    pub outbox: Box<RefCell<Outbox<4096>>>,
    pub session: Session<'static>,
    pub link: Option<LinkId>,
    pub on: bool,
    pub boot_us: u64,
    pub ppm: i64,
    pub accepted: Vec<Accepted>,
    pub lives: Vec<Life>,
    pub ran: Vec<(CommandId, u16)>,
    pub relay: bool,
    /// Commands are held, not answered, until this is false.
    pub hangs: bool,
    pub waiting: Vec<(CommandId, u16)>,
    pub settings: Vec<(u16, u32)>,
    pub refused: Vec<String>,
    pub connected: usize,
    pub policy: Policy,
    pub ttl_ms: u32,
    pub last_end: End,
}

impl Board {
    pub(crate) fn new(id: DeviceId, memory: Memory) -> Self {
        let node = Node { id, catalog: &catalog::BOARD, max_frame: 512 };
        Board {
            id,
            memory,
            kept: Kept::default(),
            catalog: &catalog::BOARD,
            outbox: Box::default(),
            session: session(node),
            link: None,
            on: false,
            boot_us: 0,
            ppm: 0,
            accepted: vec![],
            lives: vec![],
            ran: vec![],
            relay: false,
            hangs: false,
            waiting: vec![],
            settings: vec![],
            refused: vec![],
            connected: 0,
            policy: Policy::DropOldest,
            ttl_ms: 0,
            last_end: End::Unknown,
        }
    }

    pub(crate) fn power_on(&mut self, now: u64) {
        *self.outbox = Default::default();
        self.session = session(Node { id: self.id, catalog: self.catalog, max_frame: 512 });
        (self.on, self.boot_us, self.link) = (true, now, None);
        self.waiting.clear();
        let (policy, ttl, memory) = (self.policy, self.ttl_ms, self.memory);
        let kept = &mut self.kept;
        self.outbox.with(|o| {
            o.policy(Lane::Readings, policy, ttl);
            match memory {
                Memory::None => o.start(None),
                Memory::Boot => {
                    kept.boot += 1;
                    o.start(Some(kept.boot + kept.shift));
                    o.begun_persists(kept.begun);
                }
            }
        });
        self.lives.push(Life { shift: 0 });
    }

    /// The board's clock at a true time.
    pub(crate) fn tick(&self, now: u64) -> Tick {
        let elapsed = now.saturating_sub(self.boot_us) as i64;
        Tick(((elapsed + elapsed / 1_000 * self.ppm / 1_000) / 1_000) as u64)
    }

    /// The first true time at which the board's clock shows at least `tick`.
    pub(crate) fn true_us(&self, tick: Tick) -> u64 {
        let us = tick.0 as i64 * 1_000;
        self.boot_us + (us - us / 1_000 * self.ppm / 1_000).max(0) as u64 + 1_000
    }

    pub(crate) fn record(&mut self, now: u64, lane: Lane, t: f32, h: f32) -> Option<Position> {
        let tick = self.tick(now);
        let readings = [catalog::TEMPERATURE.is(t), catalog::HUMIDITY.is(h)];
        let local = self.outbox.with(|o| o.record(lane, tick, &readings)).ok()?;
        self.accepted.push(Accepted {
            lane,
            local,
            life: self.lives.len() - 1,
            true_us: now,
            cells: readings.iter().map(|r| (r.quantity, r.cell)).collect(),
        });
        Some(local)
    }

    pub(crate) fn start(&mut self, now: u64, link: LinkId) {
        self.link = Some(link);
        let account = Account { dial_attempts: 1, last_end: self.last_end as u8, ..Account::default() };
        self.session.start(self.tick(now), account, Default::default());
    }

    pub(crate) fn drop_link(&mut self, end: End) {
        self.link = None;
        self.last_end = end;
        self.session.lost();
    }

    /// Takes a frame; false if the board closed the connection.
    pub(crate) fn frame(&mut self, now: u64, mut frame: Vec<u8>, trace: &mut Vec<String>) -> bool {
        let tick = self.tick(now);
        let event = match self.session.handle_frame(&*self.outbox, tick, &mut frame) {
            Ok(event) => event,
            Err(error) => {
                trace.push(format!("{now:>12} {} closes: {error}", self.id));
                return false;
            }
        };
        match event {
            Some(Event::Connected { welcomed, .. }) => {
                trace.push(format!("{now:>12} {} connected {welcomed:?}", self.id));
                self.connected += 1;
                if let Some(life) = self.lives.last_mut() {
                    life.shift += welcomed.shifted_by;
                }
                if self.memory == Memory::Boot {
                    self.kept.shift += welcomed.shifted_by;
                }
            }
            Some(Event::Command(call)) => {
                let (id, key) = (call.id, call.key);
                trace.push(format!("{now:>12} {} begins command {id}", self.id));
                self.outbox.with(|o| o.begin(id));
                if self.memory == Memory::Boot {
                    self.kept.begun = self.kept.begun.max(id);
                }
                self.ran.push((id, key));
                self.relay = !self.relay;
                self.waiting.push((id, key));
            }
            Some(Event::Setting(setting)) => {
                self.settings.push((setting.key, setting.revision));
                let revision = setting.revision;
                // The control lane has room: the board answers few commands.
                let _ = self.outbox.with(|o| o.applied(revision, None));
            }
            Some(Event::Refused(refused)) => {
                self.refused.push(format!("{:?}: {}", refused.code, refused.text));
                return false;
            }
            Some(Event::Bye(_)) => return false,
            _ => {}
        }
        self.answer();
        true
    }

    /// Answers the commands that it ran.
    pub(crate) fn answer(&mut self) {
        if self.hangs {
            return;
        }
        for (id, _) in std::mem::take(&mut self.waiting) {
            let body = [u8::from(self.relay)];
            let _ = self.session.reply(&*self.outbox, id, Outcome::Done, &body);
        }
    }

    /// Frames that are due.
    pub(crate) fn frames(&mut self, now: u64) -> Vec<Vec<u8>> {
        let tick = self.tick(now);
        let mut buf = [0; 512];
        let mut frames = vec![];
        while let Transmit::Frame(n) = self.session.poll_transmit(&*self.outbox, tick, &mut buf) {
            frames.push(buf[..n].to_vec());
        }
        frames
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
