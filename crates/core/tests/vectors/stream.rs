//! Frames on a byte stream and on a serial line: SPEC 1.1, 1.2 and 13.

use sensock::deframe::cobs::{Decoder, Encoder, encoded_max};
use sensock::deframe::{Length, PREFACE, prefixed};
use sensock::error::Peer;
use serde_json::{Value, json};

use crate::json::{Refused, Vector, hex, unhex};

pub(crate) fn decode(v: &Vector) -> Result<Value, Refused> {
    let (bytes, limit) = (v.bytes("hex"), v.number("limit"));
    let whole = deframe(&bytes, limit as usize, bytes.len());
    assert_eq!(whole, deframe(&bytes, limit as usize, 1), "byte by byte it is the same");
    let frames = whole?;
    let read: usize = frames.iter().map(|f| f.len() + if f.len() < 128 { 1 } else { 2 }).sum();
    let frames: Vec<String> = frames.iter().map(|f| hex(f)).collect();
    let mut values = json!({ "limit": limit, "frames": frames });
    if PREFACE.len() + read < bytes.len() {
        values["partial"] = true.into();
    }
    Ok(values)
}

fn deframe(bytes: &[u8], limit: usize, chunk: usize) -> Result<Vec<Vec<u8>>, Peer> {
    let (mut length, mut buf, mut frames) = (Length::new(), vec![0; limit], vec![]);
    for mut part in bytes.chunks(chunk) {
        while !part.is_empty() {
            let (used, frame) = length.feed(part, &mut buf)?;
            part = &part[used..];
            frames.extend(frame.map(|n| buf[..n].to_vec()));
        }
    }
    Ok(frames)
}

pub(crate) fn encode(v: &Vector) -> Vec<u8> {
    let mut stream = PREFACE.to_vec();
    for frame in v.0["frames"].as_array().unwrap() {
        let frame = unhex(frame.as_str().unwrap());
        let mut buf = [&[0, 0], &frame[..]].concat();
        let at = prefixed(&mut buf, frame.len());
        stream.extend_from_slice(&buf[at..]);
    }
    stream
}

pub(crate) fn decode_serial(v: &Vector) -> Result<Value, Refused> {
    let (bytes, mut decoder) = (v.bytes("hex"), Decoder::new());
    let (mut buf, mut frames, mut rest) = (vec![0; 300], vec![], &bytes[..]);
    while !rest.is_empty() {
        let (used, frame) = decoder.feed(rest, &mut buf)?;
        rest = &rest[used..];
        frames.extend(frame.map(|range| hex(&buf[range])));
    }
    Ok(json!({ "frames": frames }))
}

pub(crate) fn encode_serial(v: &Vector) -> Vec<u8> {
    let (mut encoder, mut line) = (Encoder::new(), vec![]);
    for frame in v.0["frames"].as_array().unwrap() {
        let frame = unhex(frame.as_str().unwrap());
        let mut out = vec![0; encoded_max(frame.len())];
        let n = encoder.encode(&frame, &mut out).unwrap();
        line.extend_from_slice(&out[..n]);
    }
    line
}
