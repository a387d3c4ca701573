//! Bits in order: the first bit of a run is the lowest bit of its first byte.

use crate::limits::SMALL;

/// Writes bits into borrowed memory; it counts on when the memory ends, so that it can also only count.
pub(super) struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
    /// Bits that wait for a whole word, fewer than 32 between calls.
    held: u64,
    holds: u32,
    overran: bool,
}

pub(super) struct Mark {
    at: usize,
    held: u64,
    holds: u32,
    overran: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0, held: 0, holds: 0, overran: false }
    }

    /// This place, to come back to.
    pub(super) fn mark(&self) -> Mark {
        Mark { at: self.at, held: self.held, holds: self.holds, overran: self.overran }
    }

    /// Forgets what was written since.
    pub(super) fn back_to(&mut self, mark: &Mark) {
        (self.at, self.held, self.holds, self.overran) = (mark.at, mark.held, mark.holds, mark.overran);
    }

    /// Appends the lowest `len` bits of `bits`; `len` is at most 32 and the bits above it are zero.
    #[inline(never)]
    pub(super) fn put(&mut self, bits: u32, len: u32) {
        self.held |= u64::from(bits) << self.holds;
        self.holds += len;
        if self.holds >= 32 {
            self.give(self.held as u32);
            self.held >>= 32;
            self.holds -= 32;
        }
    }

    /// As [`Writer::put`] for each number; `long` takes those that have no code of up to 32 bits.
    #[inline(always)]
    pub(super) fn put_each(
        &mut self,
        numbers: &[u32],
        code: impl Fn(u32) -> Option<(u32, u32)>,
        mut long: impl FnMut(&mut Self, u32),
    ) {
        if SMALL {
            for number in numbers {
                match code(*number) {
                    Some((bits, len)) => self.put(bits, len),
                    None => long(self, *number),
                }
            }
            return;
        }
        // Local copies stay in registers.
        let (mut held, mut holds) = (self.held, self.holds);
        for number in numbers {
            let Some((bits, len)) = code(*number) else {
                (self.held, self.holds) = (held, holds);
                long(self, *number);
                (held, holds) = (self.held, self.holds);
                continue;
            };
            held |= u64::from(bits) << holds;
            holds += len;
            if holds >= 32 {
                self.give(held as u32);
                held >>= 32;
                holds -= 32;
            }
        }
        (self.held, self.holds) = (held, holds);
    }

    #[inline(never)]
    fn give(&mut self, word: u32) {
        let word = word.to_le_bytes();
        match self.out.get_mut(self.at..self.at + 4) {
            Some(slot) => slot.copy_from_slice(&word),
            None => self.last(word),
        }
        self.at += 4;
    }

    /// Writes what of `word` there is room for.
    fn last(&mut self, word: [u8; 4]) {
        let rest = self.out.get_mut(self.at..).unwrap_or_default();
        for (slot, byte) in rest.iter_mut().zip(word) {
            *slot = byte;
        }
        self.overran = true;
    }

    /// Ends with zero bits up to a whole byte. The length in bytes, and whether all of it fitted.
    pub(super) fn finish(mut self) -> (usize, bool) {
        let rest = self.holds.div_ceil(8) as usize;
        let fits = !self.overran && self.at + rest <= self.out.len();
        if fits {
            self.last((self.held as u32).to_le_bytes());
        }
        (self.at + rest, fits)
    }
}

/// How many bits can always be seen ahead.
pub(super) const PEEKED: u32 = 57;

/// Reads bits; beyond the end it reads zeros, and [`Reader::overran`] tells.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next [`PEEKED`] bits or more, without taking them.
    #[inline]
    pub(super) fn peek(&self) -> u64 {
        let byte = self.at / 8;
        let word = match self.bytes.get(byte..byte + 8).and_then(|eight| eight.first_chunk::<8>()) {
            Some(eight) => u64::from_le_bytes(*eight),
            None => self.peek_last(byte),
        };
        word >> (self.at % 8)
    }

    #[cold]
    #[inline(never)]
    fn peek_last(&self, byte: usize) -> u64 {
        let tail = self.bytes.get(byte..).unwrap_or(&[]);
        tail.iter().take(8).rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
    }

    /// Takes `len` bits that were peeked at.
    #[inline]
    pub(super) fn skip(&mut self, len: u32) {
        self.at += len as usize;
    }

    /// Gives back `len` bits that were just skipped.
    pub(super) fn back(&mut self, len: u32) {
        self.at -= len as usize;
    }

    /// Takes `len` bits, at most 56.
    #[inline(never)]
    pub(super) fn take(&mut self, len: u32) -> u64 {
        let bits = self.peek() & ((1 << len) - 1);
        self.skip(len);
        bits
    }

    /// Whether more was taken than there is.
    pub(super) fn overran(&self) -> bool {
        self.at > self.bytes.len() * 8
    }

    /// Whole bytes taken so far; the rest of the last one is padding.
    pub(super) fn consumed(&self) -> usize {
        self.at.div_ceil(8)
    }
}
