//! An outbox that survives a loss of power, on any NOR flash.
//!
//! ```text
//!   record ──▶ ring (memory) ──▶ flash ──▶ frame ──▶ ack ──▶ ring and flash let go
//! ```
//! A record is *accepted* when `record` returns, and *persisted* a moment later; only then is it framed. What was persisted is never lost by a
//! power cut, keeps its order and its position. [`Device::persisted`] and [`Device::flush`] wait for it.
//!
//! ```ignore
//! let mut flash = Flash::new(chip, 0x10_0000..0x18_0000)?;               // page aligned, eight pages at least
//! let boot = flash.recover(&CELLAR, Acceptance::AtOnce).await?;          // before the start
//! let node = Node { id: "cellar-3", key: Key::Sealed(&KEY, random), catalog: &CELLAR, boot };
//! let (device, runner) = OUTBOX.start(&node, EmbassyClock, &mut buffers);
//! join(flash.run(device), ..).await;                                     // a task of its own
//! ```
//! [`Flash::run`] must go on as long as the device does: without it nothing is framed. It is a task of its own because a write to flash must
//! not be torn by dropping a future; connections come and go beside it.
//!
//! Two pages keep the device's state (boot number, the server's last tag, commands begun), two each alarms and control, the rest readings. Each lane is a ring of
//! its own: readings that overflow take no alarm with them. The control lane never drops; while it is full, commands are refused.

mod error;
mod group;
mod kept;
mod log;
mod recover;
mod spill;
mod stand;

use core::ops::Range;

use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use sensock::Lane;

use kept::Kept;
use log::Log;

#[allow(unused_imports, reason = "named in the text above")]
use crate::Device;

pub use error::FlashError;
pub use recover::Recovered;
pub(crate) use stand::{Request, Stand};

/// When a record counts as accepted, in the application's own books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acceptance {
    /// When `record` returned: what was not persisted at a power cut is a gap of an unknown number of records.
    #[default]
    AtOnce,
    /// When it is persisted: the application waits for [`Device::persisted`](crate::Device::persisted) before it counts on a record, so a power cut loses
    /// nothing that was accepted, and leaves no gap.
    WhenPersisted,
}

/// The pages that hold the device's state, and those of alarms and of control.
const SMALL_PAGES: u32 = 2;
/// All lanes and the state need two pages each.
const MIN_PAGES: u32 = SMALL_PAGES * 4;

/// A NOR flash, or a part of one, that holds an outbox.
///
/// `S` must allow a word to be written twice (bits cleared only), as most flash does.
#[derive(Debug)]
pub struct Flash<S> {
    nor: S,
    state: Range<u32>,
    logs: [Log; Lane::COUNT],
    kept: Kept,
    acceptance: Acceptance,
    /// Boot numbers are these many higher now than when they were kept: what the server shifted in this boot.
    shift: u32,
    end_kept: bool,
    group: [u8; group::MAX],
    supply: [u8; stand::STAGE],
}

impl<S: MultiwriteNorFlash> Flash<S> {
    /// An outbox in `range` of the flash, in bytes from its beginning.
    ///
    /// # Errors
    /// [`FlashError::Range`] unless it begins and ends at a page, and holds eight pages at least.
    pub fn new(nor: S, range: Range<u32>) -> Result<Self, FlashError<S::Error>> {
        let page = S::ERASE_SIZE as u32;
        let aligned = range.start.is_multiple_of(page) && range.end.is_multiple_of(page);
        let large = range.end.checked_sub(range.start).is_some_and(|len| len / page >= MIN_PAGES);
        if !aligned || !large || range.end as usize > nor.capacity() || S::ERASE_SIZE < group::PAGE_MIN {
            return Err(FlashError::Range { page });
        }
        let at = |pages: u32| range.start + pages * SMALL_PAGES * page;
        Ok(Self {
            nor,
            state: at(0)..at(1),
            logs: [Log::new(at(1)..at(2)), Log::new(at(2)..at(3)), Log::new(at(3)..range.end)],
            kept: Kept::default(),
            acceptance: Acceptance::AtOnce,
            shift: 0,
            end_kept: false,
            group: [0; group::MAX],
            supply: [0; stand::STAGE],
        })
    }

    /// Gives the flash back, for instance to erase it.
    pub fn free(self) -> S {
        self.nor
    }
}
