//! One record alone: each cell as a varint. Its tick travels beside the run.
//!
//! A cell's varint is the zigzag of its value plus one; zero is a fault, whose code is the next byte.

use super::{Cell, DecodeError, EncodeError, MAX_COLUMNS, Sink};

/// Writes what fits; how long the whole record is, and whether all of it fitted.
pub(super) fn put<C>(
    out: &mut [u8],
    columns: usize,
    column: impl Fn(usize) -> C,
) -> Result<(usize, bool), EncodeError>
where
    C: Iterator<Item = Cell>,
{
    if columns == 0 || columns > MAX_COLUMNS {
        return Err(EncodeError::Columns);
    }
    let mut at = 0;
    let mut byte = |byte| {
        if let Some(slot) = out.get_mut(at) {
            *slot = byte;
        }
        at += 1;
    };
    for index in 0..columns {
        match column(index).next().ok_or(EncodeError::TooFewItems)? {
            Cell::Value(value) => {
                let mut number = u64::from(zigzag(value)) + 1;
                while number >= 0x80 {
                    byte(number as u8 | 0x80);
                    number >>= 7;
                }
                byte(number as u8);
            }
            Cell::Fault(code) => {
                byte(0);
                byte(code);
            }
        }
    }
    Ok((at, at <= out.len()))
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
