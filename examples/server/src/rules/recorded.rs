//! Recordings (CSV) as records of a zone's devices.

use std::path::Path;

use anyhow::{Result, bail};
use example_device::replay::Recording;
use sensock::batch::Cell;
use sensock_rules::Key;

use super::file::Loaded;
use super::judge::intake::{Item, key};
use super::trial::Trial;
use crate::show::words::nearest;

/// The lane that recorded readings are taken to be of.
const READINGS: u8 = sensock::Lane::Readings as u8;

/// A recording of one of a zone's devices.
pub(crate) struct Recorded {
    recording: Recording,
    /// The device's number in the zone.
    device: u8,
    /// For each quantity that is judged: its column, its id, and by which power of ten its scale is coarser than the column's.
    columns: Vec<(usize, u16, i32)>,
    /// Whether its rows have a time that the zone can count.
    dated: bool,
    /// When its first row is taken to be, in ms.
    pub(crate) began_ms: u64,
}

impl Recorded {
    /// Opens a file; `device` may be left out where the zone has one.
    pub(crate) fn open(path: &Path, loaded: &Loaded, device: Option<&str>) -> Result<Self> {
        let zone = &loaded.zone;
        let name = match (device, zone.devices.as_slice()) {
            (Some(device), _) => device,
            (None, [only]) => only,
            (None, devices) => bail!(
                "{} is of which device? write --csv DEVICE={}, with one of {}",
                path.display(),
                path.display(),
                devices.join(", ")
            ),
        };
        let Some(number) = zone.devices.iter().position(|device| device == name) else {
            let near = nearest(name, zone.devices.iter().map(String::as_str));
            let meant = near.map_or_else(
                || format!("it has {}", zone.devices.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            bail!("{} has no device {name}: {meant}", loaded.file);
        };
        // A zone has 255 devices at most.
        let device = u8::try_from(number).unwrap_or(u8::MAX);
        let recording = Recording::open(path)?;
        let mut columns: Vec<(usize, u16, i32)> = Vec::new();
        for (rule, named) in zone.table.table().rules.iter().zip(&loaded.rules) {
            let column = recording.quantities().iter().position(|info| info.name == named.quantity);
            let Some((column, info)) = column.and_then(|at| Some((at, recording.quantities().get(at)?)))
            else {
                continue;
            };
            let one = (column, rule.quantity, i32::from(named.scale) - i32::from(info.scale));
            if rule.device == device && !columns.contains(&one) {
                columns.push(one);
            }
        }
        if columns.is_empty() {
            let has: Vec<&str> = recording.quantities().iter().map(|info| info.name.as_str()).collect();
            let mut wants: Vec<&str> = loaded.rules.iter().map(|named| named.quantity.as_str()).collect();
            wants.dedup();
            bail!(
                "{} has {}, and {} judges {} of {name}: give the quantities of the file the names of the columns",
                path.display(),
                has.join(", "),
                loaded.file,
                wants.join(", ")
            );
        }
        let origin_ms =
            u64::try_from(zone.table.table().calendar.origin_s).unwrap_or(0).saturating_mul(1_000);
        let dated =
            recording.began_ms().and_then(|ms| u64::try_from(ms).ok()).filter(|ms| *ms >= origin_ms.max(1));
        let began_ms = dated.unwrap_or(origin_ms);
        Ok(Self { recording, device, columns, dated: dated.is_some(), began_ms })
    }

    /// Whether its rows have a date that the zone can count; else they are counted from the zone's origin on.
    pub(crate) fn is_dated(&self) -> bool {
        self.dated
    }

    /// Its rows as records.
    pub(crate) fn records(&self) -> impl Iterator<Item = (Key, Item)> {
        (0u64..).zip(self.recording.rows()).map(|(position, row)| {
            let reading = |&(column, quantity, coarser): &(usize, u16, i32)| {
                let value = match (*row.cells.get(column)?)? {
                    Cell::Value(value) => rescaled(value, coarser),
                    Cell::Fault(_) => None,
                };
                Some((quantity, value))
            };
            let readings: Vec<(u16, Option<i32>)> = self.columns.iter().filter_map(reading).collect();
            let at_ms = self.began_ms.saturating_add(row.at_ms);
            (key(at_ms, (self.device, READINGS), position), Item::Readings(readings))
        })
    }

    /// When its last row is.
    pub(crate) fn ended_ms(&self) -> u64 {
        self.began_ms.saturating_add(self.recording.span_ms())
    }
}

/// Has a trial judge recordings beside each other, in the order of time.
pub(crate) fn play(recordings: &[Recorded], trial: &mut Trial<'_>) {
    let mut records: Vec<(Key, Item)> = recordings.iter().flat_map(Recorded::records).collect();
    records.sort_by_key(|(key, _)| *key);
    records.into_iter().for_each(|(key, item)| trial.push(key, item));
}

/// A value at a scale that is so many powers of ten coarser, half-way cases to the even neighbour; a fault where it does not fit.
fn rescaled(value: i32, coarser: i32) -> Option<i32> {
    let power = 10i64.checked_pow(coarser.unsigned_abs())?;
    let value = i64::from(value);
    if coarser <= 0 {
        return i32::try_from(value.checked_mul(power)?).ok();
    }
    let (whole, rest) = (value.div_euclid(power), value.rem_euclid(power));
    let up = rest * 2 > power || (rest * 2 == power && whole % 2 != 0);
    i32::try_from(whole + i64::from(up)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_at_another_scale_is_rounded_as_a_device_would() {
        assert_eq!(
            [2345, 2355, 2346, -2345, -2346].map(|value| rescaled(value, 1)),
            [234, 236, 235, -234, -235].map(Some)
        );
        assert_eq!(rescaled(23, -2), Some(2_300));
        assert_eq!((rescaled(i32::MAX, -1), rescaled(1, 40)), (None, None));
    }
}
