//! Readings of a stretch of time.

use std::ops::RangeInclusive;

use sensock::{DeviceId, Lane, Position};
use sensock_store::{LaneId, NamedReading, Span};

use crate::error::Fail;
use crate::session::{Arg, Session};
use crate::{readings, series};

/// How far a time may be out of order and still be found.
const SLACK_US: i64 = 3_600_000_000;

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
        let stretch = stretch(session, id, span).await?;
        let next = after.map_or(Some(0), |after| i64::try_from(after.0).ok()?.checked_add(1));
        // Nothing follows the last position that there is.
        let Some(next) = next else { continue };
        let from = next.max(*stretch.start());
        let more = limit.saturating_sub(found.len()).saturating_add(1);
        for row in readings::read(session, id, from..=*stretch.end(), span, more).await? {
            found.extend(readings::record(&row, lane, &series)?);
        }
        if found.len() > limit {
            break;
        }
    }
    cut(&mut found, limit);
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

/// The positions of a lane between which readings of the span lie, as its signposts say.
async fn stretch(session: &mut Session<'_>, lane: i64, span: Span) -> Result<RangeInclusive<i64>, Fail> {
    let (from, to) = (span.from_us.saturating_sub(SLACK_US), span.to_us.saturating_add(SLACK_US));
    let sql = "SELECT (SELECT MAX(position) FROM signpost WHERE lane_id = ? AND not_after_us < ?), \
               (SELECT MIN(position) FROM signpost WHERE lane_id = ? AND not_before_us > ?)";
    let row = session.row(sql, &[Arg::Int(lane), Arg::Int(from), Arg::Int(lane), Arg::Int(to)]).await?;
    let row = row.ok_or(sqlx::Error::RowNotFound)?;
    Ok(row.maybe_int(0)?.unwrap_or(0)..=row.maybe_int(1)?.unwrap_or(i64::MAX))
}
