//! The promises, as properties of one state.

use crate::position::{LANES, Pos};
use crate::state::{Item, State};
use crate::store::{Cause, Ticket};

impl State {
    /// Promise 1: what was accepted is, up to the mark, in exactly one row or exactly one gap; beyond the mark in none.
    pub fn stored_once(&self) -> bool {
        let store = &self.store;
        let accepted = self.truth.accepted.iter().all(|a| {
            let at = a.local.shifted(self.truth.lives[a.life as usize].0);
            let rows = store.rows.iter().filter(|r| (r.0, r.2) == (a.lane, a.item)).count();
            let gaps = store.gaps.iter().filter(|g| g.0 == a.lane && (g.1..=g.2).contains(&at)).count();
            // What a device measured before it ever met this store, in a boot that died, is no affair of the store.
            let met = at >= store.since && store.boot > 0;
            if self.is_forgotten(a.life) {
                return true;
            }
            let due = at <= store.marks[a.lane] && met && self.is_known(a.life);
            if due { rows + gaps == 1 } else { rows == 0 }
        });
        accepted && self.rows_in_order() && self.gaps_apart()
    }

    /// A life that no store ever heard of is known to nobody if the board kept nothing of it; and until its Hello transaction stands, its
    /// positions may still move.
    fn is_known(&self, life: u8) -> bool {
        self.device.memory && !self.truth.rolled || self.truth.lives[life as usize].1
    }

    /// Both the store and the board have forgotten a life.
    fn is_forgotten(&self, life: u8) -> bool {
        let own = life as usize + 1 == self.truth.lives.len();
        self.truth.restored && (self.truth.rolled || !self.device.memory) && !own
    }

    /// Rows are written in the order of their positions, and positions in the order of their readings.
    fn rows_in_order(&self) -> bool {
        (0..LANES).all(|lane| {
            let rows: Vec<(Pos, Item)> =
                self.store.rows.iter().filter(|r| r.0 == lane).map(|r| (r.1, r.2)).collect();
            rows.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1)
        })
    }

    /// No position is in two gaps, none of a gap lies beyond the mark, and no row lies in a gap.
    fn gaps_apart(&self) -> bool {
        let (gaps, rows) = (&self.store.gaps, &self.store.rows);
        (0..LANES).all(|lane| {
            let of: Vec<_> = gaps.iter().filter(|g| g.0 == lane).collect();
            of.windows(2).all(|w| w[0].2 < w[1].1)
                && of.iter().all(|g| g.1 <= g.2 && g.2 <= self.store.marks[lane])
                && of.iter().all(|g| !rows.iter().any(|r| r.0 == lane && (g.1..=g.2).contains(&r.1)))
        })
    }

    /// Promise 2: what the device let go of was committed.
    pub fn acked_is_committed(&self) -> bool {
        self.truth.accepted.iter().all(|a| !a.freed || a.committed)
    }

    /// A gap says the truth about its cause.
    pub fn causes_are_true(&self) -> bool {
        self.store.gaps.iter().all(|g| {
            let inside = |a: &&crate::state::Accepted| {
                let at = a.local.shifted(self.truth.lives[a.life as usize].0);
                a.lane == g.0 && (g.1..=g.2).contains(&at)
            };
            let mut lost = self.truth.accepted.iter().filter(inside);
            match g.3 {
                Cause::Store => self.truth.restored,
                Cause::Power => self.truth.lives.len() > 1,
                Cause::Dropped => lost.any(|a| a.dropped),
                // Position 0 of a board without a number reads as "nothing acknowledged".
                Cause::Mixed => !self.device.memory,
            }
        })
    }

    /// Promise 9: at most once, and what the caller is told is true.
    pub fn commands_are_honest(&self) -> bool {
        let ran = self.truth.ran;
        if self.truth.restored {
            // The rows say what the backup knew; and a board that keeps nothing may be sent again what was forgotten.
            return ran <= 1 || !self.device.memory;
        }
        let told = match self.store.ticket {
            Ticket::Done => ran == 1,
            Ticket::Expired | Ticket::Undeliverable => ran == 0,
            _ => true,
        };
        ran <= 1 && told
    }

    /// Nobody saw what the protocol forbids, and one device was never taken for two.
    pub fn is_orderly(&self) -> bool {
        !self.truth.broken && !self.truth.collided
    }

    /// Promise 5, in a state in which nothing goes on by itself: the device is connected, everything that it accepted is stored or
    /// explained, and the command's fate is known.
    pub fn is_settled(&self) -> bool {
        let live = self.device.link.as_ref().is_some_and(|l| l.confirmed);
        let explained = self.truth.accepted.iter().all(|a| {
            let at = a.local.shifted(self.truth.lives[a.life as usize].0);
            let own = a.life as usize + 1 == self.truth.lives.len();
            at <= self.store.marks[a.lane] || !own && !self.is_known(a.life) || self.is_forgotten(a.life)
        });
        live && explained && self.is_drained() && !self.store.ticket.is_open()
    }
}
