//! Bytes as choices.

use sensock::{Lane, Position};

/// Takes choices off the front of the bytes; when they are used up, every choice is the first one.
#[derive(Clone, Debug)]
pub(super) struct Input<'a> {
    rest: &'a [u8],
}

/// Numbers at which something changes.
const EDGES: [u64; 24] = [
    0x7f,
    0x80,
    0xff,
    0x100,
    0x3ffe,
    0x3fff,
    0x4000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    0x1_ffff_ffff,
    0x2_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_0000_0000,
    0xffff_fffe_ffff_ffff,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
    10_000,
];

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Below `n`, which is 1 to 256.
    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    /// Small numbers in one byte, edges in two, any number in nine.
    pub(super) fn number(&mut self) -> u64 {
        match self.byte() {
            small @ 0..=0xf0 => small.into(),
            0xf1..=0xfa => {
                let edge = EDGES[self.below(EDGES.len())];
                edge.wrapping_add(u64::from(self.byte())).wrapping_sub(2)
            }
            _ => {
                let mut b = [0; 8];
                b.iter_mut().for_each(|b| *b = self.byte());
                u64::from_le_bytes(b)
            }
        }
    }

    /// The next bytes: at most `max`, and as many as their first byte says.
    pub(super) fn bytes(&mut self, max: usize) -> &'a [u8] {
        let n = usize::from(self.byte()).min(max).min(self.rest.len());
        let (head, rest) = self.rest.split_at(n);
        self.rest = rest;
        head
    }

    pub(super) fn lane(&mut self) -> Lane {
        Lane::ALL[self.below(Lane::COUNT)]
    }

    /// A position a little before or after `near`, or any.
    pub(super) fn position(&mut self, near: Position) -> Position {
        match self.byte() {
            step @ 0..=0x9f => near.plus(step.into()),
            step @ 0xa0..=0xcf => Position(near.0.saturating_sub(u64::from(step) - 0x9f)),
            0xd0..=0xdf => Position::boot_start(near.boot().saturating_add(1)),
            0xe0..=0xe7 => Position::boot_start(near.boot()).prev(),
            _ => Position(self.number()),
        }
    }

    /// One bit of a frame turned, a byte cut off or added: as a broken peer would send it.
    pub(super) fn spoil(&mut self, frame: &mut Vec<u8>) {
        let at = usize::from(self.byte()) | usize::from(self.byte()) << 8;
        match self.below(4) {
            0 => frame.truncate(at % (frame.len() + 1)),
            1 => frame.push(at as u8),
            2 if !frame.is_empty() => {
                let i = at % frame.len();
                frame[i] = self.byte();
            }
            _ if !frame.is_empty() => {
                let i = at / 8 % frame.len();
                frame[i] ^= 1 << (at % 8);
            }
            _ => {}
        }
    }
}
