//! The feed: every lane's records and gaps in order, after a cursor.

use std::collections::{BTreeMap, HashMap};

use sensock::{DeviceId, Position};
use sensock_store::{Cursor, FeedItem, FeedPage, LaneId, Span};
use sqlx::AssertSqlSafe;

use crate::error::Fail;
use crate::gaps::{GAP_COLUMNS, gap, lane};
use crate::lanes::fill_up;
use crate::links::device;
use crate::readings;
use crate::series::{self, Series};
use crate::session::{Arg, Session};

/// Devices that one statement names; with more of them all lanes are looked at.
const NAMED: usize = 512;

/// Reads about `limit` items. All statements see one state, in which a lane's rows reach exactly up to its mark: so whatever commits
/// meanwhile lies after the cursor that is returned. Each lane has its share, so that a busy one cannot keep the others waiting.
pub(crate) async fn feed(
    session: &mut Session<'_>,
    cursor: &Cursor,
    limit: usize,
) -> Result<(Vec<FeedItem>, Cursor), Fail> {
    let (look, _) = look(session, None, cursor, limit).await?;
    Ok((look.items, look.cursor))
}

/// The same of some devices, with the marks of lanes that were read to their end in the cursor.
pub(crate) async fn feed_of(
    session: &mut Session<'_>,
    devices: &[DeviceId],
    cursor: &Cursor,
    limit: usize,
) -> Result<FeedPage, Fail> {
    let (mut look, reached) = look(session, Some(devices), cursor, limit).await?;
    for (lane, mark) in reached {
        let at = look.cursor.lanes.entry(lane).or_default();
        *at = mark.max(*at);
    }
    Ok(look)
}

/// What there is, and the marks of lanes that were read to their end.
async fn look(
    session: &mut Session<'_>,
    devices: Option<&[DeviceId]>,
    cursor: &Cursor,
    limit: usize,
) -> Result<(FeedPage, Vec<(LaneId, Position)>), Fail> {
    let news = moved(session, devices, cursor).await?;
    let share = limit.div_ceil(news.len().max(1)).max(1);
    let mut look = FeedPage { cursor: cursor.clone(), ..FeedPage::default() };
    let mut reached = Vec::new();
    let mut series: Option<(DeviceId, HashMap<i64, Series>)> = None;
    for (id, lane, after, mark) in news {
        let series = match &mut series {
            Some((device, series)) if *device == lane.device => series,
            other => &mut other.insert((lane.device, series::of_device(session, &lane.device).await?)).1,
        };
        let items = of_lane(session, id, lane, after, share, series).await?;
        if items.len() < share {
            reached.push((lane, mark));
        } else {
            look.more = true;
        }
        for (last, item) in items {
            look.cursor.lanes.insert(lane, last);
            look.items.push(item);
        }
    }
    Ok((look, reached))
}

/// Lanes whose marks lie behind the cursor: id, lane, cursor, mark.
type Moved = (i64, LaneId, Option<Position>, Position);

async fn moved(
    session: &mut Session<'_>,
    devices: Option<&[DeviceId]>,
    cursor: &Cursor,
) -> Result<Vec<Moved>, Fail> {
    let named = devices.filter(|devices| (1..=NAMED).contains(&devices.len()));
    let mut args: Vec<Arg<'_>> = named.unwrap_or_default().iter().map(|device| Arg::Text(device)).collect();
    fill_up(&mut args);
    let of = match args.len() {
        0 => String::new(),
        n => format!("WHERE l.device IN {} ", session.dialect().list(n)),
    };
    let sql = format!(
        "SELECT l.id, l.device, l.lane, m.mark FROM lane l JOIN mark m ON m.lane_id = l.id {of}ORDER BY l.device, l.lane"
    );
    let mut news = Vec::new();
    for row in session.rows(AssertSqlSafe(sql), &args).await? {
        let lane = lane(&device(&row, 1)?, &row, 2)?;
        let after = cursor.lanes.get(&lane).copied();
        let mark = Position(row.bits(3)?);
        let is_wanted = devices.is_none_or(|devices| devices.contains(&lane.device));
        if is_wanted && after.is_none_or(|after| after < mark) {
            news.push((row.int(0)?, lane, after, mark));
        }
    }
    Ok(news)
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
