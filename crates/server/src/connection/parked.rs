//! Works beyond a device's daily quota: neither stored nor acknowledged before the next day, so that the device keeps what they hold.
//!
//! Credit bounds them, since none is given while they wait. If the connection ends they are forgotten, and the device sends them again.

use sensock::Lane;
use sensock::wire::hello::Grant;
use sensock_store::work::Work;

use super::Live;
use crate::events::Event;
use crate::inbox::Token;
use crate::quota::Taken;

/// A work of one lane that waits.
pub(super) struct Parked {
    lane: Lane,
    bytes: u64,
    work: Work,
    token: Token,
}

impl Live {
    /// Hands over a work of a lane that takes so many bytes (0 for what is no record), or parks it; the order within a lane is kept.
    pub(super) fn submit_in_lane(&mut self, lane: Lane, bytes: u64, work: Work, token: Token) {
        let waits = self.parked().iter().any(|p| p.lane == lane);
        if !waits && self.may_store(lane, bytes) {
            return self.submit(work, token);
        }
        let parked = &mut self.waiting.get_or_insert_default().parked;
        // Of floors that follow each other the last one says it all (SPEC 8.2).
        if let (Work::Floor(_), Some(last)) = (&work, parked.iter().rposition(|p| p.lane == lane))
            && matches!(parked[last].work, Work::Floor(_))
        {
            parked.remove(last);
        }
        parked.push(Parked { lane, bytes, work, token });
    }

    /// Works that are parked.
    pub(super) fn parked(&self) -> &[Parked] {
        self.waiting.as_ref().map_or(&[], |waiting| &waiting.parked)
    }

    /// Hands over what may be stored by now.
    pub(super) fn unpark(&mut self) {
        if self.parked().is_empty() {
            return;
        }
        let parked = self.waiting.as_mut().map(|waiting| std::mem::take(&mut waiting.parked));
        let mut blocked = [false; Lane::COUNT];
        for parked in parked.unwrap_or_default() {
            let Parked { lane, bytes, .. } = parked;
            if blocked[lane.index()] || !self.may_store(lane, bytes) {
                blocked[lane.index()] = true;
                self.waiting.get_or_insert_default().parked.push(parked);
            } else {
                self.submit(parked.work, parked.token);
            }
        }
        self.tidy();
    }

    /// Gives room back once nothing waits.
    pub(super) fn tidy(&mut self) {
        self.waiting.take_if(|waiting| waiting.held.is_empty() && waiting.parked.is_empty());
    }

    /// How much of a lane may be under way: not much more than it may store today.
    pub(super) fn window(&self, lane: Lane) -> Grant {
        let (mut window, limits) = (self.shared.window(lane), &self.shared.options.limits);
        if limits.daily_bytes > 0 {
            let now_us = self.shared.wall.now_us();
            let left = self.shared.quotas.left(self.own.device, lane, limits.daily_bytes, now_us);
            window.bytes = window.bytes.min(left.max(limits.frame.into()));
        }
        window
    }

    fn may_store(&self, lane: Lane, bytes: u64) -> bool {
        let daily = self.shared.options.limits.daily_bytes;
        if daily == 0 || bytes == 0 {
            return true;
        }
        match self.shared.quotas.take(self.own.device, lane, bytes, daily, self.shared.wall.now_us()) {
            Taken::Yes => true,
            Taken::No { until_us, first } => {
                if first {
                    tracing::warn!(
                        daily,
                        "the device's quota of today is used up: what it measures waits on it until midnight (UTC)"
                    );
                    self.shared.events.send(Event::Quota { device: self.own.device, until_us });
                }
                false
            }
        }
    }
}
