//! The device: an outbox in memory, what it keeps without power, and its end of one connection.

use crate::position::{CONTROL, LANES, Pos, READINGS};
use crate::scope::Bug;
use crate::state::{Accepted, Down, Floor, Hello, Item, Truth, Up};

/// One lane of the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lane {
    /// The number of the first item that it holds.
    pub first: u8,
    /// The items.
    pub items: Vec<Item>,
    /// The highest acknowledged, in local numbers.
    pub acked: Pos,
    /// It dropped some since then.
    pub dropped: bool,
    /// Below this number everything was framed or stated as dropped.
    pub framed: u8,
}

impl Lane {
    fn next(&self) -> u8 {
        self.first + self.items.len() as u8
    }
}

/// One lane of a connection, as the device sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Way {
    /// What the server expects next, on the wire.
    pub expect: Pos,
    /// What it acknowledged.
    pub acked: Pos,
    /// A frame was sent that the next one may refer to.
    pub followed: bool,
}

impl Way {
    fn aim(&mut self, to: Pos) {
        (self.expect, self.followed) = (to, false);
    }
}

/// One connection, as the device sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// Its number.
    pub conn: u8,
    /// Welcome came.
    pub live: bool,
    /// The proof is due.
    pub proof: bool,
    /// The server confirmed it.
    pub confirmed: bool,
    /// The tag that Welcome proposed.
    pub tag: u8,
    /// Its lanes.
    pub lanes: [Way; LANES],
}

/// The device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Device {
    /// Whether it keeps anything without power.
    pub memory: bool,
    /// Kept: the boot number, what was added to it, the last begun command.
    pub kept: (u8, u8, u8),
    /// Its boot in its own numbers; 0 if it has no memory of one.
    pub boot: u8,
    /// What is added on the wire.
    pub shift: u8,
    /// The tag that a server confirmed.
    pub tag: u8,
    /// The tag that the last Welcome proposed.
    pub pending: u8,
    /// The outbox.
    pub lanes: [Lane; LANES],
    /// The last begun command.
    pub begun: u8,
    /// The connection, if there is one.
    pub link: Option<Link>,
}

impl Device {
    /// Power comes back. With `rolled` the memory is that of the boot before.
    pub fn boot(&mut self, rolled: bool, truth: &mut Truth) {
        let (memory, mut kept) = (self.memory, self.kept);
        if memory {
            kept.0 = if rolled { kept.0 } else { kept.0 + 1 };
        }
        *self = Device { memory, kept, ..Device::default() };
        if memory {
            self.boot = kept.0 + kept.1;
            self.begun = kept.2;
        }
        truth.lives.push((0, false));
        truth.rolled |= rolled;
    }

    fn local(&self, n: u8) -> Pos {
        Pos::new(self.boot, n)
    }

    fn floor(&self, lane: usize) -> Floor {
        let q = &self.lanes[lane];
        let floor = self.local(q.first);
        let dropped = q.dropped && floor > q.acked.next();
        let acked =
            if q.acked < floor && q.acked != Pos::NONE { q.acked.shifted(self.shift) } else { Pos::NONE };
        Floor { floor: floor.shifted(self.shift), acked, dropped }
    }

    fn note_framed(&mut self, lane: usize, next: Pos) {
        let local = next.unshifted(self.shift);
        let framed = if local.boot() > self.boot { u8::MAX } else { local.n() };
        if local.boot() >= self.boot {
            self.lanes[lane].framed = self.lanes[lane].framed.max(framed);
        }
    }

    fn was_framed(&self, lane: usize, mark: Pos) -> bool {
        mark.unshifted(self.shift) < self.local(self.lanes[lane].framed)
    }

    /// What it says first on a connection.
    pub fn dial(&mut self, conn: u8, life: u8) -> Up {
        let mut lanes = [Floor::default(); LANES];
        for (lane, said) in lanes.iter_mut().enumerate() {
            *said = self.floor(lane);
            self.note_framed(lane, said.floor);
        }
        let ways = [Way::default(); LANES];
        self.link = Some(Link { conn, live: false, proof: false, confirmed: false, tag: 0, lanes: ways });
        Up::Hello(Hello {
            boot: self.boot + self.shift,
            tag: self.tag,
            pending: self.pending,
            lanes,
            begun: self.begun,
            remembers: self.memory,
            life,
        })
    }

    /// Takes an item into the outbox.
    pub fn accept(&mut self, lane: usize, item: Item, truth: &mut Truth) {
        let local = self.local(self.lanes[lane].next());
        self.lanes[lane].items.push(item);
        let life = truth.lives.len() as u8 - 1;
        let new = Accepted { lane, local, life, item, committed: false, freed: false, dropped: false };
        truth.accepted.push(new);
    }

    /// Drops the oldest reading.
    pub fn drop_oldest(&mut self, truth: &mut Truth) {
        let (local, q) = (self.local(self.lanes[READINGS].first), &mut self.lanes[READINGS]);
        q.items.remove(0);
        (q.first, q.dropped) = (q.first + 1, true);
        own(truth, READINGS, |a| a.dropped |= a.local == local);
    }

    /// Lets go of everything up to this wire position.
    fn free_to(&mut self, lane: usize, mark: Pos, truth: &mut Truth, bug: Option<Bug>) {
        let local = mark.unshifted(self.shift);
        if mark == Pos::NONE || mark.boot() < self.shift || local < self.lanes[lane].acked {
            return;
        }
        if local.boot() != self.boot {
            return;
        }
        let q = &mut self.lanes[lane];
        let end = local.n().saturating_add(1).min(q.next());
        if end > 0 {
            q.acked = Pos::new(local.boot(), end - 1);
        }
        while q.first < end {
            q.items.remove(0);
            q.first += 1;
        }
        let forgets = bug == Some(Bug::CauseForgotten) && q.items.is_empty();
        if q.acked.next() >= Pos::new(self.boot, q.first) || forgets {
            q.dropped = false;
        }
        let acked = q.acked;
        own(truth, lane, |a| a.freed |= end > 0 && a.local <= acked && !a.dropped);
    }

    /// Takes a frame. `false` if the server broke the protocol.
    pub fn frame(&mut self, frame: Down, late: bool, truth: &mut Truth, bug: Option<Bug>) -> bool {
        let Some(mut link) = self.link.take() else { return true };
        let fine = self.on(&mut link, frame, late, truth, bug);
        self.link = Some(link);
        fine
    }

    fn on(&mut self, link: &mut Link, frame: Down, late: bool, truth: &mut Truth, bug: Option<Bug>) -> bool {
        match frame {
            Down::Welcome { shift, tag, marks } => {
                self.shift += shift;
                if self.memory {
                    self.kept.1 += shift;
                }
                if let Some(life) = truth.lives.last_mut() {
                    life.0 = self.shift;
                }
                if self.tag != tag {
                    self.pending = tag;
                }
                if (0..LANES).any(|l| {
                    marks[l].boot() >= self.shift && marks[l] != Pos::NONE && !self.was_framed(l, marks[l])
                }) {
                    return false;
                }
                for (lane, mark) in marks.into_iter().enumerate() {
                    if mark >= self.floor(lane).floor || bug == Some(Bug::WelcomeIsFinal) {
                        self.free_to(lane, mark, truth, bug);
                    }
                    link.lanes[lane] = Way { expect: mark.next(), acked: mark, followed: false };
                }
                (link.live, link.proof, link.tag) = (true, true, tag);
            }
            Down::Confirmed => self.confirm(link, truth, bug),
            Down::Ack(lane, mark) => {
                if !self.was_framed(lane, mark) {
                    return false;
                }
                link.lanes[lane].acked = mark;
                self.free_to(lane, mark, truth, bug);
                if mark >= link.lanes[lane].expect {
                    link.lanes[lane].aim(mark.next());
                }
                self.confirm(link, truth, bug);
            }
            Down::Rewind(lane, to) => {
                if to <= link.lanes[lane].acked || !self.was_framed(lane, to.prev()) {
                    return false;
                }
                link.lanes[lane].aim(to);
            }
            // It ran, or its answer, that it came too late, is on its way.
            Down::Call if self.begun > 0 || !self.lanes[CONTROL].items.is_empty() => {}
            Down::Call if late => {
                let told = self.lanes[CONTROL].next();
                self.accept(CONTROL, Item::Expired(told), truth);
            }
            Down::Call => {
                self.begun = 1;
                if self.memory && bug != Some(Bug::BegunTooLate) {
                    self.kept.2 = 1;
                }
                truth.ran += 1;
                self.accept(CONTROL, Item::Done(truth.ran), truth);
            }
        }
        true
    }

    /// A frame that only a confirmed session gets.
    fn confirm(&mut self, link: &mut Link, truth: &mut Truth, bug: Option<Bug>) {
        if !std::mem::replace(&mut link.confirmed, true) {
            (self.tag, self.pending, link.tag) = (link.tag, 0, 0);
            for lane in 0..LANES {
                self.free_to(lane, link.lanes[lane].acked, truth, bug);
            }
        }
    }

    /// Frames that are due.
    pub fn frames(&mut self) -> Vec<Up> {
        let live = |l: &mut Link| l.live;
        let Some(mut link) = self.link.take_if(live) else { return Vec::new() };
        let mut frames = Vec::new();
        if std::mem::take(&mut link.proof) {
            frames.push(Up::Proof);
        }
        for lane in 0..LANES {
            let (floor, way) = (self.floor(lane), &mut link.lanes[lane]);
            if floor.floor > way.expect {
                self.note_framed(lane, floor.floor);
                way.aim(floor.floor);
                frames.push(Up::Floor(lane, floor));
            }
            let (q, end) = (&self.lanes[lane], self.local(self.lanes[lane].next()).shifted(self.shift));
            if way.expect < end {
                let from = (way.expect.unshifted(self.shift).n() - q.first) as usize;
                // Answers stand by themselves; a reading refers to the tick of the one before.
                let alone = lane == CONTROL || !way.followed;
                frames.push(Up::Data(lane, way.expect, q.items[from..].to_vec(), alone));
                (way.expect, way.followed) = (end, true);
                self.note_framed(lane, end);
            }
        }
        self.link = Some(link);
        frames
    }
}

/// What this life of the device accepted in a lane.
fn own(truth: &mut Truth, lane: usize, f: impl FnMut(&mut Accepted)) {
    let life = truth.lives.len() as u8 - 1;
    truth.accepted.iter_mut().filter(|a| a.lane == lane && a.life == life).for_each(f);
}
