//! Frames on a byte stream and on a serial line: SPEC 1.1, 1.2 and 13.

use crate::agree::{Agreed, Fields, Read, Refused};
use crate::packed::Value;
use sensock::deframe::cobs::{Decoder, Encoder};
use sensock::deframe::{Length, PREFACE, PREFIX_MAX, prefixed};
use sensock::error::Peer;

pub(crate) fn read(vector: Value<'_>, bytes: &[u8], scratch: &mut [u8]) -> Read {
    let limit = vector.at("limit").int::<u16>().into();
    let end = scratch.len().min(limit);
    let Some(buf) = scratch.get_mut(..end) else { return Err(Refused("no room")) };
    let whole = deframe(vector, bytes, buf, bytes.len().max(1));
    let bytewise = deframe(vector, bytes, buf, 1);
    match (whole, bytewise) {
        (Err(whole), Err(bytewise)) if whole == bytewise => Err(whole.into()),
        (Ok(whole), Ok(bytewise)) if whole == bytewise => Ok(whole),
        _ => Ok(Err("byte by byte it is another")),
    }
}

fn deframe(vector: Value<'_>, bytes: &[u8], buf: &mut [u8], chunk: usize) -> Result<Agreed, Peer> {
    let (mut length, mut frames) = (Length::new(), vector.at("frames").items());
    let (mut agree, mut used_in_all) = (true, PREFACE.len());
    for mut part in bytes.chunks(chunk) {
        while !part.is_empty() {
            let (used, frame) = length.feed(part, buf)?;
            part = part.get(used..).unwrap_or(&[]);
            if let Some(frame) = frame.and_then(|n| buf.get(..n)) {
                used_in_all += frame.len() + if frame.len() < 128 { 1 } else { 2 };
                agree &= frames.next().is_some_and(|expected| expected.bytes() == frame);
            }
        }
    }
    agree &= frames.next().is_none();
    let fields = Fields::of_vector(vector).number("limit", vector.at("limit").number());
    let fields = fields.check("frames", |list| agree && !list.is_null());
    Ok(match used_in_all < bytes.len() {
        true => fields.flag("partial", true).end(),
        false => fields.end(),
    })
}

pub(crate) fn write(vector: Value<'_>, expected: &[u8], scratch: &mut [u8]) -> Option<bool> {
    let mut rest = expected.strip_prefix(&PREFACE)?;
    for frame in vector.at("frames").items() {
        let frame = frame.bytes();
        scratch.get_mut(PREFIX_MAX..PREFIX_MAX + frame.len())?.copy_from_slice(frame);
        let from = prefixed(scratch, frame.len());
        let Some(after) = rest.strip_prefix(scratch.get(from..PREFIX_MAX + frame.len())?) else {
            return Some(false);
        };
        rest = after;
    }
    Some(rest.is_empty())
}

pub(crate) fn read_serial(vector: Value<'_>, bytes: &[u8], scratch: &mut [u8]) -> Read {
    let (mut decoder, mut frames) = (Decoder::new(), vector.at("frames").items());
    let (mut rest, mut agree) = (bytes, true);
    while !rest.is_empty() {
        let (used, frame) = decoder.feed(rest, scratch)?;
        rest = rest.get(used..).unwrap_or(&[]);
        if let Some(frame) = frame.and_then(|range| scratch.get(range)) {
            agree &= frames.next().is_some_and(|expected| expected.bytes() == frame);
        }
    }
    agree &= frames.next().is_none();
    Ok(Fields::of_vector(vector).check("frames", |list| agree && !list.is_null()).end())
}

pub(crate) fn write_serial(vector: Value<'_>, expected: &[u8], scratch: &mut [u8]) -> Option<bool> {
    let (mut encoder, mut rest) = (Encoder::new(), expected);
    for frame in vector.at("frames").items() {
        let n = encoder.encode(frame.bytes(), scratch)?;
        let Some(after) = rest.strip_prefix(scratch.get(..n)?) else { return Some(false) };
        rest = after;
    }
    Some(rest.is_empty())
}
