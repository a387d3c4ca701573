//! What an earlier boot left.

use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use sensock::catalog::Catalog;
use sensock::device::OutboxMut;
use sensock::wire::flow::OldBoot;
use sensock::{CommandId, Lane, Position, Tag};

use super::error::FlashError;
use super::group::Group;
use super::kept::Kept;
use super::stand::OldBoots;
use super::{Acceptance, Flash};
use crate::desk::Desk;
use crate::node::Boot;

/// What flash kept of earlier boots: what [`Flash::recover`] found, for [`Node::boot`](crate::Node::boot).
#[derive(Clone, Copy, Debug)]
pub struct Recovered {
    boot: u32,
    begun: CommandId,
    tag: Tag,
    lowest: [Option<Position>; Lane::COUNT],
    since: Position,
    boots: OldBoots,
}

impl Recovered {
    /// The number of the boot that begins.
    pub fn boot(&self) -> u32 {
        self.boot
    }

    /// The lowest position that flash holds of each lane.
    pub fn lowest(&self) -> [Option<Position>; Lane::COUNT] {
        self.lowest
    }

    pub(crate) fn start(&self, outbox: &mut OutboxMut<'_>, desk: &mut Desk) {
        outbox.start(Some(self.boot));
        outbox.with_flash(self.lowest);
        for lane in Lane::ALL.into_iter().filter(|lane| self.lowest[lane.index()].is_none()) {
            outbox.nothing_since(lane, self.since);
        }
        outbox.begun_persists(self.begun);
        outbox.tag_persists(self.tag);
        outbox.whole_since(self.since.boot());
        desk.keeps = true;
        desk.flash.boots = self.boots;
    }
}

impl<S: MultiwriteNorFlash> Flash<S> {
    /// Reads what earlier boots left, and keeps the number of the boot that begins, before anything is recorded. Call it once, before the
    /// start; give the result to [`Node::boot`](crate::Node::boot).
    ///
    /// Reads all of the range. Cancel safe; a boot number that was kept and not used is skipped.
    ///
    /// # Errors
    /// [`FlashError`]: the chip failed, or holds something else.
    pub async fn recover(
        &mut self,
        catalog: &Catalog<'_>,
        acceptance: Acceptance,
    ) -> Result<Boot, FlashError<S::Error>> {
        let loaded = Kept::load(&mut self.nor, self.state.clone()).await?;
        let mut kept = loaded.unwrap_or_default();
        let (mut boots, mut lowest_kept, mut highest) = (OldBoots::new(), u32::MAX, 0);
        for log in &mut self.logs {
            let mut low: Option<Position> = None;
            log.visit(&mut self.nor, &mut self.group, |group: &Group<'_>| {
                let first = kept.today(group.first);
                low = Some(low.map_or(first, |low| low.min(first)));
                lowest_kept = lowest_kept.min(group.first.boot());
                highest = highest.max(first.boot());
                boots.note(OldBoot {
                    boot: first.boot(),
                    catalog: kept.catalog(group.first.boot()),
                    last_tick: group.end().1,
                });
                if kept.was_moved(group.first.boot()) {
                    boots.note_moved(first.boot());
                }
                true
            })
            .await?;
            log.low = low;
        }
        let last = kept.today(Position::boot_start(kept.boot)).boot();
        let boot = last.max(highest).saturating_add(1);
        // A first boot, and one whose state was lost while records were not, cannot vouch for the one before.
        let complete = kept.complete && loaded.is_some();
        if !complete {
            kept.complete_since = boot;
        }
        kept.complete = acceptance == Acceptance::WhenPersisted;
        kept.begin(boot, catalog.hash(), lowest_kept.min(boot));
        kept.save(&mut self.nor, self.state.clone()).await?;
        (self.kept, self.acceptance, self.shift, self.end_kept) = (kept, acceptance, 0, false);
        Ok(Boot::Flash(Recovered {
            boot,
            begun: kept.begun,
            tag: kept.tag,
            lowest: core::array::from_fn(|i| self.logs[i].low),
            since: kept.today(Position::boot_start(kept.complete_since)),
            boots,
        }))
    }
}
