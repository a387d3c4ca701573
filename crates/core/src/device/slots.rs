//! Keep-latest: a slot per quantity, whose value gets a position only when it is framed.

use crate::Tick;
use crate::batch::Cell;
use crate::catalog::Reading;
use crate::limits::READINGS_PER_RECORD;

/// Bytes of one slot: quantity 2, state 1, kind 1, value 4, tick 8, superseded 4, since 8.
pub(crate) const SLOT: usize = 28;

const DIRTY: u8 = 1;

/// A slot table over caller's bytes; quantity 0 with state 0 is free.
pub(crate) struct Slots<'a>(pub &'a mut [[u8; SLOT]]);

/// Where a slot's state lies.
pub(crate) const STATE: usize = 2;

/// Whether a slot of this state holds a value that waits.
pub(crate) fn waits(state: u8) -> bool {
    state & DIRTY != 0
}

/// What waited at one instant.
pub(crate) struct Waiting<'r> {
    /// Readings of that instant.
    pub readings: &'r [Reading],
    /// The instant.
    pub tick: Tick,
    /// How many values were overwritten before, and since when if there are some.
    pub superseded: u32,
    pub since: Tick,
}

impl Slots<'_> {
    /// Puts a value into its quantity's slot. False if every slot belongs to another quantity.
    pub(crate) fn put(&mut self, reading: Reading, tick: Tick) -> bool {
        let Some(slot) = self.slot(reading.quantity) else { return false };
        let (superseded, since) = match waits(slot[STATE]) {
            true if word(slot, 16) > 0 => (word(slot, 16).saturating_add(1), long(slot, 20)),
            true => (1, long(slot, 8)),
            false => (0, 0),
        };
        slot[..2].copy_from_slice(&reading.quantity.to_le_bytes());
        slot[STATE] = DIRTY | 2;
        let (kind, value) = match reading.cell {
            Cell::Value(v) => (0, v),
            Cell::Fault(code) => (1, code.into()),
        };
        slot[3] = kind;
        slot[4..8].copy_from_slice(&value.to_le_bytes());
        slot[8..16].copy_from_slice(&tick.0.to_le_bytes());
        slot[16..20].copy_from_slice(&superseded.to_le_bytes());
        slot[20..28].copy_from_slice(&since.to_le_bytes());
        true
    }

    /// Takes all values of the oldest instant; there is one.
    pub(crate) fn take_oldest<'r>(
        &mut self,
        readings: &'r mut [Reading; READINGS_PER_RECORD],
    ) -> Waiting<'r> {
        let waiting = self.0.iter().filter(|s| waits(s[STATE]));
        let oldest = waiting.fold(u64::MAX, |oldest, slot| oldest.min(long(slot, 8)));
        let mut count = 0;
        let mut waiting = Waiting { readings: &[], tick: Tick(oldest), superseded: 0, since: Tick::NEVER };
        let due = self.0.iter_mut().filter(|s| waits(s[STATE]) && long(s, 8) == oldest);
        for (slot, reading) in due.zip(readings.iter_mut()) {
            let value = word(slot, 4) as i32;
            let cell = if slot[3] == 0 { Cell::Value(value) } else { Cell::Fault(value as u8) };
            *reading = Reading { quantity: u16::from_le_bytes([slot[0], slot[1]]), cell };
            count += 1;
            if word(slot, 16) > 0 {
                waiting.superseded = waiting.superseded.saturating_add(word(slot, 16));
                waiting.since = waiting.since.min(Tick(long(slot, 20)));
            }
            slot[STATE] &= !DIRTY;
        }
        waiting.readings = &readings[..count];
        waiting
    }

    /// The quantity's slot, or the first one that is free: none is ever given back, so it comes after all that are taken.
    fn slot(&mut self, quantity: u16) -> Option<&mut [u8; SLOT]> {
        let key = quantity.to_le_bytes();
        self.0.iter_mut().find(|slot| slot[STATE] == 0 || slot[..2] == key)
    }
}

fn word(slot: &[u8; SLOT], at: usize) -> u32 {
    u32::from_le_bytes([slot[at], slot[at + 1], slot[at + 2], slot[at + 3]])
}

fn long(slot: &[u8; SLOT], at: usize) -> u64 {
    u64::from(word(slot, at)) | u64::from(word(slot, at + 4)) << 32
}
