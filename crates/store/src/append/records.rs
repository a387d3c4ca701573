//! Records and floors: what is new is taken, what was stored is dropped, what does not follow is asked for again.

use sensock::{Cause, Position};

use super::group::{Group, gap_row};
use crate::floor::{LaneState, Subtracted, subtract};
use crate::rows::*;
use crate::work::{Appended, Applied, FloorWork, RecordsWork, Step};

impl Step {
    /// First and last position that the step holds; empty if the last is below the first.
    pub(super) fn range(&self) -> (Position, Position) {
        match *self {
            Step::Records { first, count } => (first, first.plus(count.into()).prev()),
            Step::Gap { first, last, .. } | Step::Quarantine { first, last, .. } => (first, last),
            Step::Boot { after, boot, .. } => (after.next(), Position::boot_start(boot).prev()),
        }
    }
}

impl<'w> Group<'w> {
    /// Appends records to a lane (rule A), which is likely to be at this place.
    pub(super) fn records(&mut self, work: &'w RecordsWork, place: usize) -> Appended {
        let lane = work.lane;
        let held = self.lanes.near(place, &lane);
        let mark = held.mark;
        if held.stopped || !follows(mark, &work.steps) {
            // A later work of this group must not slip into the place of this one.
            held.stopped = true;
            return Appended { before: mark, mark, rewind: true, ..Appended::default() };
        }
        let mut done = Appended { before: mark, mark, ..Appended::default() };
        for step in &work.steps {
            self.step(work, step, &mut done);
        }
        if done.mark > mark {
            let new = work.readings.partition_point(|r| r.position <= mark && !sensock::planted!("no-dedup"));
            let held = self.lanes.near(place, &lane);
            (held.mark, held.moved) = (done.mark, true);
            held.write(&work.readings[new..]);
            self.inserts.anchors.extend_from_slice(&work.anchors);
            for reply in work.replies.iter().filter(|r| r.position > mark) {
                done.settled.extend(self.answer(lane.device, reply, work.now_us));
            }
            for applied in work.applied.iter().filter(|a| a.position > mark) {
                done.applied.extend(self.applied(lane, applied, work.now_us));
            }
            done.settled.extend(self.control_moved(lane, work.now_us));
        }
        done
    }

    fn step(&mut self, work: &RecordsWork, step: &Step, done: &mut Appended) {
        let (first, last) = step.range();
        if let Step::Records { .. } = step {
            let known = if last < first {
                0
            } else {
                done.mark.min(last).0.saturating_sub(first.0.saturating_sub(1))
            };
            done.duplicates += known;
        }
        if last <= done.mark || last < first {
            return;
        }
        let range = (done.mark.next().max(first), last);
        let gap = |cause| gap_row(work.lane, range, cause, work.now_us);
        let gap = match step {
            Step::Records { .. } => {
                done.stored += last.0 - range.0.0 + 1;
                None
            }
            Step::Gap { cause, between_us, .. } => {
                let (not_before_us, not_after_us) = *between_us;
                Some(GapRow {
                    not_before_us,
                    not_after_us: not_after_us.or(Some(work.now_us)),
                    ..gap(*cause)
                })
            }
            Step::Boot { complete: true, .. } => None,
            Step::Boot { complete: false, .. } => Some(GapRow { count: None, ..gap(Cause::Power) }),
            Step::Quarantine { reason, raw, .. } => {
                self.inserts.quarantine.push(QuarantineRow {
                    lane: work.lane,
                    first: range.0,
                    last,
                    reason: reason.clone(),
                    raw: raw.clone(),
                    written_us: work.now_us,
                });
                Some(GapRow { detail: reason.clone(), ..gap(Cause::Rejected) })
            }
        };
        if let Some(gap) = gap {
            self.inserts.gaps.push(gap.clone());
            done.gaps.push(gap);
        }
        done.mark = last;
    }

    /// A floor that rose while connected (rule F).
    pub(super) fn floor(&mut self, work: &FloorWork) -> Appended {
        let (lane, now_us) = (work.lane, work.now_us);
        let ended = self.device(lane.device).ended[lane.lane.index()];
        let state = LaneState { mark: self.mark(lane), ended };
        let Subtracted { mark, gaps } = subtract(state, &work.floor);
        let mut done = Appended { before: state.mark, mark, ..Appended::default() };
        for missing in gaps {
            let mut gap = gap_row(lane, (missing.first, missing.last), missing.cause, now_us);
            gap.count = missing.count;
            if missing.last.next() == work.floor.floor && missing.cause != Cause::Store {
                gap.not_before_us = work.between_us.0;
                gap.not_after_us = work.between_us.1.or(Some(now_us));
            }
            self.inserts.gaps.push(gap.clone());
            done.gaps.push(gap);
        }
        self.advance(lane, mark);
        done.settled = self.control_moved(lane, now_us);
        done
    }

    /// A setting was applied or refused; one that a newer value replaced is nobody's concern any more.
    fn applied(&mut self, lane: LaneId, applied: &Applied, now_us: i64) -> Option<SettingRow> {
        let settings = &self.device(lane.device).settings;
        let mut row = settings.iter().find(|s| s.revision == applied.revision)?.clone();
        row.refused = applied.refused;
        row.applied_us = applied.refused.is_none().then_some(now_us);
        self.put_setting(row.clone());
        Some(row)
    }
}

/// Whether the steps, from the first one that holds something new, follow the mark without a hole.
fn follows(mark: Position, steps: &[Step]) -> bool {
    let mut at = mark;
    for (first, last) in steps.iter().map(Step::range).filter(|(first, last)| first <= last) {
        if last <= at {
            continue;
        }
        if first > at.next() {
            return false;
        }
        at = last;
    }
    true
}
