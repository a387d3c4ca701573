//! From the wish to sleep to the last frame.
//!
//! A wake costs what its round trips cost, so Sleep is said behind the last record, in the same flight, and not after its ack: the server answers
//! with the acks, then Bye. What the server has for the device comes first.

use super::*;
use crate::limits::{SLEEP_HELD_MS, SLEEP_OWED_MS};

impl Session<'_> {
    /// (7) The device will sleep for so many milliseconds. Sleep is due once everything was sent, and what Welcome promised has come and was
    /// answered (or did not for some seconds); the server answers it with its acks and a Bye. A command or setting that comes before the Bye
    /// takes the Sleep back, and it is said again after the answer.
    ///
    /// With `ends_boot` no record is accepted once Sleep is said: its last positions are final.
    pub fn sleep(&mut self, for_ms: u32, ends_boot: bool) {
        if self.state == State::Live {
            self.out.sleep = Some((for_ms, ends_boot));
        }
    }

    /// Says Sleep if it is due; returns its length, or zero.
    pub(super) fn say_sleep(
        &mut self,
        outbox: &impl Share,
        now: Tick,
        out: &mut [u8],
    ) -> Result<usize, NoRoom> {
        let Some((for_ms, ends_boot)) = self.out.sleep.filter(|_| self.state == State::Live) else {
            return Ok(0);
        };
        let until = self.stays_until(outbox.with(|o| o.settings()));
        if now < until && until < Tick::NEVER {
            return Ok(0);
        }
        // In one go: what is made after this look at the lanes is not made at all.
        let lanes = &self.lanes;
        let lasts = outbox.with(|o| {
            let sent = |&lane: &Lane| {
                o.is_drained(lane) || lanes[lane.index()].expect >= o.wire(o.next(lane)) && !o.has_more(lane)
            };
            let all = Lane::ALL.iter().all(sent);
            all.then(|| {
                if ends_boot {
                    o.end_boot(true);
                }
                o.lasts()
            })
        });
        let Some(lasts) = lasts else { return Ok(0) };
        self.state = State::Leaving;
        self.leaving = now;
        Sleep { for_ms, ends_boot, lasts }.encode(out)
    }

    /// Something came that the device has to deal with before it sleeps.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn stay(&mut self, o: &mut OutboxMut<'_>) {
        self.patient = true;
        if self.state == State::Leaving {
            self.state = State::Live;
            o.end_boot(false);
        }
    }

    /// Time passed: what did not come, or was not answered, by now keeps nobody awake.
    pub(super) fn lose_patience(&mut self, now: Tick) {
        if self.out.sleep.is_some() && now >= self.stays_until(0) {
            self.patient = false;
        }
    }

    /// Until when what is promised or not answered keeps the device awake, [`Tick::NEVER`] if nothing does; `settings` is what the
    /// application applied.
    pub(super) fn stays_until(&self, settings: u32) -> Tick {
        let mut ms = 0;
        if self.owed > 0 {
            ms = SLEEP_OWED_MS + 2 * u64::from(self.rtt);
        }
        if self.held > 0 || self.setting > settings {
            ms = ms.max(SLEEP_HELD_MS);
        }
        if self.patient && ms > 0 { self.last_heard.plus(ms) } else { Tick::NEVER }
    }
}
