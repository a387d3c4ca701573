//! Every position in exactly one place, every row as it was measured, every gap for a reason.

use super::*;
use sensock::Cause;
use sensock_store::{GapRow, ReadingRow};

/// Rows hold numbers of records; this is the quantity.
const NUMBER: u16 = 1;

impl Oracle {
    /// Holds the rows of a batch against what was recorded.
    pub(super) fn rows(&mut self, batch: &Batch, now: u64) {
        let mut last: Option<(LaneId, Position)> = None;
        for row in &batch.readings {
            if row.quantity != NUMBER {
                continue;
            }
            if let Some((lane, position)) = last
                && lane == row.lane
                && position >= row.position
            {
                self.violate(|| format!("{} {}: {} after {position}", lane.device, lane.lane, row.position));
            }
            last = Some((row.lane, row.position));
            if let Err(words) = self.row(row, now) {
                self.violate(|| format!("{} {} {}: {words}", row.lane.device, row.lane.lane, row.position));
            }
        }
        for row in batch.readings.iter().filter(|r| r.quantity != NUMBER) {
            let number = batch
                .readings
                .iter()
                .find(|r| r.quantity == NUMBER && r.position == row.position && r.lane == row.lane);
            let second = number.and_then(|r| self.recs.get(r.raw as usize - 1)).map(|r| r.second);
            if second.is_some_and(|s| s != row.raw) {
                self.violate(|| format!("{}: the second value is {}, not {second:?}", row.position, row.raw));
            }
        }
    }

    fn row(&mut self, row: &ReadingRow, now: u64) -> Result<(), String> {
        let number = row.raw as usize;
        let rec = *self.recs.get(number.wrapping_sub(1)).ok_or("nobody recorded this")?;
        let life = &self.lives[rec.life as usize];
        let same = (self.devices[life.device].id, rec.lane) == (row.lane.device, row.lane.lane);
        if !same
            || rec.n.is_some_and(|n| n != row.position.n())
            || !life.tainted && !life.wire.contains(&row.position.boot())
        {
            return Err(format!(
                "record {number} is {:?} of boots {:?} in lane {}",
                rec.n, life.wire, rec.lane
            ));
        }
        if row.catalog != life.catalog {
            return Err(format!(
                "measured under catalogue {:x}, stored under {:x}",
                life.catalog, row.catalog
            ));
        }
        // A flash that was rolled back brings old records again, above all that is stored.
        let rebased = life.wire.len() > 1 || life.tainted;
        match rec.fate {
            Fate::Stored(boot) if !rebased || boot == row.position.boot() => {
                return Err("stored twice".to_owned());
            }
            Fate::Gapped(_) if !rebased => return Err("stored, and in a gap".to_owned()),
            _ => {}
        }
        let (early, late) = self.skew(rec.true_us, now);
        let truth = rec.true_us as i64;
        let after = row.not_before_us.is_none_or(|t| t <= truth + late);
        if !after || truth + early > row.not_after_us {
            let (lo, hi) = (row.not_before_us.map(|t| t - truth), row.not_after_us - truth);
            return Err(format!("the true time is outside of its bounds: {lo:?} to {hi} us from it"));
        }
        if row.not_after_us < crate::world::BEGIN_US as i64 - 1_000_000_000 {
            return Err("stamped long before this began".to_owned());
        }
        self.fate(number as u32 - 1, Fate::Stored(row.position.boot()));
        Ok(())
    }

    /// How far clocks were off, at the most, while something was recorded and stored.
    fn skew(&self, from: u64, to: u64) -> (i64, i64) {
        let during = self.skews.iter().filter(|(begun, _, ended)| *begun <= to && from <= *ended);
        during.fold((0, 0), |(low, high), (_, skew, _)| (low.min(*skew), high.max(*skew)))
    }

    /// A mark moved: everything that it passed is in a row or in a gap of the same transaction.
    pub(super) fn moved(&mut self, device: usize, lane: Lane, mark: Position, batch: &Batch) {
        let id = self.devices[device].id;
        let old = self.devices[device].marks[lane.index()];
        if mark <= old {
            return self.violate(|| format!("{id} {lane}: the mark went from {old} to {mark}"));
        }
        self.devices[device].marks[lane.index()] = mark;
        let peak = &mut self.devices[device].peaks[lane.index()];
        *peak = (*peak).max(mark);
        let here = |l: &LaneId| (l.device, l.lane) == (id, lane);
        let mut end = old;
        let mut gaps: Vec<&GapRow> = batch.gaps.iter().filter(|g| here(&g.lane)).collect();
        gaps.sort_by_key(|g| g.first);
        for gap in gaps {
            if gap.first <= end || gap.last > mark || gap.last < gap.first {
                self.violate(|| format!("{id} {lane}: gap {}..{} beside {end}..{mark}", gap.first, gap.last));
            }
            end = gap.last;
            self.gap(device, lane, gap);
        }
        if let Some(row) =
            batch.readings.iter().find(|r| here(&r.lane) && (r.position <= old || r.position > mark))
        {
            self.violate(|| format!("{id} {lane}: row {} outside of {old}..{mark}", row.position));
        }
        if lane == Lane::Control {
            return;
        }
        for (life, rec) in self.within(device, lane, old.next(), mark) {
            let l = &self.lives[life as usize];
            if self.recs[rec as usize].fate == Fate::Waiting && !l.tainted && !l.forgotten && l.connected {
                let n = self.recs[rec as usize].n;
                self.violate(|| format!("{id} {lane}: record {n:?} (number {}) is lost silently: the mark went from {old} to {mark}", rec + 1));
            }
        }
    }

    /// Records whose positions lie from `first` to `last`.
    fn within(&self, device: usize, lane: Lane, first: Position, last: Position) -> Vec<(u32, u32)> {
        let mut found = vec![];
        for (boot, lives) in self.devices[device].lives.range(first.boot()..=last.boot()) {
            let from = if *boot == first.boot() { first.n() } else { 0 };
            let to = if *boot == last.boot() { last.n() } else { u32::MAX };
            for life in lives {
                let recs = &self.lives[*life as usize].recs[lane.index()];
                let end = recs.len().min((to as usize).saturating_add(1));
                found.extend(recs.get(from as usize..end).into_iter().flatten().map(|r| (*life, *r)));
            }
        }
        found
    }

    fn gap(&mut self, device: usize, lane: Lane, gap: &GapRow) {
        let id = self.devices[device].id;
        let at = format!("{id} {lane}: gap {}..{} {} {}", gap.first, gap.last, gap.cause, gap.detail);
        if gap.count.is_some_and(|n| n != gap.last.0 - gap.first.0 + 1) {
            self.violate(|| format!("{at} counts {:?}", gap.count));
        }
        let within = self.within(device, lane, gap.first, gap.last);
        if lane != Lane::Control && gap.cause == Cause::Rejected {
            // A frame is quarantined as a whole: the guilty record may stand behind a gap in it, and is named.
            let named =
                gap.detail.split("the value ").nth(1).and_then(|words| words.split(' ').next()?.parse().ok());
            let named = named.and_then(|number: usize| self.recs.get(number.checked_sub(1)?));
            let guilty =
                named.is_some_and(|r| r.poison && r.lane == lane && within.iter().any(|(l, _)| *l == r.life));
            let tainted = within.iter().any(|(l, _)| self.lives[*l as usize].tainted);
            // A board holds the words of the firmware that runs, and of none before: what an older one measured waits in quarantine if no
            // server has heard of that (a board may be welcomed, and gone before it said them), or the store has forgotten it.
            let wordless = gap.detail.starts_with("the catalogue")
                && within.iter().all(|(l, _)| {
                    let life = &self.lives[*l as usize];
                    let unsaid = !self.devices[device].catalogs.contains(&life.catalog);
                    !life.alive && (!life.connected || unsaid || self.restored_us.is_some())
                });
            if !guilty && !tainted && !wordless && !within.is_empty() {
                self.violate(|| format!("{at}: nothing in it is poison"));
            }
        }
        for (life, rec) in within {
            let (l, r) = (&self.lives[life as usize], self.recs[rec as usize]);
            let n = r.n.unwrap_or(0);
            let reason = match gap.cause {
                _ if l.tainted
                    || matches!(r.fate, Fate::Stored(b) if b != gap.first.boot() && l.wire.len() > 1) =>
                {
                    None
                }
                _ if matches!(r.fate, Fate::Stored(_)) => Some("is stored"),
                Cause::Power if l.alive => Some("is on a board that runs"),
                // What a restored store had acknowledged is gone from flash, and a later boot does not know of it.
                Cause::Power
                    if l.memory == Memory::Flash
                        && n < l.persisted[lane.index()]
                        && self.restored_us.is_none() =>
                {
                    Some("was persisted")
                }
                Cause::Overflow | Cause::Expired
                    // One that waits for flash makes a gap at its tail instead.
                    if l.alive
                        && l.policy != Policy::DropNewest
                        && l.memory != Memory::Flash
                        && n >= l.floor[lane.index()] =>
                {
                    Some("was not dropped")
                }
                Cause::Expired if !l.ttl => Some("never grows old"),
                Cause::Store if self.restored_us.is_none() => Some("was in no other store"),
                Cause::Flash => Some("was readable"),
                Cause::None => Some("has no cause"),
                _ => None,
            };
            if let Some(words) = reason {
                self.violate(|| format!("{at}: record {n} (number {}) {words}", rec + 1));
            }
            if !matches!(r.fate, Fate::Stored(_)) {
                self.fate(rec, Fate::Gapped(gap.first.boot()));
            }
        }
    }

    /// Everything is said and done: what waits now is lost. `gapped` says whether a position of a device lies in a gap.
    pub(crate) fn finish(&mut self, gapped: impl Fn(DeviceId, Lane, Position) -> bool) {
        for i in 0..self.recs.len() {
            let rec = self.recs[i];
            let life = &self.lives[rec.life as usize];
            let id = self.devices[life.device].id;
            // After its memory was rolled back, a board gave a number again, and lost power before a server heard of that.
            let lives = &self.devices[life.device].lives;
            let given_again =
                || life.wire.last().and_then(|boot| lives.get(boot)).is_some_and(|l| l.len() > 1);
            let unheard = !life.connected && (life.memory == Memory::None || !life.alive && given_again());
            let never = life.wire.is_empty() || life.forgotten || unheard;
            match rec.fate {
                Fate::Stored(_) => self.counts.stored += 1,
                Fate::Gapped(_) => self.counts.in_gaps += 1,
                Fate::Waiting if rec.n.is_none() => self.counts.superseded += 1,
                Fate::Waiting if life.tainted => self.counts.tainted += 1,
                Fate::Waiting if never => self.counts.unheard += 1,
                Fate::Waiting => {
                    let boot = life.wire.last().copied().unwrap_or(0);
                    let at = Position::new(boot, rec.n.unwrap_or(0));
                    let words = format!(
                        "{id} {}: {at} (number {}) is neither stored nor in a gap at the end; its board {}",
                        rec.lane,
                        i + 1,
                        if life.alive { "runs" } else { "is gone" }
                    );
                    if life.alive || !gapped(id, rec.lane, at) {
                        self.violate(|| words);
                    } else {
                        self.counts.in_gaps += 1;
                    }
                }
            }
        }
        if let Some(words) = self.commands.finish() {
            self.violate(|| words);
        }
        self.counts.commands = self.commands.counts();
    }
}
