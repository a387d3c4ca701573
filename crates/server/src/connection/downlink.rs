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
    /// The highest command that the device had begun when it said Hello, or that was stored as sent on this connection.
    passed: CommandId,
    slots: u8,
    highest_setting: u32,
    asks: u8,
    /// Most connections have nothing under way, and then no room for it.
    lists: Option<Box<Lists>>,
}

/// What is under way.
#[derive(Debug, Default)]
struct Lists {
    /// Waiting, in order of id.
    queue: VecDeque<CommandRow>,
    /// Being stored as sent.
    sending: Vec<CommandId>,
    /// Stored as sent: their frames may leave.
    ready: VecDeque<CommandRow>,
    /// On the device.
    sent: Vec<CommandId>,
    settings: VecDeque<SettingRow>,
    /// Keys and revisions of settings on the device that it did not say it applied.
    unapplied: Vec<(u16, u32)>,
    answers: VecDeque<(u16, Result<Vec<u8>, u8>)>,
}

impl Lists {
    fn is_empty(&self) -> bool {
        self.queue.is_empty()
            && self.sending.is_empty()
            && self.ready.is_empty()
            && self.sent.is_empty()
            && self.settings.is_empty()
            && self.unapplied.is_empty()
            && self.answers.is_empty()
    }
}

impl Downlink {
    /// The Hello came at `hello_at`.
    pub(crate) fn new(hello: &Hello, hello_at: Micros) -> Self {
        Downlink {
            hello_tick: hello.tick,
            hello_at,
            passed: hello.last_begun,
            slots: hello.command_slots,
            highest_setting: hello.settings,
            asks: 0,
            lists: None,
        }
    }

    fn lists(&mut self) -> &mut Lists {
        self.lists.get_or_insert_default()
    }

    /// Gives room back once nothing is under way.
    fn tidy(&mut self) {
        self.lists.take_if(|l| l.is_empty());
    }

    /// Whether the device will hear of a command or setting, or did and has not answered: then it does not sleep yet.
    pub(crate) fn keeps_awake(&self) -> bool {
        self.lists.as_ref().is_some_and(|l| {
            let commands = l.queue.len() + l.sending.len() + l.ready.len() + l.sent.len();
            commands + l.settings.len() + l.unapplied.len() > 0
        })
    }

    /// The Hello transaction said what waits.
    pub(crate) fn confirmed(&mut self, done: &mut HelloDone) {
        let boot = done.identity.boot;
        std::mem::take(&mut done.deliver).into_iter().for_each(|row| self.deliver(row, boot));
        std::mem::take(&mut done.settings).into_iter().for_each(|row| self.set(row));
    }

    /// A command waits, or left for this `boot` on a connection that was dead already, another server's perhaps. One that is known is left
    /// out, and so is one that was begun before this connection, or passed by a later one: the device does not begin it any more. Its
    /// answer is on its way, or the next Hello settles it.
    pub(crate) fn deliver(&mut self, row: CommandRow, boot: u32) {
        let wanted = match row.state {
            CommandState::Queued => true,
            CommandState::Sent(to) => to == boot && row.id > self.passed,
            _ => false,
        };
        if !wanted {
            return;
        }
        let lists = self.lists();
        let known = |id: &CommandId| *id == row.id;
        if lists.sending.iter().any(known)
            || lists.sent.iter().any(known)
            || lists.ready.iter().any(|r| r.id == row.id)
        {
            return;
        }
        if let Err(at) = lists.queue.binary_search_by_key(&row.id, |r| r.id) {
            lists.queue.insert(at, row);
        }
    }

    /// A setting was made; what is no news is left out.
    pub(crate) fn set(&mut self, row: SettingRow) {
        if row.revision > self.highest_setting {
            self.highest_setting = row.revision;
            let settings = &mut self.lists().settings;
            settings.retain(|s| s.key != row.key);
            settings.push_back(row);
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
        self.lists().answers.push_back((id, result));
    }

    /// A question is refused without being asked.
    pub(crate) fn refuse(&mut self, id: u16, code: u8) {
        let answers = &mut self.lists().answers;
        if answers.len() < 2 * usize::from(ASKS_MAX) {
            answers.push_back((id, Err(code)));
        }
    }

    /// Commands to be stored as sent to `boot`: as many as the device has room for.
    pub(crate) fn send_next(
        &mut self,
        boot: u32,
        now_us: i64,
        mut submit: impl FnMut(CommandWork, CommandId),
    ) {
        let (slots, passed, Some(lists)) = (usize::from(self.slots), self.passed, &mut self.lists) else {
            return;
        };
        while lists.sending.len() + lists.ready.len() + lists.sent.len() < slots {
            let Some(row) = lists.queue.pop_front() else { break };
            let (device, id) = (row.device, row.id);
            if row.body.len() > BODY_MAX {
                submit(CommandWork::Undeliverable { device, id, now_us }, id);
                continue;
            }
            let after = lists.sending.iter().fold(passed, |after, i| after.max(*i));
            lists.sending.push(id);
            submit(CommandWork::Sent { device, id, boot, after, now_us }, id);
        }
        self.tidy();
    }

    /// The store has it: a row that is now `Sent` to this boot may leave; any other fate leaves its place to the next.
    pub(crate) fn stored(&mut self, id: CommandId, row: Option<CommandRow>, boot: u32) {
        let sent = row.filter(|r| r.state == CommandState::Sent(boot));
        if sent.is_some() {
            self.passed = self.passed.max(id);
        }
        let lists = self.lists();
        lists.sending.retain(|i| *i != id);
        lists.ready.extend(sent);
        self.tidy();
    }

    /// Its answer is committed and acknowledged: the device has room for another.
    pub(crate) fn replied(&mut self, session: &mut Session, id: CommandId) {
        let sent = &mut self.lists().sent;
        let before = sent.len();
        sent.retain(|i| *i != id);
        if sent.len() < before {
            session.answered();
        }
        self.tidy();
    }

    /// The device's word on settings of these revisions is committed.
    pub(crate) fn applied(&mut self, revisions: &[u32]) {
        if let Some(lists) = &mut self.lists {
            lists.unapplied.retain(|(_, revision)| !revisions.contains(revision));
        }
        self.tidy();
    }

    /// Writes the next frame that may leave into `out`; 0 if there is none.
    pub(crate) fn frame(&mut self, session: &mut Session, offset_us: i64, out: &mut [u8]) -> usize {
        // Taken out for as long as this lasts.
        let Some(mut lists) = self.lists.take() else { return 0 };
        let len = self.next(&mut lists, session, offset_us, out);
        self.lists = Some(lists);
        self.tidy();
        len
    }

    fn next(&self, lists: &mut Lists, session: &mut Session, offset_us: i64, out: &mut [u8]) -> usize {
        if let Some((id, result)) = lists.answers.front() {
            let answer = Answer { id: *id, result: result.as_deref().map_err(|code| *code) };
            return match session.answer(&answer, out) {
                Ok(len) => lists.answers.pop_front().map_or(0, |_| len),
                Err(sensock::error::Misuse::State) => 0,
                // Too large for this device's frame: it must hear something.
                Err(_) => {
                    let refusal = Answer { id: *id, result: Err(sensock::limits::REFUSED_SHAPE) };
                    let len = session.answer(&refusal, out).unwrap_or(0);
                    lists.answers.pop_front();
                    len
                }
            };
        }
        if let Some(row) = lists.settings.front() {
            let value = SettingValue { key: row.key, revision: row.revision, body: &row.body };
            return match session.setting(&value, out) {
                Err(sensock::error::Misuse::State) => 0,
                written => {
                    let len = written.unwrap_or(0);
                    if let Some(row) = lists.settings.pop_front().filter(|_| len > 0) {
                        lists.unapplied.retain(|(key, _)| *key != row.key);
                        lists.unapplied.push((row.key, row.revision));
                    }
                    len
                }
            };
        }
        let Some(row) = lists.ready.front() else { return 0 };
        let call = Call {
            id: row.id,
            key: row.key,
            policy: row.policy,
            not_after: Some(self.not_after(row.deadline_us, offset_us)),
            body: &row.body,
        };
        match session.command(&call, out) {
            Ok(len) => {
                lists.sent.extend(lists.ready.pop_front().map(|r| r.id));
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
