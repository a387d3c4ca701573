//! What a Hello says of commands and settings (rules 43 to 45): what goes down again, and what nobody will ever know.

use sensock::catalog::Policy;
use sensock::wire::hello::{FEATURE_BEGUN_PERSISTS, FEATURE_OUTBOX_PERSISTS, Hello};
use sensock::{CommandId, DeviceId, Position};

use super::boot_of_next;
use super::group::Group;
use crate::rows::*;
use crate::work::{HelloWork, Identity, Meeting};

/// What becomes of an unsettled command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It goes down (again).
    Deliver(CommandState),
    /// It was begun; its answer will come in the control lane.
    Open,
    /// It will not change any more.
    Settle(CommandState),
}

/// What the device says, as far as commands are concerned.
#[derive(Clone, Copy)]
struct Said {
    /// The boot, if it has said hello before: commands sent to it were sent to this very life.
    boot: Option<u32>,
    rebased: bool,
    last_begun: CommandId,
    /// It persists `last_begun` before it begins a command.
    remembers: bool,
    /// The first boot out of which answers may still come.
    answers_from: u32,
    /// Answers that were acknowledged are gone: the store was put back.
    answers_lost: bool,
    now_us: i64,
}

impl Group<'_> {
    /// Settles and sorts the commands of a device that says hello; returns what was settled and what goes down, in order of id.
    pub(super) fn commands_at_hello(
        &mut self,
        work: &HelloWork,
        identity: &Identity,
        again: bool,
        control: Position,
        answers_lost: bool,
    ) -> (Vec<CommandRow>, Vec<CommandRow>) {
        let (hello, now_us) = (&work.hello, work.now_us);
        let keeps_outbox = hello.features & FEATURE_OUTBOX_PERSISTS != 0;
        let said = Said {
            boot: again.then_some(identity.boot),
            rebased: identity.meeting == Meeting::Rebased && !again,
            last_begun: hello.last_begun,
            remembers: hello.features & FEATURE_BEGUN_PERSISTS != 0,
            answers_lost,
            answers_from: if keeps_outbox { boot_of_next(control) } else { identity.boot },
            now_us,
        };
        self.number_above(hello.device, hello.last_begun, now_us);
        let unsettled: Vec<CommandRow> =
            self.device(hello.device).commands.iter().filter(|c| !c.state.is_settled()).cloned().collect();
        let (mut settled, mut deliver) = (Vec::new(), Vec::new());
        for mut row in unsettled {
            match fate(&row, &said) {
                Fate::Open => {}
                Fate::Deliver(state) => {
                    if row.state != state {
                        row.state = state;
                        self.put_command(row.clone());
                    }
                    deliver.push(row);
                }
                Fate::Settle(state) => {
                    row.settle(state, now_us);
                    self.put_command(row.clone());
                    settled.push(row);
                }
            }
        }
        (settled, deliver)
    }

    /// A device that has begun commands of which this store knows nothing (they were another store's, or this one was restored from a
    /// backup) would never run new ones with lower numbers: a row at its number lifts those that follow.
    fn number_above(&mut self, device: DeviceId, begun: CommandId, now_us: i64) {
        if self.device(device).commands.last().map_or(CommandId(0), |c| c.id) >= begun {
            return;
        }
        self.put_command(CommandRow {
            device,
            id: begun,
            key: 0,
            name: String::new(),
            policy: Policy::Once,
            body: Vec::new(),
            issuer: "not known to this store: the device says it has begun a command of this number"
                .to_owned(),
            idempotency_key: None,
            keep_all: true,
            created_us: now_us,
            deadline_us: now_us,
            state: CommandState::Unknown,
            answer: Vec::new(),
            settled_us: Some(now_us),
        });
    }

    /// Settings that the device has not applied, in order of revision.
    pub(super) fn settings_at_hello(&mut self, hello: &Hello, meeting: Meeting) -> Vec<SettingRow> {
        let mut rows = self.device(hello.device).settings.clone();
        rows.sort_by_key(|s| s.revision);
        let highest = rows.last().map_or(0, |s| s.revision);
        let room = u64::from(u32::MAX) - u64::from(hello.settings) >= rows.len() as u64;
        if hello.settings > highest && room {
            // It applied a revision of which this store knows nothing: what this store wants is newer than that.
            for (row, revision) in rows.iter_mut().zip(hello.settings + 1..) {
                *row = SettingRow { revision, applied_us: None, refused: None, ..row.clone() };
                self.put_setting(row.clone());
            }
        }
        // Within a boot a refusal stands; a new boot may run a firmware that thinks otherwise.
        let again = meeting != Meeting::Resumed;
        rows.retain(|s| s.revision > hello.settings && (again || s.refused.is_none()));
        rows
    }
}

fn fate(row: &CommandRow, said: &Said) -> Fate {
    let begun = row.id <= said.last_begun;
    let queue = if row.deadline_us < said.now_us {
        Fate::Settle(CommandState::Expired)
    } else {
        Fate::Deliver(CommandState::Queued)
    };
    let unknown = match sensock::planted!("command-resent") {
        true => queue,
        false => Fate::Settle(CommandState::Unknown),
    };
    let CommandState::Sent(boot) = row.state else {
        // It never left, as far as this store knows, and will never be begun. If the store was put back to a time before it left, it may
        // have run: to say "undeliverable" would be a guess.
        return if begun { unknown } else { queue };
    };
    if said.rebased {
        // Another life, or another store's memory: what it says of commands means nothing.
        return if row.policy == Policy::Idempotent && !begun { redeliver(queue) } else { unknown };
    }
    if said.boot == Some(boot) {
        return match (begun, said.answers_lost) {
            (false, _) => Fate::Deliver(row.state),
            (true, false) => Fate::Open,
            // The answer may be among what is gone.
            (true, true) => unknown,
        };
    }
    if said.remembers && !begun {
        return queue;
    }
    let may_answer = boot >= said.answers_from;
    match row.policy {
        Policy::Idempotent if !said.remembers && !begun => redeliver(queue),
        _ if may_answer && !said.answers_lost => Fate::Open,
        _ => unknown,
    }
}

/// One that may have run and may run again: but too late for that, nobody knows.
fn redeliver(queue: Fate) -> Fate {
    match queue {
        Fate::Settle(_) => Fate::Settle(CommandState::Unknown),
        other => other,
    }
}
