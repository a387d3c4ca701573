//! Stored records as they are judged: in the order of their time, a piece of it after the other.
//!
//! A record's time is its upper bound, as a running server takes it. One that nothing bounds from below, or that is known no
//! better than to five minutes, is not judged, for nobody can say before or after what it happened.

use anyhow::{Result, bail};
use sensock::DeviceId;
use sensock_rules::{Key, Reading};
use sensock_store::{GapRow, History, NamedReading, Span};

use super::file::Loaded;
use super::trial::{Item, Trial, key};
use crate::show::words::{count, nearest};

/// Rows read from the store at once.
const PAGE: usize = 5_000;
/// Records of so much time are in memory at once.
const PIECE_US: i64 = 6 * 3_600_000_000;
/// Bounds further apart than this are no time.
const WIDEST_US: i64 = 300_000_000;

/// What was met in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    /// Devices of the zone that the store does not know.
    pub(crate) unknown: Vec<String>,
    /// Records whose time is not known well enough.
    pub(crate) vague: u64,
    /// Readings that are stored at another scale than the file says, by rule.
    pub(crate) other_scale: Vec<u64>,
}

impl Met {
    /// What a person should know of it.
    pub(crate) fn words(&self, loaded: &Loaded) -> Vec<String> {
        let mut words = Vec::new();
        if !self.unknown.is_empty() {
            words.push(format!("the store knows nothing of {}", self.unknown.join(", ")));
        }
        if self.vague > 0 {
            let vague = count(self.vague, "record");
            words.push(format!("{vague} of which the time is not known to five minutes: not judged"));
        }
        for (named, readings) in
            loaded.rules.iter().zip(&self.other_scale).filter(|(_, readings)| **readings > 0)
        {
            words.push(format!(
                "{} of {} are stored at another scale than line {} of {} says, and were judged as if they were not: mend the file",
                count(*readings, "reading"),
                named.quantity,
                named.line,
                loaded.file
            ));
        }
        words
    }
}

/// Has a trial judge what is stored of the span.
pub(crate) async fn play<H: History>(
    history: &H,
    loaded: &Loaded,
    span: Span,
    trial: &mut Trial<'_>,
) -> Result<Met>
where
    H::Error: 'static,
{
    let known: Vec<DeviceId> = history.devices().await?.into_iter().map(|row| row.device).collect();
    let mut met = Met { other_scale: vec![0; loaded.rules.len()], ..Met::default() };
    let mut devices = Vec::new();
    for (number, name) in (0u8..).zip(&loaded.zone.devices) {
        match known.iter().find(|id| id.as_str() == name) {
            Some(id) => devices.push((number, *id)),
            None => met.unknown.push(name.clone()),
        }
    }
    if devices.is_empty() {
        let names = met.unknown.join(", ");
        let near = met.unknown.first().and_then(|name| nearest(name, known.iter().map(DeviceId::as_str)));
        let meant = near.map_or_else(String::new, |near| format!(": did you mean {near}?"));
        bail!("the store knows none of the devices of {} ({names}){meant}", loaded.file);
    }
    let mut from_us = span.from_us;
    while from_us <= span.to_us {
        let to_us = from_us.saturating_add(PIECE_US - 1).min(span.to_us);
        let mut items = Vec::new();
        for (number, device) in &devices {
            let piece = Span { from_us, to_us };
            records(history, loaded, *number, device, piece, &mut met, &mut items).await?;
            let gaps = history.gaps(device, piece).await?;
            items.extend(gaps.iter().filter_map(|gap| lost(*number, gap, piece)));
        }
        items.sort_by_key(|(key, _)| *key);
        items.into_iter().for_each(|(key, item)| trial.push(key, item));
        from_us = to_us.saturating_add(1);
    }
    trial.finish(ms(span.to_us));
    Ok(met)
}

async fn records<H: History>(
    history: &H,
    loaded: &Loaded,
    number: u8,
    device: &DeviceId,
    span: Span,
    met: &mut Met,
    items: &mut Vec<(Key, Item)>,
) -> Result<()>
where
    H::Error: 'static,
{
    let mut after = None;
    loop {
        let page = history.range(device, span, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some((last.row.lane, last.row.position));
        // A page ends with a whole record.
        let same =
            |a: &NamedReading, b: &NamedReading| (a.row.lane, a.row.position) == (b.row.lane, b.row.position);
        for record in page.chunk_by(same) {
            let Some(first) = record.first().map(|reading| &reading.row) else { continue };
            // Bounds may reach over the ends of a piece; a record belongs to the piece of its upper one.
            if !(span.from_us..=span.to_us).contains(&first.not_after_us) {
                continue;
            }
            if first.not_before_us.is_none_or(|from| first.not_after_us.saturating_sub(from) > WIDEST_US) {
                met.vague += 1;
                continue;
            }
            for (i, rule) in loaded.zone.table.table().rules.iter().enumerate() {
                let of = record.iter().find(|one| rule.device == number && rule.quantity == one.row.quantity);
                let scale = loaded.rules.get(i).map(|named| named.scale);
                if let (true, Some(count)) =
                    (of.is_some_and(|of| Some(of.scale) != scale), met.other_scale.get_mut(i))
                {
                    *count += 1;
                }
            }
            let readings = record.iter().map(|reading| Reading {
                quantity: reading.row.quantity,
                value: reading.row.fault.is_none().then_some(reading.row.raw),
            });
            let key = key(ms(first.not_after_us), number, first.lane.lane as u8, first.position.0);
            items.push((key, Item::Readings(readings.collect())));
        }
    }
}

/// A gap whose end is known and lies in the span.
fn lost(number: u8, gap: &GapRow, span: Span) -> Option<(Key, Item)> {
    let at_us =
        gap.not_after_us.filter(|at| (span.from_us..=span.to_us).contains(at) && gap.count != Some(0))?;
    Some((key(ms(at_us), number, gap.lane.lane as u8, gap.first.0), Item::Lost))
}

fn ms(us: i64) -> u64 {
    u64::try_from(us.div_euclid(1_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::{SECOND, cellar, reading, two_o_clock};
    use crate::rules::file::tests::loaded;
    use sensock::Lane;
    use sensock_store::{Batch, LaneId, MemoryStore, Store as _, Transaction as _};

    const RULES: &str = r#"
        devices = ["cellar-3", "attic-6"]
        quantity.temperature = { id = 1, unit = "°C", scale = -2 }
        [[rule]]
        name = "heat"
        device = "cellar-3"
        quantity = "temperature"
        above = { warning = 54, critical = 65 }
        [[hazard]]
        name = "fire"
        cells = [{ rule = "heat", at = "warning", weight = 0.6 }]
    "#;

    async fn played(store: &MemoryStore, text: &str, span: Span) -> (u64, Met) {
        let loaded = loaded("cellar.toml", text);
        let mut trial = Trial::new(&loaded.zone).unwrap();
        let met = play(store, &loaded, span, &mut trial).await.unwrap();
        assert_eq!(trial.late(), 0);
        (trial.records(), met)
    }

    #[tokio::test]
    async fn each_record_is_judged_once_wherever_the_pieces_end() {
        let store = cellar().await;
        // Ten records, each with bounds of a millisecond: every cut there can be between and inside of them.
        for cut_us in (0..40).map(|n| n * SECOND / 4).chain([1, 500, 999, 1_000, 1_001]) {
            let from_us = two_o_clock() + cut_us - PIECE_US;
            let span = Span { from_us, to_us: two_o_clock() + 3_600 * SECOND };
            assert_eq!(played(&store, RULES, span).await.0, 10, "{cut_us} us");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_judged_as_it_stands_is_told() {
        let store = cellar().await;
        let mut vague = reading(10, 1, 9_000, two_o_clock() + 100 * SECOND);
        vague.not_before_us = None;
        let device = DeviceId::new("cellar-3").unwrap();
        let (mut tx, _) = store.begin(&[LaneId { device, lane: Lane::Readings }]).await.unwrap();
        tx.write(&Batch { readings: vec![vague], ..Batch::default() }).await.unwrap();
        tx.commit().await.unwrap();
        let span = Span { from_us: two_o_clock(), to_us: two_o_clock() + 3_600 * SECOND };
        let (records, met) = played(&store, &RULES.replace("scale = -2", "scale = -1"), span).await;
        assert_eq!((records, met.vague), (10, 1));
        assert_eq!(
            met.words(&loaded("cellar.toml", RULES)),
            [
                "the store knows nothing of attic-6",
                "1 record of which the time is not known to five minutes: not judged",
                "10 readings of temperature are stored at another scale than line 4 of cellar.toml says, \
                 and were judged as if they were not: mend the file",
            ]
        );
    }
}
