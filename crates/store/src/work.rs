//! What a server asks of rule A: pieces of work, each for one device, and what became of them.

use sensock::wire::hello::{Hello, LaneFloor};
use sensock::{Cause, CommandId, DeviceId, Lane, Position, StoreId, Tag};

use crate::batch::Batch;
use crate::rows::*;

/// One piece of work. Works of many devices share a transaction; works of one device keep their order.
#[derive(Clone, Debug)]
pub enum Work {
    /// A connection proved itself live: boot, tag, floors, takeover.
    Hello(Box<HelloWork>),
    /// Records of one lane.
    Records(Box<RecordsWork>),
    /// The device raised a floor while connected.
    Floor(FloorWork),
    /// The device ended its boot, or goes to sleep, in order: these are the last positions of its lanes.
    Ended(DeviceId, [Position; Lane::COUNT]),
    /// A command is made or moves on.
    Command(CommandWork),
    /// A setting is made.
    Setting(Box<SettingRow>),
    /// Rows of one device that depend on nothing: catalogues, anchors, connections, boots. All else in it is ignored.
    Rows(Box<Batch>),
}

/// Who a device turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its boot number after the shift.
    pub boot: u32,
    /// What Welcome tells it to add to its boot numbers.
    pub shift: u32,
    /// The tag of the boot.
    pub tag: Tag,
    /// What kind of meeting this is.
    pub meeting: Meeting,
    /// Marks after the floors were subtracted: the device sends from the next position on.
    pub marks: [Position; Lane::COUNT],
}

/// How a device and a store meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// The store never saw it.
    First,
    /// The same boot again.
    Resumed,
    /// A new boot.
    Booted,
    /// Its positions were moved above what is stored: some records may be stored twice.
    Rebased,
}

/// The verdict on a Hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This is who it is.
    Welcome(Identity),
    /// Proof that two boards have this identity: it carries a tag that was superseded.
    Collision,
}

/// The Hello transaction.
#[derive(Clone, Debug)]
pub struct HelloWork {
    /// What the device said.
    pub hello: Hello,
    /// What Welcome said; if the store now says otherwise, the answer is [`Refuse::Busy`].
    pub proposed: Identity,
    /// The firmware's name, if the catalogue is known.
    pub firmware: String,
    /// Bounds of the boot's tick 0.
    pub started: (Option<i64>, Option<i64>),
    /// The connection's row.
    pub connection: ConnectionRow,
    /// The first anchor.
    pub anchor: Option<AnchorRow>,
    /// The store that this server thinks it talks to.
    pub store: StoreId,
    /// Now.
    pub now_us: i64,
}

/// Records of one lane, as one or several frames brought them.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordsWork {
    /// Device and lane.
    pub lane: LaneId,
    /// What the positions hold, in order and without holes.
    pub steps: Vec<Step>,
    /// All readings, sorted by position.
    pub readings: Vec<ReadingRow>,
    /// Answers to commands, sorted by position.
    pub replies: Vec<Reply>,
    /// Settings that the device applied or refused, sorted by position.
    pub applied: Vec<Applied>,
    /// Anchors that the readings' times rest on and that are not stored yet.
    pub anchors: Vec<AnchorRow>,
    /// Bytes as they came, for quarantine if the store rejects these rows.
    pub raw: Vec<u8>,
    /// Now.
    pub now_us: i64,
}

/// A stretch of positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Records `first .. first + count`.
    Records {
        /// First position.
        first: Position,
        /// How many.
        count: u32,
    },
    /// The device says that these will never come.
    Gap {
        /// First position.
        first: Position,
        /// Last position, inclusive.
        last: Position,
        /// Why.
        cause: Cause,
        /// Bounds of the time of what is missing.
        between_us: (Option<i64>, Option<i64>),
    },
    /// The boot before ended; the lane goes on at the start of `boot`. If `complete`, nothing came after `after`; else an unknown
    /// number of records died with it.
    Boot {
        /// The last position before this step: the step holds `after + 1` up to the start of `boot`, so that it can never hide
        /// positions that did not arrive.
        after: Position,
        /// The boot that begins.
        boot: u32,
        /// Whether nothing was lost in between.
        complete: bool,
    },
    /// These could not be understood (unknown catalogue, malformed): raw bytes go to quarantine, a gap `rejected` covers them.
    Quarantine {
        /// First position.
        first: Position,
        /// Last position, inclusive.
        last: Position,
        /// Why, for people.
        reason: String,
        /// What came.
        raw: Vec<u8>,
    },
}

/// An answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Where it stands in the control lane.
    pub position: Position,
    /// Which command.
    pub command: CommandId,
    /// [`CommandState::Done`], `Refused`, `Expired` or `Unknown`.
    pub state: CommandState,
    /// Body of the answer.
    pub answer: Vec<u8>,
}

/// A setting that was applied or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Where it stands in the control lane.
    pub position: Position,
    /// Which revision.
    pub revision: u32,
    /// Refused, with a code.
    pub refused: Option<u8>,
}

/// A floor that rose while connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloorWork {
    /// Device and lane.
    pub lane: LaneId,
    /// Where the lane stands, in wire positions.
    pub floor: LaneFloor,
    /// Bounds of the time of what was dropped.
    pub between_us: (Option<i64>, Option<i64>),
    /// Now.
    pub now_us: i64,
}

/// A command is made or moves on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandWork {
    /// Store it as queued; its `id` and `state` are given by the store. A row with the same idempotency key is returned instead;
    /// queued ones of the same key collapse unless `keep_all`.
    New(Box<CommandRow>),
    /// It is about to be framed to this boot.
    Sent {
        /// For whom.
        device: DeviceId,
        /// Which.
        id: CommandId,
        /// To which boot.
        boot: u32,
        /// The highest that this connection has sent, or that the device had begun when it said Hello: what lies between and left on another
        /// connection goes first.
        after: CommandId,
        /// Now: a command past its deadline becomes expired instead.
        now_us: i64,
    },
    /// Take it back if it is still queued.
    Cancel {
        /// For whom.
        device: DeviceId,
        /// Which.
        id: CommandId,
        /// Now.
        now_us: i64,
    },
    /// The device cannot take it (too large).
    Undeliverable {
        /// For whom.
        device: DeviceId,
        /// Which.
        id: CommandId,
        /// Now.
        now_us: i64,
    },
    /// Queued ones past their deadline become expired.
    Expire {
        /// For whom.
        device: DeviceId,
        /// Now.
        now_us: i64,
    },
}

impl Work {
    /// The device that it is for; `None` for rows of no device at all.
    pub fn device(&self) -> Option<DeviceId> {
        match self {
            Work::Hello(hello) => Some(hello.hello.device),
            Work::Records(records) => Some(records.lane.device),
            Work::Floor(floor) => Some(floor.lane.device),
            Work::Ended(device, _) => Some(*device),
            Work::Command(command) => Some(command.device()),
            Work::Setting(row) => Some(row.device),
            Work::Rows(batch) => {
                let catalogs = batch.catalogs.iter().map(|c| c.device);
                let anchors = batch.anchors.iter().map(|a| a.device);
                let boots = batch.boots.iter().map(|b| b.device);
                catalogs.chain(anchors).chain(boots).chain(batch.connections.iter().map(|c| c.device)).next()
            }
        }
    }
}

impl CommandWork {
    /// The device that the command is for.
    pub fn device(&self) -> DeviceId {
        match self {
            CommandWork::New(row) => row.device,
            CommandWork::Sent { device, .. }
            | CommandWork::Cancel { device, .. }
            | CommandWork::Undeliverable { device, .. }
            | CommandWork::Expire { device, .. } => *device,
        }
    }
}

/// What became of a piece of work. Only committed results are reported.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// The Hello transaction stands.
    Hello(Box<HelloDone>),
    /// Records, a floor or an end: where the lane stands now.
    Appended(Appended),
    /// The command's row as it is now, and ids that it replaced.
    Command(Box<CommandRow>, Vec<CommandId>),
    /// Commands that this work settled (expired).
    Settled(Vec<CommandRow>),
    /// The setting's row, with its revision.
    Setting(Box<SettingRow>),
    /// Rows were written.
    Rows,
}

/// A connection may go on.
#[derive(Clone, Debug, PartialEq)]
pub struct HelloDone {
    /// Who it is.
    pub identity: Identity,
    /// Gaps that were written.
    pub gaps: Vec<GapRow>,
    /// Commands that this Hello settled (unknown, expired).
    pub settled: Vec<CommandRow>,
    /// Commands to send, in order of id.
    pub deliver: Vec<CommandRow>,
    /// Settings that the device has not applied, in order of revision.
    pub settings: Vec<SettingRow>,
}

/// Where a lane stands after some work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Appended {
    /// The mark as this work found it.
    pub before: Position,
    /// The mark: acknowledge up to here.
    pub mark: Position,
    /// Records stored.
    pub stored: u64,
    /// Records that were stored before.
    pub duplicates: u64,
    /// The first new position did not follow the mark: nothing was stored, ask for `mark + 1`.
    pub rewind: bool,
    /// Gaps that were written.
    pub gaps: Vec<GapRow>,
    /// Commands that these records settled.
    pub settled: Vec<CommandRow>,
    /// Settings that these records settled.
    pub applied: Vec<SettingRow>,
}

/// Why a piece of work was not done, although the store works.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refuse {
    /// The store's state is not what Welcome said: close with "busy", the device comes back.
    #[error("the store changed between Welcome and its confirmation")]
    Busy,
    /// Another board with this identity.
    #[error("another board has this identity: it holds the tag of a newer boot")]
    Collision,
    /// Too many commands wait for this device.
    #[error("{0} commands wait for this device already: cancel some, or wait until it connects")]
    TooManyCommands(usize),
    /// There is no such command.
    #[error("there is no command {0} for this device")]
    NoSuchCommand(CommandId),
    /// The store rejects these rows, whatever is done; they are of a kind that cannot be quarantined.
    #[error("the store rejects this: {0}")]
    Rejected(String),
}
