//! What a floor means: the server subtracts, the device never counts.
//!
//! A device states the lowest position that it can still deliver. What lies between the stored mark and that floor will never come:
//! it becomes gaps, each with the cause that is known and a count where one is possible, or it is proven empty.
//!
//! ```text
//!     mark            acked            start of the floor's boot          floor
//!  ────┤ stored here   │                │                                  │ can be delivered
//!      ├───────────────┼────────────────┼──────────────────────────────────┤
//!      │ acknowledged, │ the tails of   │ the cause that the device states,│
//!      │ but not here: │ older boots    │ counted                          │
//!      │ store         │                │                                  │
//! ```

use sensock::wire::hello::LaneFloor;
use sensock::{Cause, Position};

/// What the store knows of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneState {
    /// Everything up to here is stored, lies in a gap or is proven empty.
    pub mark: Position,
    /// The last position of a boot that ended in order; [`Position::NONE`] if not known.
    pub ended: Position,
}

/// Positions that will never come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// First position.
    pub first: Position,
    /// Last position, inclusive.
    pub last: Position,
    /// Why.
    pub cause: Cause,
    /// How many records; `None` where a boot's end is not known.
    pub count: Option<u64>,
}

/// What a floor did to a lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subtracted {
    /// The new mark.
    pub mark: Position,
    /// What is missing, in order, without overlap.
    pub gaps: Vec<Missing>,
}

/// Subtracts a lane's floor (in wire positions) from what the store knows of it (rule F).
///
/// A floor at or below `mark + 1` changes nothing. Otherwise every position between the two is in exactly one gap, or proven empty by
/// the device's word: the end of a boot that a Bye named, or a device that remembers what was acknowledged and says that nothing was
/// dropped since.
pub fn subtract(state: LaneState, floor: &LaneFloor) -> Subtracted {
    let start = Position::boot_start(floor.floor.boot());
    let mut mark = state.mark;
    if mark == Position::NONE {
        // Nobody ever heard of this lane: what came before its boot is no loss, unless the device says that another store has it. Boots
        // count from 1.
        let first = if floor.acked == Position::NONE { start } else { Position::boot_start(1).min(start) };
        mark = first.prev();
    }
    if floor.floor <= mark.next() || sensock::planted!("floor-ignored") {
        return Subtracted { mark, gaps: Vec::new() };
    }
    let last = floor.floor.prev();
    let mut gaps = Gaps { at: mark.next(), list: Vec::new() };
    gaps.counted(floor.acked.min(last), Cause::Store);
    if gaps.at < start {
        if floor.acked != Position::NONE {
            // The device remembers where it stood: its word on what it dropped is good across boots.
            if floor.cause != Cause::None {
                gaps.unknown(start.prev(), floor.cause);
            }
        } else {
            let ended = state.ended;
            if ended >= mark && ended != Position::NONE && ended < start {
                gaps.counted(ended, Cause::Power);
                // A lane without a record in a boot stands right before that boot's start, hence `next`.
                let after = Position::boot_start(ended.next().boot().saturating_add(1));
                gaps.at = gaps.at.max(after.min(start));
            }
            if !sensock::planted!("tail-unsaid") {
                gaps.unknown(start.prev(), Cause::Power);
            }
        }
        gaps.at = gaps.at.max(start);
    }
    // Within a boot positions have no holes: without a stated cause they are missing all the same.
    gaps.counted(last, if floor.cause == Cause::None { Cause::Mixed } else { floor.cause });
    Subtracted { mark: last, gaps: gaps.list }
}

/// A device's floor as wire positions: moved by the shift of its boot numbers, and made sense of.
///
/// `boot` is the device's boot before the shift. A floor of [`Position::NONE`] is a lane that never held anything. What a device
/// remembers of acknowledgements in older boots belongs to another numbering once it is shifted, and is left out.
pub fn shifted(floor: &LaneFloor, boot: u32, shift: u32) -> LaneFloor {
    let mut f = *floor;
    if f.floor == Position::NONE {
        f.floor = Position::boot_start(boot);
    }
    f.floor = f.floor.min(Position::new(boot, u32::MAX));
    f.acked = f.acked.min(f.floor.prev());
    if shift != 0 {
        let same_boot = f.acked != Position::NONE && f.acked.boot() == f.floor.boot();
        f.acked = if same_boot { moved(f.acked, shift) } else { Position::NONE };
        f.floor = moved(f.floor, shift);
    }
    f
}

fn moved(position: Position, shift: u32) -> Position {
    Position::new(position.boot().saturating_add(shift), position.n())
}

/// Gaps under construction: everything before `at` is explained.
struct Gaps {
    at: Position,
    list: Vec<Missing>,
}

impl Gaps {
    /// Up to `last`; the part in the boot of `last` is counted, the part before it cannot be.
    fn counted(&mut self, last: Position, cause: Cause) {
        let start = Position::boot_start(last.boot());
        if self.at < start {
            self.unknown(start.prev(), cause);
        }
        if self.at <= last {
            let count = Some(last.0 - self.at.0 + 1 + u64::from(sensock::planted!("gap-miscounted")));
            self.list.push(Missing { first: self.at, last, cause, count });
            self.at = last.next();
        }
    }

    /// Up to `last`, and nobody knows how many records that was.
    fn unknown(&mut self, last: Position, cause: Cause) {
        if self.at <= last {
            self.list.push(Missing { first: self.at, last, cause, count: None });
            self.at = last.next();
        }
    }
}

#[cfg(test)]
mod tests;
