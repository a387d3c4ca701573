//! Faults: brought to their step, and done there.

use sensock_store::memory::Point;
use sensock_store::{Failure, Store as _};

use super::*;
use crate::board::Memory;
use crate::board::flash::Writing;
use crate::link::{Chop, LinkId};

/// A fault on its way.
pub(super) struct Active {
    op: Op,
    chance: Chance,
    /// Moments in the step that it lets pass first.
    skip: u64,
    led: u32,
    pub look_at: u64,
    /// What is missing beside the step is provoked not before this.
    provoke_at: u64,
    provoked: u32,
    give_up_at: u64,
}

/// What shows that a fault had an effect.
pub(super) enum Hit {
    /// A frame of this link, upwards or downwards, was changed.
    Touched(LinkId, bool, u32),
    /// The transaction failed as told.
    Failed(HostId),
    /// The store rejected this number.
    Rejected(i32),
    /// A server turned somebody away for its clock.
    Held(HostId, u32),
    /// A server answered these more often than that.
    Heard(usize, usize, u32),
}

impl Run {
    pub(super) fn has_hit(&self, hit: &Hit) -> bool {
        match *hit {
            Hit::Touched(link, up, before) => {
                let l = &self.world.links[link.0];
                (if up { l.up.touched } else { l.down.touched }) > before
            }
            Hit::Failed(host) => std::mem::take(&mut self.world.hosts[host.0].gate().failed),
            Hit::Rejected(number) => self.world.hosts.iter().any(|h| h.gate().rejected.contains(&number)),
            Hit::Held(host, before) => self.world.hosts[host.0].clock_refusals > before,
            Hit::Heard(a, b, before) => self.devices[a].heard + self.devices[b].heard > before,
        }
    }

    /// Goes on with the fault that device `i` has before it.
    pub(super) fn strike(&mut self, i: usize) {
        let now = self.world.now;
        let d = &mut self.devices[i];
        if d.active.is_none() {
            if d.ops.front().is_none_or(|op| BEGIN_US + op.at_us > now) {
                return;
            }
            let Some(op) = d.ops.pop_front() else { return };
            let mut chance = Chance::new(op.seed);
            let skip = chance.pick(0..4);
            d.active = Some(Active {
                op,
                chance,
                skip,
                led: 0,
                look_at: now,
                provoke_at: now,
                provoked: 0,
                give_up_at: now + 600_000_000,
            });
        }
        let Some(mut active) = self.devices[i].active.take() else { return };
        if self.go_on(i, &mut active) {
            return;
        }
        if active.give_up_at <= now {
            self.missed += 1;
            return;
        }
        self.devices[i].active = Some(active);
    }

    /// Whether it is done with.
    fn go_on(&mut self, i: usize, a: &mut Active) -> bool {
        let now = self.world.now;
        let (kind, step) = (a.op.kind, a.op.step);
        let flash = matches!(kind, Kind::TornWrite | Kind::BetweenWrites);
        if flash && self.world.boards[self.devices[i].board.0].memory != Memory::Flash {
            self.missed += 1;
            return true;
        }
        if self.is_in(i, step) {
            if a.skip > 0 {
                a.skip -= 1;
                a.look_at = a.look_at.max(now + 1);
                return false;
            }
            if self.may(i, a) {
                self.world.say(|| format!("--- {} while {}", kind.name(), step.name()));
                self.hit(i, a);
                return true;
            }
            let again = a.provoke_at.max(now + 1);
            a.look_at = if a.look_at <= now { again } else { a.look_at.min(again) };
            return false;
        }
        if a.look_at > now {
            return false;
        }
        a.look_at = now + 500_000;
        let b = &self.world.boards[self.devices[i].board.0];
        // It has to stand on its own feet first.
        let steady = b.on
            && b.session.is_live()
            && self.devices[i].wants_sleep.is_none()
            && b.link.is_some_and(|l| {
                self.world.hosts[self.world.links[l.0].host.0].conns.get(&l).is_some_and(|c| c.confirmed)
            });
        if steady {
            a.led += 1;
            a.look_at = now + if a.led < 4 { 3_000_000 } else { 20_000_000 };
            self.lead(i, step);
        }
        false
    }

    /// Whether the moment is right, beside the step.
    fn may(&mut self, i: usize, a: &mut Active) -> bool {
        let board = self.devices[i].board;
        let b = &self.world.boards[board.0];
        // What is missing here is provoked, but not without end.
        let provoke = a.provoke_at <= self.world.now;
        if provoke {
            // Ever more rarely.
            a.provoked += 1;
            a.provoke_at = self.world.now + (20_000 << (a.provoked / 8).min(9));
        }
        match a.op.kind {
            Kind::TornWrite | Kind::BetweenWrites => {
                let wanted = if a.op.kind == Kind::TornWrite { Writing::Inside } else { Writing::Between };
                if provoke && self.writing(i) == Writing::Nothing {
                    self.sample(i, None);
                }
                self.writing(i) == wanted
            }
            kind if kind.needs_transaction() => {
                let Some(link) = b.link else { return false };
                let host = &self.world.hosts[self.world.links[link.0].host.0];
                let storing = host.is_storing(b.id);
                let reached = kind != Kind::CrashInCommit || host.gate().at > a.op.seed as u32 % 5;
                if provoke && host.committing.is_none() && !b.session.is_leaving() {
                    self.sample(i, Some(Lane::Readings));
                }
                storing && reached
            }
            Kind::Restore => self.backup.is_some(),
            Kind::Rollback => self.devices[i].memory.is_some() && b.memory != Memory::None,
            _ => true,
        }
    }

    fn hit(&mut self, i: usize, a: &mut Active) {
        let now = self.world.now;
        let (kind, step, chance) = (a.op.kind, a.op.step, &mut a.chance);
        let board = self.devices[i].board;
        let link = self.world.boards[board.0].link;
        let host = link.map(|l| self.world.links[l.0].host);
        let back = now + chance.pick(100_000..30_000_000);
        let watch = |run: &mut Run, hit| {
            run.watches.push(Watch { kind, step, until: now + 240_000_000, hit });
        };
        let counted = match (kind, link, host) {
            (Kind::Delay | Kind::Split | Kind::Drip | Kind::Stall | Kind::Truncate, Some(link), _) => {
                let up = chance.percent(50);
                let l = &mut self.world.links[link.0];
                let pipe = if up { &mut l.up } else { &mut l.down };
                let before = pipe.touched;
                match kind {
                    Kind::Delay => {
                        pipe.delay_us += chance.pick(50_000..3_000_000);
                        pipe.slowed = true;
                    }
                    Kind::Split => {
                        let size = chance.pick(1..16) as usize;
                        pipe.chop = Some(Chop { size, every_us: chance.pick(100..50_000), frames: 4 });
                    }
                    Kind::Drip => {
                        pipe.chop = Some(Chop { size: 1, every_us: chance.pick(500..20_000), frames: 3 })
                    }
                    Kind::Stall => pipe.stall(now + chance.pick(200_000..40_000_000)),
                    _ => pipe.truncate = Some(chance.pick(1..60) as usize),
                }
                watch(self, Hit::Touched(link, up, before));
                false
            }
            (Kind::Cut, Some(link), _) => {
                self.world.cut(link);
                true
            }
            (Kind::HalfOpen, Some(link), _) => {
                self.world.half_open(link);
                true
            }
            (Kind::Duplicate, Some(_), _) => {
                self.dial(i);
                self.world.boards[board.0].link != link
            }
            (Kind::Power | Kind::TornWrite | Kind::BetweenWrites, ..) => {
                let on = self.world.boards[board.0].on;
                self.power_off(i);
                let d = &mut self.devices[i];
                (d.power_at, d.wants_sleep) = (Some(back), None);
                if chance.percent(15) {
                    d.firmware += 1;
                }
                on
            }
            (Kind::Clone, ..) => {
                self.clone_device(i, now + chance.pick(30_000_000..400_000_000));
                let c = self.devices.len() - 1;
                let before = self.devices[i].heard;
                watch(self, Hit::Heard(i, c, before));
                false
            }
            (Kind::Rollback, ..) => self.roll_back(i, back),
            (Kind::Drift, ..) => {
                let ppm = chance.pick(0..401) as i64 - 200;
                let b = &mut self.world.boards[board.0];
                let other = b.ppm != ppm;
                b.drift(now, ppm);
                other
            }
            (Kind::Crash | Kind::CrashInCommit, _, Some(host)) => {
                self.world.crash(host);
                self.up_at[host.0] = Some(back);
                true
            }
            (Kind::Clock1970, _, Some(host)) => {
                self.world.crash(host);
                self.world.skew(host, -(now as i64) + 5_000_000);
                self.up_at[host.0] = Some(now + 500_000);
                self.clock_at[host.0] = Some(now + chance.pick(20_000_000..90_000_000));
                watch(self, Hit::Held(host, self.world.hosts[host.0].clock_refusals));
                false
            }
            (Kind::ClockStep, _, Some(host)) if self.clock_at[host.0].is_none() => {
                let skew = chance.pick(20_000..120_000_000) as i64 * if chance.percent(50) { 1 } else { -1 };
                let until = now + chance.pick(20_000_000..300_000_000);
                self.world.skew(host, skew);
                self.world.say(|| format!("the clock of server {} steps by {skew} us", host.0));
                self.oracle.skews.push((now, skew, u64::MAX));
                self.clock_at[host.0] = Some(until);
                true
            }
            (Kind::StoreSlow, _, Some(host)) => {
                self.world.hosts[host.0].step_us = chance.pick(100_000..3_000_000);
                self.calm_at[host.0] = Some(now + chance.pick(5_000_000..40_000_000));
                true
            }
            (Kind::StoreFails | Kind::StoreUnsaid, _, Some(host)) => {
                let point = chance.of(&[Point::Load, Point::Begin, Point::Write, Point::Commit]);
                let point = if kind == Kind::StoreUnsaid { Point::Committed } else { point };
                let mut gate = self.world.hosts[host.0].gate();
                (gate.fail, gate.failed) = (Some((point, Failure::Retry)), false);
                drop(gate);
                watch(self, Hit::Failed(host));
                false
            }
            (Kind::Poison, ..) => {
                let number = self.oracle.next_number();
                self.devices[i].poison_next = true;
                self.sample(i, Some(Lane::Readings));
                watch(self, Hit::Rejected(number));
                false
            }
            (Kind::Restore, ..) => self.restore(i, back),
            _ => false,
        };
        if counted {
            self.table.count(kind, step);
        }
    }

    /// A second board with the same identity and memory.
    fn clone_device(&mut self, i: usize, until: u64) {
        let now = self.world.now;
        let clone = self.world.clone_board(self.devices[i].board);
        let (policy, work_us) = {
            let b = &self.world.boards[self.devices[i].board.0];
            (b.policy, b.work_us)
        };
        let b = &mut self.world.boards[clone.0];
        (b.watched, b.policy, b.work_us) = (true, policy, work_us);
        let copy = self.devices[i].copy(clone, now, until);
        let d = &mut self.devices[i];
        d.tainted = true;
        self.oracle.lives[d.life as usize].tainted = true;
        self.oracle.doubled(d.book);
        let book = copy.book;
        let flash = self.world.boards[clone.0].memory == Memory::Flash;
        for life in self.oracle.lives.iter_mut().filter(|l| l.device == book && flash) {
            // What lies in flash comes again, from both.
            life.tainted = true;
        }
        self.devices.push(copy);
        self.turns[book].1 = 0;
    }

    /// What the board keeps is what it was some time ago.
    fn roll_back(&mut self, i: usize, back: u64) -> bool {
        let d = &mut self.devices[i];
        let Some((kept, flash)) = d.memory.clone() else { return false };
        let b = &mut self.world.boards[d.board.0];
        let other = b.kept != kept || !b.flash.is_as(&flash);
        // What flash gave back may have been stored long ago, and what it held is gone.
        self.oracle.rolled_back(d.book, &flash);
        let book = d.book;
        d.rolled = true;
        if d.asleep {
            (b.kept, b.flash) = (kept, flash);
        } else {
            self.power_off(i);
            let d = &mut self.devices[i];
            let b = &mut self.world.boards[d.board.0];
            (b.kept, b.flash) = (kept, flash);
            (d.power_at, d.wants_sleep) = (Some(back), None);
        }
        let flashed = self.world.boards[self.devices[i].board.0].memory == Memory::Flash;
        for life in self.oracle.lives.iter_mut().filter(|l| l.device == book && flashed) {
            life.tainted = true;
        }
        self.remember();
        other
    }

    /// Now and then, what lies in flash is what it may be rolled back to: with records that no server has.
    pub(super) fn remember_flash(&mut self, i: usize) {
        let d = &mut self.devices[i];
        let b = &self.world.boards[d.board.0];
        if b.memory == Memory::Flash && d.chance.percent(30) {
            d.memory = Some((b.kept, b.flash.clone()));
        }
    }

    /// Tells the oracle which boots are known to somebody still.
    fn remember(&mut self) {
        let mut known = vec![(0, 0); self.turns.len()];
        for d in &self.devices {
            let b = &self.world.boards[d.board.0];
            if d.is_clone && d.gone_at.is_none() && !b.on {
                // What it kept is never seen again.
                continue;
            }
            let in_store = ready(self.world.store.load(&b.id)).device.map_or(0, |row| row.boot);
            let (kept, stored) = &mut known[d.book];
            (*kept, *stored) = ((*kept).max(b.kept_boot()), in_store);
        }
        known
            .into_iter()
            .enumerate()
            .for_each(|(book, (kept, stored))| self.oracle.remembered(book, kept, stored));
    }

    /// The database is put back to an older state, and its servers with it.
    fn restore(&mut self, i: usize, back: u64) -> bool {
        let Some((snapshot, books)) = self.backup.take() else { return false };
        let now = self.world.now;
        self.watch();
        self.world.say(|| "the store is restored from a backup".to_owned());
        for h in 0..self.world.hosts.len() {
            if self.world.hosts[h].up {
                self.world.crash(HostId(h));
                self.up_at[h] = Some(back.min(now + 3_000_000));
            }
        }
        self.watch();
        self.world.store.restore(&snapshot);
        let less = self.oracle.restored(&books, now, self.devices[i].book);
        self.remember();
        less
    }
}
