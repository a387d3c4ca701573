//! Call, Setting, Ask, Answer: what the two ends want of each other. SPEC section 12.

use super::cursor::{Fields, NoRoom, Writer};
use super::header::{Kind, plain};
use crate::catalog::Policy;
use crate::error::Peer;
use crate::limits::BODY_MAX;
use crate::{CommandId, Tick};

/// A command on its way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// Its number, counted per device.
    pub id: CommandId,
    /// Its key in the device's catalogue.
    pub key: u16,
    /// Whether it may run twice.
    pub policy: Policy,
    /// Not to be begun after this tick.
    pub not_after: Option<Tick>,
    /// Its body.
    pub body: &'a [u8],
}

impl<'a> Call<'a> {
    /// Writes the frame.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut w = Writer::new(out);
        w.u8(plain(Kind::Call));
        w.var32(self.id.0);
        w.var32(self.key.into());
        w.u8(self.policy as u8);
        w.varint(self.not_after.map_or(0, |t| t.0.saturating_add(1)));
        w.bytes(self.body);
        w.finish()
    }

    /// Reads a Call's body.
    pub fn decode(body: &'a [u8]) -> Result<Call<'a>, Peer> {
        let mut r = Fields::new(body);
        Ok(Call {
            id: CommandId(r.var32()),
            key: r.var16(),
            policy: match r.u8() {
                0 => Policy::Once,
                1 => Policy::Idempotent,
                _ => return Err(Peer::Malformed),
            },
            not_after: match r.varint() {
                0 => None,
                t => Some(Tick(t - 1)),
            },
            body: bounded(&mut r)?,
        })
    }
}

/// Desired state on its way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingValue<'a> {
    /// Its key in the device's catalogue.
    pub key: u16,
    /// Counts up per device over all settings.
    pub revision: u32,
    /// Its body.
    pub body: &'a [u8],
}

impl<'a> SettingValue<'a> {
    /// Writes the frame.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut w = Writer::new(out);
        w.u8(plain(Kind::Setting));
        w.var32(self.key.into());
        w.var32(self.revision);
        w.bytes(self.body);
        w.finish()
    }

    /// Reads a Setting's body.
    pub fn decode(body: &'a [u8]) -> Result<SettingValue<'a>, Peer> {
        let mut r = Fields::new(body);
        Ok(SettingValue { key: r.var16(), revision: r.var32(), body: bounded(&mut r)? })
    }
}

/// A device's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    /// Counted by the device; its answer carries it.
    pub id: u16,
    /// Its key in the device's catalogue.
    pub key: u16,
    /// Its body.
    pub body: &'a [u8],
}

impl<'a> Ask<'a> {
    /// Writes the frame.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut w = Writer::new(out);
        w.u8(plain(Kind::Ask));
        w.var32(self.id.into());
        w.var32(self.key.into());
        w.bytes(self.body);
        w.finish()
    }

    /// Reads an Ask's body.
    pub fn decode(body: &'a [u8]) -> Result<Ask<'a>, Peer> {
        let mut r = Fields::new(body);
        Ok(Ask { id: r.var16(), key: r.var16(), body: bounded(&mut r)? })
    }
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The question's number.
    pub id: u16,
    /// The body, or a code of refusal (1 to 255).
    pub result: Result<&'a [u8], u8>,
}

impl<'a> Answer<'a> {
    /// Writes the frame. Code 0 is written as 1.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut w = Writer::new(out);
        w.u8(plain(Kind::Answer));
        w.var32(self.id.into());
        match self.result {
            Ok(body) => {
                w.u8(0);
                w.bytes(body);
            }
            Err(code) => w.u8(code.max(1)),
        }
        w.finish()
    }

    /// Reads an Answer's body.
    pub fn decode(body: &'a [u8]) -> Result<Answer<'a>, Peer> {
        let mut r = Fields::new(body);
        let id = r.var16();
        let result = match r.u8() {
            0 => Ok(bounded(&mut r)?),
            code => {
                r.end()?;
                Err(code)
            }
        };
        Ok(Answer { id, result })
    }
}

/// The body that ends a message, if all that came before it was there.
fn bounded<'a>(r: &mut Fields<'a>) -> Result<&'a [u8], Peer> {
    r.so_far()?;
    let body = r.rest();
    if body.len() > BODY_MAX { Err(Peer::Limit) } else { Ok(body) }
}
