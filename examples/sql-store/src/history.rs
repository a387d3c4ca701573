//! Reading back. Each call sees one state of the database.

use std::collections::{BTreeMap, HashMap};

use sensock::{CommandId, DeviceId, Position};
use sensock_store::{
    BootRow, CommandRow, ConnectionRow, Cursor, DeviceRow, FeedItem, FeedPage, GapRow, History, LaneId,
    NamedReading, QuarantineRow, SettingRow, Span,
};

use crate::error::{Fail, SqlError};
use crate::records::NEWEST_WITHIN;
use crate::series::Series;
use crate::session::{Arg, Row, Session};
use crate::store::SqlStore;
use crate::{commands, feed, gaps, links, range, readings, series};

impl History for SqlStore {
    type Error = SqlError;

    async fn devices(&self) -> Result<Vec<DeviceRow>, SqlError> {
        let mut begun = self.read().await?;
        let found = links::devices(&mut self.session(&mut begun)?).await;
        self.end(begun, found).await
    }

    async fn latest(&self, device: &DeviceId) -> Result<Vec<NamedReading>, SqlError> {
        let mut begun = self.read().await?;
        let found = latest(&mut self.session(&mut begun)?, device).await;
        self.end(begun, found).await
    }

    /// Times grow with positions within a lane, so the stretch of positions is found by bisection, an hour wider at both ends, and
    /// filtered exactly. A row whose time is out of order by more than an hour may be missed.
    async fn range(
        &self,
        device: &DeviceId,
        span: Span,
        after: Option<(LaneId, Position)>,
        limit: usize,
    ) -> Result<Vec<NamedReading>, SqlError> {
        let mut begun = self.read().await?;
        let found = range::range(&mut self.session(&mut begun)?, device, span, after, limit).await;
        self.end(begun, found).await
    }

    async fn gaps(&self, device: &DeviceId, span: Span) -> Result<Vec<GapRow>, SqlError> {
        let mut begun = self.read().await?;
        let found = gaps::gaps(&mut self.session(&mut begun)?, device, span).await;
        self.end(begun, found).await
    }

    async fn connections(&self, device: &DeviceId, span: Span) -> Result<Vec<ConnectionRow>, SqlError> {
        let mut begun = self.read().await?;
        let found = links::connections(&mut self.session(&mut begun)?, device, span).await;
        self.end(begun, found).await
    }

    async fn boots(&self, device: &DeviceId) -> Result<Vec<BootRow>, SqlError> {
        let mut begun = self.read().await?;
        let found = links::boots(&mut self.session(&mut begun)?, device).await;
        self.end(begun, found).await
    }

    async fn commands(&self, device: &DeviceId, limit: usize) -> Result<Vec<CommandRow>, SqlError> {
        let mut begun = self.read().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let newest = "ORDER BY id DESC LIMIT ?";
        let found = commands::commands(&mut self.session(&mut begun)?, device, newest, Some(limit)).await;
        self.end(begun, found).await
    }

    async fn command(&self, device: &DeviceId, id: CommandId) -> Result<Option<CommandRow>, SqlError> {
        let mut begun = self.read().await?;
        let one = "AND id = ?";
        let found = commands::commands(&mut self.session(&mut begun)?, device, one, Some(id.0.into())).await;
        Ok(self.end(begun, found).await?.pop())
    }

    async fn settings(&self, device: &DeviceId) -> Result<Vec<SettingRow>, SqlError> {
        let mut begun = self.read().await?;
        let found = commands::settings(&mut self.session(&mut begun)?, device).await;
        self.end(begun, found).await
    }

    async fn quarantine(&self, device: &DeviceId) -> Result<Vec<QuarantineRow>, SqlError> {
        let mut begun = self.read().await?;
        let found = gaps::quarantine(&mut self.session(&mut begun)?, device).await;
        self.end(begun, found).await
    }

    async fn feed(&self, cursor: &Cursor, limit: usize) -> Result<(Vec<FeedItem>, Cursor), SqlError> {
        let mut begun = self.read().await?;
        let found = feed::feed(&mut self.session(&mut begun)?, cursor, limit).await;
        self.end(begun, found).await
    }

    async fn feed_of(
        &self,
        devices: &[DeviceId],
        cursor: &Cursor,
        limit: usize,
    ) -> Result<FeedPage, SqlError> {
        let mut begun = self.read().await?;
        let found = feed::feed_of(&mut self.session(&mut begun)?, devices, cursor, limit).await;
        self.end(begun, found).await
    }
}

/// By name and unit, so that a quantity that went through several catalogues is there once.
async fn latest(session: &mut Session<'_>, device: &DeviceId) -> Result<Vec<NamedReading>, Fail> {
    let series = series::of_device(session, device).await?;
    let hints = session
        .rows(
            "SELECT n.lane_id, n.series_id, n.position, l.lane FROM lane l JOIN newest n ON n.lane_id = l.id \
             WHERE l.device = ? ORDER BY l.lane, n.position",
            &[Arg::Text(device)],
        )
        .await?;
    let mut newest: BTreeMap<(String, String), NamedReading> = BTreeMap::new();
    // Series that are measured together share their hints: their records are read once.
    let mut read: Option<((i64, i64), Vec<Row>)> = None;
    for hint in hints {
        let (id, wanted, from, lane) =
            (hint.int(0)?, hint.int(1)?, hint.int(2)?, gaps::lane(device, &hint, 3)?);
        let rows = match &read {
            Some((at, rows)) if *at == (id, from) => rows,
            _ => {
                let positions = from..=from.saturating_add(NEWEST_WITHIN - 1);
                let rows = readings::read(session, id, positions, Span::ALL, usize::MAX).await?;
                &read.insert(((id, from), rows)).1
            }
        };
        let Some(named) = last(rows, wanted, lane, &series)? else { continue };
        let age = |r: &NamedReading| (r.row.position.boot(), r.row.tick);
        let key = (named.name.clone(), named.unit.clone());
        if newest.get(&key).is_none_or(|known| age(known) <= age(&named)) {
            newest.insert(key, named);
        }
    }
    Ok(newest.into_values().collect())
}

/// The last reading of a series in these records.
fn last(
    rows: &[Row],
    wanted: i64,
    lane: LaneId,
    series: &HashMap<i64, Series>,
) -> Result<Option<NamedReading>, Fail> {
    for row in rows.iter().rev() {
        if readings::has(row, wanted)? {
            let quantity = series.get(&wanted).map(|s| s.quantity);
            let record = readings::record(row, lane, series)?;
            return Ok(record.into_iter().find(|named| Some(named.row.quantity) == quantity));
        }
    }
    Ok(None)
}
