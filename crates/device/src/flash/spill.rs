//! The task that writes and reads flash while the device runs.

use core::future::poll_fn;
use core::task::Poll;

use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use sensock::device::{OutboxMut, Spill};
use sensock::{Cause, Lane, Position};

use super::error::FlashError;
use super::group;
use super::stand::Request;
use super::{Acceptance, Flash};
use crate::desk::Desk;
use crate::device::Device;

/// The next thing to do.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// Commands wait to be noted as begun, or the server gave a tag or shifted the boots, or the boot ended with everything persisted.
    Keep,
    /// Items wait in memory; they are in the group's room.
    Spill(Lane, Spill),
    /// The runner wants items.
    Fetch(Request),
    /// Positions were acknowledged.
    Trim(Lane, Position),
}

impl<S: MultiwriteNorFlash> Flash<S> {
    /// Persists what is recorded and gives the runner what it has to send, for as long as the device lives. Returns only if the flash failed;
    /// called again, it goes on.
    ///
    /// Not cancel safe while it writes: give it a task of its own, or join it with the others. Dropped all the same, what was persisted
    /// stays, but the chip may be left in the middle of a write, as by a power cut.
    pub async fn run(&mut self, device: Device<'_>) -> FlashError<S::Error> {
        loop {
            let work = poll_fn(|cx| {
                device.shared.with(|outbox, desk| match self.next_work(outbox, desk) {
                    Some(work) => Poll::Ready(work),
                    None => {
                        desk.flash.waker = Some(cx.waker().clone());
                        Poll::Pending
                    }
                })
            })
            .await;
            if let Err(error) = self.work(&device, work).await {
                return error;
            }
        }
    }

    fn next_work(&mut self, outbox: &mut OutboxMut<'_>, desk: &mut Desk) -> Option<Work> {
        let begun = desk.begin_arrived(outbox);
        if begun || outbox.has_tag_to_keep() || outbox.shift() != self.shift {
            return Some(Work::Keep);
        }
        if let Some(request) = desk.flash.request.take() {
            return Some(Work::Fetch(request));
        }
        for lane in Lane::ALL {
            let log = &self.logs[lane.index()];
            let acked = outbox.acked(lane);
            if acked > log.acked {
                return Some(Work::Trim(lane, acked));
            }
            if !log.full
                && let Some(spill) = outbox.next_spills(lane, group::room(&mut self.group))
            {
                return Some(Work::Spill(lane, spill));
            }
        }
        let all = |lane: Lane| outbox.persisted_below(lane) == Some(outbox.next(lane));
        (desk.ended && !self.end_kept && Lane::ALL.into_iter().all(all)).then_some(Work::Keep)
    }

    async fn work(&mut self, device: &Device<'_>, work: Work) -> Result<(), FlashError<S::Error>> {
        match work {
            Work::Keep => self.keep(device).await,
            Work::Fetch(request) => self.fetch(device, request).await,
            Work::Spill(lane, spill) => self.spill(device, lane, spill).await,
            Work::Trim(lane, acked) => {
                let log = &mut self.logs[lane.index()];
                while log.trim(&mut self.nor, &mut self.group, &self.kept, acked).await? {}
                let low = log.low;
                // Within a boot, what follows the acknowledged and is not there was unreadable.
                let hole = low.is_some_and(|low| low > acked.next() && low.boot() == acked.boot());
                device.shared.with(|outbox, desk| {
                    let below = outbox.persisted_below(lane).unwrap_or_default();
                    if hole {
                        outbox.flash_lost(lane, low, Cause::Flash);
                    }
                    outbox.persisted(lane, below, low);
                    desk.wake_runner();
                    desk.wake_tasks();
                });
                Ok(())
            }
        }
    }

    async fn keep(&mut self, device: &Device<'_>) -> Result<(), FlashError<S::Error>> {
        let (begun, tag, shift, store, ended) = device.shared.with(|outbox, desk| {
            let all = |lane: Lane| outbox.persisted_below(lane) == Some(outbox.next(lane));
            let ended = desk.ended && Lane::ALL.into_iter().all(all);
            (outbox.begun(), outbox.last_tag(), outbox.shift(), outbox.store(), ended)
        });
        let mut kept = self.kept;
        (kept.begun, kept.tag, kept.store) = (begun, tag, store);
        kept.complete = ended || self.acceptance == Acceptance::WhenPersisted;
        // What is kept counts from its own entries; this boot goes on with the numbers that it began with.
        let mut shifted = kept;
        shifted.shift_by(shift);
        shifted.save(&mut self.nor, self.state.clone()).await?;
        (self.kept, self.shift, self.end_kept) = (kept, shift, ended);
        device.shared.with(|outbox, desk| {
            outbox.tag_kept(tag);
            desk.begun_is_kept(begun);
            desk.wake_runner();
        });
        Ok(())
    }

    async fn spill(
        &mut self,
        device: &Device<'_>,
        lane: Lane,
        spill: Spill,
    ) -> Result<(), FlashError<S::Error>> {
        let may_drop = lane != Lane::Control;
        let sealed = group::seal(&mut self.group, &spill);
        let log = &mut self.logs[lane.index()];
        let mut lost = false;
        if !log.push(&mut self.nor, sealed, false).await? {
            lost = may_drop;
            if !may_drop || !log.push(&mut self.nor, sealed, true).await? {
                log.full = true;
                return Ok(());
            }
        }
        let acked = log.acked;
        if lost {
            // The oldest page gave way. What is left of it is what there is.
            while log.trim(&mut self.nor, &mut self.group, &self.kept, acked).await? {}
        } else {
            log.low = log.low.or((spill.next > acked.next()).then_some(spill.position.max(acked.next())));
        }
        let low = log.low;
        device.shared.with(|outbox, desk| {
            if lost {
                outbox.flash_lost(lane, low, Cause::Overflow);
            }
            outbox.persisted(lane, spill.next, low);
            desk.wake_runner();
            desk.wake_tasks();
        });
        Ok(())
    }

    async fn fetch(&mut self, device: &Device<'_>, request: Request) -> Result<(), FlashError<S::Error>> {
        let Request { lane, from, room, .. } = request;
        let room = room.min(self.supply.len());
        let log = &self.logs[lane.index()];
        let found =
            log.read(&mut self.nor, &mut self.group, &self.kept, from, &mut self.supply[..room]).await?;
        let since = self.kept.today(Position::boot_start(self.kept.complete_since)).boot();
        let supply = found.map(|mut supply| {
            supply.complete = from.boot() >= since;
            supply
        });
        device.shared.with(|_, desk| {
            if let Some(supply) = supply {
                desk.flash.staging[..supply.len].copy_from_slice(&self.supply[..supply.len]);
            }
            desk.flash.answer = Some((request, supply));
            desk.wake_runner();
        });
        Ok(())
    }
}
