//! Frames over a serial line: a counter and a CRC-32, byte-stuffed so that 0 only ends a frame. SPEC section 13.
//!
//! A line that loses or garbles a frame says so: the connection is lost and the session resumes. It never guesses.

use super::crc::{crc32, crc32_parts};

/// Bytes that a frame of `len` bytes takes on the line, at most.
pub const fn encoded_max(len: usize) -> usize {
    let raw = len + 5;
    raw + raw / 254 + 2
}

/// The line lost a frame, or garbled one: report the transport as lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// The CRC does not fit.
    #[error("a frame on the serial line was garbled (CRC)")]
    Garbled,
    /// The counter jumped.
    #[error("a frame on the serial line is missing (counter)")]
    Missing,
    /// A frame longer than the buffer.
    #[error("a frame on the serial line is longer than the buffer")]
    Oversized,
}

/// Makes frames for the line.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    counter: u8,
}

impl Encoder {
    /// A line at its beginning.
    pub const fn new() -> Self {
        Self { counter: 0 }
    }

    /// Encodes a frame into `out` ([`encoded_max`] bytes are always enough); returns the length, or `None` if it does not fit (then
    /// nothing was counted). The first frame of a connection is preceded by a lone 0 that ends whatever noise came before.
    pub fn encode(&mut self, frame: &[u8], out: &mut [u8]) -> Option<usize> {
        let counter = self.counter;
        let crc = crc32_parts(&[&[counter], frame]).to_le_bytes();
        let raw = core::iter::once(counter).chain(frame.iter().copied()).chain(crc);
        let (mut code_at, mut at, mut code) = (0, 1, 1u8);
        for b in raw {
            if b != 0 {
                *out.get_mut(at)? = b;
                at += 1;
                code += 1;
            }
            if b == 0 || code == 0xff {
                *out.get_mut(code_at)? = code;
                (code_at, code) = (at, 1);
                at += 1;
            }
        }
        *out.get_mut(code_at)? = code;
        *out.get_mut(at)? = 0;
        self.counter = counter.wrapping_add(1);
        Some(at + 1)
    }
}

/// Finds frames on the line.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    counter: u8,
    len: usize,
    /// Bytes left of the present block, and whether a zero follows it.
    left: u8,
    zero: bool,
    started: bool,
    over: bool,
}

impl Decoder {
    /// A line at its beginning.
    pub const fn new() -> Self {
        Self { counter: 0, len: 0, left: 0, zero: false, started: false, over: false }
    }

    /// Takes bytes from the front of `input`; returns how many, and where in `buf` a frame lies if one is complete.
    ///
    /// `buf` needs five bytes more than the largest frame, and must stay the same until a frame is complete.
    ///
    /// # Errors
    /// [`LineFault`]: report the transport as lost; a new connection begins with new counters.
    pub fn feed(
        &mut self,
        input: &[u8],
        buf: &mut [u8],
    ) -> Result<(usize, Option<core::ops::Range<usize>>), LineFault> {
        for (i, b) in input.iter().enumerate() {
            if *b == 0 {
                let (len, whole) = (self.len, self.left == 0 && !self.over);
                let over = self.over;
                (self.len, self.left, self.zero, self.started, self.over) = (0, 0, false, false, false);
                if len == 0 && !over {
                    continue;
                }
                if over {
                    return Err(LineFault::Oversized);
                }
                return self.check(buf, len, whole).map(|range| (i + 1, Some(range)));
            }
            if self.left == 0 {
                if self.started && self.zero {
                    self.put(buf, 0);
                }
                self.started = true;
                self.left = b - 1;
                self.zero = *b != 0xff;
            } else {
                self.put(buf, *b);
                self.left -= 1;
            }
        }
        Ok((input.len(), None))
    }

    fn put(&mut self, buf: &mut [u8], b: u8) {
        match buf.get_mut(self.len) {
            Some(slot) => {
                *slot = b;
                self.len += 1;
            }
            None => self.over = true,
        }
    }

    fn check(&mut self, buf: &[u8], len: usize, whole: bool) -> Result<core::ops::Range<usize>, LineFault> {
        if len < 6 || !whole {
            return Err(LineFault::Garbled);
        }
        let (body, crc) = buf[..len].split_at(len - 4);
        if crc32(body).to_le_bytes() != *crc {
            return Err(LineFault::Garbled);
        }
        if body[0] != self.counter {
            return Err(LineFault::Missing);
        }
        self.counter = self.counter.wrapping_add(1);
        Ok(1..len - 4)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn read(line: &[u8], chunk: usize) -> Result<Vec<Vec<u8>>, LineFault> {
        let (mut d, mut buf, mut got) = (Decoder::new(), [0; 605], Vec::new());
        for mut part in line.chunks(chunk) {
            while !part.is_empty() {
                let (used, frame) = d.feed(part, &mut buf)?;
                part = &part[used..];
                got.extend(frame.map(|r| buf[r].to_vec()));
            }
        }
        Ok(got)
    }

    proptest! {
        #[test]
        fn frames_come_back(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..600), 1..6),
            zeros in any::<bool>(),
            chunk in 1usize..40,
        ) {
            let (mut e, mut line) = (Encoder::new(), std::vec![0]);
            for f in &frames {
                let mut out = [0; encoded_max(600)];
                let n = e.encode(f, &mut out).unwrap();
                prop_assert!(out[..n - 1].iter().all(|b| *b != 0));
                line.extend_from_slice(&out[..n]);
                if zeros { line.push(0) }
            }
            prop_assert_eq!(read(&line, chunk).unwrap(), frames);
        }

        #[test]
        fn a_lost_or_garbled_frame_is_reported(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..60), 3..6),
            at in any::<prop::sample::Index>(),
            flip in 1u8..=255,
        ) {
            let (mut e, mut parts) = (Encoder::new(), Vec::new());
            for f in &frames {
                let mut out = [0; encoded_max(60)];
                let n = e.encode(f, &mut out).unwrap();
                parts.push(out[..n].to_vec());
            }
            let mut dropped = parts.clone();
            dropped.remove(at.index(frames.len() - 1));
            prop_assert_eq!(read(&dropped.concat(), 7), Err(LineFault::Missing));
            let mut line = parts.concat();
            let i = at.index(line.len());
            line[i] ^= flip;
            // Never all frames as if nothing had happened: a fault, or (a spoilt end) the last frame never completes.
            let garbled = read(&line, 7);
            prop_assert!(garbled.is_err() || garbled.unwrap().len() < frames.len());
        }

        #[test]
        fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..2000), size in 0usize..64) {
            let (mut d, mut buf) = (Decoder::new(), std::vec![0; size]);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                match d.feed(rest, &mut buf) {
                    Ok((used, _)) => rest = &rest[used..],
                    Err(_) => break,
                }
            }
        }
    }
}
