//! Commands run at most once, and the caller learns which.

use sensock::catalog::Policy;
use sensock_store::{CommandRow, CommandState};

/// One command, known by the number that its body carries.
#[derive(Clone, Debug)]
struct Command {
    once: bool,
    deadline_us: u64,
    ran: u32,
    state: CommandState,
    settled_us: u64,
    /// Where it went to was doubled or rolled back, or its row was: nobody can know of it.
    exempt: bool,
    device: usize,
    /// The store has it: before that its caller has no ticket, and hears of a server that died.
    stored: bool,
}

/// All of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commands(Vec<Command>);

impl Commands {
    /// A new one; returns its body.
    pub(crate) fn make(&mut self, device: usize, policy: Policy, deadline_us: u64) -> Vec<u8> {
        self.0.push(Command {
            once: policy == Policy::Once,
            deadline_us,
            ran: 0,
            state: CommandState::Queued,
            settled_us: u64::MAX,
            exempt: false,
            device,
            stored: false,
        });
        (self.0.len() as u32).to_le_bytes().to_vec()
    }

    fn of(&mut self, body: &[u8]) -> Option<&mut Command> {
        let number = u32::from_le_bytes(body.try_into().ok()?);
        self.0.get_mut((number as usize).checked_sub(1)?)
    }

    /// A board runs a command. `slack_us`: how far clocks were off.
    pub(crate) fn ran(&mut self, body: &[u8], now: u64, slack_us: u64) -> Result<(), String> {
        let Some(c) = self.of(body) else { return Err("a command ran that nobody made".to_owned()) };
        c.ran += 1;
        let number = u32::from_le_bytes(body.try_into().unwrap_or_default());
        if c.exempt {
            return Ok(());
        }
        if c.once && c.ran > 1 {
            return Err(format!("command {number} ran {} times", c.ran));
        }
        if now > c.deadline_us + slack_us + 1_000_000 {
            let late = (now - c.deadline_us) / 1_000;
            return Err(format!("command {number} ran {late} ms after its deadline"));
        }
        if matches!(c.state, CommandState::Expired | CommandState::Undeliverable | CommandState::Refused(_)) {
            return Err(format!("command {number} ran after its caller heard {:?}", c.state));
        }
        Ok(())
    }

    /// The store says how far one got.
    pub(crate) fn row(&mut self, row: &CommandRow, now: u64) -> Result<(), String> {
        let Some(c) = self.of(&row.body) else { return Ok(()) };
        c.stored = true;
        let before = std::mem::replace(&mut c.state, row.state);
        if row.state.is_settled() && !before.is_settled() {
            c.settled_us = now;
        }
        if c.exempt {
            return Ok(());
        }
        if before.is_settled() && before != row.state {
            return Err(format!("command {} was {before:?} and is {:?}", row.id, row.state));
        }
        match row.state {
            CommandState::Done if c.ran == 0 => Err(format!("command {} is done and never ran", row.id)),
            CommandState::Expired | CommandState::Undeliverable | CommandState::Refused(_) if c.ran > 0 => {
                Err(format!("command {} ran, and its caller hears {:?}", row.id, row.state))
            }
            _ => Ok(()),
        }
    }

    /// The store was put back to what it held at `at_us`: commands made since are gone, those before are what they were then.
    pub(crate) fn restored(&mut self, at_us: u64) {
        // Those that were settled then stay so; the others may run again, by nobody's fault.
        self.0.iter_mut().filter(|c| c.settled_us > at_us).for_each(|c| c.exempt = true);
    }

    /// A board of this device was cloned, or its memory rolled back.
    pub(crate) fn doubled(&mut self, device: usize) {
        self.0.iter_mut().filter(|c| c.device == device).for_each(|c| c.exempt = true);
    }

    pub(crate) fn finish(&self) -> Option<String> {
        let open = self.0.iter().position(|c| c.stored && !c.exempt && !c.state.is_settled())?;
        Some(format!(
            "the caller of command {} never learns what became of it: {:?}",
            open + 1,
            self.0[open].state
        ))
    }

    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.0.len() as u64, self.0.iter().map(|c| u64::from(c.ran)).sum())
    }
}
