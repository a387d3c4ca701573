//! The Hello transaction: boot, tag, floors, connection, commands, in one.

use sensock::limits::TAGS_KEPT;
use sensock::wire::hello::LaneFloor;
use sensock::{Cause, Lane, StoreId, Tag, Tick};

use super::group::{Group, gap_row};
use crate::floor::{Missing, shifted};
use crate::identity::{judge, meet, subtract_floors};
use crate::rows::*;
use crate::store::Resume;
use crate::work::{HelloDone, HelloWork, Identity, Meeting, Refuse, Verdict};

impl Group<'_> {
    /// Judges again under lock; writes only if the store still says what Welcome said.
    pub(super) fn hello(&mut self, work: &HelloWork) -> Result<HelloDone, Refuse> {
        let (hello, now_us) = (&work.hello, work.now_us);
        let device = hello.device;
        let resume = self.device(device).clone();
        let (identity, again) = confirm(&resume, work)?;
        let gaps = gaps(&resume, work, &identity);
        for lane in Lane::ALL {
            let id = LaneId { device, lane };
            self.advance(id, identity.marks[lane.index()]);
            if resume.ended[lane.index()] != sensock::Position::NONE {
                // It is there again: what its Bye named is not the end any more.
                self.put_ended(id, sensock::Position::NONE);
            }
        }
        self.inserts.gaps.extend_from_slice(&gaps);
        self.put_device(device_row(&resume, work, &identity));
        self.put_boot(boot_row(&resume, work, &identity));
        self.put_connection(work.connection.clone());
        if let Some(anchor) = work.anchor {
            self.inserts.anchors.push(anchor);
            self.device(device).anchors.push(anchor);
        }
        let control = LaneId { device, lane: Lane::Control };
        let mark = self.mark(control);
        // Answers are never dropped: a hole that no dead boot explains is one in the store.
        let answers_lost = gaps.iter().any(|g| g.lane == control && g.cause != Cause::Power);
        let (mut settled, deliver) = self.commands_at_hello(work, &identity, again, mark, answers_lost);
        settled.extend(self.control_moved(control, now_us));
        let settings = self.settings_at_hello(hello, identity.meeting);
        Ok(HelloDone { identity, gaps, settled, deliver, settings })
    }
}

/// The identity, if it is still what was proposed, and whether this boot has said hello before. Marks may have moved on meanwhile: what
/// comes below them is dropped as known.
fn confirm(resume: &Resume, work: &HelloWork) -> Result<(Identity, bool), Refuse> {
    let proposed = &work.proposed;
    let again = proposed.tag != Tag::NONE
        && resume.device.as_ref().is_some_and(|d| (d.boot, d.tag) == (proposed.boot, proposed.tag));
    let identity = if again {
        // The same boot, or this very work run again because nobody knew whether it was committed.
        meet(resume, &work.hello, proposed.meeting, proposed.shift, proposed.tag)
    } else {
        match judge(resume, &work.hello, proposed.tag) {
            Verdict::Welcome(identity) => identity,
            Verdict::Collision => return Err(Refuse::Collision),
        }
    };
    let who = |i: &Identity| (i.boot, i.shift, i.tag, i.meeting);
    let behind = identity.marks.iter().zip(&proposed.marks).any(|(now, then)| now < then);
    if who(&identity) != who(proposed) || behind { Err(Refuse::Busy) } else { Ok((identity, again)) }
}

fn gaps(resume: &Resume, work: &HelloWork, identity: &Identity) -> Vec<GapRow> {
    let boot = work.hello.boot.unwrap_or(0);
    let subtracted = subtract_floors(resume, &work.hello, identity.shift);
    let mut rows = Vec::new();
    for (lane, subtracted) in Lane::ALL.into_iter().zip(subtracted) {
        let floor = shifted(&work.hello.lanes[lane.index()], boot, identity.shift);
        for missing in subtracted.gaps {
            let id = LaneId { device: work.hello.device, lane };
            let mut row = gap_row(id, (missing.first, missing.last), missing.cause, work.now_us);
            row.count = missing.count;
            (row.not_before_us, row.not_after_us) = between(resume, work, identity, &floor, &missing);
            if missing.cause == Cause::Store {
                row.detail = acknowledged_by(work.hello.store, work.store);
            }
            rows.push(row);
        }
    }
    rows
}

/// Bounds of the time of what is missing.
fn between(
    resume: &Resume,
    work: &HelloWork,
    identity: &Identity,
    floor: &LaneFloor,
    missing: &Missing,
) -> (Option<i64>, Option<i64>) {
    let not_later = |t: Option<i64>| Some(t.map_or(work.now_us, |t| t.min(work.now_us)));
    if missing.first.boot() < identity.boot {
        let boot = resume.boots.iter().find(|b| b.boot == missing.first.boot());
        let before_this_boot = missing.last.boot() < identity.boot;
        let end = if before_this_boot { work.started.1 } else { None };
        return (boot.and_then(|b| b.started.0), not_later(end));
    }
    let at = |start: Option<i64>, tick: Tick| {
        start.map(|s| s.saturating_add(i64::try_from(tick.0).unwrap_or(i64::MAX).saturating_mul(1000)))
    };
    match floor.span {
        Some((first, last)) if missing.cause != Cause::Store => {
            (at(work.started.0, first), not_later(at(work.started.1, last)))
        }
        _ => (work.started.0, Some(work.now_us)),
    }
}

fn acknowledged_by(theirs: StoreId, ours: StoreId) -> String {
    if theirs == StoreId::default() {
        "acknowledged by a store that the device did not name".to_owned()
    } else if theirs == ours {
        format!(
            "acknowledged by this store ({:016x}), which has them no longer: was it restored from a backup?",
            ours.0
        )
    } else {
        format!("acknowledged by store {:016x}; this is store {:016x}", theirs.0, ours.0)
    }
}

fn device_row(resume: &Resume, work: &HelloWork, identity: &Identity) -> DeviceRow {
    let mut superseded: Vec<Tag> = resume.device.iter().flat_map(|d| d.superseded.iter().copied()).collect();
    let (_, old) = resume.boot_and_tag();
    superseded.retain(|&t| t != identity.tag);
    if old != identity.tag && old != Tag::NONE {
        superseded.insert(0, old);
    }
    superseded.truncate(TAGS_KEPT);
    DeviceRow {
        device: work.hello.device,
        boot: identity.boot,
        tag: identity.tag,
        superseded,
        catalog: work.hello.catalog,
    }
}

fn boot_row(resume: &Resume, work: &HelloWork, identity: &Identity) -> BootRow {
    let hello = &work.hello;
    let row = BootRow {
        device: hello.device,
        boot: identity.boot,
        tag: identity.tag,
        catalog: hello.catalog,
        firmware: work.firmware.clone(),
        seen_us: work.now_us,
        started: work.started,
        last_tick: hello.tick,
        account: hello.account,
        rebased_by: if identity.meeting == Meeting::Rebased { identity.shift } else { 0 },
    };
    let Some(held) = resume.boots.iter().find(|b| b.boot == row.boot && b.tag == row.tag) else { return row };
    BootRow {
        firmware: if row.firmware.is_empty() { held.firmware.clone() } else { row.firmware },
        seen_us: held.seen_us,
        started: tighter(held.started, row.started),
        last_tick: held.last_tick.max(row.last_tick),
        rebased_by: held.rebased_by,
        ..row
    }
}

/// Both bounds hold, so what lies within both. If nothing does, a clock was wrong, and only their union is honest.
fn tighter(a: (Option<i64>, Option<i64>), b: (Option<i64>, Option<i64>)) -> (Option<i64>, Option<i64>) {
    let low = a.0.max(b.0);
    let high = match (a.1, b.1) {
        (Some(x), Some(y)) => Some(x.min(y)),
        (x, y) => x.or(y),
    };
    match (low, high) {
        (Some(l), Some(h)) if l > h => (a.0.min(b.0), a.1.max(b.1)),
        bounds => bounds,
    }
}
