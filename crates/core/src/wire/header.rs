//! The first byte of every frame: kind, lane, and whether it may be skipped. SPEC 1.5.

use crate::error::Peer;

/// What a frame is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Device: who I am and where I stand.
    Hello = 1,
    /// Server: a proposal to resume.
    Welcome = 2,
    /// Server: no, and when to come back.
    Refused = 3,
    /// Either: are you there?
    Ping = 4,
    /// Either: I am; from a device with its tick.
    Pong = 5,
    /// Device: records.
    Data = 6,
    /// Server: committed up to here.
    Ack = 7,
    /// Server: how much may be sent.
    Credit = 8,
    /// Server: send again from here.
    Rewind = 9,
    /// Device: the lowest position that can still be delivered.
    Floor = 10,
    /// Device: boots whose records lie in flash.
    Boots = 11,
    /// Device: a piece of a catalogue.
    Catalog = 12,
    /// Server: a command.
    Call = 13,
    /// Server: desired state.
    Setting = 14,
    /// Device: a question.
    Ask = 15,
    /// Server: the answer to a question.
    Answer = 16,
    /// Device: I shall sleep.
    Sleep = 17,
    /// Either: this connection ends, in order.
    Bye = 18,
    /// Reserved: sealed handshake.
    Seal = 24,
    /// Reserved: bulk transfer downwards.
    Bulk = 25,
}

/// A kind that no version will ever use: sent now and then so that nobody forgets to skip what may be skipped.
pub const GREASE: u8 = 31;

const SKIPPABLE: u8 = 0x80;

/// A header byte, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the frame is about; `None` for an unknown kind that may be skipped.
    pub kind: Option<Kind>,
    /// Bits 5 and 6: the lane's number; 0 where it has no meaning.
    pub lane: u8,
}

impl Header {
    /// Reads a header byte.
    ///
    /// # Errors
    /// [`Peer::UnknownKind`] if the kind is unknown and must be understood; [`Peer::Malformed`] if a known kind says that it may be
    /// skipped, or names a lane where it has none; [`Peer::Limit`] if the lane carries nothing in this version.
    #[inline]
    pub const fn parse(byte: u8) -> Result<Header, Peer> {
        // Most frames are of this kind: 0x06, 0x26 or 0x46.
        let lane = byte.wrapping_sub(Kind::Data as u8).rotate_right(5);
        if lane < 3 {
            return Ok(Header { kind: Some(Kind::Data), lane });
        }
        let lane = (byte >> 5) & 3;
        let kind = match byte & 31 {
            1 => Kind::Hello,
            2 => Kind::Welcome,
            3 => Kind::Refused,
            4 => Kind::Ping,
            5 => Kind::Pong,
            6 => Kind::Data,
            7 => Kind::Ack,
            8 => Kind::Credit,
            9 => Kind::Rewind,
            10 => Kind::Floor,
            11 => Kind::Boots,
            12 => Kind::Catalog,
            13 => Kind::Call,
            14 => Kind::Setting,
            15 => Kind::Ask,
            16 => Kind::Answer,
            17 => Kind::Sleep,
            18 => Kind::Bye,
            _ if byte & SKIPPABLE != 0 => return Ok(Header { kind: None, lane }),
            _ => return Err(Peer::UnknownKind),
        };
        let laned = matches!(kind, Kind::Data | Kind::Ack | Kind::Credit | Kind::Rewind | Kind::Floor);
        if byte & SKIPPABLE != 0 || lane > 0 && !laned {
            return Err(Peer::Malformed);
        }
        if crate::Lane::from_number(lane).is_none() {
            return Err(Peer::Limit);
        }
        Ok(Header { kind: Some(kind), lane })
    }
}

/// The header byte of a frame without a lane.
pub const fn plain(kind: Kind) -> u8 {
    kind as u8
}

/// The header byte of a frame that belongs to a lane.
pub const fn laned(kind: Kind, lane: crate::Lane) -> u8 {
    kind as u8 | (lane as u8) << 5
}

/// The header byte of a frame that may be skipped and means nothing.
pub const fn grease(lane: u8) -> u8 {
    GREASE | (lane & 3) << 5 | SKIPPABLE
}
