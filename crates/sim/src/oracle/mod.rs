//! The invariants, held after every step of a run, in books of its own.
//!
//! | invariant | held here |
//! |---|---|
//! | 1 stored once, in order, or in one gap with its cause | `coverage`: at each commit, over what the marks moved |
//! | 2 acknowledged means committed | [`Oracle::acked`]: no ack beyond what a commit set the mark to |
//! | 3 bounded | the outbox is fixed; what a connection has outstanding in a server is compared with its window |
//! | 4 never panics | the run catches it |
//! | 5 live | the run demands that everything is drained once faults stop |
//! | 6 takeover, clones | one serving connection a device; a clone takes over at most a few times |
//! | 7 honest time | `coverage`: the true time lies within each row's bounds |
//! | 8 alarms overtake | no backlog leaves while an alarm waits, at most two frames are on their way before it |
//! | 9 commands | `commands`: runs against fates |

mod commands;
mod coverage;
mod drained;

use std::collections::{BTreeMap, BTreeSet};

use sensock::device::Policy;
use sensock::{DeviceId, Lane, Position};
use sensock_store::{Batch, LaneId};

use crate::board::Memory;
pub(crate) use commands::Commands;

/// What became of a record, as far as the store says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Waiting,
    /// Under this boot.
    Stored(u32),
    Gapped(u32),
}

/// A record that a board accepted; the value of its first quantity is its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rec {
    life: u32,
    lane: Lane,
    /// `None` in a lane that numbers records when it frames them.
    n: Option<u32>,
    true_us: u64,
    second: i32,
    poison: bool,
    fate: Fate,
}

/// One boot of one board.
#[derive(Debug)]
pub(crate) struct Life {
    pub device: usize,
    pub memory: Memory,
    pub policy: Policy,
    pub ttl: bool,
    pub catalog: u64,
    /// Boot numbers that it had on the wire, the last one now.
    wire: Vec<u32>,
    /// By how much its numbers were moved in flash since it ended.
    carried: u32,
    /// It was taken up by a server.
    pub connected: bool,
    pub alive: bool,
    /// Another board had the same identity meanwhile, or its memory was exchanged: what is lost by that is nobody's to know.
    pub tainted: bool,
    /// The board's memory was rolled back to before this boot. It may give the same number to another boot, and does not know this one by that.
    unkept: bool,
    /// The store was put back to before this boot too: nobody knows that it was.
    pub forgotten: bool,
    /// Records of each lane, by number.
    recs: [Vec<u32>; Lane::COUNT],
    /// So many of them were held against what is stored, when the board held nothing any more.
    drained: [usize; Lane::COUNT],
    /// What flash held when power went.
    pub persisted: [u32; Lane::COUNT],
    /// Numbers below this were dropped by the board.
    pub floor: [u32; Lane::COUNT],
}

#[derive(Debug)]
struct Device {
    id: DeviceId,
    marks: [Position; Lane::COUNT],
    /// The highest mark ever committed.
    peaks: [Position; Lane::COUNT],
    /// Lives by their boot on the wire.
    lives: BTreeMap<u32, Vec<u32>>,
    /// A second board had this identity, or its memory was exchanged.
    doubled: bool,
    /// The catalogues that were ever committed.
    catalogs: BTreeSet<u64>,
}

/// What the store held, in the oracle's books.
#[derive(Clone, Debug)]
pub(crate) struct Backup {
    undo: usize,
    marks: Vec<[Position; Lane::COUNT]>,
    at_us: u64,
}

/// What a run came to, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that boards accepted.
    pub accepted: u64,
    /// Stored.
    pub stored: u64,
    /// In a gap that says why.
    pub in_gaps: u64,
    /// Of boots without a number that never reached a server: nobody can know of them.
    pub unheard: u64,
    /// Of boards whose identity or memory was doubled meanwhile.
    pub tainted: u64,
    /// Brought again by memory that was rolled back, before they were stored.
    pub again: u64,
    /// Replaced by newer values before they were framed.
    pub superseded: u64,
    /// Commands made, and how often one ran.
    pub commands: (u64, u64),
    /// Alarms.
    pub alarms: u64,
    /// Transactions.
    pub commits: u64,
    /// Worlds whose connections were sealed.
    pub sealed: u64,
    /// In those: bits changed on the way, connections said again, and messages that could not be opened.
    pub attacks: (u64, u64, u64),
}

impl Counts {
    /// Adds those of another run.
    pub fn add(&mut self, o: &Counts) {
        self.accepted += o.accepted;
        self.stored += o.stored;
        self.in_gaps += o.in_gaps;
        self.unheard += o.unheard;
        self.tainted += o.tainted;
        self.again += o.again;
        self.superseded += o.superseded;
        self.commands = (self.commands.0 + o.commands.0, self.commands.1 + o.commands.1);
        self.alarms += o.alarms;
        self.commits += o.commits;
        self.sealed += o.sealed;
        let (a, b) = (self.attacks, o.attacks);
        self.attacks = (a.0 + b.0, a.1 + b.1, a.2 + b.2);
    }
}

/// Keeps the books of a run.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    recs: Vec<Rec>,
    pub lives: Vec<Life>,
    devices: Vec<Device>,
    /// Records that a flash which was rolled back brought again before they were stored: by device.
    again: Vec<(usize, u32)>,
    /// Fates before they changed, for a store that is restored.
    undo: Vec<(u32, Fate)>,
    pub commands: Commands,
    /// From when on which servers' clocks were how far off: what a row's bounds may be off by.
    pub skews: Vec<(u64, i64, u64)>,
    pub restored_us: Option<u64>,
    pub counts: Counts,
    violation: Option<String>,
}

impl Oracle {
    pub(crate) fn device(&mut self, id: DeviceId) -> usize {
        let new = Device {
            id,
            marks: Default::default(),
            peaks: Default::default(),
            catalogs: BTreeSet::new(),
            lives: BTreeMap::new(),
            doubled: false,
        };
        self.devices.push(new);
        self.devices.len() - 1
    }

    pub(crate) fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// The first one counts.
    pub(crate) fn violate(&mut self, words: impl FnOnce() -> String) {
        self.violation.get_or_insert_with(words);
    }

    /// A boot begins; `boot` is its number, if it has one.
    pub(crate) fn life(&mut self, life: Life, boot: Option<u32>) -> u32 {
        let (i, device) = (self.lives.len() as u32, life.device);
        self.lives.push(life);
        if let Some(boot) = boot {
            self.lives[i as usize].wire.push(boot);
            self.devices[device].lives.entry(boot).or_default().push(i);
        }
        i
    }

    /// Another board has this identity from now on, or its memory is exchanged.
    pub(crate) fn doubled(&mut self, device: usize) {
        self.devices[device].doubled = true;
        self.again.retain(|(of, _)| *of != device);
        self.commands.doubled(device);
    }

    /// A server took the boot up under this number, which it moved by so much just now.
    pub(crate) fn welcomed(&mut self, life: u32, boot: u32, moved_by: u32) {
        let l = &mut self.lives[life as usize];
        l.connected = true;
        if moved_by > 0 && l.memory == Memory::Flash {
            let device = l.device;
            if !self.devices[device].doubled {
                let id = self.devices[device].id;
                self.violate(|| format!("{id}: boot {boot} was moved, and nobody had exchanged its memory"));
            }
            // What lies in its flash of earlier boots moves along, and may come again.
            for (i, earlier) in
                self.lives.iter_mut().enumerate().filter(|(_, l)| l.device == device && !l.alive)
            {
                earlier.tainted = true;
                earlier.carried += moved_by;
                if let Some(boot) = earlier.wire.last() {
                    let lives = &mut self.devices[device].lives;
                    lives.entry(boot + earlier.carried).or_default().push(i as u32);
                }
            }
        }
        let l = &mut self.lives[life as usize];
        if l.wire.last() == Some(&boot) {
            return;
        }
        let (device, memory) = (l.device, l.memory);
        if memory == Memory::None {
            // A number that is given again was proved to no server the time before: nobody met that boot.
            let before = self.devices[device].lives.get(&boot).into_iter().flatten();
            for i in before {
                let l = &mut self.lives[*i as usize];
                l.connected &= l.memory != Memory::None;
            }
        }
        let l = &mut self.lives[life as usize];
        let lives = &mut self.devices[device].lives;
        if let Some(list) = l.wire.last().and_then(|old| lives.get_mut(old)) {
            list.retain(|i| *i != life);
        }
        l.wire.push(boot);
        lives.entry(boot).or_default().push(life);
    }

    /// The number that the next record carries as its first value.
    pub(crate) fn next_number(&self) -> i32 {
        self.recs.len() as i32 + 1
    }

    pub(crate) fn recorded(
        &mut self,
        life: u32,
        lane: Lane,
        local: Position,
        now: u64,
        second: i32,
        poison: bool,
    ) {
        let rec = self.recs.len() as u32;
        let n = (local != Position::NONE
            || self.lives[life as usize].policy != Policy::KeepLatest
            || lane != Lane::Readings)
            .then(|| local.n());
        self.recs.push(Rec { life, lane, n, true_us: now, second, poison, fate: Fate::Waiting });
        let l = &mut self.lives[life as usize];
        self.counts.accepted += 1;
        self.counts.alarms += u64::from(lane == Lane::Alarm);
        if let Some(n) = n {
            let list = &mut l.recs[lane.index()];
            if list.len() as u32 != n {
                let len = list.len();
                self.violate(|| format!("a record got number {n} after {len} others of its lane"));
            }
            let list = &mut self.lives[life as usize].recs[lane.index()];
            list.push(rec);
        }
    }

    /// The device was told that everything up to `mark` is committed.
    pub(crate) fn acked(&mut self, device: usize, lane: Lane, mark: Position) {
        let peak = self.devices[device].peaks[lane.index()];
        if mark > peak {
            self.violate(|| format!("{lane}: {mark} was acknowledged, and only {peak} was ever committed"));
        }
    }

    pub(crate) fn mark(&self, device: usize, lane: Lane) -> Position {
        self.devices[device].marks[lane.index()]
    }

    pub(crate) fn backup(&self, now: u64) -> Backup {
        Backup { undo: self.undo.len(), marks: self.devices.iter().map(|d| d.marks).collect(), at_us: now }
    }

    /// The store holds again what it held then; whether that is less of this device.
    pub(crate) fn restored(&mut self, backup: &Backup, now: u64, device: usize) -> bool {
        let less = self.devices[device].marks != backup.marks[device];
        for (rec, fate) in self.undo.drain(backup.undo..).rev() {
            self.recs[rec as usize].fate = fate;
        }
        for (d, marks) in self.devices.iter_mut().zip(&backup.marks) {
            d.marks = *marks;
        }
        // Its next boot gets a number that this store has not given yet, and nobody remembers what it held before.
        self.lives.iter_mut().filter(|l| l.memory == Memory::None).for_each(|l| l.connected = false);
        self.again.clear();
        // What was acknowledged before is gone from its board.
        for l in &mut self.lives {
            l.drained = l.recs.each_ref().map(Vec::len);
        }
        self.commands.restored(backup.at_us);
        self.restored_us = Some(now);
        less
    }

    /// The highest boots of this device that its boards, and the store, know of now.
    pub(crate) fn remembered(&mut self, device: usize, kept: u32, stored: u32) {
        for life in self.lives.iter_mut().filter(|l| l.device == device && !l.alive) {
            let is_above = |boot| life.wire.last().is_some_and(|w| *w > boot);
            life.unkept |= is_above(kept);
            life.forgotten |= life.unkept && is_above(stored);
        }
    }

    fn index(&self, id: DeviceId) -> Option<usize> {
        self.devices.iter().position(|d| d.id == id)
    }

    fn fate(&mut self, rec: u32, fate: Fate) {
        let old = std::mem::replace(&mut self.recs[rec as usize].fate, fate);
        self.undo.push((rec, old));
    }

    /// A transaction was committed.
    pub(crate) fn committed(&mut self, batch: &Batch, now: u64) {
        self.counts.commits += 1;
        for row in &batch.catalogs {
            if let Some(device) = self.index(row.device) {
                self.devices[device].catalogs.insert(row.hash);
            }
        }
        self.rows(batch, now);
        for (LaneId { device, lane }, mark) in &batch.marks {
            let Some(device) = self.index(*device) else { continue };
            self.moved(device, *lane, *mark, batch);
        }
        for row in &batch.commands {
            if let Err(words) = self.commands.row(row, now) {
                self.violate(|| words);
            }
        }
    }
}

impl Life {
    pub(crate) fn new(
        device: usize,
        memory: Memory,
        policy: Policy,
        ttl: bool,
        catalog: u64,
        tainted: bool,
    ) -> Self {
        Life {
            device,
            memory,
            policy,
            ttl,
            catalog,
            wire: vec![],
            carried: 0,
            connected: false,
            alive: true,
            tainted,
            unkept: false,
            forgotten: false,
            recs: Default::default(),
            drained: [0; Lane::COUNT],
            persisted: [0; Lane::COUNT],
            floor: [0; Lane::COUNT],
        }
    }
}
