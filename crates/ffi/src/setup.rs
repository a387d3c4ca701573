//! A configuration, checked; and the catalogue and the buffers that are made of it.

use core::mem::MaybeUninit;

use sensock::DeviceId;
use sensock::catalog::{AskEntry, Catalog, CommandEntry, Policy, QuantityEntry, SettingEntry, Shape};
use sensock::deframe::{PREFACE, PREFIX_MAX};
use sensock::device::Carry;
use sensock::limits::{CATALOG_ENTRIES, CATALOG_MAX, FRAME_HARD_MAX, FRAME_MIN_MAX};
use sensock::seal::{Credential, FIRST_OVERHEAD};

use crate::device::Device;
use crate::memory::Arena;
use crate::seal::Source;
use crate::types::{Error, SENSOCK_VALUES};
use crate::values;

/// A configuration whose pointers were checked. The entries are read one by one, so that they need no memory of their own.
pub(crate) struct Setup<'a> {
    pub id: DeviceId,
    pub firmware: &'static str,
    pub outbox_bytes: usize,
    pub frame_bytes: usize,
    pub boot: u32,
    pub carry: Option<Carry>,
    /// The device's key, and where its random bytes come from; `None`: insecure.
    pub proof: Option<(Credential, Source)>,
    pub keeps: bool,
    pub settings_again: bool,
    pub counts: [usize; 4],
    pub entries: &'a dyn Entries,
}

/// Where the entries of a catalogue come from.
pub(crate) trait Entries {
    fn quantity(&self, at: usize) -> Result<QuantityEntry<'static>, Error>;
    fn command(&self, at: usize) -> Result<CommandEntry<'static>, Error>;
    fn setting(&self, at: usize) -> Result<SettingEntry<'static>, Error>;
    fn ask(&self, at: usize) -> Result<AskEntry<'static>, Error>;
}

/// The parts of a device that lie in the caller's memory.
pub(crate) struct Parts {
    pub catalog: &'static Catalog<'static>,
    pub outbox: &'static mut [u8],
    pub rx: &'static mut [u8],
    pub tx: &'static mut [u8],
    pub scratch: &'static mut [u8],
}

/// What every end takes.
const FRAME_LEAST: usize = FRAME_MIN_MAX;
const NO_QUANTITY: QuantityEntry<'static> =
    QuantityEntry { id: 0, name: "", unit: "", scale: 0, low: 0, high: 0, interval_ms: 0 };
const NO_COMMAND: CommandEntry<'static> =
    CommandEntry { key: 0, name: "", policy: Policy::Once, request: Shape::UNIT, answer: Shape::UNIT };
const NO_SETTING: SettingEntry<'static> = SettingEntry { key: 0, name: "", shape: Shape::UNIT };
const NO_ASK: AskEntry<'static> = AskEntry { key: 0, name: "", request: Shape::UNIT, answer: Shape::UNIT };

/// `frame_bytes` as it counts.
pub(crate) fn frame_bytes(given: usize) -> Result<usize, Error> {
    match given {
        0 => Ok(FRAME_LEAST),
        FRAME_LEAST..=FRAME_HARD_MAX => Ok(given),
        _ => Err(Error::Size),
    }
}

/// `outbox_bytes`, if it may be so.
pub(crate) fn outbox_bytes(given: usize) -> Result<usize, Error> {
    if (1024..=1 << 24).contains(&given) { Ok(given) } else { Err(Error::Size) }
}

impl Setup<'_> {
    /// Lays everything out in the arena: the device's place first. `None` if the arena only counts.
    pub(crate) fn lay_out(
        &self,
        arena: &mut Arena,
    ) -> Result<Option<(&'static mut MaybeUninit<Device>, Parts)>, Error> {
        let [quantities, commands, settings, asks] = self.counts;
        let place = arena.put(MaybeUninit::<Device>::uninit)?;
        let quantities = arena.slice(quantities, NO_QUANTITY)?;
        let commands = arena.slice(commands, NO_COMMAND)?;
        let settings = arena.slice(settings, NO_SETTING)?;
        let asks = arena.slice(asks, NO_ASK)?;
        let catalog = arena.put(|| Catalog {
            firmware: "",
            quantities: &[],
            commands: &[],
            settings: &[],
            asks: &[],
        })?;
        // What the largest of messages has around its frame.
        let around = if self.proof.is_some() { FIRST_OVERHEAD } else { 0 };
        let rx = arena.slice(self.frame_bytes + around, 0)?;
        let tx = arena.slice(self.frame_bytes + around + PREFACE.len() + PREFIX_MAX, 0)?;
        let scratch = arena.slice(self.frame_bytes, 0)?;
        let outbox = arena.slice(self.outbox_bytes, 0)?;
        let (Some(place), Some(catalog)) = (place, catalog) else { return Ok(None) };
        fill(quantities, |at| self.entries.quantity(at))?;
        fill(commands, |at| self.entries.command(at))?;
        fill(settings, |at| self.entries.setting(at))?;
        fill(asks, |at| self.entries.ask(at))?;
        distinct(quantities, |q| q.id)?;
        distinct(commands, |c| c.key)?;
        distinct(settings, |s| s.key)?;
        distinct(asks, |a| a.key)?;
        *catalog = Catalog { firmware: self.firmware, quantities, commands, settings, asks };
        if catalog.len() > CATALOG_MAX {
            return Err(Error::Catalog);
        }
        Ok(Some((place, Parts { catalog, outbox, rx, tx, scratch })))
    }
}

/// Whether a quantity's numbers are within bounds; low and high that are both 0 stand for no range.
pub(crate) fn quantity(mut entry: QuantityEntry<'static>) -> Result<QuantityEntry<'static>, Error> {
    if entry.low == 0 && entry.high == 0 {
        (entry.low, entry.high) = (i32::MIN, i32::MAX);
    }
    if !(-9..=9).contains(&entry.scale) || entry.low >= entry.high {
        return Err(Error::Catalog);
    }
    // Above the ids that an application chooses stand those that the library defines: uptime, signal and so on.
    if (1..=16_127 + 64).contains(&entry.id) { Ok(entry) } else { Err(Error::Key) }
}

/// A key that an application may choose.
pub(crate) fn key(key: u16) -> Result<u16, Error> {
    if (1..=16_127).contains(&key) { Ok(key) } else { Err(Error::Key) }
}

/// A shape that a list of types means.
pub(crate) fn shape(types: &[u8; SENSOCK_VALUES]) -> Result<Shape, Error> {
    values::shape(types).ok_or(Error::Catalog)
}

/// How many entries of one sort there may be.
pub(crate) fn count(given: usize) -> Result<usize, Error> {
    if given <= CATALOG_ENTRIES { Ok(given) } else { Err(Error::Key) }
}

fn fill<T>(slots: &mut [T], make: impl Fn(usize) -> Result<T, Error>) -> Result<(), Error> {
    for (at, slot) in slots.iter_mut().enumerate() {
        *slot = make(at)?;
    }
    Ok(())
}

fn distinct<T>(entries: &[T], id: impl Fn(&T) -> u16) -> Result<(), Error> {
    let twice = entries.iter().enumerate().any(|(at, e)| entries.iter().take(at).any(|f| id(f) == id(e)));
    if twice { Err(Error::Key) } else { Ok(()) }
}
