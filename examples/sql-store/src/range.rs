//! Readings of a stretch of time.

use std::collections::HashMap;

use sensock::{DeviceId, Lane, Position};
use sensock_store::{LaneId, NamedReading, Span};
use sqlx::AssertSqlSafe;

use crate::error::Fail;
use crate::readings::{COLUMNS, reading};
use crate::series::{self, Series};
use crate::session::{Arg, Session};

/// How far a time may be out of order and still be found.
const SLACK_US: i64 = 3_600_000_000;
/// More readings than a record can have.
const RECORD: usize = sensock::limits::READINGS_PER_RECORD + 1;

/// Readings that touch the span after `after`, at most `limit`, but never a part of a record, and at least one whole record.
pub(crate) async fn range(
    session: &mut Session<'_>,
    device: &DeviceId,
    span: Span,
    after: Option<(LaneId, Position)>,
    limit: usize,
) -> Result<Vec<NamedReading>, Fail> {
    let series = series::of_device(session, device).await?;
    let mut found: Vec<NamedReading> = Vec::new();
    for lane in Lane::ALL.map(|lane| LaneId { device: *device, lane }) {
        let after = match after {
            Some((l, _)) if l > lane => continue,
            Some((l, position)) if l == lane => Some(position),
            _ => None,
        };
        let args = [Arg::Text(device), Arg::from(lane.lane as u8)];
        let id = session.row("SELECT id FROM lane WHERE device = ? AND lane = ?", &args).await?;
        let Some(id) = id.map(|row| row.int(0)).transpose()? else { continue };
        let Some((mut from, to)) = stretch(session, id, span).await? else { continue };
        if let Some(after) = after {
            from = from.max(after.next().0);
        }
        if from > to {
            continue;
        }
        let more = limit.saturating_sub(found.len()) + RECORD;
        found.extend(read(session, lane, id, from..=to, span, more, &series).await?);
        if found.len() > limit {
            break;
        }
    }
    cut(&mut found, limit);
    Ok(found)
}

async fn read(
    session: &mut Session<'_>,
    lane: LaneId,
    id: i64,
    positions: std::ops::RangeInclusive<u64>,
    span: Span,
    limit: usize,
    series: &HashMap<i64, Series>,
) -> Result<Vec<NamedReading>, Fail> {
    let sql = format!(
        "SELECT {COLUMNS} FROM reading WHERE lane_id = ? AND position >= ? AND position <= ? \
         AND not_after_us >= ? AND (not_before_us IS NULL OR not_before_us <= ?) \
         ORDER BY position, series_id LIMIT ?"
    );
    let args = [
        Arg::Int(id),
        Arg::from(*positions.start()),
        Arg::from(*positions.end()),
        Arg::Int(span.from_us),
        Arg::Int(span.to_us),
        Arg::Int(i64::try_from(limit).unwrap_or(i64::MAX)),
    ];
    let rows = session.rows(AssertSqlSafe(sql), &args).await?;
    let mut found = rows.iter().map(|row| reading(row, lane, series)).collect::<Result<Vec<_>, _>>()?;
    found.sort_by_key(|r| (r.row.position, r.row.quantity));
    Ok(found)
}

/// Cuts what exceeds the limit at the border of a record, but leaves the first record whole.
fn cut(found: &mut Vec<NamedReading>, limit: usize) {
    if found.len() <= limit {
        return;
    }
    let at = |r: &NamedReading| (r.row.lane, r.row.position);
    let keep = found.iter().take(limit + 1).rposition(|r| at(r) != at(&found[limit])).map_or(0, |i| i + 1);
    let first = found.iter().take_while(|r| at(r) == at(&found[0])).count();
    found.truncate(keep.max(first));
}

/// The positions of a lane between which readings of the span lie, both inclusive.
async fn stretch(session: &mut Session<'_>, lane: i64, span: Span) -> Result<Option<(u64, u64)>, Fail> {
    let sql = "SELECT MIN(position), MAX(position) FROM reading WHERE lane_id = ?";
    let Some(row) = session.row(sql, &[Arg::Int(lane)]).await? else { return Ok(None) };
    if row.maybe_int(0)?.is_none() {
        return Ok(None);
    }
    let (first, end) = (row.bits(0)?, row.bits(1)?.saturating_add(1));
    let (from, to) = (span.from_us.saturating_sub(SLACK_US), span.to_us.saturating_add(SLACK_US));
    let begin = match span.from_us {
        i64::MIN => first,
        _ => bisect(session, lane, (first, end), |_, not_after| not_after >= from).await?,
    };
    let end = match span.to_us {
        i64::MAX => end,
        _ => bisect(session, lane, (begin, end), |not_before, _| not_before.is_some_and(|t| t > to)).await?,
    };
    Ok((begin < end).then(|| (begin, end - 1)))
}

/// The lowest position within the bounds from which on `holds`, by some 40 look-ups along the primary key.
async fn bisect(
    session: &mut Session<'_>,
    lane: i64,
    (mut low, mut high): (u64, u64),
    holds: impl Fn(Option<i64>, i64) -> bool,
) -> Result<u64, Fail> {
    let sql = "SELECT position, not_before_us, not_after_us FROM reading WHERE lane_id = ? AND position >= ? \
               ORDER BY position LIMIT 1";
    while low < high {
        let middle = low + (high - low) / 2;
        match session.row(sql, &[Arg::Int(lane), middle.into()]).await? {
            Some(row) if !holds(row.maybe_int(1)?, row.int(2)?) => low = row.bits(0)?.saturating_add(1),
            _ => high = middle,
        }
    }
    Ok(low)
}
