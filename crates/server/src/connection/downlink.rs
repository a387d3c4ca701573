//! What goes down on one connection: commands, settings, answers.
//!
//! A command is stored as sent to this boot before its frame leaves (rule 44), goes down in order of its number (rule 43), and carries a deadline
//! in the device's own ticks (rule 47).

use std::collections::VecDeque;

use sensock::limits::{BODY_MAX, DRIFT_PPM};
use sensock::server::Session;
use sensock::wire::call::{Answer, Call, SettingValue};
use sensock::wire::hello::Hello;
use sensock::{CommandId, Micros, Tick};
use sensock_store::work::{CommandWork, HelloDone};
use sensock_store::{CommandRow, CommandState, SettingRow};

/// Questions of one device that may be open at once.
const ASKS_MAX: u8 = 8;

#[derive(Debug, Default)]
pub(crate) struct Downlink {
    hello_tick: Tick,
    hello_at: Micros,
    slots: usize,
    /// Waiting, in order of id.
    queue: VecDeque<CommandRow>,
    /// Being stored as sent.
    sending: Vec<CommandId>,
    /// Stored as sent: their frames may leave.
    ready: VecDeque<CommandRow>,
    /// On the device.
    sent: Vec<CommandId>,
    settings: VecDeque<SettingRow>,
    highest_setting: u32,
    answers: VecDeque<(u16, Result<Vec<u8>, u8>)>,
    asks: u8,
}

impl Downlink {
    /// The Hello came at `hello_at`.
    pub(crate) fn new(hello: &Hello, hello_at: Micros) -> Self {
        Downlink {
            hello_tick: hello.tick,
            hello_at,
            slots: hello.command_slots.into(),
            queue: VecDeque::new(),
            sending: Vec::new(),
            ready: VecDeque::new(),
            sent: Vec::new(),
            settings: VecDeque::new(),
            highest_setting: hello.settings,
            answers: VecDeque::new(),
            asks: 0,
        }
    }

    /// The Hello transaction said what waits.
    pub(crate) fn confirmed(&mut self, done: &mut HelloDone) {
        std::mem::take(&mut done.deliver).into_iter().for_each(|row| self.deliver(row));
        std::mem::take(&mut done.settings).into_iter().for_each(|row| self.set(row));
    }

    /// A command waits; one that is known already is left out.
    pub(crate) fn deliver(&mut self, row: CommandRow) {
        let known = |id: &CommandId| *id == row.id;
        if self.sending.iter().any(known)
            || self.sent.iter().any(known)
            || self.ready.iter().any(|r| r.id == row.id)
            || row.state.is_settled()
        {
            return;
        }
        if let Err(at) = self.queue.binary_search_by_key(&row.id, |r| r.id) {
            self.queue.insert(at, row);
        }
    }

    /// A setting was made; what is no news is left out.
    pub(crate) fn set(&mut self, row: SettingRow) {
        if row.revision > self.highest_setting {
            self.highest_setting = row.revision;
            self.settings.retain(|s| s.key != row.key);
            self.settings.push_back(row);
        }
    }

    /// A question came; `false` if too many are open.
    pub(crate) fn asked(&mut self) -> bool {
        let room = self.asks < ASKS_MAX;
        self.asks += u8::from(room);
        room
    }

    /// A question was answered.
    pub(crate) fn answer(&mut self, id: u16, result: Result<Vec<u8>, u8>) {
        self.asks = self.asks.saturating_sub(1);
        self.answers.push_back((id, result));
    }

    /// A question is refused without being asked.
    pub(crate) fn refuse(&mut self, id: u16, code: u8) {
        if self.answers.len() < 2 * usize::from(ASKS_MAX) {
            self.answers.push_back((id, Err(code)));
        }
    }

    /// Commands to be stored as sent to `boot`: as many as the device has room for.
    pub(crate) fn send_next(
        &mut self,
        boot: u32,
        now_us: i64,
        mut submit: impl FnMut(CommandWork, CommandId),
    ) {
        while self.sending.len() + self.ready.len() + self.sent.len() < self.slots {
            let Some(row) = self.queue.pop_front() else { return };
            let (device, id) = (row.device, row.id);
            if row.body.len() > BODY_MAX {
                submit(CommandWork::Undeliverable { device, id, now_us }, id);
                continue;
            }
            self.sending.push(id);
            submit(CommandWork::Sent { device, id, boot, now_us }, id);
        }
    }

    /// The store has it: a row that is now `Sent` to this boot may leave; any other fate leaves its place to the next.
    pub(crate) fn stored(&mut self, id: CommandId, row: Option<CommandRow>, boot: u32) {
        self.sending.retain(|i| *i != id);
        self.ready.extend(row.filter(|r| r.state == CommandState::Sent(boot)));
    }

    /// Its answer is committed and acknowledged: the device has room for another.
    pub(crate) fn replied(&mut self, session: &mut Session, id: CommandId) {
        let before = self.sent.len();
        self.sent.retain(|i| *i != id);
        if self.sent.len() < before {
            session.answered();
        }
    }

    /// Writes the next frame that may leave into `out`; 0 if there is none.
    pub(crate) fn frame(&mut self, session: &mut Session, offset_us: i64, out: &mut [u8]) -> usize {
        if let Some((id, result)) = self.answers.front() {
            let answer = Answer { id: *id, result: result.as_deref().map_err(|code| *code) };
            return match session.answer(&answer, out) {
                Ok(len) => self.answers.pop_front().map_or(0, |_| len),
                Err(sensock::error::Misuse::State) => 0,
                // Too large for this device's frame: it must hear something.
                Err(_) => {
                    let refusal = Answer { id: *id, result: Err(sensock::limits::REFUSED_SHAPE) };
                    let len = session.answer(&refusal, out).unwrap_or(0);
                    self.answers.pop_front();
                    len
                }
            };
        }
        if let Some(row) = self.settings.front() {
            let value = SettingValue { key: row.key, revision: row.revision, body: &row.body };
            return match session.setting(&value, out) {
                Err(sensock::error::Misuse::State) => 0,
                written => self.settings.pop_front().map_or(0, |_| written.unwrap_or(0)),
            };
        }
        let Some(row) = self.ready.front() else { return 0 };
        let call = Call {
            id: row.id,
            key: row.key,
            policy: row.policy,
            not_after: Some(self.not_after(row.deadline_us, offset_us)),
            body: &row.body,
        };
        match session.command(&call, out) {
            Ok(len) => {
                self.sent.extend(self.ready.pop_front().map(|r| r.id));
                len
            }
            Err(_) => 0,
        }
    }

    /// A deadline in the device's ticks. The Hello's tick was read before the Hello came, so this is early rather than late; drift is
    /// taken off.
    fn not_after(&self, deadline_us: i64, offset_us: i64) -> Tick {
        let left_us =
            deadline_us.saturating_sub(offset_us).saturating_sub(self.hello_at.0 as i64).max(0) as u64;
        let ms = left_us / 1_000;
        self.hello_tick.plus(ms - (ms / 1_000_000 * DRIFT_PPM + ms % 1_000_000 * DRIFT_PPM / 1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t47_a_deadline_in_ticks_is_never_later_than_in_truth() {
        // Hello at server time 100 s said tick 5,000. A deadline 40 s later: tick 45,000, less 250 ppm.
        let link = Downlink { hello_tick: Tick(5_000), hello_at: Micros(100_000_000), ..Downlink::default() };
        let offset = 1_800_000_000_000_000;
        assert_eq!(link.not_after(offset + 140_000_000, offset), Tick(44_990));
        assert_eq!(
            link.not_after(offset, offset),
            Tick(5_000),
            "long past: the device answers that it expired"
        );
    }
}
