//! What is stored of a stretch of time, in the order of event time: for whoever judges the past.

use sensock::DeviceId;
use sensock_rules::Key;
use sensock_store::{FeedItem, History, NamedReading, ReadingRow, Span};

use super::intake::{self, Heard, Item, ms};
use crate::rules::zone::Zone;

/// Readings that one query gives.
const PAGE: usize = 4_000;

/// One thing that is stored of a stretch.
pub(crate) struct Stored<'r> {
    /// What is heard of it.
    pub(crate) heard: &'r Heard,
    /// The readings, if it is a record.
    pub(crate) record: &'r [NamedReading],
}

/// Everything of these devices from `from_ms` on and before `end_ms` that this wants, in order. A record or a gap belongs to the stretch
/// in which its upper bound lies, so that stretches which follow each other hold each once; `wants` is asked once for each, also for those
/// whose time is not known well enough to be judged.
pub(crate) async fn stretch<H: History>(
    history: &H,
    zone: &Zone,
    devices: &[DeviceId],
    (from_ms, end_ms): (u64, u64),
    mut wants: impl FnMut(Stored<'_>) -> bool,
) -> Result<Vec<(Key, Item)>, H::Error> {
    let us = |ms: u64| i64::try_from(ms.saturating_mul(1_000)).unwrap_or(i64::MAX);
    let span = Span { from_us: us(from_ms), to_us: us(end_ms).saturating_sub(1) };
    let mut found = Vec::new();
    let mut take = |item: FeedItem, at_us: Option<i64>, record: &[NamedReading]| {
        let is_within = at_us.is_some_and(|at_us| (from_ms..end_ms).contains(&ms(at_us)));
        if let Some(heard) = intake::heard(zone, &item).filter(|_| is_within)
            && wants(Stored { heard: &heard, record })
        {
            found.extend(heard.judged);
        }
    };
    for device in devices {
        let mut after = None;
        loop {
            let page = history.range(device, span, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.row.lane, last.row.position));
            // A page ends with a whole record.
            for record in page.chunk_by(|a, b| (a.row.lane, a.row.position) == (b.row.lane, b.row.position)) {
                let rows: Vec<ReadingRow> = record.iter().map(|named| named.row).collect();
                let at_us = rows.first().map(|row| row.not_after_us);
                take(FeedItem::Record(rows), at_us, record);
            }
        }
        for gap in history.gaps(device, span).await? {
            let at_us = gap.not_after_us;
            take(FeedItem::Gap(gap), at_us, &[]);
        }
    }
    found.sort_unstable_by_key(|(key, _)| *key);
    Ok(found)
}
