//! Who a device is.

use sensock::catalog::Catalog;
use sensock::device::Carry;
use sensock::{BadDeviceId, limits};

/// Who a device is, said once at the start.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its name: 1 to 32 of `A-Z a-z 0-9 . _ -`.
    pub id: &'a str,
    /// How it proves that it is that device.
    pub key: Key,
    /// What it says of itself.
    pub catalog: &'a Catalog<'a>,
    /// What it remembers of earlier boots.
    pub boot: Boot,
}

/// How a device proves its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Key {
    /// Not at all, and in plain text: whoever reaches the server may say this name. Servers take it only where they are told to.
    Insecure,
}

/// What a device remembers of earlier boots.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "there is one, and it is gone once the device has started")]
pub enum Boot {
    /// Nothing: the server numbers the boot.
    Unknown,
    /// A number that was never used before, persisted before the start: one more than at the boot before.
    Number(u32),
    /// What a deep sleep kept, as [`Device::deep_sleep`](crate::Device::deep_sleep) gave it.
    Woke(Carry),
    /// What flash kept, as `Flash::recover` found it.
    #[cfg(feature = "flash")]
    Flash(crate::flash::Recovered),
}

impl Boot {
    /// What memory that survives a deep sleep holds: the boot after the one that it tells of, or [`Boot::Unknown`] if it lost power meanwhile.
    pub fn kept(bytes: &[u8; Carry::LEN]) -> Boot {
        Carry::from_bytes(bytes).map_or(Boot::Unknown, Boot::Woke)
    }
}

/// Why a device could not be started. All of these are mistakes in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The outbox has been started before.
    #[error("this outbox was started before: start it once, and copy the Device that it gave")]
    Twice,
    /// The id is no device id.
    #[error("{0}")]
    Id(#[from] BadDeviceId),
    /// More settings than a device holds.
    #[error("a device holds at most {} settings: list fewer in its catalogue", crate::MAX_SETTINGS)]
    TooManySettings,
    /// The catalogue's canonical bytes are too long.
    #[error("the catalogue is longer than {} bytes: shorten its names", limits::CATALOG_MAX)]
    CatalogTooLong,
}
