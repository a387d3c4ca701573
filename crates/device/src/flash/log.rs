//! One lane in flash: a queue of groups.

use core::ops::Range;

use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use sensock::Position;
use sensock::device::Supply;
use sequential_storage::Error;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::queue::{QueueConfig, QueueStorage};

use super::error::FlashError;
use super::group::{self, Group};
use super::kept::Kept;

type Queue<'n, S> = QueueStorage<&'n mut S, Cache<Uncached, Uncached, Uncached>>;

/// Groups that are let go in one go: then others have their turn.
const POPS: usize = 16;

/// One lane's part of the flash, and what is known of it. Positions are in the numbers of today.
#[derive(Clone, Debug)]
pub(super) struct Log {
    range: Range<u32>,
    /// The lowest position that is not acknowledged, if there is any.
    pub low: Option<Position>,
    /// Acknowledged positions that were looked at.
    pub acked: Position,
    /// No room until something is acknowledged.
    pub full: bool,
}

/// What a walk over the lane found.
pub(super) trait Visit {
    /// One group, oldest first. `false` ends the walk.
    fn group(&mut self, group: &Group<'_>) -> bool;
}

impl<F: FnMut(&Group<'_>) -> bool> Visit for F {
    fn group(&mut self, group: &Group<'_>) -> bool {
        self(group)
    }
}

impl Log {
    pub(super) const fn new(range: Range<u32>) -> Self {
        Self { range, low: None, acked: Position::NONE, full: false }
    }

    fn queue<'n, S: MultiwriteNorFlash>(&self, nor: &'n mut S) -> Result<Queue<'n, S>, FlashError<S::Error>> {
        let config = QueueConfig::try_new(self.range.clone());
        let config = config.map_err(|_| FlashError::Range { page: S::ERASE_SIZE as u32 })?;
        Ok(QueueStorage::new(nor, config, Cache::new_uncached()))
    }

    /// Adds a group. `false` if there is no room and nothing may be overwritten.
    pub(super) async fn push<S: MultiwriteNorFlash>(
        &self,
        nor: &mut S,
        group: &[u8],
        overwrite: bool,
    ) -> Result<bool, FlashError<S::Error>> {
        match self.queue(nor)?.push(group, overwrite).await {
            Ok(()) => Ok(true),
            Err(Error::FullStorage) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Walks over all groups, the oldest first. What is no group is passed over.
    pub(super) async fn visit<S: MultiwriteNorFlash>(
        &self,
        nor: &mut S,
        buffer: &mut [u8; group::MAX],
        mut visit: impl Visit,
    ) -> Result<(), FlashError<S::Error>> {
        let mut queue = self.queue(nor)?;
        let mut groups = queue.iter().await?;
        while let Some(entry) = groups.next(&mut buffer[..]).await? {
            if let Some(group) = Group::read(&entry)
                && !visit.group(&group)
            {
                break;
            }
        }
        Ok(())
    }

    /// Lets go of groups that are acknowledged, and finds the lowest position that is not. `true` if there is more to let go.
    ///
    /// One that is acknowledged stays for as long as what follows it is not reached by the acknowledgements: after a loss of power it is
    /// what shows that nothing is missing before that.
    pub(super) async fn trim<S: MultiwriteNorFlash>(
        &mut self,
        nor: &mut S,
        buffer: &mut [u8; group::MAX],
        kept: &Kept,
        acked: Position,
    ) -> Result<bool, FlashError<S::Error>> {
        let (mut before, mut spare, mut low) = (None, 0, None);
        self.visit(nor, buffer, |group: &Group<'_>| {
            let (first, next) = (kept.today(group.first), kept.today(group.end().0));
            if before.is_some_and(|last| last <= acked) && first <= acked.next() {
                spare += 1;
            }
            before = Some(next.prev());
            if next.prev() > acked {
                low = Some(if first <= acked { acked.next() } else { first });
            }
            low.is_none() && spare < POPS
        })
        .await?;
        let mut queue = self.queue(nor)?;
        for _ in 0..spare {
            if queue.pop(&mut buffer[..]).await?.is_none() {
                break;
            }
        }
        let more = low.is_none() && spare == POPS;
        if !more {
            (self.low, self.acked) = (low, acked);
        }
        self.full &= spare == 0;
        Ok(more)
    }

    /// Reads items from `from` on, as many as fit and follow each other; `None` if there are none.
    pub(super) async fn read<S: MultiwriteNorFlash>(
        &self,
        nor: &mut S,
        buffer: &mut [u8; group::MAX],
        kept: &Kept,
        from: Position,
        out: &mut [u8],
    ) -> Result<Option<Supply>, FlashError<S::Error>> {
        let mut supply: Option<Supply> = None;
        let mut follows = None;
        self.visit(nor, buffer, |group: &Group<'_>| {
            for item in group.walk() {
                let (first, next) = (kept.today(item.first), kept.today(item.next));
                if first < from || follows.is_some_and(|(expected, _)| first < expected) {
                    continue;
                }
                let bytes = group.items.get(item.at..item.at + item.len).unwrap_or_default();
                let at = supply.map_or(0, |s| s.len);
                let fits = follows.is_none_or(|f| f == (first, item.before));
                let Some(room) = out.get_mut(at..at + item.len).filter(|_| fits) else { return false };
                room.copy_from_slice(bytes);
                let begun = Supply { len: 0, first, tick: item.before, complete: true };
                supply.get_or_insert(begun).len += item.len;
                follows = Some((next, item.tick));
            }
            true
        })
        .await?;
        Ok(supply)
    }
}
