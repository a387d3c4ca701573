//! A catalogue as a server sees it: a checked view over canonical bytes.

use super::{AskEntry, CommandEntry, Policy, QuantityEntry, SettingEntry, Shape};
use crate::error::Peer;
use crate::limits::{CATALOG_ENTRIES, CATALOG_MAX, NAME_MAX};
use crate::wire::cursor::Reader;

/// The bytes are no catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are not a catalogue of this version: {0}")]
pub struct BadCatalog(#[from] pub Peer);

/// Canonical bytes that were checked once, and can then be walked without errors.
#[derive(Clone, Copy, Debug)]
pub struct CatalogView<'a> {
    bytes: &'a [u8],
}

impl<'a> CatalogView<'a> {
    /// Checks the bytes (SPEC 5.2).
    pub fn new(bytes: &'a [u8]) -> Result<Self, BadCatalog> {
        if bytes.len() > CATALOG_MAX {
            return Err(Peer::Limit.into());
        }
        let mut ids = [0u16; CATALOG_ENTRIES];
        let mut w = Walk::new(bytes)?;
        unique(w.count()?, &mut ids, || Ok(w.quantity()?.id))?;
        unique(w.count()?, &mut ids, || Ok(w.command()?.key))?;
        unique(w.count()?, &mut ids, || Ok(w.setting()?.key))?;
        unique(w.count()?, &mut ids, || Ok(w.ask()?.key))?;
        w.reader.end()?;
        Ok(Self { bytes })
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Name and version of the firmware.
    pub fn firmware(&self) -> &'a str {
        Walk::new(self.bytes).map_or("", |w| w.firmware)
    }

    /// Quantities.
    pub fn quantities(&self) -> impl Iterator<Item = QuantityEntry<'a>> + 'a {
        self.section(0).map_while(|e| if let Entry::Quantity(q) = e { Some(q) } else { None })
    }

    /// Commands that the device answers.
    pub fn commands(&self) -> impl Iterator<Item = CommandEntry<'a>> + 'a {
        self.section(1).map_while(|e| if let Entry::Command(c) = e { Some(c) } else { None })
    }

    /// Settings that the device applies.
    pub fn settings(&self) -> impl Iterator<Item = SettingEntry<'a>> + 'a {
        self.section(2).map_while(|e| if let Entry::Setting(s) = e { Some(s) } else { None })
    }

    /// Questions that the device may ask.
    pub fn asks(&self) -> impl Iterator<Item = AskEntry<'a>> + 'a {
        self.section(3).map_while(|e| if let Entry::Ask(a) = e { Some(a) } else { None })
    }

    fn section(&self, wanted: u8) -> impl Iterator<Item = Entry<'a>> + 'a {
        let mut walk = Walk::new(self.bytes).ok();
        let (mut section, mut left) = (0, None);
        core::iter::from_fn(move || {
            let w = walk.as_mut()?;
            loop {
                let n = match left {
                    Some(n) => n,
                    None => w.count().ok()?,
                };
                if n == 0 {
                    if section >= wanted {
                        return None;
                    }
                    section += 1;
                    left = None;
                    continue;
                }
                left = Some(n - 1);
                // The bytes were checked: nothing fails here.
                let entry = match section {
                    0 => Entry::Quantity(w.quantity().ok()?),
                    1 => Entry::Command(w.command().ok()?),
                    2 => Entry::Setting(w.setting().ok()?),
                    _ => Entry::Ask(w.ask().ok()?),
                };
                if section == wanted {
                    return Some(entry);
                }
            }
        })
    }
}

enum Entry<'a> {
    Quantity(QuantityEntry<'a>),
    Command(CommandEntry<'a>),
    Setting(SettingEntry<'a>),
    Ask(AskEntry<'a>),
}

struct Walk<'a> {
    reader: Reader<'a>,
    firmware: &'a str,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Peer> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != 1 {
            return Err(Peer::Version);
        }
        let firmware = reader.text(NAME_MAX)?;
        Ok(Self { reader, firmware })
    }

    fn count(&mut self) -> Result<usize, Peer> {
        match self.reader.varint()? {
            n if n <= CATALOG_ENTRIES as u64 => Ok(n as usize),
            _ => Err(Peer::Limit),
        }
    }

    fn quantity(&mut self) -> Result<QuantityEntry<'a>, Peer> {
        let r = &mut self.reader;
        let entry = QuantityEntry {
            id: r.var16()?,
            name: r.text(NAME_MAX)?,
            unit: r.text(NAME_MAX)?,
            scale: r.zigzag()?.try_into().map_err(|_| Peer::Limit)?,
            low: r.zigzag32()?,
            high: r.zigzag32()?,
            interval_ms: r.var32()?,
        };
        if entry.scale.unsigned_abs() > 9 { Err(Peer::Limit) } else { Ok(entry) }
    }

    fn command(&mut self) -> Result<CommandEntry<'a>, Peer> {
        let (key, name) = (self.reader.var16()?, self.reader.text(NAME_MAX)?);
        let policy = match self.reader.u8()? {
            0 => Policy::Once,
            1 => Policy::Idempotent,
            _ => return Err(Peer::Limit),
        };
        Ok(CommandEntry { key, name, policy, request: self.shape()?, answer: self.shape()? })
    }

    fn setting(&mut self) -> Result<SettingEntry<'a>, Peer> {
        Ok(SettingEntry {
            key: self.reader.var16()?,
            name: self.reader.text(NAME_MAX)?,
            shape: self.shape()?,
        })
    }

    fn ask(&mut self) -> Result<AskEntry<'a>, Peer> {
        Ok(AskEntry {
            key: self.reader.var16()?,
            name: self.reader.text(NAME_MAX)?,
            request: self.shape()?,
            answer: self.shape()?,
        })
    }

    fn shape(&mut self) -> Result<Shape, Peer> {
        Shape::from_numbers(self.reader.block(4)?).ok_or(Peer::Limit)
    }
}

fn unique(
    n: usize,
    ids: &mut [u16; CATALOG_ENTRIES],
    mut next: impl FnMut() -> Result<u16, Peer>,
) -> Result<(), Peer> {
    for i in 0..n {
        let id = next()?;
        if ids[..i].contains(&id) {
            return Err(Peer::Limit);
        }
        ids[i] = id;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Command, Quantity, Setting, fnv1a};

    const T: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2).range(-4000, 8500);
    const RELAY: Command<bool, bool> = Command::new(1, "relay");
    const MOVE: Command<(i32, f32), ()> = Command::new(2, "move").idempotent();
    const INTERVAL: Setting<u32> = Setting::new(1, "interval-s");
    const C: Catalog<'static> =
        Catalog::new("cellar 1.0", &[T.entry()], &[RELAY.entry(), MOVE.entry()], &[INTERVAL.entry()])
            .asks(&[RELAY.ask_entry()]);

    #[test]
    fn a_view_gives_back_what_was_listed() {
        let mut buf = [0; 256];
        let n = C.copy_at(0, &mut buf);
        assert_eq!(n, C.len());
        let view = CatalogView::new(&buf[..n]).unwrap();
        assert_eq!(view.firmware(), "cellar 1.0");
        assert!(view.quantities().eq([T.entry()]));
        assert!(view.commands().eq([RELAY.entry(), MOVE.entry()]));
        assert!(view.settings().eq([INTERVAL.entry()]));
        assert!(view.asks().eq([RELAY.ask_entry()]));
        assert_eq!(fnv1a(&buf[..n]), C.hash());
        for cut in 0..n {
            assert!(CatalogView::new(&buf[..cut]).is_err(), "cut at {cut}");
        }
        for chunk in 1..20 {
            let mut joined = [0; 256];
            let mut at = 0;
            while at < n {
                at += C.copy_at(at, &mut joined[at..(at + chunk).min(n)]);
            }
            assert_eq!(joined[..n], buf[..n]);
        }
    }
}
