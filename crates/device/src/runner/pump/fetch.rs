//! What a connection has to do with flash.

use sensock::device::Supply;
use sensock::{Lane, Position};

use super::Pump;
use crate::ended::Ended;
use crate::flash::Request;

impl Pump<'_, '_> {
    /// Asks the flash task for items.
    pub(super) fn fetch(&mut self, lane: Lane, from: Position) {
        let room = self.session.scratch_mut().len();
        self.shared.with(|_, desk| {
            let generation = desk.generation;
            desk.flash.request = Some(Request { lane, from, room, generation });
            desk.wake_flash();
        });
    }

    /// Gives the session what the flash task found.
    pub(super) fn take_supply(&mut self) {
        let session = &mut *self.session;
        let found = self.shared.with(|_, desk| {
            let generation = desk.generation;
            let (request, supply) = desk.flash.answer.take().filter(|(r, _)| r.generation == generation)?;
            let supply = supply.filter(|s| {
                let room = session.scratch_mut().get_mut(..s.len);
                let bytes = desk.flash.staging.get(..s.len);
                room.zip(bytes).map(|(room, bytes)| room.copy_from_slice(bytes)).is_some()
            });
            Some((request.lane, supply))
        });
        match found {
            Some((lane, Some(supply))) if self.is_announced(&supply) => self.session.supply(lane, supply),
            Some((_, Some(_))) => {
                // More boots than one frame announces: the others are announced on the next connection.
                self.again = true;
                self.end(Ended::Closed);
            }
            Some((lane, None)) => self.session.supply_none(&self.shared, lane),
            None => {}
        }
    }

    /// Whether the server knows of the boot; one that it cannot be told of, or not without getting on, goes as it is.
    fn is_announced(&self, supply: &Supply) -> bool {
        let boot = supply.first.boot();
        self.shared.with(|outbox, desk| {
            let wire = boot.saturating_add(outbox.shift());
            boot >= outbox.boot()
                || self.boots.as_slice().iter().any(|b| b.boot == wire)
                || !self.stored
                || !desk.flash.boots.has(boot)
        })
    }

    /// Keep-latest values get their positions when they are about to be framed: then they have to be persisted.
    pub(super) fn wake_flash(&mut self) {
        self.shared.with(|outbox, desk| {
            let waits = |lane: Lane| outbox.persisted_below(lane).is_some_and(|p| p < outbox.next(lane));
            if Lane::ALL.into_iter().any(waits) {
                desk.wake_flash();
            }
        });
    }
}
