//! One record alone: each cell as a varint. Its tick travels beside the run.
//!
//! A cell's varint is the zigzag of its value plus one; zero is a fault, whose code is the next byte.

use super::{Cell, DecodeError, EncodeError, MAX_COLUMNS, Sink};

pub(super) fn put<C>(
    out: &mut [u8],
    columns: usize,
    column: impl Fn(usize) -> C,
) -> Result<usize, EncodeError>
where
    C: Iterator<Item = Cell>,
{
    let mut at = 0;
    each(columns, column, |mut number, code| {
        while number >= 0x80 {
            *out.get_mut(at).ok_or(EncodeError::NoRoom)? = number as u8 | 0x80;
            at += 1;
            number >>= 7;
        }
        *out.get_mut(at).ok_or(EncodeError::NoRoom)? = number as u8;
        at += 1;
        if let Some(code) = code {
            *out.get_mut(at).ok_or(EncodeError::NoRoom)? = code;
            at += 1;
        }
        Ok(())
    })?;
    Ok(at)
}

pub(super) fn len<C>(columns: usize, column: impl Fn(usize) -> C) -> Result<usize, EncodeError>
where
    C: Iterator<Item = Cell>,
{
    let mut len = 0;
    each(columns, column, |number, code| {
        len += (64 - (number | 1).leading_zeros()).div_ceil(7) as usize + usize::from(code.is_some());
        Ok(())
    })?;
    Ok(len)
}

/// Gives the record's varints, each with the fault code that follows it.
fn each<C>(
    columns: usize,
    column: impl Fn(usize) -> C,
    mut give: impl FnMut(u64, Option<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError>
where
    C: Iterator<Item = Cell>,
{
    if columns == 0 || columns > MAX_COLUMNS {
        return Err(EncodeError::Columns);
    }
    for index in 0..columns {
        match column(index).next().ok_or(EncodeError::TooFewItems)? {
            Cell::Value(value) => give(u64::from(zigzag(value)) + 1, None)?,
            Cell::Fault(code) => give(0, Some(code))?,
        }
    }
    Ok(())
}

pub(super) fn take(
    bytes: &[u8],
    first: u64,
    columns: usize,
    sink: &mut impl Sink,
) -> Result<usize, DecodeError> {
    let mut at = 0;
    sink.tick(0, first);
    for column in 0..columns {
        let (number, after) = varint(bytes, at)?;
        at = after;
        let cell = match number.checked_sub(1) {
            Some(coded) if coded >> 32 == 0 => Cell::Value(unzigzag(coded as u32)),
            Some(_) => return Err(DecodeError::Malformed),
            None => {
                at += 1;
                Cell::Fault(*bytes.get(after).ok_or(DecodeError::Truncated)?)
            }
        };
        sink.cell(0, column, cell);
    }
    Ok(at)
}

/// The varint at `at`, and where the next byte is.
#[inline(always)]
fn varint(bytes: &[u8], at: usize) -> Result<(u64, usize), DecodeError> {
    // Most are of one to three bytes.
    if let Some(one) = bytes.get(at)
        && *one < 0x80
    {
        return Ok((u64::from(*one), at + 1));
    }
    if let Some([one, two]) = bytes.get(at..at + 2)
        && *two < 0x80
    {
        return Ok((u64::from(*one & 0x7f) | u64::from(*two) << 7, at + 2));
    }
    long_varint(bytes, at)
}

fn long_varint(bytes: &[u8], at: usize) -> Result<(u64, usize), DecodeError> {
    let mut value = 0;
    for index in 0..10 {
        let byte = *bytes.get(at + index).ok_or(DecodeError::Truncated)?;
        value |= u64::from(byte & 0x7f) << (7 * index);
        if index == 9 && byte > 1 {
            break;
        }
        if byte < 0x80 {
            return Ok((value, at + index + 1));
        }
    }
    Err(DecodeError::Malformed)
}

/// Small magnitudes of either sign become small numbers.
#[inline]
pub(super) fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

#[inline]
pub(super) fn unzigzag(coded: u32) -> i32 {
    ((coded >> 1) as i32) ^ -((coded & 1) as i32)
}
