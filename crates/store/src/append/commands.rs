//! Commands and settings as stored tickets.

use sensock::{CommandId, DeviceId, Lane};

use super::boot_of_next;
use super::group::Group;
use crate::rows::*;
use crate::work::{CommandWork, Done, Refuse, Reply};

/// Commands of one device that may wait or be under way at once.
const UNSETTLED_MAX: usize = 64;

impl Group<'_> {
    pub(super) fn command(&mut self, work: &CommandWork) -> Result<Done, Refuse> {
        match work {
            CommandWork::New(row) => self.new_command(row),
            CommandWork::Sent { device, id, boot, after, now_us } => {
                // Another server has met a newer boot: this connection is dead, and nobody would ever hear what became of the command.
                let over = *boot < self.device(*device).boot_and_tag().0;
                // A device begins no number below one that it began. One that another server made a moment ago goes first, and so does one
                // that left on a connection which this one has taken the place of; till this connection has heard of it, this one waits.
                let first = |c: &CommandRow| {
                    c.id < *id
                        && match c.state {
                            CommandState::Queued => c.deadline_us >= *now_us,
                            CommandState::Sent(to) => to == *boot && c.id > *after,
                            _ => false,
                        }
                };
                let early = self.device(*device).commands.iter().any(first);
                self.change(*device, *id, |row| {
                    if row.state == CommandState::Queued && !over {
                        match row.deadline_us < *now_us {
                            true => row.settle(CommandState::Expired, *now_us),
                            false if early => {}
                            false => row.state = CommandState::Sent(*boot),
                        }
                    }
                })
            }
            CommandWork::Cancel { device, id, now_us }
            | CommandWork::Undeliverable { device, id, now_us } => self.change(*device, *id, |row| {
                if row.state == CommandState::Queued {
                    row.settle(CommandState::Undeliverable, *now_us);
                }
            }),
            CommandWork::Expire { device, now_us } => Ok(Done::Settled(self.expire(*device, *now_us))),
        }
    }

    fn new_command(&mut self, new: &CommandRow) -> Result<Done, Refuse> {
        let commands = &self.device(new.device).commands;
        // The caller's own key; or the very same work, run again because nobody knew whether it was committed.
        let same = |c: &&CommandRow| match &new.idempotency_key {
            Some(key) => c.idempotency_key.as_ref() == Some(key),
            None => {
                c.idempotency_key.is_none()
                    && (c.created_us, c.deadline_us, c.key) == (new.created_us, new.deadline_us, new.key)
                    && c.body == new.body
                    && c.issuer == new.issuer
            }
        };
        if let Some(held) = commands.iter().find(same) {
            return Ok(Done::Command(Box::new(held.clone()), Vec::new()));
        }
        let waits = |c: &&CommandRow| c.state == CommandState::Queued && c.key == new.key && !c.keep_all;
        let replaced: Vec<CommandRow> = commands.iter().filter(waits).cloned().collect();
        let unsettled = commands.iter().filter(|c| !c.state.is_settled()).count() - replaced.len();
        if unsettled >= UNSETTLED_MAX {
            return Err(Refuse::TooManyCommands(unsettled));
        }
        let highest = commands.last().map_or(0, |c| c.id.0);
        let Some(id) = highest.checked_add(1) else {
            return Err(Refuse::Rejected(
                "this device's command numbers are used up: it named the highest there is as begun; give it a new id".to_owned(),
            ));
        };
        let ids = replaced.iter().map(|c| c.id).collect();
        for mut old in replaced {
            old.settle(CommandState::Undeliverable, new.created_us);
            self.put_command(old);
        }
        let row = CommandRow {
            id: CommandId(id),
            state: CommandState::Queued,
            answer: Vec::new(),
            settled_us: None,
            ..new.clone()
        };
        self.put_command(row.clone());
        Ok(Done::Command(Box::new(row), ids))
    }

    fn change(
        &mut self,
        device: DeviceId,
        id: CommandId,
        change: impl FnOnce(&mut CommandRow),
    ) -> Result<Done, Refuse> {
        let Some(held) = self.device(device).commands.iter().find(|c| c.id == id) else {
            return Err(Refuse::NoSuchCommand(id));
        };
        let mut row = held.clone();
        change(&mut row);
        if row != *held {
            self.put_command(row.clone());
        }
        Ok(Done::Command(Box::new(row), Vec::new()))
    }

    fn expire(&mut self, device: DeviceId, now_us: i64) -> Vec<CommandRow> {
        let waits =
            |c: &CommandRow| c.state == CommandState::Queued || sensock::planted!("expired-though-sent");
        let late = |c: &CommandRow| !c.state.is_settled() && waits(c) && c.deadline_us < now_us;
        self.settle_all(device, CommandState::Expired, now_us, late)
    }

    /// Settles every command that `which` names; returns them in order of id.
    pub(super) fn settle_all(
        &mut self,
        device: DeviceId,
        state: CommandState,
        now_us: i64,
        which: impl Fn(&CommandRow) -> bool,
    ) -> Vec<CommandRow> {
        let mut rows: Vec<CommandRow> =
            self.device(device).commands.iter().filter(|c| which(c)).cloned().collect();
        for row in &mut rows {
            row.settle(state, now_us);
            self.put_command(row.clone());
        }
        rows
    }

    /// An answer came. A command that is settled stays as it is, and an answer to nothing is nobody's.
    pub(super) fn answer(&mut self, device: DeviceId, reply: &Reply, now_us: i64) -> Option<CommandRow> {
        let commands = &self.device(device).commands;
        let mut row = commands.iter().find(|c| c.id == reply.command && !c.state.is_settled())?.clone();
        row.settle(reply.state, now_us);
        row.answer = reply.answer.clone();
        self.put_command(row.clone());
        Some(row)
    }

    /// Once the control lane has left a boot, no answer can come out of it any more: what was sent into it is unknown for ever.
    pub(super) fn control_moved(&mut self, lane: LaneId, now_us: i64) -> Vec<CommandRow> {
        // A device that was not loaded has not left its boot (`must_know`).
        if lane.lane != Lane::Control || !self.knows(lane.device) {
            return Vec::new();
        }
        let boot = boot_of_next(self.mark(lane));
        let left = |c: &CommandRow| matches!(c.state, CommandState::Sent(b) if b < boot);
        self.settle_all(lane.device, CommandState::Unknown, now_us, left)
    }

    pub(super) fn setting(&mut self, new: &SettingRow) -> Result<SettingRow, Refuse> {
        let settings = &self.device(new.device).settings;
        // The very same work, run again because nobody knew whether it was committed.
        let same = |s: &&SettingRow| {
            (s.key, s.set_us) == (new.key, new.set_us) && s.body == new.body && s.issuer == new.issuer
        };
        if let Some(held) = settings.iter().find(same) {
            return Ok(held.clone());
        }
        let highest = settings.iter().map(|s| s.revision).max().unwrap_or(0);
        let Some(revision) = highest.checked_add(1) else {
            return Err(Refuse::Rejected(
                "this device's setting revisions are used up: it named the highest there is as applied; give it a new id"
                    .to_owned(),
            ));
        };
        let row = SettingRow { revision, applied_us: None, refused: None, ..new.clone() };
        self.put_setting(row.clone());
        Ok(row)
    }
}

impl CommandRow {
    /// The command's fate is known.
    pub(super) fn settle(&mut self, state: CommandState, now_us: i64) {
        self.state = state;
        self.settled_us = state.is_settled().then_some(now_us);
    }
}
