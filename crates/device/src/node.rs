//! Who a device is.

use sensock::catalog::Catalog;
use sensock::device::Carry;
#[cfg(feature = "seal")]
use sensock::seal::{Credential, NoEntropy};
use sensock::{BadDeviceId, limits};

/// Who a device is, said once at the start.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its name: 1 to 32 of `A-Z a-z 0-9 . _ -`.
    pub id: &'a str,
    /// How it proves that it is that device.
    pub key: Key<'a>,
    /// What it says of itself.
    pub catalog: &'a Catalog<'a>,
    /// What it remembers of earlier boots.
    pub boot: Boot,
}

/// How a device proves its name.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Key<'a> {
    /// Not at all, and in plain text: whoever reaches the server may say this name. Servers take it only where they are told to.
    Insecure,
    /// By this key, from random bytes of this source: a hardware generator, or the operating system's.
    #[cfg(feature = "seal")]
    Sealed(&'a Credential, Random),
    #[cfg(not(feature = "seal"))]
    #[doc(hidden)]
    Never(core::convert::Infallible, core::marker::PhantomData<&'a ()>),
}

impl Key<'_> {
    /// How many bytes of a buffer a frame cannot use, at worst.
    pub(crate) const fn overhead(&self) -> usize {
        match self {
            #[cfg(feature = "seal")]
            Key::Sealed(..) => sensock::seal::FIRST_OVERHEAD,
            _ => 0,
        }
    }
}

/// Fills the bytes with random ones, or says that there are none: no connection is made then.
#[cfg(feature = "seal")]
pub type Random = fn(&mut [u8]) -> Result<(), NoEntropy>;

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
    /// The buffers are too small for a device with a key.
    #[error("a device with a key needs Buffers of at least {} bytes", crate::outbox::SEALED_MIN)]
    Buffers,
    /// The catalogue's canonical bytes are too long.
    #[error("the catalogue is longer than {} bytes: shorten its names", limits::CATALOG_MAX)]
    CatalogTooLong,
}
