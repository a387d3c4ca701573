//! Every limit in one place: its value, and whose choice it is. SPEC section 1.3.

/// A chip: where a shortcut only saves time, flash goes first. What a wire's reader understands does not depend on it, but of a long column,
/// which others judge by a sample, a chip may choose another encoding. `--cfg sensock_small` takes a chip's ways on any machine, for tests.
pub(crate) const SMALL: bool = cfg!(any(target_pointer_width = "32", sensock_small));

/// The largest frame that the wire can carry, in bytes (length prefix and seal not counted).
pub const FRAME_HARD_MAX: usize = 16_383;
/// Every end takes frames of at least this size.
pub const FRAME_MIN_MAX: usize = 256;
/// A Hello with extensions may have so many bytes; every other frame before Welcome, and Welcome, [`FRAME_MIN_MAX`].
pub const HELLO_MAX: usize = 1_024;
/// What the server takes unless told otherwise.
pub const FRAME_DEFAULT: usize = 4_096;
/// The largest record, encoded alone; a larger one is refused where it is made, so that every server can take it.
pub const RECORD_MAX: usize = 200;
/// Readings in one record.
pub const READINGS_PER_RECORD: usize = 16;
/// Records in one run of a batch.
pub const RUN_MAX: usize = crate::batch::MAX_RUN;
/// Body of a command, setting, ask or answer.
pub const BODY_MAX: usize = 128;
/// Commands that may be under way at once: a device chooses 1 to this.
pub const COMMAND_SLOTS_MAX: u8 = 8;
/// Quantities, commands, settings and asks in a catalogue, each.
pub const CATALOG_ENTRIES: usize = 64;
/// A catalogue's canonical bytes.
pub const CATALOG_MAX: usize = 8_192;
/// A name in a catalogue, in bytes.
pub const NAME_MAX: usize = 48;
/// A sentence in a Refused or a Bye, in bytes.
pub const TEXT_MAX: usize = 160;
/// Superseded tags that a store keeps per device.
pub const TAGS_KEPT: usize = 8;
/// Offline boots that one Boots frame may announce.
pub const BOOTS_PER_FRAME: usize = 8;
/// The server pings this often unless told otherwise, in milliseconds.
pub const PING_INTERVAL_MS: u32 = 10_000;
/// Shortest and longest ping interval that a device accepts, in milliseconds.
pub const PING_RANGE_MS: (u32, u32) = (100, 3_600_000);
/// A handshake that takes longer is given up, in milliseconds.
pub const HANDSHAKE_MS: u64 = 10_000;
/// A device that keeps its tags waits for its memory before it proves a session, but no longer than this, in milliseconds.
pub const KEEP_MS: u64 = 2_000;
/// A device that sleeps waits for commands and settings that Welcome promised until it has heard nothing for so long, in milliseconds.
pub const SLEEP_OWED_MS: u64 = 2_000;
/// A device that sleeps waits for what its application does with a command or a setting until it has heard nothing for so long, in milliseconds.
pub const SLEEP_HELD_MS: u64 = 10_000;
/// How fast two clocks may drift apart at worst, in parts per million: both crystals, with margin.
pub const DRIFT_PPM: u64 = 250;
/// A refusal code of the protocol itself: the device has no room for another answer. Codes below 16 are the protocol's.
pub const REFUSED_BUSY: u8 = 1;
/// A refusal code of the protocol itself: nobody on the device answers to this key.
pub const REFUSED_UNKNOWN: u8 = 2;
/// A refusal code of the protocol itself: the body is not of the shape that the catalogue states.
pub const REFUSED_SHAPE: u8 = 3;
/// A refusal code for applications that need only one.
pub const REFUSED: u8 = 16;
