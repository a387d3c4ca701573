//! Commands in the application's hands, until they are answered.

use sensock::catalog::READ_NOW;
use sensock::device::{Session, Share};
use sensock::wire::cursor::Writer;
use sensock::wire::data::Outcome;
use sensock::{CommandId, Position};

use crate::device::{Held, misuse};
use crate::types::Error;

/// Commands that the application may hold at once.
pub(crate) const CALLS: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Calls {
    slots: [Option<Slot>; CALLS],
    /// Counts connections: a session is told only of answers to what it handed out itself.
    pub generation: u8,
    /// Begun commands are kept before they run.
    pub keeps: bool,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    id: CommandId,
    key: u16,
    generation: u8,
}

impl Calls {
    pub(crate) fn new(keeps: bool) -> Self {
        Calls { slots: [None; CALLS], generation: 0, keeps }
    }

    /// Whether the application has this command already.
    pub(crate) fn holds(&self, id: CommandId) -> bool {
        self.slots.iter().flatten().any(|s| s.id == id)
    }

    /// Whether the application holds any.
    pub(crate) fn any(&self) -> bool {
        self.slots.iter().any(Option::is_some)
    }

    /// The application gets a command. `false` if it holds as many as it can.
    pub(crate) fn hold(&mut self, id: CommandId, key: u16, generation: u8) -> bool {
        let Some(slot) = self.slots.iter_mut().find(|s| s.is_none()) else { return false };
        *slot = Some(Slot { id, key, generation });
        true
    }

    /// The key of a command that the application holds.
    pub(crate) fn key(&self, id: CommandId) -> Option<u16> {
        self.slots.iter().flatten().find(|s| s.id == id).map(|s| s.key)
    }

    /// Answers a command that the application holds.
    pub(crate) fn answer(
        &mut self,
        held: &Held,
        session: &mut Session<'static>,
        id: CommandId,
        outcome: Outcome,
        body: &[u8],
    ) -> Result<(), Error> {
        let slot = self.slots.iter_mut().find(|s| s.is_some_and(|s| s.id == id)).ok_or(Error::Unlisted)?;
        held.with(|o| o.reply(id, outcome, body)).map_err(misuse)?;
        if slot.take().is_some_and(|s| s.generation == self.generation) {
            session.released();
        }
        Ok(())
    }

    /// A record was made: it answers those who asked for one. If there is no room for the answer, the next record gives it.
    pub(crate) fn reading_made(&mut self, held: &Held, session: &mut Session<'static>, position: Position) {
        for at in 0..CALLS {
            let Some(id) = self.slots[at].filter(|s| s.key == READ_NOW.key()).map(|s| s.id) else { continue };
            let mut body = [0; 10];
            let mut w = Writer::new(&mut body);
            w.varint(held.with(|o| o.wire(position)).0);
            let len = w.len();
            let _full = self.answer(held, session, id, Outcome::Done, body.get(..len).unwrap_or_default());
        }
    }
}
