//! The device's state in flash: one value, written whole.

use core::ops::Range;

use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use sensock::{CommandId, Position, StoreId, Tag};
use sequential_storage::cache::Cache;
use sequential_storage::map::{MapConfig, MapStorage};

use super::error::FlashError;

/// Boots with different catalogues or shifts whose records lie in flash at once.
const ENTRIES: usize = 8;
/// The value, its key, and room for a whole word.
const LEN: usize = 1 + 4 + 4 + 8 + 8 + 4 + 1 + 1 + ENTRIES * ENTRY;
const ENTRY: usize = 4 + 4 + 8;
const BUFFER: usize = LEN + 1 + 33;
const KEY: u8 = 1;
const VERSION: u8 = 2;
/// As 2, without a tag.
const TAGLESS: u8 = 1;

/// What holds for the records of a boot, and of those that follow up to the next entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// As records were kept.
    pub boot: u32,
    /// To be added to that, for what the server shifted since.
    pub shift: u32,
    /// Hash of the catalogue.
    pub catalog: u64,
}

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    /// The last boot that was begun, as kept.
    pub boot: u32,
    /// The highest command that was begun.
    pub begun: CommandId,
    /// The store that acknowledged last.
    pub store: StoreId,
    /// The last tag that a server gave.
    pub tag: Tag,
    /// All boots from this one on (as kept) ended with nothing lost.
    pub complete_since: u32,
    /// The last boot loses nothing if it ends here.
    pub complete: bool,
    entries: [Entry; ENTRIES],
    count: u8,
}

impl Kept {
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries[..self.count as usize]
    }

    fn entry(&self, boot: u32) -> Entry {
        self.entries().iter().rev().find(|e| e.boot <= boot).copied().unwrap_or_default()
    }

    /// A kept position in the numbers of today.
    pub(super) fn today(&self, kept: Position) -> Position {
        kept.plus(u64::from(self.entry(kept.boot()).shift) << 32)
    }

    /// Whether a boot (as kept) had another number once: the server moved it above what was stored.
    pub(super) fn was_moved(&self, boot: u32) -> bool {
        self.entry(boot).shift > 0
    }

    /// The catalogue under which a boot (as kept) ran.
    pub(super) fn catalog(&self, boot: u32) -> u64 {
        self.entry(boot).catalog
    }

    /// Begins a boot: `lowest` is the lowest boot (as kept) of which flash holds anything.
    pub(super) fn begin(&mut self, boot: u32, catalog: u64, lowest: u32) {
        let needed = self.entries().iter().rposition(|e| e.boot <= lowest).unwrap_or(0);
        self.entries.copy_within(needed.., 0);
        self.count -= needed as u8;
        let last = self.entries().last();
        if last.is_none_or(|e| e.catalog != catalog || e.shift != 0) {
            if self.count as usize == ENTRIES {
                // Eight updates of the firmware with nothing stored between: the records of the oldest count as of the next.
                self.entries.copy_within(1.., 0);
                self.entries[0].boot = 0;
                self.count -= 1;
            }
            self.entries[self.count as usize] = Entry { boot, shift: 0, catalog };
            self.count += 1;
        }
        self.boot = boot;
    }

    /// Everything that is kept, the present boot included, is of boots `by` higher.
    pub(super) fn shift_by(&mut self, by: u32) {
        self.entries.iter_mut().for_each(|e| e.shift = e.shift.saturating_add(by));
    }

    /// Reads what is kept, if anything is.
    pub(super) async fn load<S: MultiwriteNorFlash>(
        nor: &mut S,
        range: Range<u32>,
    ) -> Result<Option<Kept>, FlashError<S::Error>> {
        let config =
            MapConfig::try_new(range).map_err(|_| FlashError::Range { page: S::ERASE_SIZE as u32 })?;
        let mut map = MapStorage::<u8, _, _>::new(nor, config, Cache::new_uncached());
        let mut buffer = [0; BUFFER];
        let value: Option<&[u8]> = map.fetch_item(&mut buffer, &KEY).await?;
        value.map(|bytes| Kept::read(bytes).ok_or(FlashError::Damaged)).transpose()
    }

    /// Keeps it, in the place of what was kept before.
    pub(super) async fn save<S: MultiwriteNorFlash>(
        &self,
        nor: &mut S,
        range: Range<u32>,
    ) -> Result<(), FlashError<S::Error>> {
        let config =
            MapConfig::try_new(range).map_err(|_| FlashError::Range { page: S::ERASE_SIZE as u32 })?;
        let mut map = MapStorage::<u8, _, _>::new(nor, config, Cache::new_uncached());
        let (mut value, mut buffer) = ([0; LEN], [0; BUFFER]);
        let len = self.write(&mut value);
        map.store_item_generic::<&[u8]>(&mut buffer, &KEY, &&value[..len]).await?;
        Ok(())
    }

    fn write(&self, out: &mut [u8; LEN]) -> usize {
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            out[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        put(&[VERSION]);
        put(&self.boot.to_le_bytes());
        put(&self.begun.0.to_le_bytes());
        put(&self.store.0.to_le_bytes());
        put(&self.tag.0.to_le_bytes());
        put(&self.complete_since.to_le_bytes());
        put(&[u8::from(self.complete), self.count]);
        for entry in self.entries() {
            put(&entry.boot.to_le_bytes());
            put(&entry.shift.to_le_bytes());
            put(&entry.catalog.to_le_bytes());
        }
        at
    }

    fn read(bytes: &[u8]) -> Option<Kept> {
        let mut rest = bytes;
        let mut kept = Kept::default();
        let [version] = take(&mut rest)?;
        if version != VERSION && version != TAGLESS {
            return None;
        }
        kept.boot = u32::from_le_bytes(take(&mut rest)?);
        kept.begun = CommandId(u32::from_le_bytes(take(&mut rest)?));
        kept.store = StoreId(u64::from_le_bytes(take(&mut rest)?));
        if version == VERSION {
            kept.tag = Tag(u64::from_le_bytes(take(&mut rest)?));
        }
        kept.complete_since = u32::from_le_bytes(take(&mut rest)?);
        let [complete, count] = take(&mut rest)?;
        kept.complete = complete != 0;
        for entry in kept.entries.get_mut(..count as usize)? {
            entry.boot = u32::from_le_bytes(take(&mut rest)?);
            entry.shift = u32::from_le_bytes(take(&mut rest)?);
            entry.catalog = u64::from_le_bytes(take(&mut rest)?);
        }
        kept.count = count;
        rest.is_empty().then_some(kept)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_firmware_before_tags_kept_is_read() {
        let mut kept = Kept { begun: CommandId(41), store: StoreId(9), tag: Tag(99), ..Kept::default() };
        kept.begin(7, 100, 7);
        let mut bytes = [0; LEN];
        let len = kept.write(&mut bytes);
        let tag_at = 1 + 4 + 4 + 8;
        let mut old = [&bytes[..tag_at], &bytes[tag_at + 8..len]].concat();
        old[0] = TAGLESS;
        let read = Kept::read(&old).unwrap();
        assert_eq!((read.boot, read.begun, read.store, read.tag), (7, kept.begun, kept.store, Tag::NONE));
        assert_eq!(read.entries(), kept.entries());
        old[0] = VERSION + 1;
        assert!(Kept::read(&old).is_none());
    }

    #[test]
    fn boots_find_their_catalogue_and_shift() {
        let mut kept = Kept::default();
        kept.begin(1, 100, 1);
        kept.begin(2, 100, 1);
        kept.begin(3, 300, 1);
        kept.shift_by(10);
        kept.begin(14, 300, 2);
        assert_eq!(kept.today(Position::new(2, 5)), Position::new(12, 5));
        assert_eq!(kept.today(Position::new(14, 5)), Position::new(14, 5));
        assert_eq!([2, 3, 13, 14].map(|b| kept.catalog(b)), [100, 300, 300, 300]);
        assert_eq!([2, 13, 14, 15].map(|b| kept.was_moved(b)), [true, true, false, false]);
        kept.tag = Tag(99);
        let mut bytes = [0; LEN];
        let len = kept.write(&mut bytes);
        let read = Kept::read(&bytes[..len]).unwrap();
        assert_eq!((read.boot, read.tag, read.entries()), (14, Tag(99), kept.entries()));
        assert!(Kept::read(&bytes[..len - 1]).is_none());
        for boot in 15..40 {
            kept.begin(boot, u64::from(boot), 2);
        }
        assert_eq!(kept.entries().len(), ENTRIES);
        assert_eq!(kept.catalog(39), 39);
        kept.begin(40, 40, 40);
        assert_eq!(kept.entries().len(), 2, "what no record needs is forgotten");
    }
}
