//! A catalogue as a device holds it, its canonical bytes and their hash. SPEC sections 5.1 to 5.3.

use super::{AskEntry, CommandEntry, QuantityEntry, SettingEntry, Shape};
use crate::limits::{CATALOG_ENTRIES, NAME_MAX};
use crate::wire::cursor::{Writer, zigzag};

/// What a device says of itself: firmware, quantities, commands, settings and asks.
///
/// Made in a `const`, two entries with the same id do not compile:
/// ```compile_fail
/// use sensock::{Catalog, Quantity};
/// const A: Quantity<f32> = Quantity::new(1, "a", "Cel");
/// const B: Quantity<f32> = Quantity::new(1, "b", "Cel");
/// const C: Catalog = Catalog::new("x 1", &[A.entry(), B.entry()], &[], &[]);
/// let _ = C;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Catalog<'a> {
    /// Name and version of the firmware.
    pub firmware: &'a str,
    /// Quantities.
    pub quantities: &'a [QuantityEntry<'a>],
    /// Commands that the device answers.
    pub commands: &'a [CommandEntry<'a>],
    /// Settings that the device applies.
    pub settings: &'a [SettingEntry<'a>],
    /// Questions that the device puts to the server.
    pub asks: &'a [AskEntry<'a>],
}

impl<'a> Catalog<'a> {
    /// A catalogue without asks.
    ///
    /// # Panics
    /// (In a `const`: does not compile.) On two equal ids in one list, more than 64 entries in one list, or a name longer than 48 bytes.
    pub const fn new(
        firmware: &'a str,
        quantities: &'a [QuantityEntry<'a>],
        commands: &'a [CommandEntry<'a>],
        settings: &'a [SettingEntry<'a>],
    ) -> Self {
        assert!(firmware.len() <= NAME_MAX, "the firmware's name is at most 48 bytes");
        assert!(
            quantities.len() <= CATALOG_ENTRIES
                && commands.len() <= CATALOG_ENTRIES
                && settings.len() <= CATALOG_ENTRIES,
            "a catalogue lists at most 64 of each"
        );
        let mut i = 0;
        while i < quantities.len() {
            assert!(
                quantities[i].name.len() <= NAME_MAX && quantities[i].unit.len() <= NAME_MAX,
                "name too long"
            );
            let mut j = 0;
            while j < i {
                assert!(quantities[i].id != quantities[j].id, "two quantities share an id");
                j += 1;
            }
            i += 1;
        }
        i = 0;
        while i < commands.len() {
            assert!(commands[i].name.len() <= NAME_MAX, "a name is longer than 48 bytes");
            let mut j = 0;
            while j < i {
                assert!(commands[i].key != commands[j].key, "two commands share a key");
                j += 1;
            }
            i += 1;
        }
        i = 0;
        while i < settings.len() {
            assert!(settings[i].name.len() <= NAME_MAX, "a name is longer than 48 bytes");
            let mut j = 0;
            while j < i {
                assert!(settings[i].key != settings[j].key, "two settings share a key");
                j += 1;
            }
            i += 1;
        }
        Self { firmware, quantities, commands, settings, asks: &[] }
    }

    /// Adds the questions that the device may ask.
    ///
    /// # Panics
    /// As [`Catalog::new`].
    pub const fn asks(mut self, asks: &'a [AskEntry<'a>]) -> Self {
        assert!(asks.len() <= CATALOG_ENTRIES, "a catalogue lists at most 64 of each");
        let mut i = 0;
        while i < asks.len() {
            let mut j = 0;
            while j < i {
                assert!(asks[i].key != asks[j].key, "two asks share a key");
                j += 1;
            }
            i += 1;
        }
        self.asks = asks;
        self
    }

    /// 64-bit FNV-1a over the canonical bytes; 0 is never a hash.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub fn hash(&self) -> u64 {
        let mut hash = FNV_OFFSET;
        self.each_part(&mut |part| hash = fnv_step(hash, part));
        if hash == 0 { 1 } else { hash }
    }

    /// Length of the canonical bytes.
    pub fn len(&self) -> usize {
        let mut len = 0;
        self.each_part(&mut |part| len += part.len());
        len
    }

    /// Whether it lists nothing.
    pub fn is_empty(&self) -> bool {
        self.quantities.is_empty()
            && self.commands.is_empty()
            && self.settings.is_empty()
            && self.asks.is_empty()
    }

    /// Copies the canonical bytes from `offset` on, as many as fit `out`; returns how many.
    pub fn copy_at(&self, offset: usize, out: &mut [u8]) -> usize {
        let (mut at, mut written) = (0, 0);
        self.each_part(&mut |part| {
            let skip = offset.saturating_sub(at).min(part.len());
            let part_rest = &part[skip..];
            at += part.len();
            let n = part_rest.len().min(out.len() - written);
            out[written..written + n].copy_from_slice(&part_rest[..n]);
            written += n;
        });
        written
    }

    /// The quantity with this id.
    pub fn quantity(&self, id: u16) -> Option<&QuantityEntry<'a>> {
        self.quantities.iter().find(|q| q.id == id)
    }

    // Once, not once for each caller: it is long, and runs once a connection.
    #[inline(never)]
    fn each_part(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(&[1]);
        text(sink, self.firmware);
        number(sink, self.quantities.len() as u32);
        for q in self.quantities {
            entry(sink, q.id, q.name);
            text(sink, q.unit);
            for v in [i32::from(q.scale), q.low, q.high] {
                // Of 32 bits it has as many.
                number(sink, zigzag(v.into()) as u32);
            }
            number(sink, q.interval_ms);
        }
        number(sink, self.commands.len() as u32);
        for c in self.commands {
            entry(sink, c.key, c.name);
            number(sink, c.policy as u32);
            shape(sink, c.request);
            shape(sink, c.answer);
        }
        number(sink, self.settings.len() as u32);
        for s in self.settings {
            entry(sink, s.key, s.name);
            shape(sink, s.shape);
        }
        number(sink, self.asks.len() as u32);
        for a in self.asks {
            entry(sink, a.key, a.name);
            shape(sink, a.request);
            shape(sink, a.answer);
        }
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv_step(mut hash: u64, bytes: &[u8]) -> u64 {
    for b in bytes {
        hash = (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

/// 64-bit FNV-1a of a catalogue's canonical bytes (Fowler, Noll, Vo; RFC 9923). 0 is mapped to 1, so that 0 can mean "none".
pub fn fnv1a(bytes: &[u8]) -> u64 {
    let hash = fnv_step(FNV_OFFSET, bytes);
    if hash == 0 { 1 } else { hash }
}

#[inline(never)]
fn number(sink: &mut dyn FnMut(&[u8]), v: u32) {
    let mut buf = [0; 5];
    let mut w = Writer::new(&mut buf);
    // Five bytes hold it.
    w.var32(v);
    let n = w.len();
    sink(&buf[..n]);
}

#[inline(never)]
fn text(sink: &mut dyn FnMut(&[u8]), s: &str) {
    number(sink, s.len() as u32);
    sink(s.as_bytes());
}

#[inline(never)]
fn entry(sink: &mut dyn FnMut(&[u8]), key: u16, name: &str) {
    number(sink, key.into());
    text(sink, name);
}

#[inline(never)]
fn shape(sink: &mut dyn FnMut(&[u8]), s: Shape) {
    number(sink, s.scalars().count() as u32);
    s.scalars().for_each(|k| sink(&[k as u8]));
}
