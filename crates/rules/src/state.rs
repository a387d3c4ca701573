//! What an engine knows as bytes, so that an application can keep it beside what it has stored.

use crate::{Cause, Level, Slot, Step};

/// The first byte; another one means another layout.
pub(crate) const LAYOUT: u8 = 1;

/// Why bytes are not the state of an engine; the engine is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadState {
    /// They are in a layout that this version does not know.
    Layout,
    /// They are the state of another table: its hash.
    Table(u64),
    /// They are cut short, too long, or hold what no engine writes.
    Damaged,
}

/// Something with a fixed place in those bytes: numbers little-endian, a choice with its number in front.
pub(crate) trait Plain: Sized {
    fn put(&self, out: &mut dyn FnMut(&[u8]));
    fn take(from: &mut &[u8]) -> Option<Self>;
}

impl Plain for u8 {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        out(&[*self]);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (first, rest) = from.split_first()?;
        *from = rest;
        Some(*first)
    }
}

impl Plain for u16 {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        out(&self.to_le_bytes());
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (first, rest) = from.split_first_chunk()?;
        *from = rest;
        Some(Self::from_le_bytes(*first))
    }
}

impl Plain for u32 {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        out(&self.to_le_bytes());
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (first, rest) = from.split_first_chunk()?;
        *from = rest;
        Some(Self::from_le_bytes(*first))
    }
}

impl Plain for u64 {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        out(&self.to_le_bytes());
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (first, rest) = from.split_first_chunk()?;
        *from = rest;
        Some(Self::from_le_bytes(*first))
    }
}

impl Plain for i32 {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.cast_unsigned().put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        u32::take(from).map(u32::cast_signed)
    }
}

impl Plain for Step {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.0.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        u32::take(from).map(Self)
    }
}

impl<T: Plain> Plain for Option<T> {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        u8::from(self.is_some()).put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        match u8::take(from)? {
            0 => Some(None),
            1 => T::take(from).map(Some),
            _ => None,
        }
    }
}

impl<T: Plain + Copy, const N: usize> Plain for [T; N] {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|value| value.put(out));
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let mut all = [None; N];
        for value in &mut all {
            *value = Some(T::take(from)?);
        }
        let first = all.first().copied().flatten()?;
        Some(all.map(|value| value.unwrap_or(first)))
    }
}

impl Plain for Level {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        (*self as u8).put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        match u8::take(from)? {
            0 => Some(Self::Unknown),
            1 => Some(Self::Normal),
            2 => Some(Self::Warning),
            3 => Some(Self::Critical),
            _ => None,
        }
    }
}

impl Plain for Cause {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.device.put(out);
        self.lane.put(out);
        self.position.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self { device: Plain::take(from)?, lane: Plain::take(from)?, position: Plain::take(from)? })
    }
}

impl Plain for Slot {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.mean.put(out);
        self.deviation.put(out);
        self.learned.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self { mean: Plain::take(from)?, deviation: Plain::take(from)?, learned: Plain::take(from)? })
    }
}

impl core::fmt::Display for BadState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Layout => f.write_str("the state was kept by another version of the rules; begin anew"),
            Self::Table(hash) => {
                write!(f, "the state belongs to another table, {hash:016x}; begin anew")
            }
            Self::Damaged => f.write_str("the bytes are not what an engine keeps; begin anew"),
        }
    }
}

impl core::error::Error for BadState {}
