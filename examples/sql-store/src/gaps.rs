//! Gaps and quarantine.

use sensock::{Cause, DeviceId, Lane, Position};
use sensock_store::{Batch, GapRow, LaneId, QuarantineRow, Span};

use crate::error::Fail;
use crate::lanes::stored;
use crate::session::{Arg, Row, Session};
use crate::tables::{GAP, QUARANTINE};
use crate::transaction::SqlTx;

/// Columns of a gap, in the order in which [`gap`] takes them.
pub(crate) const GAP_COLUMNS: &str = "g.first_position, g.last_position, g.cause, g.records, g.not_before_us, g.not_after_us, \
     g.written_us, g.detail";

pub(crate) fn gap(row: &Row, lane: LaneId) -> Result<GapRow, sqlx::Error> {
    let cause = row.text(2)?;
    let known = (0..=u8::MAX).map(Cause::from_number).find(|c| c.name() == cause);
    let (first, last) = (Position(row.bits(0)?), Position(row.bits(1)?));
    if last < first {
        // Whoever goes on behind its end would meet it again, for ever.
        let what = format!("table gap has a gap that ends at {last}, before it begins at {first}");
        return Err(sqlx::Error::Decode(what.into()));
    }
    Ok(GapRow {
        lane,
        first,
        last,
        cause: known.unwrap_or(Cause::Mixed),
        count: row.maybe_int(3)?.map(i64::cast_unsigned),
        not_before_us: row.maybe_int(4)?,
        not_after_us: row.maybe_int(5)?,
        written_us: row.int(6)?,
        detail: row.text(7)?,
    })
}

/// Gaps of a device that touch the span, or whose time is not known.
pub(crate) async fn gaps(
    session: &mut Session<'_>,
    device: &DeviceId,
    span: Span,
) -> Result<Vec<GapRow>, sqlx::Error> {
    let sql = format!(
        "SELECT {GAP_COLUMNS}, l.lane FROM lane l JOIN gap g ON g.lane_id = l.id WHERE l.device = ? \
         AND (g.not_before_us IS NULL OR g.not_before_us <= ?) AND (g.not_after_us IS NULL OR g.not_after_us >= ?) \
         ORDER BY l.lane, g.first_position"
    );
    let args = [Arg::Text(device), span.to_us.into(), span.from_us.into()];
    let rows = session.rows(sqlx::AssertSqlSafe(sql), &args).await?;
    rows.iter().map(|row| gap(row, lane(device, row, 8)?)).collect()
}

/// Rows in quarantine of a device.
pub(crate) async fn quarantine(
    session: &mut Session<'_>,
    device: &DeviceId,
) -> Result<Vec<QuarantineRow>, sqlx::Error> {
    let sql = "SELECT q.first_position, q.last_position, q.reason, q.raw, q.written_us, l.lane \
               FROM lane l JOIN quarantine q ON q.lane_id = l.id WHERE l.device = ? \
               ORDER BY l.lane, q.first_position, q.id";
    let rows = session.rows(sql, &[Arg::Text(device)]).await?;
    rows.iter()
        .map(|row| {
            Ok(QuarantineRow {
                lane: lane(device, row, 5)?,
                first: Position(row.bits(0)?),
                last: Position(row.bits(1)?),
                reason: row.text(2)?,
                raw: row.bytes(3)?,
                written_us: row.int(4)?,
            })
        })
        .collect()
}

/// The lane of a device whose number is in this column.
pub(crate) fn lane(device: &DeviceId, row: &Row, column: usize) -> Result<LaneId, sqlx::Error> {
    let lane = Lane::from_number(row.small(column)?);
    let lane = lane.ok_or_else(|| sqlx::Error::Decode("table lane has a lane above 2".into()))?;
    Ok(LaneId { device: *device, lane })
}

impl SqlTx {
    pub(crate) async fn write_gaps(&mut self, batch: &Batch) -> Result<(), Fail> {
        let mut args = Vec::new();
        for row in &batch.gaps {
            let place = self.lane(&row.lane).await?;
            args.extend([
                Arg::Int(self.lanes.at(place).id),
                Arg::Int(stored(row.first)?),
                Arg::Int(stored(row.last)?),
                row.cause.name().into(),
                row.count.into(),
                row.not_before_us.into(),
                row.not_after_us.into(),
                row.written_us.into(),
                Arg::Text(&row.detail),
            ]);
        }
        let shared = self.handle.shared.clone();
        shared.insert(&mut self.begun.session()?, &GAP, &args).await?;
        args.clear();
        for row in &batch.quarantine {
            let place = self.lane(&row.lane).await?;
            args.extend([
                Arg::Int(self.lanes.at(place).id),
                Arg::Int(stored(row.first)?),
                Arg::Int(stored(row.last)?),
                Arg::Text(&row.reason),
                Arg::Bytes(&row.raw),
                row.written_us.into(),
            ]);
        }
        shared.insert(&mut self.begun.session()?, &QUARANTINE, &args).await
    }
}
