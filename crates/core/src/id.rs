//! Names and numbers that both ends agree on. SPEC sections 2 and 3.

use core::fmt;

/// Who a device is: 1 to 32 bytes of `A-Z a-z 0-9 . _ -`, chosen by its owner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId {
    bytes: [u8; DeviceId::MAX],
    len: u8,
}

impl DeviceId {
    /// The longest identity, in bytes.
    pub const MAX: usize = 32;

    /// Takes a name, or says why it cannot be one.
    pub fn new(name: &str) -> Result<Self, BadDeviceId> {
        Self::from_bytes(name.as_bytes())
    }

    /// The same from bytes that need not be text.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, BadDeviceId> {
        if bytes.is_empty() {
            return Err(BadDeviceId::Empty);
        }
        if bytes.len() > Self::MAX {
            return Err(BadDeviceId::TooLong);
        }
        if !bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
            return Err(BadDeviceId::Character);
        }
        let mut id = Self { bytes: [0; Self::MAX], len: bytes.len() as u8 };
        id.bytes[..bytes.len()].copy_from_slice(bytes);
        Ok(id)
    }

    /// The name as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in.
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl core::ops::Deref for DeviceId {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl core::borrow::Borrow<str> for DeviceId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl core::str::FromStr for DeviceId {
    type Err = BadDeviceId;
    fn from_str(s: &str) -> Result<Self, BadDeviceId> {
        Self::new(s)
    }
}

/// Why a text is no [`DeviceId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadDeviceId {
    /// Nothing there.
    #[error("a device id is empty: give it 1 to 32 letters, digits, '.', '_' or '-'")]
    Empty,
    /// More than 32 bytes.
    #[error("a device id is longer than 32 bytes: shorten it")]
    TooLong,
    /// Something that is not a letter, digit, dot, underscore or hyphen.
    #[error("a device id holds a character other than letters, digits, '.', '_' and '-'")]
    Character,
}

/// One of the streams of records that a device sends, each with its own order, credit and overflow policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Lane {
    /// What must overtake everything else.
    Alarm = 0,
    /// Replies to commands, applied settings, decisions of the device; never dropped.
    Control = 1,
    /// Readings.
    Readings = 2,
}

impl Lane {
    /// How many lanes carry records upwards. Number 3 is reserved for bulk transfer downwards.
    pub const COUNT: usize = 3;
    /// All of them, the most urgent first.
    pub const ALL: [Lane; Lane::COUNT] = [Lane::Alarm, Lane::Control, Lane::Readings];

    /// The lane with this number.
    pub const fn from_number(n: u8) -> Option<Lane> {
        match n {
            0 => Some(Lane::Alarm),
            1 => Some(Lane::Control),
            2 => Some(Lane::Readings),
            _ => None,
        }
    }

    /// Its number, as an index.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Lane::Alarm => "alarm",
            Lane::Control => "control",
            Lane::Readings => "readings",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where a record stands in its lane: `boot << 32 | n`. Dedup key, order and time base in one integer.
///
/// Positions count up within a boot from `n = 0`; a later boot is always higher. 0 means "nothing yet".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// Before every record.
    pub const NONE: Position = Position(0);

    /// Record `n` of `boot`.
    pub const fn new(boot: u32, n: u32) -> Self {
        Position((boot as u64) << 32 | n as u64)
    }

    /// The boot that the record belongs to.
    pub const fn boot(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The record's number within its boot.
    pub const fn n(self) -> u32 {
        self.0 as u32
    }

    /// The first position of a boot.
    pub const fn boot_start(boot: u32) -> Self {
        Position::new(boot, 0)
    }

    /// The position after this one (saturating).
    // On a chip a call takes less flash, as with [`crate::Tick::plus`].
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn next(self) -> Self {
        Position(self.0.saturating_add(1))
    }

    /// The position before this one (saturating).
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn prev(self) -> Self {
        Position(self.0.saturating_sub(1))
    }

    /// `n` positions further (saturating).
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn plus(self, n: u64) -> Self {
        Position(self.0.saturating_add(n))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.boot(), self.n())
    }
}

/// A command's number: counted per device by the store, begun in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u32);

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Drawn by the server for each boot of a device; 0 means "none". Two boards with one identity cannot both hold it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tag(pub u64);

impl Tag {
    /// No tag.
    pub const NONE: Tag = Tag(0);
}

/// Drawn once when a store's schema is made; 0 means "none". Tells a restored or another database from the one that acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StoreId(pub u64);

/// Why records are missing. SPEC section 8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cause {
    /// Nothing is missing.
    #[default]
    None = 0,
    /// The outbox was full.
    Overflow = 1,
    /// They grew older than the lane's time to live.
    Expired = 2,
    /// Power was lost, or the board reset, with records in memory.
    Power = 3,
    /// Flash could not be read.
    Flash = 4,
    /// The store refused them; the raw bytes are in quarantine.
    Rejected = 5,
    /// A store had acknowledged them and no longer has them (restored from a backup, or another store).
    Store = 6,
    /// Several of these.
    Mixed = 7,
}

impl Cause {
    /// From its wire number; an unknown number reads as [`Cause::Mixed`].
    pub const fn from_number(n: u8) -> Cause {
        match n {
            0 => Cause::None,
            1 => Cause::Overflow,
            2 => Cause::Expired,
            3 => Cause::Power,
            4 => Cause::Flash,
            5 => Cause::Rejected,
            6 => Cause::Store,
            _ => Cause::Mixed,
        }
    }

    /// Its name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::None => "none",
            Cause::Overflow => "overflow",
            Cause::Expired => "expired",
            Cause::Power => "power",
            Cause::Flash => "flash",
            Cause::Rejected => "rejected",
            Cause::Store => "store",
            Cause::Mixed => "mixed",
        }
    }

    /// Two causes of one gap.
    pub fn merge(self, other: Cause) -> Cause {
        match (self, other) {
            (a, b) if a == b => a,
            (Cause::None, x) | (x, Cause::None) => x,
            _ => Cause::Mixed,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
