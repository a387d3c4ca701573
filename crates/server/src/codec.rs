//! For those who want `Framed`: sensock's stream framing as a `tokio_util` codec.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sensock::deframe::{PREFACE, prefixed, read_prefix};
use sensock::limits::{FRAME_DEFAULT, FRAME_HARD_MAX};
use tokio_util::codec::{Decoder, Encoder};

/// Preface and length prefixes (SPEC 1.1 and 1.2); an item is one whole frame.
///
/// The server itself does not use it: `Framed` keeps a read buffer for each idle connection. With it, `attach_frames` takes what you
/// framed yourself (through a recorder, a fault injector, ...).
#[derive(Clone, Debug)]
pub struct SensockCodec {
    max_frame: usize,
    read: bool,
    written: bool,
}

impl SensockCodec {
    /// Takes frames of up to 4,096 bytes.
    pub fn new() -> Self {
        Self::with_max_frame(FRAME_DEFAULT)
    }

    /// Takes frames of up to `max_frame` bytes (at most 16,383).
    pub fn with_max_frame(max_frame: usize) -> Self {
        SensockCodec { max_frame: max_frame.min(FRAME_HARD_MAX), read: false, written: false }
    }
}

impl Default for SensockCodec {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder for SensockCodec {
    type Item = BytesMut;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<BytesMut>> {
        if !self.read {
            let have = src.len().min(PREFACE.len());
            if src[..have] != PREFACE[..have] {
                return Err(invalid(sensock::error::Peer::Preface));
            }
            if have < PREFACE.len() {
                return Ok(None);
            }
            src.advance(PREFACE.len());
            self.read = true;
        }
        match read_prefix(src, self.max_frame).map_err(invalid)? {
            Some((prefix, len)) if src.len() >= prefix + len => {
                src.advance(prefix);
                Ok(Some(src.split_to(len)))
            }
            Some((prefix, len)) => {
                src.reserve(prefix + len - src.len());
                Ok(None)
            }
            None => Ok(None),
        }
    }
}

impl Encoder<Bytes> for SensockCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: Bytes, dst: &mut BytesMut) -> io::Result<()> {
        if frame.is_empty() || frame.len() > FRAME_HARD_MAX {
            return Err(invalid(sensock::error::Peer::Oversized));
        }
        if !std::mem::replace(&mut self.written, true) {
            dst.put_slice(&PREFACE);
        }
        let mut prefix = [0; 2];
        let at = prefixed(&mut prefix, frame.len());
        dst.put_slice(&prefix[at..]);
        dst.put_slice(&frame);
        Ok(())
    }
}

fn invalid(peer: sensock::error::Peer) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_any_chunks() {
        let mut stream = BytesMut::new();
        let mut codec = SensockCodec::new();
        let frames: Vec<Bytes> = [1, 127, 128, 4_096].map(|n| Bytes::from(vec![n as u8; n])).to_vec();
        for frame in &frames {
            codec.encode(frame.clone(), &mut stream).unwrap();
        }
        for chunk in [1, 3, 1_000] {
            let (mut buf, mut out, mut codec) = (BytesMut::new(), Vec::new(), SensockCodec::new());
            for part in stream.chunks(chunk) {
                buf.extend_from_slice(part);
                while let Some(frame) = codec.decode(&mut buf).unwrap() {
                    out.push(frame.freeze());
                }
            }
            assert_eq!(out, frames);
        }
    }

    #[test]
    fn other_protocols_and_frames_that_are_too_long_are_errors() {
        let mut codec = SensockCodec::with_max_frame(300);
        assert!(codec.decode(&mut BytesMut::from("GET / HTTP/1.1")).is_err());
        let mut long = BytesMut::from(&PREFACE[..]);
        long.put_slice(&[0xff, 0x7f]);
        assert!(SensockCodec::with_max_frame(300).decode(&mut long).is_err());
        assert!(codec.encode(Bytes::new(), &mut BytesMut::new()).is_err());
    }
}
