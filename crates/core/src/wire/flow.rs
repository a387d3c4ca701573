//! Ack, Credit, Rewind, Floor, Boots, Catalog: who may send what, and where it stands. SPEC sections 5.4, 8 and 9.

use super::cursor::{Fields, NoRoom, Writer};
use super::header::{Kind, laned, plain};
use super::hello::{Grant, LaneFloor, lane_floor, read_lane_floor};
use crate::error::Peer;
use crate::limits::{BOOTS_PER_FRAME, CATALOG_MAX};
use crate::{Lane, Position, Tick};

/// Writes "committed up to `mark`", as the distance from the last ack of this lane (at first: from Welcome's mark).
pub fn ack(lane: Lane, last: Position, mark: Position, out: &mut [u8]) -> Result<usize, NoRoom> {
    let mut w = Writer::new(out);
    w.u8(laned(Kind::Ack, lane));
    w.varint(mark.0.saturating_sub(last.0));
    w.finish()
}

/// Reads an Ack's body.
pub fn read_ack(last: Position, body: &[u8]) -> Result<Position, Peer> {
    let mut r = Fields::new(body);
    let mark = last.0.checked_add(r.varint()).ok_or(Peer::Malformed)?;
    r.end().map(|()| Position(mark))
}

/// Writes a lane's cumulative credit.
pub fn credit(lane: Lane, grant: Grant, out: &mut [u8]) -> Result<usize, NoRoom> {
    let mut w = Writer::new(out);
    w.u8(laned(Kind::Credit, lane));
    w.varint(grant.records);
    w.varint(grant.bytes);
    w.finish()
}

/// Reads a Credit's body.
pub fn read_credit(body: &[u8]) -> Result<Grant, Peer> {
    let mut r = Fields::new(body);
    let grant = Grant { records: r.varint(), bytes: r.varint() };
    r.end().map(|()| grant)
}

/// Writes "send again from `expected`".
pub fn rewind(lane: Lane, expected: Position, out: &mut [u8]) -> Result<usize, NoRoom> {
    let mut w = Writer::new(out);
    w.u8(laned(Kind::Rewind, lane));
    w.varint(expected.0);
    w.finish()
}

/// Reads a Rewind's body.
pub fn read_rewind(body: &[u8]) -> Result<Position, Peer> {
    let mut r = Fields::new(body);
    let expected = Position(r.varint());
    r.end().map(|()| expected)
}

/// Writes where a lane stands after its floor rose.
pub fn floor(lane: Lane, floor: &LaneFloor, out: &mut [u8]) -> Result<usize, NoRoom> {
    let mut w = Writer::new(out);
    w.u8(laned(Kind::Floor, lane));
    lane_floor(&mut w, floor);
    w.finish()
}

/// Reads a Floor's body.
pub fn read_floor(body: &[u8]) -> Result<LaneFloor, Peer> {
    let mut r = Fields::new(body);
    let floor = read_lane_floor(&mut r);
    r.end().map(|()| floor)
}

/// A boot whose records lie in flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OldBoot {
    /// Its wire number.
    pub boot: u32,
    /// Hash of the catalogue it ran under.
    pub catalog: u64,
    /// The highest tick of any of its records.
    pub last_tick: Tick,
}

/// Boots whose records lie in flash, at most eight a frame, ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Boots {
    list: [OldBoot; BOOTS_PER_FRAME],
    len: u8,
    moved: u8,
}

impl Boots {
    /// None.
    pub(crate) const NONE: Self = Boots {
        list: [OldBoot { boot: 0, catalog: 0, last_tick: Tick(0) }; BOOTS_PER_FRAME],
        len: 0,
        moved: 0,
    };

    /// Adds one; `false` if there are eight already.
    pub fn push(&mut self, boot: OldBoot) -> bool {
        match self.list.get_mut(self.len as usize) {
            Some(slot) => {
                *slot = boot;
                self.len += 1;
                true
            }
            None => false,
        }
    }

    /// Boots up to this one had lower numbers before a server moved them: what is stored below them may be younger than they are. Call it
    /// after the last [`Boots::push`].
    pub fn moved_up_to(&mut self, boot: u32) {
        self.moved = self.as_slice().iter().filter(|b| b.boot <= boot).count() as u8;
    }

    /// All of them are of boots `by` higher: if that is any, they were moved.
    pub(crate) fn shift_by(&mut self, by: u32) {
        self.list.iter_mut().for_each(|b| b.boot = b.boot.saturating_add(by));
        if by > 0 {
            self.moved = self.len;
        }
    }

    /// The boots.
    pub fn as_slice(&self) -> &[OldBoot] {
        &self.list[..self.len as usize]
    }

    /// The first of them: those that were moved.
    pub fn moved(&self) -> &[OldBoot] {
        &self.list[..self.moved as usize]
    }

    /// Writes the frame.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut w = Writer::new(out);
        w.u8(plain(Kind::Boots));
        let moved = if crate::planted!("moved-unsaid") { 0 } else { self.moved };
        w.u8(self.len | moved << 4);
        for b in self.as_slice() {
            w.var32(b.boot);
            w.u64_fixed(b.catalog);
            w.varint(b.last_tick.0);
        }
        w.finish()
    }

    /// Reads a Boots body.
    pub fn decode(body: &[u8]) -> Result<Boots, Peer> {
        let mut r = Fields::new(body);
        let numbers = r.u8();
        let (n, moved) = (numbers & 15, numbers >> 4);
        if n as usize > BOOTS_PER_FRAME {
            return Err(Peer::Limit);
        }
        r.require(moved <= n, Peer::Malformed);
        let mut boots = Boots { moved, ..Boots::default() };
        for _ in 0..n {
            let boot = OldBoot { boot: r.var32(), catalog: r.u64_fixed(), last_tick: Tick(r.varint()) };
            if boots.as_slice().last().is_some_and(|b| b.boot >= boot.boot) {
                return Err(Peer::Malformed);
            }
            boots.push(boot);
        }
        r.end().map(|()| boots)
    }
}

/// A piece of a catalogue's canonical bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogPart<'a> {
    /// Hash of the whole.
    pub hash: u64,
    /// Length of the whole.
    pub total: u16,
    /// Where this piece begins.
    pub offset: u16,
    /// The piece.
    pub bytes: &'a [u8],
}

impl<'a> CatalogPart<'a> {
    /// Bytes of a Catalog frame that are not the piece itself, at most.
    pub const OVERHEAD: usize = 1 + 8 + 3 + 3;

    /// Writes the frame's head; the piece follows.
    pub fn head(hash: u64, total: u16, offset: u16, w: &mut Writer<'_>) {
        w.u8(plain(Kind::Catalog));
        w.u64_fixed(hash);
        w.var32(total.into());
        w.var32(offset.into());
    }

    /// Reads a Catalog body.
    pub fn decode(body: &'a [u8]) -> Result<CatalogPart<'a>, Peer> {
        let mut r = Fields::new(body);
        let part = CatalogPart { hash: r.u64_fixed(), total: r.var16(), offset: r.var16(), bytes: r.rest() };
        r.so_far()?;
        if part.total as usize > CATALOG_MAX
            || part.bytes.is_empty()
            || part.offset as usize + part.bytes.len() > part.total as usize
        {
            return Err(Peer::Limit);
        }
        Ok(part)
    }
}
