//! The rows that a store keeps, one plain struct each. Times are microseconds since 1970 UTC.

use sensock::catalog::{Fault, Policy};
use sensock::wire::hello::Account;
use sensock::{Cause, CommandId, DeviceId, Lane, Position, Tag, Tick};

/// One lane of one device: what a mark belongs to. Ordered by device, then lane: the order in which locks are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId {
    /// The device.
    pub device: DeviceId,
    /// Its lane.
    pub lane: Lane,
}

/// One value of one quantity at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadingRow {
    /// Device and lane.
    pub lane: LaneId,
    /// The record that it belongs to.
    pub position: Position,
    /// The quantity's id in the catalogue.
    pub quantity: u16,
    /// Hash of the catalogue under which it was measured.
    pub catalog: u64,
    /// The scaled integer as it came; 0 if `fault` is set.
    pub raw: i32,
    /// Why there is no value.
    pub fault: Option<Fault>,
    /// The value in the quantity's unit: `raw` x 10^scale; NaN if `fault` is set.
    pub value: f64,
    /// The device's clock at that instant.
    pub tick: Tick,
    /// It was measured not before this; `None` if nothing bounds it.
    pub not_before_us: Option<i64>,
    /// It was measured not after this.
    pub not_after_us: i64,
}

/// Positions of one lane that will never be stored, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapRow {
    /// Device and lane.
    pub lane: LaneId,
    /// First position.
    pub first: Position,
    /// Last position, inclusive.
    pub last: Position,
    /// Why.
    pub cause: Cause,
    /// How many records; `None` for the tail of a boot that died in memory.
    pub count: Option<u64>,
    /// The missing records were made not before this, if known.
    pub not_before_us: Option<i64>,
    /// The missing records were made not after this, if known.
    pub not_after_us: Option<i64>,
    /// When this row was written.
    pub written_us: i64,
    /// A sentence for the operator; may be empty.
    pub detail: String,
}

/// What the store knows of a device's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// Who.
    pub device: DeviceId,
    /// Its newest boot.
    pub boot: u32,
    /// The tag of that boot.
    pub tag: Tag,
    /// Tags of earlier boots, the newest first, at most eight.
    pub superseded: Vec<Tag>,
    /// The catalogue it runs under.
    pub catalog: u64,
}

/// One boot of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootRow {
    /// Who.
    pub device: DeviceId,
    /// Which boot.
    pub boot: u32,
    /// Its tag; none for a boot that was only heard of through its successor's flash.
    pub tag: Tag,
    /// Hash of its catalogue; 0 if unknown.
    pub catalog: u64,
    /// Name and version of the firmware; empty if unknown.
    pub firmware: String,
    /// When a server first heard of it.
    pub seen_us: i64,
    /// Bounds of the moment of its tick 0; `None` where nothing bounds it.
    pub started: (Option<i64>, Option<i64>),
    /// The highest tick known of it.
    pub last_tick: Tick,
    /// What the device said of itself at its latest Hello in this boot.
    pub account: Account,
    /// Amount that was added to its boot numbers when it was rebased; 0 if it was not.
    pub rebased_by: u32,
}

/// A catalogue's canonical bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogRow {
    /// Whose.
    pub device: DeviceId,
    /// FNV-1a of the bytes.
    pub hash: u64,
    /// Canonical bytes (SPEC 5.2).
    pub bytes: Vec<u8>,
}

/// What ties ticks of one boot to wall time: true time of tick t lies within `lo_us + t` and `hi_us + t`, aged by the drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorRow {
    /// Whose.
    pub device: DeviceId,
    /// Of which boot.
    pub boot: u32,
    /// The tick at which it was measured.
    pub tick: Tick,
    /// Least offset: wall time in us minus tick in us.
    pub lo_us: i64,
    /// Greatest offset.
    pub hi_us: i64,
    /// The server that measured it.
    pub server: u64,
}

/// One connection, from the first proof of life to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRow {
    /// Random, drawn by the server.
    pub id: u64,
    /// Who.
    pub device: DeviceId,
    /// In which boot.
    pub boot: u32,
    /// Which server.
    pub server: u64,
    /// The peer's address as text.
    pub peer: String,
    /// When it began.
    pub from_us: i64,
    /// When it ended; `None` while it lasts, or if the server died.
    pub to_us: Option<i64>,
    /// How it ended; empty while it lasts.
    pub reason: String,
    /// The device announced that it sleeps until then.
    pub asleep_until_us: Option<i64>,
    /// What the device said of the time before this connection.
    pub account: Account,
    /// Records that came over it.
    pub records: u64,
    /// Bytes of frames that came over it.
    pub bytes: u64,
}

/// How far a command got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandState {
    /// Not sent yet: may still expire, be cancelled or collapse.
    Queued,
    /// Framed to this boot: only the device, or the lack of its memory, can settle it.
    Sent(u32),
    /// It ran; the answer is stored.
    Done,
    /// The device refused, with its code.
    Refused(u8),
    /// Its deadline passed before it was begun.
    Expired,
    /// Cancelled, collapsed into a newer one, or larger than the device can take.
    Undeliverable,
    /// It may have run: nobody can know.
    Unknown,
}

impl CommandState {
    /// Whether it will not change any more.
    pub const fn is_settled(self) -> bool {
        !matches!(self, CommandState::Queued | CommandState::Sent(_))
    }
}

/// One command: a stored ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRow {
    /// For whom.
    pub device: DeviceId,
    /// Number per device.
    pub id: CommandId,
    /// Key in the device's catalogue.
    pub key: u16,
    /// Name in the device's catalogue.
    pub name: String,
    /// Whether it may be sent again freely.
    pub policy: Policy,
    /// Its body (postcard by the catalogue's shape).
    pub body: Vec<u8>,
    /// Who asked for it.
    pub issuer: String,
    /// The caller's own key, so that a retry finds the first one.
    pub idempotency_key: Option<String>,
    /// Whether it stays beside newer ones of the same key (else the newest replaces those that still wait).
    pub keep_all: bool,
    /// When it was stored.
    pub created_us: i64,
    /// Not to be begun after this.
    pub deadline_us: i64,
    /// How far it got.
    pub state: CommandState,
    /// The answer's body, if it is done.
    pub answer: Vec<u8>,
    /// When it was settled.
    pub settled_us: Option<i64>,
}

/// Desired state, the latest of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingRow {
    /// For whom.
    pub device: DeviceId,
    /// Key in the device's catalogue.
    pub key: u16,
    /// Name in the device's catalogue.
    pub name: String,
    /// Counts up per device over all settings.
    pub revision: u32,
    /// Its body.
    pub body: Vec<u8>,
    /// Who set it.
    pub issuer: String,
    /// When it was set.
    pub set_us: i64,
    /// When the device reported that it applied this revision.
    pub applied_us: Option<i64>,
    /// The device refused this revision, with its code.
    pub refused: Option<u8>,
}

/// Records that the store could not take as rows: raw bytes and the reason. A gap with cause `rejected` covers them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Device and lane.
    pub lane: LaneId,
    /// First position.
    pub first: Position,
    /// Last position, inclusive.
    pub last: Position,
    /// Why they were refused.
    pub reason: String,
    /// What came.
    pub raw: Vec<u8>,
    /// When.
    pub written_us: i64,
}
