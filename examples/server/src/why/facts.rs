//! The rows that explain a span of time.

use anyhow::Result;
use sensock::{DeviceId, Lane, Position};
use sensock_store::{BootRow, ConnectionRow, GapRow, History, LaneId, Span};

/// How far beyond the span is looked for what stands before and after it.
const REACH_US: [i64; 4] = [60_000_000, 3_600_000_000, 86_400_000_000, 30 * 86_400_000_000];
/// Rows read from the store at once.
const PAGE: usize = 5_000;
/// Records looked at, at most: a longer span is judged by its beginning.
const RECORDS: usize = 400_000;
/// Other devices looked at, to tell a device's own trouble from everybody's.
const OTHERS: usize = 64;

/// When a record was made, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) lane: Lane,
    pub(crate) position: Position,
    pub(crate) not_before_us: Option<i64>,
    pub(crate) not_after_us: i64,
}

impl Record {
    /// The middle of what is certain.
    pub(crate) fn at_us(&self) -> i64 {
        self.not_before_us.map_or(self.not_after_us, |lo| lo + (self.not_after_us - lo) / 2)
    }

    /// By how much the time may be off; `None` if nothing bounds it from below.
    pub(crate) fn plus_minus_us(&self) -> Option<i64> {
        self.not_before_us.map(|lo| (self.not_after_us - lo) / 2)
    }
}

/// All that the store knows of a span.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) device: DeviceId,
    pub(crate) span: Span,
    pub(crate) now_us: i64,
    /// Of this device, in order of time: those of the span, and the nearest before and after it.
    pub(crate) connections: Vec<ConnectionRow>,
    /// Of this device, in order.
    pub(crate) boots: Vec<BootRow>,
    /// Of this device, that touch the span or whose time is not known.
    pub(crate) gaps: Vec<GapRow>,
    /// Readings and alarms, in order of time; some from before and after the span.
    pub(crate) records: Vec<Record>,
    /// How often its catalogue says that a reading is to be expected.
    pub(crate) interval_us: Option<i64>,
    /// Connections of other devices that touch the span.
    pub(crate) others: Vec<ConnectionRow>,
}

impl Facts {
    /// Records made within these times.
    pub(crate) fn records_between(&self, from_us: i64, to_us: i64) -> u64 {
        self.records.iter().filter(|r| (from_us..=to_us).contains(&r.at_us())).count() as u64
    }

    /// How far apart records usually are: as the catalogue says, else as they were made.
    pub(crate) fn usual_us(&self) -> Option<i64> {
        self.interval_us.or_else(|| {
            let times: Vec<i64> =
                self.records.iter().filter(|r| r.lane == Lane::Readings).map(Record::at_us).collect();
            let mut pauses: Vec<i64> = times.windows(2).map(|w| w[1] - w[0]).filter(|p| *p > 0).collect();
            let middle = pauses.len() / 2;
            (middle < pauses.len()).then(|| *pauses.select_nth_unstable(middle).1)
        })
    }
}

/// Reads the facts.
pub(crate) async fn gather<H: History>(
    history: &H,
    device: DeviceId,
    span: Span,
    interval_us: Option<i64>,
    now_us: i64,
) -> Result<Facts>
where
    H::Error: 'static,
{
    let mut connections = Vec::new();
    for reach in REACH_US {
        connections = history.connections(&device, wider(span, reach)).await?;
        let before = connections.iter().any(|c| c.from_us <= span.from_us);
        let after =
            connections.iter().any(|c| c.from_us > span.to_us || c.to_us.is_none()) || now_us <= span.to_us;
        if before && after {
            break;
        }
    }
    connections.sort_by_key(|c| c.from_us);
    let mut records = Vec::new();
    for reach in REACH_US.iter().take(3) {
        records = read_records(history, &device, wider(span, *reach)).await?;
        let before = records.first().is_some_and(|r| r.at_us() < span.from_us);
        let after = records.last().is_some_and(|r| r.at_us() > span.to_us);
        if before && after {
            break;
        }
    }
    let mut others = Vec::new();
    for other in history.devices().await?.iter().filter(|d| d.device != device).take(OTHERS) {
        others.extend(history.connections(&other.device, wider(span, REACH_US[0])).await?);
    }
    Ok(Facts {
        connections,
        records,
        others,
        boots: history.boots(&device).await?,
        gaps: history.gaps(&device, span).await?,
        device,
        span,
        now_us,
        interval_us,
    })
}

async fn read_records<H: History>(
    history: &H,
    device: &DeviceId,
    span: Span,
) -> Result<Vec<Record>, H::Error> {
    let mut records: Vec<Record> = Vec::new();
    let mut after: Option<(LaneId, Position)> = None;
    while records.len() < RECORDS {
        let page = history.range(device, span, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.row.lane, last.row.position));
        for row in page.iter().map(|r| &r.row).filter(|row| row.lane.lane != Lane::Control) {
            let record = Record {
                lane: row.lane.lane,
                position: row.position,
                not_before_us: row.not_before_us,
                not_after_us: row.not_after_us,
            };
            if records.last() != Some(&record) {
                records.push(record);
            }
        }
    }
    records.sort_by_key(|r| (r.at_us(), r.position));
    Ok(records)
}

fn wider(span: Span, by_us: i64) -> Span {
    Span { from_us: span.from_us.saturating_sub(by_us), to_us: span.to_us.saturating_add(by_us) }
}
