//! What the flash task, the runner and the application leave for each other.

use core::task::Waker;

use sensock::device::Supply;
use sensock::wire::flow::{Boots, OldBoot};
use sensock::{Lane, Position};

/// Bytes of items that are handed over at once.
pub(super) const STAGE: usize = 512;
/// Boots with records in flash that can be told apart.
pub(super) const BOOTS: usize = 16;

/// The runner wants items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub lane: Lane,
    pub from: Position,
    /// How many bytes it has room for.
    pub room: usize,
    /// Of which connection.
    pub generation: u32,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Stand {
    pub waker: Option<Waker>,
    pub request: Option<Request>,
    pub answer: Option<(Request, Option<Supply>)>,
    pub staging: [u8; STAGE],
    pub boots: OldBoots,
}

impl Stand {
    pub(crate) const fn new() -> Self {
        Self { waker: None, request: None, answer: None, staging: [0; STAGE], boots: OldBoots::new() }
    }

    /// A connection begins: what the one before asked for is of no use to it.
    pub(crate) fn forget_request(&mut self) {
        (self.request, self.answer) = (None, None);
    }
}

/// Boots before this one whose records lie in flash, ascending.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OldBoots {
    list: [OldBoot; BOOTS],
    len: usize,
    /// Boots up to this one were moved by a server, before this boot began.
    moved: u32,
}

impl OldBoots {
    pub(crate) const fn new() -> Self {
        Self { list: [OldBoot { boot: 0, catalog: 0, last_tick: sensock::Tick(0) }; BOOTS], len: 0, moved: 0 }
    }

    /// Notes that a server moved this boot above what was stored.
    pub(super) fn note_moved(&mut self, boot: u32) {
        self.moved = self.moved.max(boot);
    }

    /// Notes a boot. Of more than fit the oldest is forgotten: it is bounded by its neighbours, and under the catalogue that the server
    /// last knew.
    pub(super) fn note(&mut self, boot: OldBoot) {
        let list = &mut self.list[..self.len];
        match list.binary_search_by_key(&boot.boot, |b| b.boot) {
            Ok(at) => list[at].last_tick = list[at].last_tick.max(boot.last_tick),
            Err(at) if self.len < BOOTS => {
                self.list.copy_within(at..self.len, at + 1);
                self.list[at] = boot;
                self.len += 1;
            }
            Err(0) => {}
            Err(at) => {
                self.list.copy_within(1..at, 0);
                self.list[at - 1] = boot;
            }
        }
    }

    /// The first boots from `lowest` on, as one frame announces them: `shift` is what was added to boot numbers in this boot.
    pub(crate) fn announce(&self, lowest: u32, shift: u32) -> Boots {
        let mut boots = Boots::default();
        for old in self.list[..self.len].iter().filter(|b| b.boot >= lowest) {
            if !boots.push(OldBoot { boot: old.boot.saturating_add(shift), ..*old }) {
                break;
            }
        }
        // What was shifted in this boot is all that was there when it began.
        boots.moved_up_to(if shift > 0 { u32::MAX } else { self.moved });
        boots
    }

    /// Whether this boot is among those that can be announced.
    pub(crate) fn has(&self, boot: u32) -> bool {
        self.list[..self.len].iter().any(|b| b.boot == boot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::Tick;

    #[test]
    fn the_newest_boots_are_known_and_the_oldest_announced_first() {
        let mut boots = OldBoots::new();
        for boot in [5, 3, 30, 4, 3] {
            boots.note(OldBoot { boot, catalog: 1, last_tick: Tick(boot.into()) });
        }
        boots.note(OldBoot { boot: 3, catalog: 1, last_tick: Tick(90) });
        let told = boots.announce(0, 100);
        let told: [(u32, u64); 4] =
            core::array::from_fn(|i| (told.as_slice()[i].boot, told.as_slice()[i].last_tick.0));
        assert_eq!(told, [(103, 90), (104, 4), (105, 5), (130, 30)]);
        for boot in 6..30 {
            boots.note(OldBoot { boot, catalog: 1, last_tick: Tick(0) });
        }
        boots.note_moved(16);
        boots.note_moved(4);
        assert_eq!((boots.announce(0, 0).moved().len(), boots.announce(17, 0).moved().len()), (2, 0));
        assert_eq!(boots.announce(0, 1).moved().len(), 8, "all that is there was shifted");
        assert_eq!(boots.announce(0, 0).as_slice()[0].boot, 15);
        assert_eq!(boots.announce(25, 0).as_slice().len(), 6);
        assert!(boots.has(30) && !boots.has(5));
    }
}
