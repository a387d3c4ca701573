//! What a device does by itself: it samples, dials, sleeps and comes back.

use std::collections::VecDeque;

use sensock::backoff::Backoff;
use sensock::batch::Cell;
use sensock::catalog::{Policy as CommandPolicy, Reading};
use sensock::device::Policy;
use sensock_store::work::{CommandWork, Work};

use super::*;
use crate::board::flash::{Flash, Writing};
use crate::board::{BoardId, Kept, Memory, catalog};
use crate::link::LinkId;
use crate::oracle::Life;

/// Seconds between two records of a device, by itself; bursts and faults come on top.
const PERIODS_S: [u64; 6] = [10, 10, 20, 30, 60, 60];

/// So many bytes of readings on their way are much.
const MUCH: usize = 500;

pub(super) struct Device {
    pub board: BoardId,
    /// In the oracle's books.
    pub book: usize,
    pub life: u32,
    pub ops: VecDeque<Op>,
    pub active: Option<super::fault::Active>,
    pub is_clone: bool,
    pub in_use: bool,
    pub backoff: Backoff,
    pub dial_at: Option<u64>,
    pub power_at: Option<u64>,
    pub sample_at: u64,
    period_us: u64,
    pub wants_sleep: Option<u64>,
    pub asleep: bool,
    pub firmware: usize,
    /// What it kept some time ago.
    pub memory: Option<(Kept, Flash)>,
    /// Whether a clone of it runs, or ran in this boot.
    pub tainted: bool,
    /// Its memory was exchanged since its last boot began.
    pub rolled: bool,
    /// How often a server answered it.
    pub heard: u32,
    pub gone_at: Option<u64>,
    pub poison_next: bool,
    /// An alarm is made then.
    pub trips_at: Option<u64>,
    /// The connection on which one was made because much was on its way.
    tripped: Option<LinkId>,
    pub chance: Chance,
}

impl Device {
    pub(super) fn new(
        world: &mut World,
        oracle: &mut Oracle,
        i: usize,
        ops: VecDeque<Op>,
        seed: u64,
    ) -> Self {
        let mut chance = Chance::new(seed ^ (i as u64 + 1) << 40);
        let memory = crate::plan::memory_of(seed, i);
        let board = world.board_off(&format!("board-{i}"), memory);
        let b = &mut world.boards[board.0];
        b.watched = true;
        b.ppm = chance.pick(0..401) as i64 - 200;
        b.work_us = chance.pick(1_000..800_000);
        b.flash.write_us = chance.pick(1_000..20_000);
        b.policy =
            chance.of(&[Policy::DropOldest, Policy::DropOldest, Policy::DropNewest, Policy::KeepLatest]);
        if b.policy == Policy::DropOldest && chance.percent(25) {
            b.ttl_ms = chance.pick(20_000..120_000) as u32;
        }
        if memory == Memory::Flash {
            (b.policy, b.ttl_ms) = (Policy::DropOldest, 0);
        }
        let book = oracle.device(b.id);
        let now = world.now;
        Device {
            board,
            book,
            life: 0,
            ops,
            active: None,
            is_clone: false,
            in_use: false,
            backoff: Backoff::new(200, 8_000),
            dial_at: None,
            power_at: Some(now + chance.pick(1..2_000_000)),
            sample_at: now,
            period_us: 1_000_000 * chance.of(&PERIODS_S),
            wants_sleep: None,
            asleep: false,
            firmware: 0,
            memory: None,
            tainted: false,
            rolled: false,
            heard: 0,
            gone_at: None,
            poison_next: false,
            trips_at: None,
            tripped: None,
            chance,
        }
    }

    /// A copy of the board with what it keeps, somewhere else.
    pub(super) fn copy(&self, board: BoardId, now: u64, until: u64) -> Self {
        let mut chance = self.chance.clone();
        chance.word();
        Device {
            board,
            book: self.book,
            life: 0,
            ops: VecDeque::new(),
            active: None,
            is_clone: true,
            in_use: false,
            backoff: Backoff::new(200, 8_000),
            dial_at: None,
            power_at: Some(now + 1_000),
            sample_at: now,
            period_us: self.period_us,
            wants_sleep: None,
            asleep: false,
            firmware: self.firmware,
            memory: None,
            tainted: true,
            rolled: false,
            heard: 0,
            gone_at: Some(until),
            poison_next: false,
            trips_at: None,
            tripped: None,
            chance,
        }
    }

    pub(super) fn next_at(&self) -> u64 {
        let active =
            self.active.as_ref().map_or(self.ops.front().map(|op| BEGIN_US + op.at_us), |a| Some(a.look_at));
        let timers = [self.trips_at, self.dial_at, self.power_at, self.gone_at, active, self.wants_sleep];
        timers.into_iter().flatten().min().unwrap_or(u64::MAX).min(self.sample_at)
    }
}

impl Run {
    /// What device `i` does by itself now.
    pub(super) fn live(&mut self, i: usize) {
        let now = self.world.now;
        let d = &mut self.devices[i];
        let board = d.board;
        if d.gone_at.is_some_and(|at| at <= now) {
            d.gone_at = None;
            self.power_off(i);
            self.devices[i].power_at = None;
        }
        let d = &mut self.devices[i];
        if d.power_at.is_some_and(|at| at <= now) {
            d.power_at = None;
            self.power_on(i);
        }
        let d = &mut self.devices[i];
        let on = self.world.boards[board.0].on;
        if d.sample_at <= now {
            d.sample_at = now + d.period_us - d.chance.pick(0..d.period_us / 4 + 1);
            if on && !self.healing {
                self.sample(i, None);
                self.remember_flash(i);
            }
        }
        // And something trips while much is on its way.
        if let Some(link) = self.world.boards[board.0].link
            && self.devices[i].tripped != Some(link)
            && self.world.links[link.0].up.backlog() > MUCH
        {
            self.devices[i].tripped = Some(link);
            self.devices[i].trips_at = Some(now);
        }
        if self.devices[i].trips_at.is_some_and(|at| at <= now) {
            self.devices[i].trips_at = None;
            if on && !self.healing {
                self.sample(i, Some(Lane::Alarm));
            }
        }
        if !on {
            self.devices[i].dial_at = None;
            return;
        }
        self.leave(i);
        let d = &mut self.devices[i];
        let connected = self.world.boards[board.0].link.is_some();
        match d.dial_at {
            _ if connected || d.asleep || !self.world.boards[board.0].on => d.dial_at = None,
            None => {
                let word = d.chance.word() as u32;
                d.dial_at = Some(now + u64::from(d.backoff.next_delay(word)) * 1_000);
                if d.in_use && !d.is_clone {
                    // Somebody looks after it once its clone is gone.
                    let clone = self
                        .devices
                        .iter()
                        .any(|c| c.is_clone && c.book == self.devices[i].book && c.gone_at.is_some());
                    if !clone {
                        self.devices[i].in_use = false;
                        self.power_off(i);
                        self.devices[i].power_at = Some(now + 2_000_000);
                    }
                }
            }
            Some(at) if at <= now => self.dial(i),
            Some(_) => {}
        }
    }

    pub(super) fn dial(&mut self, i: usize) {
        self.devices[i].dial_at = None;
        let Some(host) = self.some_host() else { return };
        let board = self.devices[i].board;
        let chance = &mut self.devices[i].chance;
        let far = if chance.percent(10) { 400_000 } else { 30_000 };
        self.world.delays = (chance.pick(1_000..far), chance.pick(1_000..far));
        self.world.dial(board, host);
    }

    pub(super) fn power_on(&mut self, i: usize) {
        let d = &mut self.devices[i];
        let (board, now) = (d.board, self.world.now);
        if self.world.boards[board.0].on {
            return;
        }
        (d.asleep, d.wants_sleep) = (false, None);
        let list: &'static sensock::Catalog<'static> = if d.firmware == 0 {
            &catalog::BOARD
        } else {
            &catalog::FIRMWARE[d.firmware % catalog::FIRMWARE.len()]
        };
        let b = &mut self.world.boards[board.0];
        b.catalog = list;
        b.flash.catalog = list.hash();
        if d.memory.is_none() || d.chance.percent(20) {
            d.memory = Some((b.kept, b.flash.clone()));
        }
        self.world.power_on(board);
        let b = &self.world.boards[board.0];
        let life = Life::new(d.book, b.memory, b.policy, b.ttl_ms > 0, list.hash(), d.tainted);
        let number = b.outbox.borrow_mut().as_mut().boot();
        d.life = self.oracle.life(life, (number > 0).then_some(number));
        self.world.boards[board.0].flash.life = d.life;
        d.dial_at = Some(now + d.chance.pick(1_000..300_000));
        // The next boot is on its own again, if no clone is about.
        (d.tainted, d.rolled) = (d.is_clone, false);
        let book = d.book;
        let cloned = self.devices.iter().any(|c| c.is_clone && c.book == book && c.gone_at.is_some());
        self.devices[i].tainted |= cloned;
        if cloned {
            let life = self.devices[i].life;
            self.oracle.lives[life as usize].tainted = true;
        }
    }

    pub(super) fn power_off(&mut self, i: usize) {
        let d = &self.devices[i];
        let b = &self.world.boards[d.board.0];
        if !b.on {
            return;
        }
        let life = &mut self.oracle.lives[d.life as usize];
        life.alive = false;
        if b.memory == Memory::Flash {
            let mut outbox = b.outbox.borrow_mut();
            let outbox = outbox.as_mut();
            life.persisted = Lane::ALL.map(|l| outbox.persisted_below(l).map_or(0, |p| p.n()));
        }
        self.world.power_off(d.board);
    }

    /// Records once, in whichever lane.
    pub(super) fn sample(&mut self, i: usize, lane: Option<Lane>) {
        let now = self.world.now;
        let d = &mut self.devices[i];
        let lane = lane.unwrap_or(if d.chance.percent(8) { Lane::Alarm } else { Lane::Readings });
        let number = self.oracle.next_number();
        // Wide, so that a full outbox is more than a few frames.
        let second = d.chance.pick(0..1 << 27) as i32;
        let readings = [
            Reading { quantity: 1, cell: Cell::Value(number) },
            Reading { quantity: 2, cell: Cell::Value(second) },
        ];
        let poison = std::mem::take(&mut d.poison_next);
        let (board, life) = (d.board, d.life);
        let b = &mut self.world.boards[board.0];
        let Some(local) = b.take(now, lane, &readings) else { return };
        self.oracle.recorded(life, lane, local, now, second, poison);
        self.floors(i);
        if poison {
            self.world.hosts.iter().for_each(|h| h.gate().poison.push(number));
        }
        self.world.flush_touched();
    }

    /// Which records a board has given up, as it says.
    pub(super) fn floors(&mut self, i: usize) {
        let d = &self.devices[i];
        let b = &self.world.boards[d.board.0];
        if !b.on {
            return;
        }
        let mut outbox = b.outbox.borrow_mut();
        let outbox = outbox.as_mut();
        let boot = outbox.boot();
        let floor = Lane::ALL.map(|l| {
            let local = outbox.local_of(outbox.floor(l).floor);
            if local.boot() == boot { local.n() } else { 0 }
        });
        let life = &mut self.oracle.lives[d.life as usize];
        for (held, now) in life.floor.iter_mut().zip(floor) {
            *held = (*held).max(now);
        }
    }

    /// A device that wants to sleep does so once its connection is over.
    fn leave(&mut self, i: usize) {
        let now = self.world.now;
        let d = &mut self.devices[i];
        let Some(until) = d.wants_sleep else { return };
        let b = &mut self.world.boards[d.board.0];
        if b.link.is_some() && now < until {
            return;
        }
        d.wants_sleep = None;
        d.asleep = true;
        let wake = now + d.chance.pick(5_000_000..60_000_000);
        if b.memory == Memory::Flash {
            b.flash.end(&b.outbox.borrow_mut().as_mut());
        }
        self.devices[i].power_at = Some(wake);
        self.power_off(i);
        let id = self.world.boards[self.devices[i].board.0].id;
        self.world.say(|| format!("{id} sleeps"));
    }

    /// Says Sleep.
    pub(super) fn sleep(&mut self, i: usize) {
        let d = &mut self.devices[i];
        d.wants_sleep = Some(self.world.now + 30_000_000);
        let board = d.board;
        self.world.sleep(board, 60_000, true);
    }

    /// An operator wants something of the device.
    pub(super) fn order(&mut self, i: usize) {
        let Some(host) = self.some_host() else { return };
        let now = self.world.now;
        let d = &mut self.devices[i];
        let once = d.chance.percent(70);
        let policy = if once { CommandPolicy::Once } else { CommandPolicy::Idempotent };
        let ttl_ms = d.chance.pick(2_000..120_000);
        let (board, book) = (d.board, d.book);
        let mut row = self.world.new_command(board, if once { 1 } else { 2 }, policy, ttl_ms as i64);
        let skew = self.world.hosts[host.0].skew_us;
        (row.created_us, row.deadline_us) = (row.created_us + skew, row.deadline_us + skew);
        row.body = self.oracle.commands.make(book, policy, now + ttl_ms * 1_000);
        if self.devices[i].tainted || self.devices[i].rolled {
            // Two boards take commands for this identity.
            self.oracle.commands.doubled(book);
        }
        self.world.order(host, Work::Command(CommandWork::New(Box::new(row))));
    }

    pub(super) fn writing(&self, i: usize) -> Writing {
        self.world.boards[self.devices[i].board.0].flash.writing()
    }

    /// The last thing that is done for a device: nothing of it goes wrong any more.
    pub(super) fn heal_device(&mut self, i: usize) {
        let now = self.world.now;
        self.devices[i].ops.clear();
        self.devices[i].active = None;
        if self.devices[i].is_clone {
            self.power_off(i);
            let d = &mut self.devices[i];
            (d.gone_at, d.power_at) = (None, None);
            return;
        }
        let d = &mut self.devices[i];
        if !self.world.boards[d.board.0].on {
            d.power_at = Some(now + 1_000_000);
        }
        let open: Vec<_> = self.world.open.clone();
        let board = self.devices[i].board;
        for link in open {
            if self.world.links[link.0].board == board {
                self.world.close(link);
            }
        }
    }
}
