//! Hello, Welcome, Refused: how a session is taken up. SPEC section 4.

use super::cursor::{Fields, NoRoom, Writer};
use super::header::{Kind, plain};
pub use super::refused::{Refusal, Refused, UNSEALED_BACKOFF_MAX_MS};
use crate::error::Peer;
use crate::limits::{COMMAND_SLOTS_MAX, FRAME_HARD_MAX, FRAME_MIN_MAX, PING_RANGE_MS};
use crate::{Cause, CommandId, DeviceId, Lane, Position, StoreId, Tag, Tick};

/// The only wire version so far.
pub const VERSION: u8 = 1;

/// Feature bit: the device persists `last_begun` before it runs a command.
pub const FEATURE_BEGUN_PERSISTS: u32 = 1;
/// Feature bit: the device's outbox survives power loss.
pub const FEATURE_OUTBOX_PERSISTS: u32 = 2;
/// Feature bit: what stands in the place of the tag is the last one that an earlier boot was given. See [`Hello::earlier_tag`].
pub const FEATURE_EARLIER_TAG: u32 = 4;

/// Where a lane stands on the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneFloor {
    /// The lowest position that the device can still deliver (the next one to be made if it holds none).
    pub floor: Position,
    /// The highest position that any server has acknowledged; [`Position::NONE`] if none is known.
    pub acked: Position,
    /// Why the floor was raised above `acked + 1`; [`Cause::None`] if nothing was dropped.
    pub cause: Cause,
    /// First and last tick of what was dropped, if known.
    pub span: Option<(Tick, Tick)>,
}

/// What a device tells of itself for the operator. Zero means "not known".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Why the board last reset, as its own code.
    pub reset_cause: u16,
    /// Dials since the last session, this one included.
    pub dial_attempts: u16,
    /// How the last connection of this boot ended, as the device saw it (a [`End`] number).
    pub last_end: u8,
    /// For how long there was no connection, in milliseconds.
    pub offline_ms: u32,
    /// The most that the outbox ever held, in percent.
    pub outbox_high_water: u8,
    /// Signal strength: dBm, negated; 0 if unknown.
    pub signal: u8,
    /// Free memory in KiB.
    pub free_kib: u16,
}

impl Account {
    /// Nothing known.
    pub(crate) const NONE: Self = Account {
        reset_cause: 0,
        dial_attempts: 0,
        last_end: 0,
        offline_ms: 0,
        outbox_high_water: 0,
        signal: 0,
        free_kib: 0,
    };
}

/// How a connection ended, as one end saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum End {
    /// Not known: there was none, or memory was lost.
    #[default]
    Unknown = 0,
    /// The transport closed or failed.
    Transport = 1,
    /// Nothing came for too long.
    Silent = 2,
    /// The peer broke the protocol.
    Protocol = 3,
    /// The peer said goodbye.
    Bye = 4,
    /// The server refused.
    Refused = 5,
    /// This end closed it in order.
    Closed = 6,
    /// The device went to sleep.
    Slept = 7,
    /// Another connection of the same device took over.
    Takeover = 8,
    /// The handshake took too long.
    Handshake = 9,
}

impl End {
    /// From its wire number.
    pub const fn from_number(n: u8) -> End {
        match n {
            1 => End::Transport,
            2 => End::Silent,
            3 => End::Protocol,
            4 => End::Bye,
            5 => End::Refused,
            6 => End::Closed,
            7 => End::Slept,
            8 => End::Takeover,
            9 => End::Handshake,
            _ => End::Unknown,
        }
    }

    /// What a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            End::Unknown => "unknown",
            End::Transport => "the transport broke",
            End::Silent => "nothing came for too long",
            End::Protocol => "the protocol was broken",
            End::Bye => "the peer said goodbye",
            End::Refused => "the server refused",
            End::Closed => "closed in order",
            End::Slept => "the device went to sleep",
            End::Takeover => "a newer connection took over",
            End::Handshake => "the handshake took too long",
        }
    }
}

/// The first frame of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Lowest and highest wire version that the device speaks.
    pub versions: (u8, u8),
    /// Feature bits.
    pub features: u32,
    /// Who it is.
    pub device: DeviceId,
    /// Its boot number; `None` if it has no memory of one. Positions are then of boot 0 and shifted by Welcome.
    pub boot: Option<u32>,
    /// The tag of this boot that a server confirmed; with [`FEATURE_EARLIER_TAG`], the last one of an earlier boot.
    pub tag: Tag,
    /// The tag of this boot that a server proposed and may have stored.
    pub pending_tag: Tag,
    /// The device's clock as it wrote this.
    pub tick: Tick,
    /// Where each lane stands.
    pub lanes: [LaneFloor; Lane::COUNT],
    /// The largest frame that it takes.
    pub max_frame: u16,
    /// How many commands it holds at once.
    pub command_slots: u8,
    /// The highest command that it has begun.
    pub last_begun: CommandId,
    /// Hash of its catalogue.
    pub catalog: u64,
    /// Revision of the newest setting that it applied.
    pub settings: u32,
    /// The store that last acknowledged something.
    pub store: StoreId,
    /// For the operator.
    pub account: Account,
}

impl Hello {
    /// Writes the frame.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut w = Writer::new(out);
        w.u8(plain(Kind::Hello));
        w.u8(self.versions.0);
        w.u8(self.versions.1);
        w.var32(self.features);
        w.block(self.device.as_bytes());
        w.varint(self.boot.map_or(0, |b| u64::from(b) + 1));
        w.u64_fixed(self.tag.0);
        w.u64_fixed(self.pending_tag.0);
        w.varint(self.tick.0);
        w.u8(Lane::COUNT as u8);
        for lane in &self.lanes {
            lane_floor(&mut w, lane);
        }
        w.var32(self.max_frame.into());
        w.u8(self.command_slots);
        w.var32(self.last_begun.0);
        w.u64_fixed(self.catalog);
        w.var32(self.settings);
        w.u64_fixed(self.store.0);
        let a = &self.account;
        w.var32(a.reset_cause.into());
        w.var32(a.dial_attempts.into());
        w.u8(a.last_end);
        w.var32(a.offline_ms);
        w.u8(a.outbox_high_water);
        w.u8(a.signal);
        w.var32(a.free_kib.into());
        w.finish()
    }

    /// The tags of this boot: confirmed, proposed. [`Tag::NONE`] where there is none.
    pub fn own_tags(&self) -> [Tag; 2] {
        [if self.features & FEATURE_EARLIER_TAG == 0 { self.tag } else { Tag::NONE }, self.pending_tag]
    }

    /// The last tag that an earlier boot was given, as far as the device's memory knows: if the store has one that is newer, that memory
    /// was rolled back, or copied. [`Tag::NONE`] if it does not say.
    pub fn earlier_tag(&self) -> Tag {
        if self.features & FEATURE_EARLIER_TAG == 0 { Tag::NONE } else { self.tag }
    }

    /// Reads the body of a Hello frame. A version range that does not include [`VERSION`] is [`Peer::Version`] without a further look.
    pub fn decode(body: &[u8]) -> Result<Hello, Peer> {
        let mut r = Fields::new(body);
        let versions = (r.u8(), r.u8());
        r.so_far()?;
        if versions.0 > VERSION || versions.1 < VERSION {
            return Err(Peer::Version);
        }
        let features = r.var32();
        let name = r.block(DeviceId::MAX);
        r.so_far()?;
        let device = DeviceId::from_bytes(name).map_err(|_| Peer::Malformed)?;
        let boot = match r.varint() {
            0 => None,
            b => Some(u32::try_from(b - 1).map_err(|_| Peer::Malformed)?),
        };
        let (tag, pending_tag, tick) = (Tag(r.u64_fixed()), Tag(r.u64_fixed()), Tick(r.varint()));
        let lanes_there = r.u8() as usize;
        r.require(lanes_there == Lane::COUNT, Peer::Limit);
        let mut lanes = [LaneFloor::default(); Lane::COUNT];
        for lane in &mut lanes {
            *lane = read_lane_floor(&mut r);
        }
        let (max_frame, command_slots) = (r.var16(), r.u8());
        let fits = (FRAME_MIN_MAX..=FRAME_HARD_MAX).contains(&(max_frame as usize))
            && (1..=COMMAND_SLOTS_MAX).contains(&command_slots);
        r.require(fits, Peer::Limit);
        let hello = Hello {
            versions,
            features,
            device,
            boot,
            tag,
            pending_tag,
            tick,
            lanes,
            max_frame,
            command_slots,
            last_begun: CommandId(r.var32()),
            catalog: r.u64_fixed(),
            settings: r.var32(),
            store: StoreId(r.u64_fixed()),
            account: Account {
                reset_cause: r.var16(),
                dial_attempts: r.var16(),
                last_end: r.u8(),
                offline_ms: r.var32(),
                outbox_high_water: r.u8(),
                signal: r.u8(),
                free_kib: r.var16(),
            },
        };
        skip_extensions(&mut r)?;
        Ok(hello)
    }
}

/// Writes where a lane stands (SPEC 4.4).
pub(crate) fn lane_floor(w: &mut Writer<'_>, lane: &LaneFloor) {
    w.varint(lane.floor.0);
    w.varint(lane.acked.0);
    w.span(lane.cause as u8, lane.span);
}

/// Reads where a lane stands (SPEC 4.4).
pub(crate) fn read_lane_floor(r: &mut Fields<'_>) -> LaneFloor {
    let (floor, acked, cause) = (Position(r.varint()), Position(r.varint()), r.u8());
    let span = r.span(cause);
    r.require(acked < floor || acked == Position::NONE, Peer::Malformed);
    LaneFloor { floor, acked, cause: Cause::from_number(cause & 0x7f), span }
}

/// Extensions end a Hello or Welcome: tag, length, bytes. An even tag may be skipped, an odd one must be understood (SPEC 4.6).
fn skip_extensions(r: &mut Fields<'_>) -> Result<(), Peer> {
    while !r.is_empty() {
        let tag = r.varint();
        r.block(FRAME_HARD_MAX);
        r.require(tag & 1 == 0, Peer::UnknownKind);
    }
    r.so_far()
}

/// How much more a lane may send than what Welcome's mark says: cumulative since the connection began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Positions.
    pub records: u64,
    /// Bytes of Data frames.
    pub bytes: u64,
}

/// A server's proposal to take a session up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Welcome {
    /// The version that both speak from here on.
    pub version: u8,
    /// Feature bits that both use.
    pub features: u32,
    /// To be added to the boot numbers of all positions that the device holds (0 unless it was rebased or had none).
    pub boot_shift: u32,
    /// The tag of this boot.
    pub tag: Tag,
    /// The lanes' marks after the shift: everything up to them is stored or lies in a gap.
    pub marks: [Position; Lane::COUNT],
    /// First credit; 0 while the catalogue is not stored.
    pub credit: [Grant; Lane::COUNT],
    /// Whether the device must send its catalogue.
    pub want_catalog: bool,
    /// The largest frame that the server takes.
    pub max_frame: u16,
    /// How often the server pings, in milliseconds.
    pub ping_interval_ms: u32,
    /// Commands and settings that wait for this device.
    pub pending: u16,
    /// The store behind this server.
    pub store: StoreId,
    /// To be echoed in the first Pong.
    pub nonce: u64,
}

impl Welcome {
    /// Writes the frame.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut w = Writer::new(out);
        w.u8(plain(Kind::Welcome));
        w.u8(self.version);
        w.var32(self.features);
        w.var32(self.boot_shift);
        w.u64_fixed(self.tag.0);
        w.u8(Lane::COUNT as u8);
        for (mark, grant) in self.marks.iter().zip(&self.credit) {
            w.varint(mark.0);
            w.varint(grant.records);
            w.varint(grant.bytes);
        }
        w.u8(u8::from(self.want_catalog));
        w.var32(self.max_frame.into());
        w.var32(self.ping_interval_ms);
        w.var32(self.pending.into());
        w.u64_fixed(self.store.0);
        w.u64_fixed(self.nonce);
        w.finish()
    }

    /// Reads the body of a Welcome frame.
    pub fn decode(body: &[u8]) -> Result<Welcome, Peer> {
        let mut welcome = Welcome::default();
        welcome.read(body).map(|()| welcome)
    }

    /// As [`Welcome::decode`], in place: it is too large to be handed about on a chip. After an error it is of no use.
    pub(crate) fn read(&mut self, body: &[u8]) -> Result<(), Peer> {
        let mut r = Fields::new(body);
        self.version = r.u8();
        r.so_far()?;
        if self.version != VERSION {
            return Err(Peer::Version);
        }
        (self.features, self.boot_shift, self.tag) = (r.var32(), r.var32(), Tag(r.u64_fixed()));
        let lanes_there = r.u8() as usize;
        r.require(lanes_there == Lane::COUNT, Peer::Limit);
        for (mark, grant) in self.marks.iter_mut().zip(&mut self.credit) {
            *mark = Position(r.varint());
            *grant = Grant { records: r.varint(), bytes: r.varint() };
        }
        self.want_catalog = r.flag();
        (self.max_frame, self.ping_interval_ms) = (r.var16(), r.var32());
        let fits = (FRAME_MIN_MAX..=FRAME_HARD_MAX).contains(&(self.max_frame as usize))
            && (PING_RANGE_MS.0..=PING_RANGE_MS.1).contains(&self.ping_interval_ms);
        r.require(fits, Peer::Limit);
        self.pending = r.var16();
        (self.store, self.nonce) = (StoreId(r.u64_fixed()), r.u64_fixed());
        skip_extensions(&mut r)
    }
}
