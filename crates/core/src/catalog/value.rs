//! Bodies without their Rust type: what a command line, a database or a bridge handles.

use core::fmt;

use super::{Scalar, Shape};
use crate::limits::BODY_MAX;
use crate::wire::cursor::{Reader, Writer};

/// One scalar of a body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// `bool`.
    Bool(bool),
    /// `i32` or `i64`.
    Signed(i64),
    /// `u32` or `u64`.
    Unsigned(u64),
    /// `f32`.
    F32(f32),
    /// `text`.
    Text(&'a str),
    /// `bytes`.
    Bytes(&'a [u8]),
}

/// A text is no value of the wanted shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadValue {
    /// A field is no such scalar.
    #[error("field {field} is not of type {expected}")]
    Field {
        /// Which, from 1.
        field: u8,
        /// Name of the scalar that was expected.
        expected: &'static str,
    },
    /// More or fewer fields than the shape has.
    #[error("{found} fields given, {expected} expected (separate them with ',')")]
    Count {
        /// How many there were.
        found: u8,
        /// How many there should be.
        expected: u8,
    },
    /// The body does not fit.
    #[error("the value takes more than 128 bytes")]
    TooLong,
}

/// A body read by its shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Values<'a> {
    values: [Option<Value<'a>>; 4],
}

impl<'a> Values<'a> {
    /// Reads a body by its shape; `None` if the two do not fit.
    pub fn decode(shape: Shape, body: &'a [u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        let mut values = [None; 4];
        for (slot, scalar) in values.iter_mut().zip(shape.scalars()) {
            *slot = Some(match scalar {
                Scalar::Bool => Value::Bool(match r.u8().ok()? {
                    0 => false,
                    1 => true,
                    _ => return None,
                }),
                Scalar::I32 => Value::Signed(r.zigzag32().ok()?.into()),
                Scalar::I64 => Value::Signed(r.zigzag().ok()?),
                Scalar::U32 => Value::Unsigned(r.var32().ok()?.into()),
                Scalar::U64 => Value::Unsigned(r.varint().ok()?),
                Scalar::F32 => Value::F32(f32::from_le_bytes(r.bytes(4).ok()?.try_into().ok()?)),
                Scalar::Text => Value::Text(r.text(BODY_MAX).ok()?),
                Scalar::Bytes => Value::Bytes(r.block(BODY_MAX).ok()?),
            });
        }
        r.end().ok().map(|()| Self { values })
    }

    /// The scalars, in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + '_ {
        self.values.iter().map_while(|v| *v)
    }

    /// Writes the body that a person's text means (`true`, `21.5`, `3, on`), fields separated by commas; returns its length.
    pub fn encode_text(shape: Shape, text: &str, out: &mut [u8]) -> Result<usize, BadValue> {
        let expected = shape.scalars().count();
        let found = if text.trim().is_empty() { 0 } else { text.split(',').count() };
        let one_text = expected == 1 && matches!(shape.scalars().next(), Some(Scalar::Text));
        if found != expected && !one_text {
            return Err(BadValue::Count { found: found.min(255) as u8, expected: expected as u8 });
        }
        let room = out.len().min(BODY_MAX);
        let mut w = Writer::new(&mut out[..room]);
        let mut parts = text.split(',');
        for (i, scalar) in shape.scalars().enumerate() {
            let part = if one_text { text } else { parts.next().unwrap_or_default() }.trim();
            let bad = BadValue::Field { field: i as u8 + 1, expected: scalar.name() };
            match scalar {
                Scalar::Bool => w.u8(match part {
                    "true" | "on" | "yes" | "1" => 1,
                    "false" | "off" | "no" | "0" => 0,
                    _ => return Err(bad),
                }),
                Scalar::I32 => w.zigzag(part.parse::<i32>().map_err(|_| bad)?.into()),
                Scalar::I64 => w.zigzag(part.parse().map_err(|_| bad)?),
                Scalar::U32 => w.varint(part.parse::<u32>().map_err(|_| bad)?.into()),
                Scalar::U64 => w.varint(part.parse().map_err(|_| bad)?),
                Scalar::F32 => w.bytes(&part.parse::<f32>().map_err(|_| bad)?.to_le_bytes()),
                Scalar::Text => w.block(part.as_bytes()),
                Scalar::Bytes => hex(part, &mut w).ok_or(bad)?,
            }
        }
        w.finish().map_err(|_| BadValue::TooLong)
    }
}

fn hex(text: &str, w: &mut Writer<'_>) -> Option<()> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |b: u8| (b as char).to_digit(16);
    if digits.iter().any(|b| digit(*b).is_none()) {
        return None;
    }
    w.varint(digits.len() as u64 / 2);
    for pair in digits.chunks_exact(2) {
        let byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        w.u8(byte);
    }
    Some(())
}

impl fmt::Display for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, v) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            match v {
                Value::Bool(b) => write!(f, "{b}")?,
                Value::Signed(n) => write!(f, "{n}")?,
                Value::Unsigned(n) => write!(f, "{n}")?,
                Value::F32(x) => write!(f, "{x}")?,
                Value::Text(s) => f.write_str(s)?,
                Value::Bytes(b) => b.iter().try_for_each(|b| write!(f, "{b:02x}"))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;
    use crate::catalog::{Shaped, Text};

    #[test]
    fn a_persons_text_is_the_same_body_as_the_type() {
        let mut a = [0; 64];
        let mut b = [0; 64];
        let n = (true, -5i32, 2.5f32, Text::new("hi").unwrap()).encode(&mut a).unwrap();
        let shape = <(bool, i32, f32, Text)>::SHAPE;
        let m = Values::encode_text(shape, "on, -5, 2.5, hi", &mut b).unwrap();
        assert_eq!(a[..n], b[..m]);
        assert_eq!(Values::decode(shape, &a[..n]).unwrap().to_string(), "true, -5, 2.5, hi");
        assert_eq!(
            Values::encode_text(u32::SHAPE, "abc", &mut b).unwrap_err().to_string(),
            "field 1 is not of type u32"
        );
        assert_eq!(
            Values::encode_text(u32::SHAPE, "1,2", &mut b).unwrap_err().to_string(),
            "2 fields given, 1 expected (separate them with ',')"
        );
        assert_eq!(Values::encode_text(<()>::SHAPE, "", &mut b), Ok(0));
        assert!(Values::decode(bool::SHAPE, &[2]).is_none());
        assert!(Values::decode(bool::SHAPE, &[1, 1]).is_none());
    }
}
