//! What lies in a board's flash: items in order, the state, and one write at a time that power can interrupt.
//!
//! A write becomes durable at one moment and is told to the outbox at a later one. Power lost before the first leaves nothing of it (its
//! checksum is wrong), power lost between the two leaves what nobody was told. Positions are in the numbers of the present boot.

use std::collections::VecDeque;
use std::ops::Range;

use sensock::device::{OutboxMut, Supply, walk};
use sensock::wire::flow::{Boots, OldBoot};
use sensock::{Cause, CommandId, Lane, Position, Tag, Tick};

/// One item as it lies there.
#[derive(Clone, Debug)]
struct Item {
    first: Position,
    next: Position,
    before: Tick,
    after: Tick,
    catalog: u64,
    /// The boot that measured it, in an oracle's books.
    life: u32,
    bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Work {
    Keep { begun: CommandId, tag: Tag, shift: u32, ended: bool },
    Spill { lane: Lane, next: Position, items: Vec<Item> },
    Trim { lane: Lane, acked: Position },
}

impl Work {
    fn keep(outbox: &OutboxMut<'_>, ended: bool) -> Self {
        Work::Keep { begun: outbox.begun(), tag: outbox.last_tag(), shift: outbox.shift(), ended }
    }
}

/// A write under way.
#[derive(Clone, Debug)]
struct Write {
    work: Work,
    durable_at: u64,
    told_at: u64,
    is_durable: bool,
}

/// Where a board is in a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    Nothing,
    /// In the middle of it.
    Inside,
    /// It is there, and nobody knows.
    Between,
}

/// What survives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flash {
    lanes: [VecDeque<Item>; Lane::COUNT],
    boot: u32,
    begun: CommandId,
    tag: Tag,
    /// To be added to all boot numbers at the next boot.
    shift: u32,
    complete: bool,
    complete_since: u32,
    /// Boots up to this one had lower numbers once.
    moved: u32,
    // What follows does not survive.
    write: Option<Write>,
    acked: [Position; Lane::COUNT],
    full: [bool; Lane::COUNT],
    /// What runs now.
    pub(crate) catalog: u64,
    pub(crate) life: u32,
    /// How long a write takes, in us.
    pub(crate) write_us: u64,
}

/// Items that a lane has room for.
const ROOM: [usize; Lane::COUNT] = [64, 64, 400];

impl Flash {
    pub(crate) fn begun(&self) -> CommandId {
        self.begun
    }

    pub(crate) fn boot_on_wire(&self) -> u32 {
        self.boot + self.shift
    }

    pub(crate) fn writing(&self) -> Writing {
        match &self.write {
            None => Writing::Nothing,
            Some(w) if w.is_durable => Writing::Between,
            Some(_) => Writing::Inside,
        }
    }

    /// Whether another flash holds the same.
    pub(crate) fn is_as(&self, other: &Flash) -> bool {
        let ends = |f: &Flash| f.lanes.each_ref().map(|l| l.back().map(|i| i.next));
        (self.boot, self.begun, self.tag, self.shift) == (other.boot, other.begun, other.tag, other.shift)
            && ends(self) == ends(other)
    }

    /// What lies here of a lane: the boot that measured each item, in an oracle's books, and which records of that boot it is.
    pub(crate) fn holds(&self, lane: Lane) -> impl Iterator<Item = (u32, Range<u32>)> {
        let spans = self.lanes[lane.index()].iter().filter(|item| item.first.boot() == item.next.boot());
        spans.map(|item| (item.life, item.first.n()..item.next.n()))
    }

    /// When something is due.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.write.as_ref().map(|w| if w.is_durable { w.told_at } else { w.durable_at })
    }

    /// Power is gone: a write that is not durable never happened.
    pub(crate) fn power_off(&mut self) {
        self.write = None;
    }

    /// A boot begins.
    pub(crate) fn recover(&mut self, outbox: &mut OutboxMut<'_>) {
        let by = u64::from(std::mem::take(&mut self.shift));
        for item in self.lanes.iter_mut().flatten() {
            (item.first, item.next) = (item.first.plus(by << 32), item.next.plus(by << 32));
        }
        if by > 0 {
            self.moved = self.boot + by as u32;
        }
        self.complete_since += by as u32;
        let highest = self.lanes.iter().flatten().map(|i| i.first.boot()).max().unwrap_or(0);
        let boot = (self.boot + by as u32).max(highest) + 1;
        let complete = self.complete;
        if !complete {
            self.complete_since = boot;
        }
        (self.boot, self.complete, self.write) = (boot, false, None);
        (self.acked, self.full) = Default::default();
        outbox.start(Some(boot));
        let lowest = Lane::ALL.map(|l| self.lowest(l));
        outbox.with_flash(lowest);
        for lane in Lane::ALL.into_iter().filter(|l| lowest[l.index()].is_none()) {
            outbox.nothing_since(lane, Position::boot_start(self.complete_since));
        }
        outbox.begun_persists(self.begun);
        outbox.tag_persists(self.tag);
        outbox.whole_since(self.complete_since);
    }

    fn lowest(&self, lane: Lane) -> Option<Position> {
        self.lanes[lane.index()].front().map(|i| i.first)
    }

    /// The lowest position that is not acknowledged.
    fn low(&self, lane: Lane) -> Option<Position> {
        let acked = self.acked[lane.index()];
        let item = self.lanes[lane.index()].iter().find(|i| i.next.prev() > acked)?;
        Some(if item.first <= acked { acked.next() } else { item.first })
    }

    /// The first boots that lie here, on the wire.
    pub(crate) fn announce(&self, shift: u32) -> Boots {
        let mut old: Vec<OldBoot> = vec![];
        for item in self.lanes.iter().flatten().filter(|i| i.first.boot() < self.boot) {
            let boot = item.first.boot() + shift;
            match old.iter_mut().find(|b| b.boot == boot) {
                Some(b) => b.last_tick = b.last_tick.max(item.after),
                None => old.push(OldBoot { boot, catalog: item.catalog, last_tick: item.after }),
            }
        }
        old.sort_by_key(|b| b.boot);
        let mut boots = Boots::default();
        let _ = old.into_iter().all(|b| boots.push(b));
        boots.moved_up_to(if shift > 0 { self.boot + shift } else { self.moved });
        boots
    }

    /// Finishes what is due, and begins what comes next. `arrived`: a command waits to be noted as begun.
    pub(crate) fn turn(&mut self, now: u64, outbox: &mut OutboxMut<'_>, arrived: bool) {
        loop {
            if let Some(write) = &mut self.write {
                if !write.is_durable && write.durable_at <= now {
                    write.is_durable = true;
                    let work = write.work.clone();
                    self.apply(work);
                    continue;
                }
                if !write.is_durable || write.told_at > now {
                    return;
                }
                if let Some(write) = self.write.take() {
                    self.tell(write.work, outbox);
                }
            }
            let Some(work) = self.next(outbox, arrived) else { return };
            let durable_at = now + self.write_us;
            let told_at = durable_at + self.write_us / 2;
            self.write = Some(Write { work, durable_at, told_at, is_durable: false });
        }
    }

    fn next(&mut self, outbox: &mut OutboxMut<'_>, arrived: bool) -> Option<Work> {
        if arrived && outbox.begun() > self.begun || outbox.has_tag_to_keep() || outbox.shift() != self.shift
        {
            return Some(Work::keep(outbox, false));
        }
        for lane in Lane::ALL {
            let i = lane.index();
            let acked = outbox.acked(lane);
            if acked > self.acked[i] {
                return Some(Work::Trim { lane, acked });
            }
            let mut buf = [0; 256];
            if !self.full[i]
                && let Some(spill) = outbox.next_spills(lane, &mut buf)
            {
                let items = walk(&buf[..spill.len], spill.position, spill.tick).map(|w| Item {
                    first: w.first,
                    next: w.next,
                    before: w.before,
                    after: w.tick,
                    catalog: self.catalog,
                    life: self.life,
                    bytes: buf[w.at..w.at + w.len].to_vec(),
                });
                return Some(Work::Spill { lane, next: spill.next, items: items.collect() });
            }
        }
        None
    }

    /// The boot was ended in order, with all of it persisted: kept at once, as the board goes to sleep.
    pub(crate) fn end(&mut self, outbox: &OutboxMut<'_>) {
        if Lane::ALL.into_iter().all(|l| outbox.persisted_below(l) == Some(outbox.next(l))) {
            self.apply(Work::keep(outbox, true));
        }
    }

    fn apply(&mut self, work: Work) {
        match work {
            Work::Keep { begun, tag, shift, ended } => {
                (self.begun, self.tag, self.shift, self.complete) = (begun, tag, shift, ended)
            }
            Work::Spill { lane, items, .. } => {
                let log = &mut self.lanes[lane.index()];
                if lane == Lane::Control && log.len() + items.len() > ROOM[lane.index()] {
                    self.full[lane.index()] = true;
                    return;
                }
                log.extend(items);
            }
            Work::Trim { lane, acked } => {
                let log = &mut self.lanes[lane.index()];
                while log.len() > 1 && log[0].next.prev() <= acked && log[1].first <= acked.next() {
                    log.pop_front();
                }
                (self.acked[lane.index()], self.full[lane.index()]) = (acked, false);
            }
        }
    }

    fn tell(&mut self, work: Work, outbox: &mut OutboxMut<'_>) {
        match work {
            Work::Keep { tag, .. } => outbox.tag_kept(tag),
            Work::Spill { lane, .. } if self.full[lane.index()] => {}
            Work::Spill { lane, next, .. } => {
                let log = &mut self.lanes[lane.index()];
                let over = log.len().saturating_sub(ROOM[lane.index()]);
                if over > 0 {
                    // The oldest page gave way.
                    log.drain(..(over + 20).min(log.len()));
                    outbox.flash_lost(lane, self.low(lane), Cause::Overflow);
                }
                outbox.persisted(lane, next, self.low(lane));
            }
            Work::Trim { lane, acked } => {
                let (low, below) = (self.low(lane), outbox.persisted_below(lane).unwrap_or_default());
                if low.is_some_and(|low| low > acked.next() && low.boot() == acked.boot()) {
                    outbox.flash_lost(lane, low, Cause::Flash);
                }
                outbox.persisted(lane, below, low);
            }
        }
    }

    /// Reads items from a position on, as many as fit and follow each other.
    pub(crate) fn read(&self, lane: Lane, from: Position, out: &mut [u8]) -> Option<Supply> {
        let mut supply: Option<Supply> = None;
        let mut follows: Option<(Position, Tick)> = None;
        // One task writes, tells and reads: nothing is read that was not told yet.
        let untold = match &self.write {
            Some(Write { work: Work::Spill { lane: l, items, .. }, is_durable: true, .. }) if *l == lane => {
                items.first().map(|i| i.first)
            }
            _ => None,
        };
        for item in &self.lanes[lane.index()] {
            if untold.is_some_and(|u| item.first >= u) {
                break;
            }
            if item.first < from || follows.is_some_and(|(expected, _)| item.first < expected) {
                continue;
            }
            let at = supply.map_or(0, |s| s.len);
            let fits = follows.is_none_or(|f| f == (item.first, item.before));
            let Some(room) = out.get_mut(at..at + item.bytes.len()).filter(|_| fits) else { break };
            room.copy_from_slice(&item.bytes);
            let complete = from.boot() >= self.complete_since;
            let begun = Supply { len: 0, first: item.first, tick: item.before, complete };
            supply.get_or_insert(begun).len += item.bytes.len();
            follows = Some((item.next, item.after));
        }
        supply
    }
}
