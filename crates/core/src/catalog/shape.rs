//! The closed grammar of what commands, settings and asks carry. SPEC section 5.5.

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::error::Misuse;
use crate::limits::{BODY_MAX, NAME_MAX};

/// One field of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Scalar {
    /// `bool`: one byte, 0 or 1.
    Bool = 1,
    /// Signed, up to 32 bits: zigzag varint.
    I32 = 2,
    /// Unsigned, up to 32 bits: varint.
    U32 = 3,
    /// Signed, up to 64 bits: zigzag varint.
    I64 = 4,
    /// Unsigned, up to 64 bits: varint.
    U64 = 5,
    /// IEEE 754 single, four bytes, little-endian.
    F32 = 6,
    /// UTF-8: varint length, bytes.
    Text = 7,
    /// Bytes: varint length, bytes.
    Bytes = 8,
}

impl Scalar {
    /// From its wire number.
    pub const fn from_number(n: u8) -> Option<Scalar> {
        Some(match n {
            1 => Scalar::Bool,
            2 => Scalar::I32,
            3 => Scalar::U32,
            4 => Scalar::I64,
            5 => Scalar::U64,
            6 => Scalar::F32,
            7 => Scalar::Text,
            8 => Scalar::Bytes,
            _ => return None,
        })
    }

    /// Its name as people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::I32 => "i32",
            Scalar::U32 => "u32",
            Scalar::I64 => "i64",
            Scalar::U64 => "u64",
            Scalar::F32 => "f32",
            Scalar::Text => "text",
            Scalar::Bytes => "bytes",
        }
    }
}

/// What a body looks like: nothing, one scalar, or a tuple of two to four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    scalars: [Option<Scalar>; 4],
}

impl Shape {
    /// Nothing.
    pub const UNIT: Shape = Shape { scalars: [None; 4] };

    /// One scalar.
    pub const fn of(s: Scalar) -> Shape {
        Shape { scalars: [Some(s), None, None, None] }
    }

    const fn joined(parts: [Option<Shape>; 4]) -> Shape {
        let mut scalars = [None; 4];
        let mut i = 0;
        while i < 4 {
            if let Some(p) = parts[i] {
                assert!(p.scalars[0].is_some() && p.scalars[1].is_none(), "a tuple holds scalars only");
                scalars[i] = p.scalars[0];
            }
            i += 1;
        }
        Shape { scalars }
    }

    /// Takes what the wire says: up to four scalar numbers.
    pub fn from_numbers(numbers: &[u8]) -> Option<Shape> {
        if numbers.len() > 4 {
            return None;
        }
        let mut scalars = [None; 4];
        for (slot, n) in scalars.iter_mut().zip(numbers) {
            *slot = Some(Scalar::from_number(*n)?);
        }
        Some(Shape { scalars })
    }

    /// Its scalars, in order.
    pub fn scalars(&self) -> impl Iterator<Item = Scalar> + '_ {
        self.scalars.iter().map_while(|s| *s)
    }
}

impl core::fmt::Display for Shape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.scalars[0].is_none() {
            return f.write_str("nothing");
        }
        for (i, s) in self.scalars().enumerate() {
            f.write_str(if i > 0 { ", " } else { "" })?;
            f.write_str(s.name())?;
        }
        Ok(())
    }
}

/// A Rust type that can be a body. Implemented for the closed grammar only; bodies are postcard of the type.
pub trait Shaped: Sized + Serialize + for<'de> Deserialize<'de> {
    /// Its shape, as the catalogue states it.
    const SHAPE: Shape;

    /// Writes the body; returns its length.
    ///
    /// # Errors
    /// [`Misuse::Body`] if it does not fit `out` or is longer than [`BODY_MAX`].
    fn encode(&self, out: &mut [u8]) -> Result<usize, Misuse> {
        let room = out.len().min(BODY_MAX);
        postcard::to_slice(self, &mut out[..room]).map(|b| b.len()).map_err(|_| Misuse::Body)
    }

    /// Reads a body; `None` if it is not of this shape.
    fn decode(body: &[u8]) -> Option<Self> {
        match postcard::take_from_bytes(body) {
            Ok((value, [])) => Some(value),
            _ => None,
        }
    }
}

impl Shaped for () {
    const SHAPE: Shape = Shape::UNIT;
}

macro_rules! scalars {
    ($($t:ty => $s:ident),*) => { $(impl Shaped for $t { const SHAPE: Shape = Shape::of(Scalar::$s); })* };
}
scalars!(bool => Bool, i32 => I32, u32 => U32, i64 => I64, u64 => U64, f32 => F32, Text => Text, Bytes => Bytes);

impl<A: Shaped, B: Shaped> Shaped for (A, B) {
    const SHAPE: Shape = Shape::joined([Some(A::SHAPE), Some(B::SHAPE), None, None]);
}
impl<A: Shaped, B: Shaped, C: Shaped> Shaped for (A, B, C) {
    const SHAPE: Shape = Shape::joined([Some(A::SHAPE), Some(B::SHAPE), Some(C::SHAPE), None]);
}
impl<A: Shaped, B: Shaped, C: Shaped, D: Shaped> Shaped for (A, B, C, D) {
    const SHAPE: Shape = Shape::joined([Some(A::SHAPE), Some(B::SHAPE), Some(C::SHAPE), Some(D::SHAPE)]);
}

/// A short text of at most 48 bytes, owned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text(Bytes);

impl Text {
    /// The longest text, in bytes.
    pub const MAX: usize = NAME_MAX;

    /// Takes a text; `None` if it is longer than 48 bytes.
    pub fn new(s: &str) -> Option<Self> {
        Bytes::new(s.as_bytes()).map(Text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Made from a str, or checked when it was read.
        core::str::from_utf8(self.0.as_slice()).unwrap_or_default()
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Text;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("at most 48 bytes of text")
            }
            fn visit_str<E: serde::de::Error>(self, s: &str) -> Result<Text, E> {
                Text::new(s).ok_or_else(|| E::custom("longer than 48 bytes"))
            }
        }
        d.deserialize_str(V)
    }
}

/// At most 48 bytes, owned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bytes {
    bytes: [u8; NAME_MAX],
    len: u8,
}

impl Bytes {
    /// Takes bytes; `None` if there are more than 48.
    pub fn new(b: &[u8]) -> Option<Self> {
        let mut bytes = [0; NAME_MAX];
        bytes.get_mut(..b.len())?.copy_from_slice(b);
        Some(Self { bytes, len: b.len() as u8 })
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(self.as_slice())
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Bytes;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("at most 48 bytes")
            }
            fn visit_bytes<E: serde::de::Error>(self, b: &[u8]) -> Result<Bytes, E> {
                Bytes::new(b).ok_or_else(|| E::custom("longer than 48 bytes"))
            }
        }
        d.deserialize_bytes(V)
    }
}
