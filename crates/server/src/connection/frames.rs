//! What a live device's frames mean.

use std::ops::ControlFlow;

use sensock::error::Peer;
use sensock::limits::REFUSED_BUSY;
use sensock::server::Event as Heard;
use sensock::wire::alive::{Bye, Sleep};
use sensock::wire::call::Ask;
use sensock::wire::data::Data;
use sensock::wire::flow::{Boots, CatalogPart};
use sensock::wire::hello::{End, LaneFloor};
use sensock::{Lane, Micros, Position, Tag};
use sensock_store::work::{FloorWork, Work};
use sensock_store::{Batch, BootRow, CatalogRow, LaneId};

use super::works::WORK_READINGS;
use super::{Leaving, Live};
use crate::asked::Asked;
use crate::events::Event;
use crate::inbox::Token;
use crate::registry::Away;

impl Live {
    /// Takes a frame that came at `now` or before.
    pub(super) fn frame(&mut self, now: Micros, frame: &mut [u8]) -> ControlFlow<()> {
        let len = frame.len();
        self.bytes += len as u64;
        let heard = self.session.handle_frame(now, frame);
        let done = match heard {
            Ok(None | Some(Heard::Clock)) => Ok(()),
            Ok(Some(Heard::Data(data))) => self.data(now, &data, len),
            Ok(Some(Heard::Floor { lane, floor })) => self.floor(now, lane, floor),
            Ok(Some(Heard::Boots(boots))) => self.boots(&boots),
            Ok(Some(Heard::Catalog(part))) => self.part(&part),
            Ok(Some(Heard::ClockFault)) => {
                tracing::warn!(
                    "the device's clock contradicts what was known of it: one of the two clocks stepped"
                );
                self.shared.events.send(Event::ClockFault { device: self.own.device });
                Ok(())
            }
            Ok(Some(Heard::Ask(ask))) => {
                self.ask(&ask);
                Ok(())
            }
            Ok(Some(Heard::Sleep(sleep))) => {
                self.sleep(&sleep);
                Ok(())
            }
            Ok(Some(Heard::Bye(bye))) => {
                self.bye(&bye);
                Ok(())
            }
            // A Hello or a proof cannot come again: the session sees to that.
            Ok(Some(_)) => Err(Peer::Unexpected),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.broken(error);
        }
        if self.ending.is_some() || self.leaving.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn data(&mut self, now: Micros, data: &Data<'_>, len: usize) -> Result<(), Peer> {
        if self.catalog.is_some() {
            // Nothing may come before its catalogue is stored (rule W4).
            return Err(Peer::CreditOverrun);
        }
        if std::mem::take(&mut self.sleep_said) {
            // It stays, for something that it answers here.
            self.asleep = None;
        }
        self.records += u64::from(data.records);
        let mut intake = std::mem::take(&mut self.intake);
        let added = intake.add(&self.facts(now), data, len);
        self.intake = intake;
        if added? >= WORK_READINGS {
            self.submit_lane(data.lane);
        }
        Ok(())
    }

    fn floor(&mut self, now: Micros, lane: Lane, floor: LaneFloor) -> Result<(), Peer> {
        if floor.floor.boot() > self.own.boot {
            return Err(Peer::Limit);
        }
        // What came before it goes before it.
        self.submit_lane(lane);
        let between_us = self.facts(now).between(floor.floor.boot(), floor.span);
        let now_us = self.shared.wall.now_us();
        let work = FloorWork { lane: LaneId { device: self.own.device, lane }, floor, between_us, now_us };
        let epoch = self.epochs[lane.index()];
        self.submit_in_lane(lane, 0, Work::Floor(work), Token::Floor { lane, epoch });
        Ok(())
    }

    fn boots(&mut self, boots: &Boots) -> Result<(), Peer> {
        let mut rows = Vec::new();
        for (i, old) in boots.as_slice().iter().enumerate() {
            if old.boot >= self.own.boot {
                return Err(Peer::Limit);
            }
            if !self.times.knows(old.boot) {
                rows.push(BootRow {
                    device: self.own.device,
                    boot: old.boot,
                    tag: Tag::NONE,
                    catalog: old.catalog,
                    firmware: String::new(),
                    seen_us: self.shared.wall.now_us(),
                    started: (None, None),
                    last_tick: old.last_tick,
                    account: Default::default(),
                    rebased_by: 0,
                });
            }
            self.times.heard_of(old, i < boots.moved().len());
        }
        if !rows.is_empty() {
            let batch = Batch { boots: rows, ..Batch::default() };
            self.submit(Work::Rows(Box::new(batch)), Token::Plain);
        }
        Ok(())
    }

    fn part(&mut self, part: &CatalogPart<'_>) -> Result<(), Peer> {
        let awaited = self.catalog.as_mut().ok_or(Peer::Unexpected)?;
        let Some(bytes) = awaited.pieces.add(awaited.hash, part)? else { return Ok(()) };
        let Some(awaited) = self.catalog.take() else { return Err(Peer::Unexpected) };
        let hash = awaited.hash;
        match awaited.stored {
            Some(stored) if stored == bytes => {
                self.session.catalog_stored();
                return Ok(());
            }
            Some(_) => {
                tracing::error!(
                    "the catalogue contradicts the stored one of the same hash {hash:016x}: change the firmware's name in it, so that the two differ"
                );
                self.shared.events.send(Event::CatalogContradicts { device: self.own.device, hash });
                self.leave(End::Refused, 300_000, "the catalogue contradicts a stored one of the same hash: change the firmware's name in it");
                return Ok(());
            }
            None => {}
        }
        let sheet = self.shared.sheets.read(hash, &bytes).ok_or(Peer::Malformed)?;
        let boot = BootRow { firmware: sheet.firmware.to_string(), ..awaited.boot };
        self.sheet = Some(sheet);
        let row = CatalogRow { device: self.own.device, hash, bytes };
        let batch = Batch { catalogs: vec![row], boots: vec![boot], ..Batch::default() };
        self.submit(Work::Rows(Box::new(batch)), Token::Catalog);
        Ok(())
    }

    fn ask(&mut self, ask: &Ask<'_>) {
        if self.down.asked() {
            let asked = Asked::new(ask.id, ask.key, ask.body, self.own.clone());
            self.shared.events.send(Event::Asked(asked));
        } else {
            self.down.refuse(ask.id, REFUSED_BUSY);
        }
    }

    fn sleep(&mut self, sleep: &Sleep) {
        let wall = &self.shared.wall;
        let us = u64::from(sleep.for_ms) * 1_000;
        let until_us = wall.now_us().saturating_add(us as i64);
        // Its clock may be off by several per cent while it sleeps (rule 39).
        let lost_at = wall.now().plus(us + us / 10 + 30_000_000);
        self.asleep = Some(Box::new(Away { asleep_until_us: Some(until_us), lost_at: Some(lost_at) }));
        if sleep.ends_boot {
            self.ended(sleep.lasts);
        }
        self.sleep_said = true;
    }

    /// Lets a device sleep once all that it sent is committed. What goes down before, or went and is not answered, takes its Sleep back: it
    /// says it again after the answer. If it never does, this was its last word.
    pub(super) fn let_sleep(&mut self) {
        let rest = self.confirmed && self.outstanding == 0 && self.intake.is_empty();
        if self.sleep_said && rest && !self.down.keeps_awake() {
            self.leave(End::Slept, 0, "");
        }
    }

    fn bye(&mut self, bye: &Bye<'_>) {
        if bye.ends_boot {
            self.ended(bye.lasts);
        }
        let reason = if bye.text.is_empty() {
            format!("the device said goodbye: {}", bye.reason.words())
        } else {
            format!("the device said goodbye: {} ({})", bye.text, bye.reason.words())
        };
        self.end(End::Bye, reason);
        self.goodbye = false;
    }

    /// The device ended its boot in order, with these as the last positions.
    fn ended(&mut self, lasts: [Position; Lane::COUNT]) {
        Lane::ALL.into_iter().for_each(|lane| self.submit_lane(lane));
        if self.parked().is_empty() {
            self.submit(Work::Ended(self.own.device, lasts), Token::Plain);
        }
    }

    /// Reads no more; says goodbye once everything is committed and acknowledged.
    pub(super) fn leave(&mut self, end: End, retry_ms: u32, text: &'static str) {
        if self.leaving.is_none() {
            self.leaving = Some(Box::new(Leaving { end, retry_ms, text }));
        }
    }
}
