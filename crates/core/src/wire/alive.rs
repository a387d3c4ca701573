//! Ping, Pong, Sleep, Bye: whether the other end is there, and when it will be again. SPEC section 10.

use super::cursor::{Fields, NoRoom, Writer};
use super::header::{Kind, plain};
use super::hello::End;
use super::text::Text;
use crate::error::Peer;
use crate::limits::TEXT_MAX;
use crate::{Lane, Position, Tick};

/// Writes a Ping with an id that its Pong will carry.
pub fn ping(id: u32, out: &mut [u8]) -> Result<usize, NoRoom> {
    let mut w = Writer::new(out);
    w.u8(plain(Kind::Ping));
    w.var32(id);
    w.finish()
}

/// Reads a Ping's body.
pub fn read_ping(body: &[u8]) -> Result<u32, Peer> {
    let mut r = Fields::new(body);
    let id = r.var32();
    r.end().map(|()| id)
}

/// Writes a Pong: the Ping's id (or Welcome's nonce), and the device's tick as it writes; a server writes tick 0.
pub fn pong(id: u64, tick: Tick, out: &mut [u8]) -> Result<usize, NoRoom> {
    let mut w = Writer::new(out);
    w.u8(plain(Kind::Pong));
    w.varint(id);
    w.varint(tick.0);
    w.finish()
}

/// Reads a Pong's body.
pub fn read_pong(body: &[u8]) -> Result<(u64, Tick), Peer> {
    let mut r = Fields::new(body);
    let pong = (r.varint(), Tick(r.varint()));
    r.end().map(|()| pong)
}

/// The last positions that were made in each lane; [`Position::NONE`] for a lane without any in this boot.
pub type Lasts = [Position; Lane::COUNT];

/// A device's word that it will be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sleep {
    /// For how long, in milliseconds.
    pub for_ms: u32,
    /// Whether the boot ends with it (deep sleep): `lasts` are then final.
    pub ends_boot: bool,
    /// Last positions made.
    pub lasts: Lasts,
}

impl Sleep {
    /// Writes the frame.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut w = Writer::new(out);
        w.u8(plain(Kind::Sleep));
        w.var32(self.for_ms);
        w.u8(u8::from(self.ends_boot));
        self.lasts.iter().for_each(|p| w.varint(p.0));
        w.finish()
    }

    /// Reads a Sleep's body.
    pub fn decode(body: &[u8]) -> Result<Sleep, Peer> {
        let mut r = Fields::new(body);
        let for_ms = r.var32();
        let ends_boot = r.flag();
        let lasts = read_lasts(&mut r);
        r.end().map(|()| Sleep { for_ms, ends_boot, lasts })
    }
}

/// The connection ends in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bye<'a> {
    /// Why.
    pub reason: End,
    /// From a server: come back after so many milliseconds; else 0.
    pub retry_ms: u32,
    /// From a device: the boot ends with it, `lasts` are final.
    pub ends_boot: bool,
    /// From a device: last positions made.
    pub lasts: Lasts,
    /// A sentence that a person can read; may be empty.
    pub text: Text<'a>,
}

impl<'a> Bye<'a> {
    /// Writes the frame; a text longer than 160 bytes is cut.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut w = Writer::new(out);
        w.u8(plain(Kind::Bye));
        w.u8(self.reason as u8);
        w.var32(self.retry_ms);
        w.u8(u8::from(self.ends_boot));
        self.lasts.iter().for_each(|p| w.varint(p.0));
        w.block(self.text.cut());
        w.finish()
    }

    /// Reads a Bye's body.
    pub fn decode(body: &'a [u8]) -> Result<Bye<'a>, Peer> {
        let mut r = Fields::new(body);
        let bye = Bye {
            reason: End::from_number(r.u8()),
            retry_ms: r.var32(),
            ends_boot: r.flag(),
            lasts: read_lasts(&mut r),
            text: Text::new(r.block(TEXT_MAX)),
        };
        r.end().map(|()| bye)
    }
}

fn read_lasts(r: &mut Fields<'_>) -> Lasts {
    let mut lasts = Lasts::default();
    for p in &mut lasts {
        *p = Position(r.varint());
    }
    lasts
}
