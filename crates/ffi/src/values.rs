//! Bodies by their shape, as C sees them: numbers of any kind go in if they fit.

use sensock::catalog::{self, Scalar, Shape, Values};
use sensock::limits::BODY_MAX;
use sensock::wire::cursor::Writer;

use crate::types::{Error, SENSOCK_VALUES, Type, Value};

/// One value that C gave, its pointer checked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<'a> {
    Integer(i64),
    /// The upper half of 64 unsigned bits is not negative.
    Unsigned(u64),
    Real(f32),
    Bytes(&'a [u8]),
}

/// Writes the body that the values mean; returns its length.
pub(crate) fn encode(shape: Shape, given: &[Given<'_>], out: &mut [u8; BODY_MAX]) -> Result<usize, Error> {
    if shape.scalars().count() != given.len() {
        return Err(Error::Values);
    }
    let mut w = Writer::new(out);
    for (scalar, value) in shape.scalars().zip(given) {
        match scalar {
            Scalar::Bool => w.u8(u8::from(signed(value)? != 0)),
            Scalar::I32 => w.zigzag(i32::try_from(signed(value)?).map_err(|_| Error::Values)?.into()),
            Scalar::U32 => w.varint(u32::try_from(unsigned(value)?).map_err(|_| Error::Values)?.into()),
            Scalar::I64 => w.zigzag(signed(value)?),
            Scalar::U64 => w.varint(unsigned(value)?),
            Scalar::F32 => w.bytes(&real(value).ok_or(Error::Values)?.to_le_bytes()),
            Scalar::Text => {
                w.block(bytes(value).filter(|b| core::str::from_utf8(b).is_ok()).ok_or(Error::Values)?)
            }
            Scalar::Bytes => w.block(bytes(value).ok_or(Error::Values)?),
        }
    }
    w.finish().map_err(|_| Error::Values)
}

/// Reads a body; `None` if it is not of this shape. Texts point into it.
pub(crate) fn decode(shape: Shape, body: &[u8]) -> Option<([Value; SENSOCK_VALUES], u8)> {
    let mut out = [Value::NONE; SENSOCK_VALUES];
    let mut count = 0;
    let values = Values::decode(shape, body)?;
    for ((slot, scalar), value) in out.iter_mut().zip(shape.scalars()).zip(values.iter()) {
        slot.kind = scalar as u8;
        match value {
            catalog::Value::Bool(b) => number(slot, b.into()),
            catalog::Value::Signed(n) => number(slot, n),
            catalog::Value::Unsigned(n) => {
                slot.integer = n as i64;
                slot.real = n as f32;
            }
            catalog::Value::F32(x) => {
                slot.real = x;
                slot.integer = x as i64;
            }
            catalog::Value::Text(text) => point(slot, text.as_bytes()),
            catalog::Value::Bytes(b) => point(slot, b),
        }
        count += 1;
    }
    Some((out, count))
}

/// The shape that a list of types means, up to the first [`Type::None`].
pub(crate) fn shape(types: &[u8; SENSOCK_VALUES]) -> Option<Shape> {
    let count = types.iter().position(|t| *t == Type::None as u8).unwrap_or(SENSOCK_VALUES);
    Shape::from_numbers(types.get(..count)?)
}

fn number(slot: &mut Value, n: i64) {
    slot.integer = n;
    slot.real = n as f32;
}

fn point(slot: &mut Value, bytes: &[u8]) {
    (slot.bytes, slot.length) = (bytes.as_ptr(), bytes.len());
}

fn signed(given: &Given<'_>) -> Result<i64, Error> {
    match *given {
        Given::Integer(n) => Ok(n),
        Given::Unsigned(n) => i64::try_from(n).map_err(|_| Error::Values),
        // Beyond 2^63 a float is no whole number that anyone means.
        Given::Real(x) if x as i64 as f32 == x && (x as i64).unsigned_abs() < 1 << 62 => Ok(x as i64),
        _ => Err(Error::Values),
    }
}

fn unsigned(given: &Given<'_>) -> Result<u64, Error> {
    match *given {
        Given::Unsigned(n) => Ok(n),
        _ => u64::try_from(signed(given)?).map_err(|_| Error::Values),
    }
}

fn real(given: &Given<'_>) -> Option<f32> {
    match *given {
        Given::Integer(n) => Some(n as f32),
        Given::Unsigned(n) => Some(n as f32),
        Given::Real(x) => Some(x),
        Given::Bytes(_) => None,
    }
}

fn bytes<'a>(given: &Given<'a>) -> Option<&'a [u8]> {
    match *given {
        Given::Bytes(b) => Some(b),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::catalog::{Shaped, Text};

    #[test]
    fn a_body_is_that_of_the_type_and_comes_back() {
        let mut typed = [0; BODY_MAX];
        let n = (true, -5i32, 2.5f32, Text::new("hi").unwrap()).encode(&mut typed).unwrap();
        let shape = <(bool, i32, f32, Text)>::SHAPE;
        let given = [Given::Real(1.0), Given::Integer(-5), Given::Real(2.5), Given::Bytes(b"hi")];
        let mut out = [0; BODY_MAX];
        let m = encode(shape, &given, &mut out).unwrap();
        assert_eq!(out[..m], typed[..n]);
        let (values, count) = decode(shape, &out[..m]).unwrap();
        assert_eq!(count, 4);
        assert_eq!((values[0].integer, values[1].integer, values[2].real), (1, -5, 2.5));
        assert_eq!((values[3].kind, values[3].length), (Type::Text as u8, 2));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let mut out = [0; BODY_MAX];
        for given in [Given::Integer(-1), Given::Integer(1 << 32), Given::Real(0.5), Given::Bytes(b"1")] {
            assert_eq!(encode(u32::SHAPE, &[given], &mut out), Err(Error::Values), "{given:?}");
        }
        assert_eq!(encode(u64::SHAPE, &[Given::Unsigned(u64::MAX)], &mut out), Ok(10));
        assert_eq!(encode(u32::SHAPE, &[], &mut out), Err(Error::Values));
        assert_eq!(encode(Text::SHAPE, &[Given::Bytes(&[0xff])], &mut out), Err(Error::Values));
        assert_eq!(
            encode(Text::SHAPE, &[Given::Bytes(&[b'x'; 128])], &mut out),
            Err(Error::Values),
            "longer than a body"
        );
        assert!(decode(bool::SHAPE, &[2]).is_none());
    }
}
