//! One record alone: its tick as a varint above the base, then each cell as a varint.
//!
//! A cell's varint is the zigzag of its value plus one; zero is a fault, whose code is the next byte.

use super::{Cell, DecodeError, EncodeError};

/// Writes varints into borrowed memory; `at` runs on when the memory ends, so that it can also only count.
pub(super) struct Writer<'a> {
    out: Option<&'a mut [u8]>,
    at: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: Option<&'a mut [u8]>) -> Self {
        Self { out, at: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.at
    }

    fn byte(&mut self, byte: u8) -> Result<(), EncodeError> {
        if let Some(out) = &mut self.out {
            *out.get_mut(self.at).ok_or(EncodeError::NoRoom)? = byte;
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn varint(&mut self, mut value: u64) -> Result<(), EncodeError> {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80)?;
            value >>= 7;
        }
        self.byte(value as u8)
    }

    pub(super) fn cell(&mut self, cell: Cell) -> Result<(), EncodeError> {
        match cell {
            Cell::Value(value) => self.varint(u64::from(zigzag(value)) + 1),
            Cell::Fault(code) => {
                self.byte(0)?;
                self.byte(code)
            }
        }
    }
}

/// Reads varints.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn consumed(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = *self.bytes.get(self.at).ok_or(DecodeError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return Err(DecodeError::Malformed);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    pub(super) fn cell(&mut self) -> Result<Cell, DecodeError> {
        match self.varint()? {
            0 => self.byte().map(Cell::Fault),
            more => u32::try_from(more - 1)
                .map(|coded| Cell::Value(unzigzag(coded)))
                .map_err(|_| DecodeError::Malformed),
        }
    }
}

/// Small magnitudes of either sign become small numbers.
pub(super) fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

pub(super) fn unzigzag(coded: u32) -> i32 {
    ((coded >> 1) as i32) ^ -((coded & 1) as i32)
}
