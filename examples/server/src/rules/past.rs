//! Stored records as they are judged: in the order of their time, a piece of it after the other.
//!
//! A record's time is its upper bound, as a running server takes it. One that nothing bounds from below, or that is known no
//! better than to five minutes, is not judged, for nobody can say before or after what it happened.

use anyhow::{Result, bail};
use sensock::DeviceId;
use sensock_store::{History, Span};

use super::file::Loaded;
use super::judge::intake::ms;
use super::judge::known::first_ms;
use super::judge::stored::{Stored, stretch};
use super::trial::Trial;
use crate::show::words::{count, nearest};

/// Records of so much time are in memory at once.
const PIECE_MS: u64 = 6 * 3_600_000;

/// So much before the first record is looked at too.
const BEFORE_MS: u64 = 86_400_000;

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

    /// Takes down what is odd about something stored; whether it can be judged.
    fn meets(&mut self, loaded: &Loaded, stored: &Stored<'_>) -> bool {
        if stored.heard.judged.is_none() {
            self.vague += u64::from(!stored.record.is_empty());
            return false;
        }
        let (device, _) = stored.heard.lane;
        for (i, rule) in loaded.zone.table.table().rules.iter().enumerate() {
            let of =
                stored.record.iter().find(|one| (device, one.row.quantity) == (rule.device, rule.quantity));
            let scale = loaded.rules.get(i).map(|named| named.scale);
            if let (true, Some(count)) =
                (of.is_some_and(|of| Some(of.scale) != scale), self.other_scale.get_mut(i))
            {
                *count += 1;
            }
        }
        true
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
    for name in &loaded.zone.devices {
        match known.iter().find(|id| id.as_str() == name) {
            Some(id) => devices.push(*id),
            None => met.unknown.push(name.clone()),
        }
    }
    if devices.is_empty() {
        let names = met.unknown.join(", ");
        let near = met.unknown.first().and_then(|name| nearest(name, known.iter().map(DeviceId::as_str)));
        let meant = near.map_or_else(String::new, |near| format!(": did you mean {near}?"));
        bail!("the store knows none of the devices of {} ({names}){meant}", loaded.file);
    }
    let (from_ms, to_ms) = (ms(span.from_us), ms(span.to_us));
    // Years may lie before the first record of a lane; what is from a little before that is a gap, or another record with wider bounds.
    let first_ms = first_ms(history, &loaded.zone, (from_ms, to_ms)).await?.unwrap_or(from_ms);
    let mut from_ms = first_ms.saturating_sub(BEFORE_MS).max(from_ms);
    while from_ms <= to_ms {
        let end_ms = from_ms.saturating_add(PIECE_MS).min(to_ms.saturating_add(1));
        let meets = |stored: Stored<'_>| met.meets(loaded, &stored);
        let piece = stretch(history, &loaded.zone, &devices, (from_ms, end_ms), meets).await?;
        piece.into_iter().for_each(|(key, item)| trial.push(key, item));
        if end_ms == from_ms {
            break;
        }
        from_ms = end_ms;
    }
    trial.finish(to_ms);
    Ok(met)
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
            let from_us = two_o_clock() + cut_us - i64::try_from(PIECE_MS * 1_000).unwrap();
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
