//! The store, and rules A, B and F over it.

use crate::position::{CONTROL, LANES, Pos};
use crate::scope::Bug;
use crate::state::{Floor, Hello, Item};

/// Why positions are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A boot died in memory.
    Power,
    /// The device dropped them.
    Dropped,
    /// They were acknowledged, and the store has them no longer.
    Store,
    /// Nobody said why.
    Mixed,
}

/// How far the command got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ticket {
    /// It was not ordered.
    #[default]
    None,
    /// It did not leave.
    Queued,
    /// It left for this boot.
    Sent(u8),
    /// It ran.
    Done,
    /// It did not run in time.
    Expired,
    /// It never left and never will.
    Undeliverable,
    /// Nobody can know.
    Unknown,
}

impl Ticket {
    /// Whether it may still change.
    pub const fn is_open(self) -> bool {
        matches!(self, Ticket::Queued | Ticket::Sent(_))
    }
}

/// How a device and the store meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meeting {
    /// Never seen before.
    First,
    /// The same boot.
    Resumed,
    /// A new boot.
    Booted,
    /// Moved above what is stored.
    Rebased,
}

/// Who a device turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Its boot after the shift.
    pub boot: u8,
    /// What is added to its boot numbers.
    pub shift: u8,
    /// The boot's tag.
    pub tag: u8,
    /// What kind of meeting it is.
    pub meeting: Meeting,
    /// Marks once the floors are subtracted.
    pub marks: [Pos; LANES],
}

/// What is in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Store {
    /// The device's boot and tag; boot 0 if it was never met.
    pub boot: u8,
    /// See `boot`.
    pub tag: u8,
    /// Tags of earlier boots.
    pub superseded: Vec<u8>,
    /// Everything up to here is a row, in a gap or proven empty.
    pub marks: [Pos; LANES],
    /// The first position of the first boot that was met: what came before is no affair of this store.
    pub since: Pos,
    /// Rows in the order in which they were written.
    pub rows: Vec<(usize, Pos, Item)>,
    /// Gaps: lane, first, last, cause.
    pub gaps: Vec<(usize, Pos, Pos, Cause)>,
    /// The command.
    pub ticket: Ticket,
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Where the lane stands.
    pub mark: Pos,
    /// It did not follow.
    pub rewind: bool,
}

type Missing = Vec<(Pos, Pos, Cause)>;

impl Store {
    /// Rule B: who says this? `None` is a collision. `fresh` is a tag that nobody has.
    pub fn judge(&self, hello: &Hello, fresh: u8, bug: Option<Bug>) -> Option<Identity> {
        let shows = |t: u8| t != 0 && (hello.tag == t || hello.pending == t);
        let known = |t: &u8| *t == self.tag || self.superseded.contains(t);
        let top = self.marks.iter().map(|m| m.boot()).fold(self.boot, u8::max);
        let meet = |meeting, shift, tag| Some(self.meet(hello, meeting, shift, tag, bug));
        if shows(self.tag) && hello.boot <= self.boot {
            return meet(Meeting::Resumed, self.boot - hello.boot, self.tag);
        }
        let held = [hello.tag, hello.pending].into_iter().find(|t| *t != 0 && !known(t));
        let tag = held.unwrap_or(fresh);
        if hello.boot > top {
            return meet(if self.boot == 0 { Meeting::First } else { Meeting::Booted }, 0, tag);
        }
        if self.superseded.iter().any(|t| shows(*t)) {
            return None;
        }
        if hello.boot == 0 {
            return meet(if self.boot == 0 { Meeting::First } else { Meeting::Booted }, top + 1, tag);
        }
        if hello.boot == self.boot && self.tag != 0 && hello.tag != 0 {
            return None;
        }
        if bug == Some(Bug::PositionReused) {
            return meet(Meeting::Booted, 0, tag);
        }
        let floors = hello.lanes.iter().map(|l| l.floor).filter(|f| *f != Pos::NONE).map(Pos::boot);
        let lowest = floors.fold(hello.boot, u8::min);
        meet(Meeting::Rebased, top + 1 - lowest, tag)
    }

    fn meet(&self, hello: &Hello, meeting: Meeting, shift: u8, tag: u8, bug: Option<Bug>) -> Identity {
        let mut marks = [Pos::NONE; LANES];
        for (lane, mark) in marks.iter_mut().enumerate() {
            *mark = self.subtract(lane, &moved(&hello.lanes[lane], hello.boot, shift), bug).0;
        }
        Identity { boot: hello.boot + shift, shift, tag, meeting, marks }
    }

    /// Rule F: the new mark, and what is missing.
    fn subtract(&self, lane: usize, floor: &Floor, bug: Option<Bug>) -> (Pos, Missing) {
        let start = Pos::start(floor.floor.boot());
        let mut mark = self.marks[lane];
        if mark == Pos::NONE {
            let first = if floor.acked == Pos::NONE { start } else { Pos::start(1).min(start) };
            mark = first.prev();
        }
        if floor.floor <= mark.next() || bug == Some(Bug::FloorIgnored) {
            return (mark, Vec::new());
        }
        let last = floor.floor.prev();
        let mut gaps = Gaps { at: mark.next(), list: Vec::new() };
        gaps.counted(floor.acked.min(last), Cause::Store);
        if gaps.at < start {
            if floor.acked == Pos::NONE {
                gaps.whole(start.prev(), Cause::Power);
            } else if floor.dropped {
                gaps.whole(start.prev(), Cause::Dropped);
            }
            gaps.at = gaps.at.max(start);
        }
        gaps.counted(last, if floor.dropped { Cause::Dropped } else { Cause::Mixed });
        let mut missing = gaps.list;
        if bug == Some(Bug::TailOpen) {
            missing.retain(|m| m.2 != Cause::Power);
        }
        (last, missing)
    }

    /// A floor that rose while connected.
    pub fn floor(&mut self, lane: usize, floor: &Floor, bug: Option<Bug>) -> Pos {
        let (mark, missing) = self.subtract(lane, floor, bug);
        self.gaps.extend(missing.into_iter().map(|(a, b, c)| (lane, a, b, c)));
        self.marks[lane] = self.marks[lane].max(mark);
        self.left_boot();
        self.marks[lane]
    }

    /// The Hello transaction: `None` if what was proposed no longer holds. Else whether the command goes down.
    pub fn hello(
        &mut self,
        hello: &Hello,
        proposed: &Identity,
        late: bool,
        bug: Option<Bug>,
    ) -> Option<(Identity, bool)> {
        let again = (self.boot, self.tag) == (proposed.boot, proposed.tag);
        let identity = match again {
            true => self.meet(hello, proposed.meeting, proposed.shift, proposed.tag, bug),
            false => self.judge(hello, proposed.tag, bug)?,
        };
        let who = |i: &Identity| (i.boot, i.shift, i.tag, i.meeting);
        let behind = identity.marks.iter().zip(&proposed.marks).any(|(now, then)| now < then);
        let identity = match who(&identity) != who(proposed) || behind {
            true if bug == Some(Bug::HelloNotJudgedAgain) => *proposed,
            true => return None,
            false => identity,
        };
        if self.boot == 0 {
            let boots = (0..LANES).map(|l| moved(&hello.lanes[l], hello.boot, identity.shift).floor.boot());
            self.since = Pos::start(boots.min().unwrap_or(0));
        }
        let mut answers_lost = false;
        for lane in 0..LANES {
            let floor = moved(&hello.lanes[lane], hello.boot, identity.shift);
            let (_, missing) = self.subtract(lane, &floor, bug);
            answers_lost |= lane == CONTROL && !missing.is_empty() && bug != Some(Bug::AnswerAwaited);
            self.gaps.extend(missing.into_iter().map(|(a, b, c)| (lane, a, b, c)));
            self.marks[lane] = self.marks[lane].max(identity.marks[lane]);
        }
        self.superseded.retain(|t| *t != identity.tag);
        if self.tag != identity.tag && self.tag != 0 {
            self.superseded.insert(0, self.tag);
        }
        (self.boot, self.tag) = (identity.boot, identity.tag);
        let mut deliver = self.fate(hello, &identity, again, late, bug);
        if answers_lost && hello.begun > 0 && self.ticket.is_open() {
            // The answer may be among what the store has no longer.
            (self.ticket, deliver) = (Ticket::Unknown, false);
        }
        self.left_boot();
        Some((identity, deliver))
    }

    /// What a Hello says of the command (rules 43 to 45); whether it goes down.
    fn fate(
        &mut self,
        hello: &Hello,
        identity: &Identity,
        again: bool,
        late: bool,
        bug: Option<Bug>,
    ) -> bool {
        let begun = hello.begun > 0;
        let queued = if late { Ticket::Expired } else { Ticket::Queued };
        self.ticket = match self.ticket {
            // This store knows nothing of it any more.
            Ticket::None | Ticket::Queued if begun => Ticket::Unknown,
            Ticket::Queued => queued,
            Ticket::Sent(_) if identity.meeting == Meeting::Rebased && !again => Ticket::Unknown,
            Ticket::Sent(boot) if again && boot == identity.boot => {
                return !begun;
            }
            Ticket::Sent(_) if bug == Some(Bug::SentAgain) => queued,
            Ticket::Sent(_) if hello.remembers && !begun => queued,
            Ticket::Sent(boot) if boot >= identity.boot => return false,
            Ticket::Sent(_) => Ticket::Unknown,
            settled => settled,
        };
        self.ticket == Ticket::Queued
    }

    /// Once the lane of answers has left a boot, none can come out of it any more.
    fn left_boot(&mut self) {
        let boot = self.marks[CONTROL].next().boot();
        if matches!(self.ticket, Ticket::Sent(b) if b < boot) {
            self.ticket = Ticket::Unknown;
        }
    }

    /// Rule A.
    pub fn append(
        &mut self,
        lane: usize,
        first: Pos,
        items: &[Item],
        seen: Pos,
        bug: Option<Bug>,
    ) -> Appended {
        let mark = if bug == Some(Bug::StaleMark) { seen } else { self.marks[lane] };
        if first > mark.next() {
            return Appended { mark, rewind: true };
        }
        let mut done = Appended { mark, rewind: false };
        for (at, item) in (first.0..).map(Pos).zip(items) {
            if at <= done.mark && bug != Some(Bug::NoDedup) {
                continue;
            }
            self.rows.push((lane, at, *item));
            done.mark = at;
            if self.ticket.is_open() {
                match item {
                    Item::Done(_) => self.ticket = Ticket::Done,
                    Item::Expired(_) => self.ticket = Ticket::Expired,
                    Item::Reading(_) => {}
                }
            }
        }
        self.marks[lane] = done.mark;
        self.left_boot();
        done
    }

    /// The command is about to leave for this boot; whether it may.
    pub fn send(&mut self, boot: u8, late: bool, bug: Option<Bug>) -> bool {
        // A connection of an older boot is dead: nobody would ever hear what became of the command.
        let stands = self.boot <= boot || bug == Some(Bug::SentIntoOldBoot);
        if self.ticket == Ticket::Queued && stands {
            self.ticket = if late { Ticket::Expired } else { Ticket::Sent(boot) };
        }
        self.ticket == Ticket::Sent(boot)
    }

    /// The command's time ran out.
    pub fn expire(&mut self, bug: Option<Bug>) {
        if self.ticket == Ticket::Queued || bug == Some(Bug::ExpiredThoughSent) && self.ticket.is_open() {
            self.ticket = Ticket::Expired;
        }
    }
}

/// A floor as the wire's numbers will be after the shift.
fn moved(floor: &Floor, boot: u8, shift: u8) -> Floor {
    let mut f = *floor;
    if f.floor == Pos::NONE {
        f.floor = Pos::start(boot);
    }
    f.acked = f.acked.min(f.floor.prev());
    if shift != 0 {
        let same = f.acked != Pos::NONE && f.acked.boot() == f.floor.boot();
        f.acked = if same { f.acked.shifted(shift) } else { Pos::NONE };
        f.floor = f.floor.shifted(shift);
    }
    f
}

/// Gaps under construction: everything before `at` is explained.
struct Gaps {
    at: Pos,
    list: Missing,
}

impl Gaps {
    /// The part in the last boot is a gap of its own: it can be counted.
    fn counted(&mut self, last: Pos, cause: Cause) {
        let start = Pos::start(last.boot());
        if self.at < start {
            self.whole(start.prev(), cause);
        }
        self.whole(last, cause);
    }

    fn whole(&mut self, last: Pos, cause: Cause) {
        if self.at <= last {
            self.list.push((self.at, last, cause));
            self.at = last.next();
        }
    }
}
