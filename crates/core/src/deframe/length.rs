//! The preface, and frames behind a length. SPEC 1.1 and 1.2.

use crate::error::Peer;
use crate::limits::FRAME_HARD_MAX;

/// What either end sends before its first frame, once per connection. Its first byte occurs in no UTF-8 text.
pub const PREFACE: [u8; 4] = [0xf5, b's', b'n', b'k'];

/// The longest length prefix.
pub const PREFIX_MAX: usize = 2;

/// Reads a length prefix: `Some((prefix length, frame length))`, or `None` if more bytes are needed.
///
/// # Errors
/// [`Peer::Malformed`] if it is not canonical or the frame would be empty; [`Peer::Oversized`] if it exceeds `max`.
#[inline]
pub fn read_prefix(bytes: &[u8], max: usize) -> Result<Option<(usize, usize)>, Peer> {
    let (used, len) = match bytes {
        [] => return Ok(None),
        [0, ..] => return Err(Peer::Malformed),
        [a, ..] if *a < 0x80 => (1, *a as usize),
        [_] => return Ok(None),
        [_, b, ..] if *b >= 0x80 => return Err(Peer::Oversized),
        [_, 0, ..] => return Err(Peer::Malformed),
        [a, b, ..] => (2, (*a & 0x7f) as usize | (*b as usize) << 7),
    };
    if len > max { Err(Peer::Oversized) } else { Ok(Some((used, len))) }
}

/// Puts the length in front of a frame that stands at `buf[2..2 + len]`; returns where prefix and frame begin in `buf`. `len` is at most 16,383.
#[inline]
pub fn prefixed(buf: &mut [u8], len: usize) -> usize {
    debug_assert!(len <= FRAME_HARD_MAX);
    if len < 0x80 {
        buf[1] = len as u8;
        1
    } else {
        buf[0] = len as u8 | 0x80;
        buf[1] = (len >> 7) as u8;
        0
    }
}

/// Cuts a byte stream into frames, whatever the chunks, in the caller's buffer.
#[derive(Clone, Debug, Default)]
pub struct Length {
    preface: u8,
    prefix: [u8; PREFIX_MAX],
    prefix_len: u8,
    want: usize,
    have: usize,
}

impl Length {
    /// A stream at its beginning: the preface comes first.
    pub const fn new() -> Self {
        Length { preface: 0, prefix: [0; PREFIX_MAX], prefix_len: 0, want: 0, have: 0 }
    }

    /// Takes bytes from the front of `input`; returns how many, and the length of the frame in `frame` if one is complete.
    ///
    /// Call it again with the rest of the input. `frame` must be the same buffer each time until a frame is complete; a frame longer than
    /// it is an error.
    ///
    /// # Errors
    /// [`Peer::Preface`], [`Peer::Oversized`], [`Peer::Malformed`]: the stream cannot be used any more.
    pub fn feed(&mut self, input: &[u8], frame: &mut [u8]) -> Result<(usize, Option<usize>), Peer> {
        let mut at = 0;
        while (self.preface as usize) < PREFACE.len() {
            let Some(b) = input.get(at) else { return Ok((at, None)) };
            if *b != PREFACE[self.preface as usize] {
                return Err(Peer::Preface);
            }
            self.preface += 1;
            at += 1;
        }
        while self.want == 0 {
            let Some(b) = input.get(at) else { return Ok((at, None)) };
            let Some(slot) = self.prefix.get_mut(self.prefix_len as usize) else {
                return Err(Peer::Malformed);
            };
            *slot = *b;
            self.prefix_len += 1;
            at += 1;
            if let Some((_, len)) = read_prefix(&self.prefix[..self.prefix_len as usize], frame.len())? {
                (self.want, self.have, self.prefix_len) = (len, 0, 0);
            }
        }
        let n = (self.want - self.have).min(input.len() - at);
        let Some(to) = frame.get_mut(self.have..self.have + n) else { return Err(Peer::Oversized) };
        to.copy_from_slice(&input[at..at + n]);
        self.have += n;
        at += n;
        if self.have < self.want {
            return Ok((at, None));
        }
        self.want = 0;
        Ok((at, Some(self.have)))
    }

    /// Whether the preface came.
    pub fn has_preface(&self) -> bool {
        self.preface as usize == PREFACE.len()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_frames(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..8),
            chunks in prop::collection::vec(1usize..50, 1..20),
        ) {
            let mut stream = PREFACE.to_vec();
            for f in &frames {
                let mut buf = std::vec![0; 2];
                buf.extend_from_slice(f);
                let at = prefixed(&mut buf, f.len());
                stream.extend_from_slice(&buf[at..]);
            }
            let (mut deframer, mut buf, mut got) = (Length::new(), [0; 300], Vec::new());
            let mut rest = &stream[..];
            for size in chunks.iter().cycle() {
                if rest.is_empty() { break }
                let (chunk, next) = rest.split_at((*size).min(rest.len()));
                rest = next;
                let mut chunk = chunk;
                while !chunk.is_empty() {
                    let (used, frame) = deframer.feed(chunk, &mut buf).unwrap();
                    chunk = &chunk[used..];
                    got.extend(frame.map(|n| buf[..n].to_vec()));
                }
            }
            prop_assert_eq!(got, frames);
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), preface in any::<bool>()) {
            let (mut d, mut buf) = (Length::new(), [0; 256]);
            if preface { d.feed(&PREFACE, &mut buf).unwrap(); }
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
