//! One record alone: each cell as a varint. Its tick travels beside the run.
//!
//! A cell's varint is the zigzag of its value plus one; zero is a fault, whose code is the next byte.

use super::{Cell, DecodeError, EncodeError, MAX_COLUMNS, Sink};

/// Writes what fits; how long the whole record is, and whether all of it fitted.
#[cfg_attr(not(target_pointer_width = "32"), inline(always))]
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
                // The smallest value needs a bit more than 32.
                let mut rest = u64::from(zigzag(value)) + 1;
                while rest >= 0x80 {
                    byte(rest as u8 | 0x80);
                    rest >>= 7;
                }
                byte(rest as u8);
            }
            Cell::Fault(code) => {
                byte(0);
                byte(code);
            }
        }
    }
    Ok((at, at <= out.len()))
}

#[inline(always)]
pub(super) fn take(
    bytes: &[u8],
    first: u64,
    columns: usize,
    sink: &mut impl Sink,
) -> Result<usize, DecodeError> {
    sink.tick(0, first);
    let mut rest = bytes;
    for column in 0..columns {
        // Most are values of two bytes or one.
        let coded = match rest {
            [one @ 0x80..=0xff, two @ 1..0x80, after @ ..] => {
                rest = after;
                (u32::from(one & 0x7f) | u32::from(*two) << 7) - 1
            }
            [one @ 1..0x80, after @ ..] => {
                rest = after;
                u32::from(*one) - 1
            }
            _ => {
                rest = take_any(rest, column, sink)?;
                continue;
            }
        };
        sink.cell(0, column, Cell::Value(unzigzag(coded)));
    }
    Ok(bytes.len() - rest.len())
}

/// Gives any cell, and returns what follows it.
#[inline(never)]
fn take_any<'a>(bytes: &'a [u8], column: usize, sink: &mut impl Sink) -> Result<&'a [u8], DecodeError> {
    let (number, mut rest) = varint(bytes)?;
    let cell = match number.checked_sub(1) {
        Some(coded) if coded >> 32 == 0 => Cell::Value(unzigzag(coded as u32)),
        Some(_) => return Err(DecodeError::Malformed),
        None => {
            let (code, after) = rest.split_first().ok_or(DecodeError::Truncated)?;
            rest = after;
            Cell::Fault(*code)
        }
    };
    sink.cell(0, column, cell);
    Ok(rest)
}

/// A varint of any length, and what follows it.
#[inline(never)]
fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), DecodeError> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if index == 9 && *byte > 1 {
            return Err(DecodeError::Malformed);
        }
        if *byte < 0x80 {
            return Ok((value, &bytes[index + 1..]));
        }
    }
    Err(if bytes.len() < 10 { DecodeError::Truncated } else { DecodeError::Malformed })
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
