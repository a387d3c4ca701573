//! What a board held, once it holds nothing any more: also what its memory brought again when it was rolled back.

use sensock::Lane;

use super::{Fate, Oracle};
use crate::board::flash::Flash;

impl Oracle {
    /// The memory of the board is from now on what it was some time ago, with this flash: whatever the records in it are numbered by then, those
    /// that are not stored are not lost.
    pub(crate) fn rolled_back(&mut self, device: usize, flash: &Flash) {
        self.doubled(device);
        for lane in [Lane::Alarm, Lane::Readings] {
            for (life, numbers) in flash.holds(lane) {
                let recs = &self.lives[life as usize].recs[lane.index()];
                let held = recs.iter().take(numbers.end as usize).skip(numbers.start as usize);
                let waiting = held.filter(|rec| self.recs[**rec as usize].fate == Fate::Waiting);
                self.again.extend(waiting.map(|rec| (device, *rec)));
            }
        }
    }

    /// The board holds nothing of a lane any more: whatever its memory was exchanged for, all that it held is stored, in a gap, or was given up by
    /// itself.
    pub(crate) fn drained(&mut self, life: u32, lane: Lane) {
        if lane == Lane::Control {
            return;
        }
        let l = &mut self.lives[life as usize];
        let (device, floor) = (l.device, l.floor[lane.index()]);
        let from = std::mem::replace(&mut l.drained[lane.index()], l.recs[lane.index()].len());
        let own = self.lives[life as usize].recs[lane.index()].iter().skip(from.max(floor as usize)).copied();
        let again =
            self.again.extract_if(.., |(of, rec)| *of == device && self.recs[*rec as usize].lane == lane);
        let again: Vec<u32> = again.map(|(_, rec)| rec).collect();
        self.counts.again += again.len() as u64;
        let lost = own.chain(again).find(|rec| self.recs[*rec as usize].fate == Fate::Waiting);
        if let Some(rec) = lost {
            let (id, r) = (self.devices[device].id, self.recs[rec as usize]);
            let boots = self.lives[r.life as usize].wire.clone();
            self.violate(|| {
                format!(
                    "{id} {lane}: record {:?} of boots {boots:?} (number {}) is lost silently: its board holds nothing any more, and it is neither stored nor in a gap",
                    r.n,
                    rec + 1
                )
            });
        }
    }
}
