//! The feed: every lane's records and gaps in order, after a cursor.

use std::collections::{BTreeMap, HashMap};

use sensock::{DeviceId, Position};
use sensock_store::{Cursor, FeedItem, LaneId, Span};
use sqlx::AssertSqlSafe;

use crate::error::Fail;
use crate::gaps::{GAP_COLUMNS, gap, lane};
use crate::links::device;
use crate::readings;
use crate::series::{self, Series};
use crate::session::{Arg, Session};

/// Reads about `limit` items. All statements see one state, in which a lane's rows reach exactly up to its mark: so whatever commits
/// meanwhile lies after the cursor that is returned. Each lane has its share, so that a busy one cannot keep the others waiting.
pub(crate) async fn feed(
    session: &mut Session<'_>,
    cursor: &Cursor,
    limit: usize,
) -> Result<(Vec<FeedItem>, Cursor), Fail> {
    let mut news = Vec::new();
    let sql = "SELECT l.id, l.device, l.lane, m.mark FROM lane l JOIN mark m ON m.lane_id = l.id ORDER BY l.device, l.lane";
    for row in session.rows(sql, &[]).await? {
        let lane = lane(&device(&row, 1)?, &row, 2)?;
        let after = cursor.lanes.get(&lane).copied();
        let mark = row.bits(3)?;
        if after.is_none_or(|after| after.0 < mark) {
            news.push((row.int(0)?, lane, after));
        }
    }
    let share = limit.div_ceil(news.len().max(1)).max(1);
    let (mut items, mut next) = (Vec::new(), cursor.clone());
    let mut series: Option<(DeviceId, HashMap<i64, Series>)> = None;
    for (id, lane, after) in news {
        let series = match &mut series {
            Some((device, series)) if *device == lane.device => series,
            other => &mut other.insert((lane.device, series::of_device(session, &lane.device).await?)).1,
        };
        for (last, item) in of_lane(session, id, lane, after, share, series).await? {
            next.lanes.insert(lane, last);
            items.push(item);
        }
    }
    Ok((items, next))
}

/// At most `share` items of one lane, each with the position that it ends at.
async fn of_lane(
    session: &mut Session<'_>,
    id: i64,
    lane: LaneId,
    after: Option<Position>,
    share: usize,
    series: &HashMap<i64, Series>,
) -> Result<Vec<(Position, FeedItem)>, Fail> {
    let after = after.map_or(-1, |p| i64::try_from(p.0).unwrap_or(i64::MAX));
    // Nothing follows the last position that there is.
    let Some(next) = after.checked_add(1) else { return Ok(vec![]) };
    let mut rows = readings::read(session, id, next..=i64::MAX, Span::ALL, share.saturating_add(1)).await?;
    // What follows the last record is not known.
    let end = if rows.len() > share { rows.pop() } else { None };
    let end = end.map(|row| row.bits(0).map(Position)).transpose()?;
    let mut items: BTreeMap<Position, (Position, FeedItem)> = BTreeMap::new();
    for row in &rows {
        let record = readings::record(row, lane, series)?;
        let position = Position(row.bits(0)?);
        let record = record.into_iter().map(|named| named.row).collect();
        items.insert(position, (position, FeedItem::Record(record)));
    }
    let sql = format!(
        "SELECT {GAP_COLUMNS} FROM gap g WHERE g.lane_id = ? AND g.first_position > ? ORDER BY g.first_position LIMIT ?"
    );
    let share_arg = Arg::Int(i64::try_from(share).unwrap_or(i64::MAX));
    for row in &session.rows(AssertSqlSafe(sql), &[Arg::Int(id), Arg::Int(after), share_arg]).await? {
        let gap = gap(row, lane)?;
        if end.is_none_or(|end| gap.first < end) {
            items.insert(gap.first, (gap.last, FeedItem::Gap(gap)));
        }
    }
    Ok(items.into_values().take(share).collect())
}
