//! The quantities that a file names: id, unit, scale, interval, and what values can be.

use std::collections::BTreeMap;

use sensock::catalog::Shape;

use super::measure::{Measure, steps};
use super::source::{Section, Told, Value};
use crate::show::words::{nearest, unit as display};

const KEYS: [&str; 6] = ["name", "id", "unit", "scale", "every", "plausible"];

/// What is known of devices from their catalogues, where a store has them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogues {
    /// By the device's name.
    pub(crate) of: BTreeMap<String, Catalogue>,
    /// All devices of the store.
    pub(crate) devices: Vec<String>,
}

/// What a device says of itself, as far as rules name it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    pub(crate) quantities: Vec<Listed>,
    /// The commands, each with the shape of its value.
    pub(crate) commands: Vec<(String, Shape)>,
    /// The settings, each with the shape of its value.
    pub(crate) settings: Vec<(String, Shape)>,
}

/// A quantity as a catalogue lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: u16,
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) scale: i8,
    pub(crate) interval_ms: u32,
}

/// A quantity of a file, as far as the file says; the rest is its device's catalogue's.
#[derive(Clone, Copy)]
pub(super) struct Stated<'t> {
    /// What the file calls it.
    pub(super) key: &'t str,
    /// What the catalogue calls it.
    name: &'t str,
    section: Section<'t>,
    id: Option<u16>,
    unit: Option<&'t str>,
    scale: Option<i8>,
}

/// A quantity of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    pub(super) id: u16,
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) scale: i8,
    /// Steps between two readings; 0 if nobody says.
    pub(super) every: u32,
    pub(super) plausible: Option<(i32, i32)>,
}

/// Reads the table of quantities.
pub(super) fn read<'t>(top: &Section<'t>) -> Vec<Stated<'t>> {
    let expected = "a table with a table for each quantity, as in [quantity.temperature]";
    let quantities = top.optional("quantity", |value| value.open_section("quantities", expected));
    let entries = quantities.ok().flatten().map(|section| section.entries()).unwrap_or_default();
    entries.into_iter().filter_map(|entry| one(entry).ok()).collect()
}

fn one<'t>(entry: Value<'t>) -> Result<Stated<'t>, Told> {
    let expected = "a table, as in [quantity.temperature] with `id`, `unit` and `scale` below it";
    let section = entry.section("quantity", expected, &KEYS)?;
    let name = section
        .optional("name", |value| value.text("the name that the catalogue has, as in \"temperature\""));
    let id = section.optional("id", |value| value.whole(0, u16::MAX.into()));
    let unit = section
        .optional("unit", |value| value.is.as_str().ok_or_else(|| value.wrong("a unit, as in \"°C\"")));
    let scale = section.optional("scale", |value| value.whole(-9, 9));
    // Of a time and of plausible values, each use makes its own; here it is only seen that they can be read.
    let (name, id, unit, scale) = (name?, id?, unit?, scale?);
    let (id, scale) =
        (id.and_then(|id| u16::try_from(id).ok()), scale.and_then(|scale| i8::try_from(scale).ok()));
    Ok(Stated { key: entry.key, name: name.unwrap_or(entry.key), section, id, unit, scale })
}

impl Stated<'_> {
    /// The quantity as a device has it.
    pub(super) fn of(&self, device: &str, catalogues: &Catalogues, grid_ms: u32) -> Result<Quantity, Told> {
        let listed = catalogues.of.get(device).map(|catalogue| &catalogue.quantities);
        let found = listed.map(|list| list.iter().find(|listed| listed.name == self.name));
        if let (Some(None), Some(list)) = (found, listed) {
            let near = nearest(self.name, list.iter().map(|listed| listed.name.as_str()));
            let meant = near.map_or_else(
                || format!("it has {}", list.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(self
                .section
                .wrong(format!("the catalogue of {device} has no `{}`: {meant}", self.name)));
        }
        let found = found.flatten();
        if listed.is_none() && !catalogues.devices.is_empty() && (self.id.is_none() || self.scale.is_none()) {
            let near = nearest(device, catalogues.devices.iter().map(String::as_str));
            let meant =
                near.map_or_else(|| "let it connect once".to_owned(), |near| format!("did you mean {near}?"));
            return Err(self.section.wrong(format!(
                "the store knows no device {device}, whose catalogue would say `id` and `scale` of `{}`: {meant}",
                self.name
            )));
        }
        let id = self.agreed(device, "id", self.id, found.map(|listed| listed.id));
        let scale = self.agreed(device, "scale", self.scale, found.map(|listed| listed.scale));
        let (id, scale) = (id?, scale?);
        let unit = self.unit.or_else(|| found.map(|listed| display(&listed.unit))).unwrap_or_default();
        let every = self.section.optional("every", |value| steps(value, grid_ms))?;
        let listed_ms = found.map_or(0, |listed| listed.interval_ms);
        let every = every.unwrap_or(listed_ms.div_ceil(grid_ms.max(1)));
        let plausible = self.section.optional("plausible", |value| plausible(value, unit, scale))?;
        Ok(Quantity { id, name: self.name.to_owned(), unit: unit.to_owned(), scale, every, plausible })
    }

    /// What the file says, or else the catalogue; both must say the same.
    fn agreed<T: Copy + PartialEq + std::fmt::Display>(
        &self,
        device: &str,
        key: &'static str,
        stated: Option<T>,
        listed: Option<T>,
    ) -> Result<T, Told> {
        match (stated, listed) {
            (Some(stated), Some(listed)) if stated != listed => Err(self.section.wrong(format!(
                "`{key}` of `{}` is {stated}, but the catalogue of {device} says {listed}: leave it out here",
                self.name
            ))),
            (Some(one), _) | (None, Some(one)) => Ok(one),
            (None, None) => Err(self
                .section
                .lacks(key, &format!("the one of {device}'s catalogue, or --store to read it from there"))),
        }
    }
}

/// Which values can be: `[-40, 125]` or `["-40 °C", "125 °C"]`.
pub(super) fn plausible(value: Value<'_>, unit: &str, scale: i8) -> Result<(i32, i32), Told> {
    let expected = "the least and the greatest value that can be, as in [-40, 125]";
    let items = value.items(expected)?;
    let &[least, most] = items.as_slice() else { return Err(value.wrong(expected)) };
    let measure = Measure::Unit(unit, scale);
    let (least, most) = (measure.amount(least), measure.amount(most));
    match (least?, most?) {
        (least, most) if least > most => Err(value.says("`plausible` ends before it begins: swap the two")),
        both => Ok(both),
    }
}
