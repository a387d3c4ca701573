//! What a deep sleep must keep: 96 bytes with a checksum, for memory that survives it (RTC memory, a backup register file).

use super::outbox::OutboxMut;
use crate::deframe::crc32;
use crate::wire::cursor::{Fields, Writer};
use crate::{CommandId, Lane, Position, StoreId, Tag};

/// What a device carries from one boot to the next without flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carry {
    /// The boot that ends, on the wire; 0 if no server has numbered it.
    pub boot: u32,
    /// The last tag that it was given, or a boot before it; none if that is not known.
    pub tag: Tag,
    /// The highest acknowledged position of each lane, on the wire.
    pub acked: [Position; Lane::COUNT],
    /// The last position that was made in each lane, on the wire.
    pub last: [Position; Lane::COUNT],
    /// The highest command that was begun.
    pub begun: CommandId,
    /// Revision up to which all settings were applied. Their values are the application's to keep; set it to 0 to be told all of them again.
    pub settings: u32,
    /// The store that last acknowledged.
    pub store: StoreId,
}

const VERSION: u8 = 1;

impl Carry {
    /// How many bytes it takes.
    pub const LEN: usize = 96;

    /// The same for a boot that goes on: if it ends without another word, its last positions are not known, and what was not acknowledged by
    /// then is said to be lost. Nor is the tag that it will have been given by then: see [`Carry::with_tag`].
    #[must_use]
    pub fn unfinished(mut self) -> Carry {
        if self.boot > 0 {
            self.last = [Position::new(self.boot, u32::MAX); Lane::COUNT];
        }
        self.tag = Tag::NONE;
        self
    }

    /// The same for memory that is written whenever a tag comes, before the session is proved ([`OutboxMut::tag_persists`]).
    #[must_use]
    pub fn with_tag(self, tag: Tag) -> Carry {
        Carry { tag, ..self }
    }

    /// The bytes to keep.
    pub fn to_bytes(&self) -> [u8; Carry::LEN] {
        // Two numbers, the first of them first.
        let numbers = u64::from(self.begun.0) | u64::from(self.settings) << 32;
        let mut out = [0; Carry::LEN];
        let mut w = Writer::new(&mut out);
        w.u8(VERSION);
        w.bytes(&self.boot.to_le_bytes());
        w.u64_fixed(self.tag.0);
        [self.acked, self.last].as_flattened().iter().for_each(|position| w.u64_fixed(position.0));
        w.u64_fixed(numbers);
        w.u64_fixed(self.store.0);
        let crc = crc32(&out[..Carry::LEN - 4]);
        out[Carry::LEN - 4..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads what was kept; `None` if power was lost meanwhile, or it never was written.
    pub fn from_bytes(bytes: &[u8; Carry::LEN]) -> Option<Carry> {
        let (body, crc) = bytes.split_at(Carry::LEN - 4);
        if crc32(body).to_le_bytes() != *crc || body[0] != VERSION {
            return None;
        }
        let boot = u32::from_le_bytes([body[1], body[2], body[3], body[4]]);
        // The length is known: every field is there.
        let mut r = Fields::new(&body[5..]);
        let tag = Tag(r.u64_fixed());
        let mut positions = [[Position::NONE; Lane::COUNT]; 2];
        positions.as_flattened_mut().iter_mut().for_each(|position| *position = Position(r.u64_fixed()));
        let [acked, last] = positions;
        let (numbers, store) = (r.u64_fixed(), StoreId(r.u64_fixed()));
        let (begun, settings) = (CommandId(numbers as u32), (numbers >> 32) as u32);
        Some(Carry { boot, tag, acked, last, begun, settings, store })
    }
}

impl OutboxMut<'_> {
    /// What to keep over a deep sleep.
    pub fn carry(&self) -> Carry {
        let (boot, last) = (self.boot() + self.shift(), self.lasts());
        let acked = |lane| match self.wire_or_none(self.acked(lane)) {
            // Nothing was made in this lane, and a server has taken this boot up: it knows of all that came before.
            Position::NONE if last[lane as usize] == Position::NONE && self.tag() != Tag::NONE => {
                Position::boot_start(boot).prev()
            }
            acked => acked,
        };
        Carry {
            boot,
            tag: self.last_tag(),
            acked: Lane::ALL.map(acked),
            last,
            begun: self.begun(),
            settings: self.settings(),
            store: self.store(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_and_damage_is_seen() {
        let carry = Carry {
            boot: 7,
            tag: Tag(u64::MAX - 3),
            acked: [Position::NONE, Position::new(7, 2), Position::new(7, 900)],
            last: [Position::NONE, Position::new(7, 2), Position::new(7, 901)],
            begun: CommandId(41),
            settings: 5,
            store: StoreId(77),
        };
        let mut bytes = carry.to_bytes();
        assert_eq!(Carry::from_bytes(&bytes), Some(carry));
        for bit in 0..Carry::LEN * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Carry::from_bytes(&bytes), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(Carry::from_bytes(&[0; 96]), None);
        assert_eq!(Carry::from_bytes(&[0xff; 96]), None);
    }
}
