//! What a board does with commands, and when it writes to its flash.

use super::*;
use sensock::wire::data::Outcome;

impl Board {
    /// Runs commands that may run, and answers those that it ran.
    pub(crate) fn answer(&mut self, now: u64) {
        let mut i = 0;
        while let Some(held) = self.waiting.get_mut(i) {
            if held.ready && !held.ran {
                (held.ran, held.answer_at) = (true, now + self.work_us);
                let (id, key, once, body) = (held.id, held.key, held.once, std::mem::take(&mut held.body));
                self.outbox.with(|o| o.begin(id));
                if !self.watched {
                    self.ran.push((id, key));
                }
                self.relay = !self.relay;
                self.told(News::Ran { id, once, body });
            }
            let held = &self.waiting[i];
            if held.ran && !self.hangs && held.answer_at <= now {
                let id = held.id;
                let body = [u8::from(self.relay)];
                if self.session.reply(&*self.outbox, id, Outcome::Done, &body).is_ok() {
                    self.waiting.remove(i);
                    continue;
                }
                // No room in the control lane: later.
                self.waiting[i].answer_at = now + 100_000;
            }
            i += 1;
        }
    }

    /// What flash does meanwhile.
    pub(crate) fn write_flash(&mut self, now: u64) {
        if self.memory != Memory::Flash || !self.on {
            return;
        }
        let arrived = self.waiting.iter().any(|h| !h.ready);
        let (flash, waiting) = (&mut self.flash, &mut self.waiting);
        let alarms = self.outbox.with(|o| {
            if arrived {
                waiting.iter().for_each(|h| _ = o.begin(h.id));
            }
            let before = o.persisted_below(Lane::Alarm);
            flash.turn(now, o, arrived);
            let begun = flash.begun();
            waiting.iter_mut().filter(|h| h.id <= begun).for_each(|h| h.ready = true);
            u32::from(o.persisted_below(Lane::Alarm) > before)
        });
        self.alarms_due += alarms;
        self.answer(now);
    }
}
