//! Reading back.

use std::collections::BTreeMap;
use std::future::Future;

use sensock::{CommandId, DeviceId, Lane, Position};

use crate::rows::*;

/// A reading with the words of its catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedReading {
    /// The row.
    pub row: ReadingRow,
    /// The quantity's name.
    pub name: String,
    /// The quantity's unit.
    pub unit: String,
    /// The quantity's scale.
    pub scale: i8,
}

/// From when to when, in us since 1970, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Not before.
    pub from_us: i64,
    /// Not after.
    pub to_us: i64,
}

impl Span {
    /// All of time.
    pub const ALL: Span = Span { from_us: i64::MIN, to_us: i64::MAX };
}

/// How far a reader has read: a position per lane. Order holds within a lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The last position read of each lane; a lane that is missing was never read.
    pub lanes: BTreeMap<LaneId, Position>,
}

/// One record, or one gap, in a lane's order.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedItem {
    /// All readings of one record.
    Record(Vec<ReadingRow>),
    /// Positions that will never be stored.
    Gap(GapRow),
}

impl FeedItem {
    /// The lane that it is of; `None` for a record without readings, which no store gives.
    pub fn lane(&self) -> Option<LaneId> {
        match self {
            FeedItem::Record(rows) => rows.first().map(|row| row.lane),
            FeedItem::Gap(gap) => Some(gap.lane),
        }
    }

    /// The position that it ends at.
    pub fn last(&self) -> Option<Position> {
        match self {
            FeedItem::Record(rows) => rows.first().map(|row| row.position),
            FeedItem::Gap(gap) => Some(gap.last),
        }
    }
}

/// What one look at the feed of some devices gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedPage {
    /// Records and gaps after the cursor.
    pub items: Vec<FeedItem>,
    /// The cursor after them. Where nothing more follows in a lane it may stand at the lane's mark, behind positions that hold nothing.
    pub cursor: Cursor,
    /// Whether there may be more than these.
    pub more: bool,
}

/// What a person, a rule or a dashboard reads. Order is by position unless said otherwise.
pub trait History: Send + Sync {
    /// The store's own error.
    type Error: std::error::Error + Send + Sync + 'static;

    /// All devices that ever proved themselves live.
    fn devices(&self) -> impl Future<Output = Result<Vec<DeviceRow>, Self::Error>> + Send;

    /// The newest reading of each quantity of a device.
    fn latest(
        &self,
        device: &DeviceId,
    ) -> impl Future<Output = Result<Vec<NamedReading>, Self::Error>> + Send;

    /// Readings whose time bounds touch the span, in order of lane and position, after `after` if given (page by the last row's lane and
    /// position). At most `limit` rows, but never a part of a record: the last one comes whole, and one record comes at least.
    fn range(
        &self,
        device: &DeviceId,
        span: Span,
        after: Option<(LaneId, Position)>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<NamedReading>, Self::Error>> + Send;

    /// Gaps of a device that touch the span, or whose time is not known.
    fn gaps(
        &self,
        device: &DeviceId,
        span: Span,
    ) -> impl Future<Output = Result<Vec<GapRow>, Self::Error>> + Send;

    /// Connections of a device that touch the span, in order of time.
    fn connections(
        &self,
        device: &DeviceId,
        span: Span,
    ) -> impl Future<Output = Result<Vec<ConnectionRow>, Self::Error>> + Send;

    /// Boots of a device, in order.
    fn boots(&self, device: &DeviceId) -> impl Future<Output = Result<Vec<BootRow>, Self::Error>> + Send;

    /// Commands of a device, the newest first, at most `limit`.
    fn commands(
        &self,
        device: &DeviceId,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<CommandRow>, Self::Error>> + Send;

    /// One command.
    fn command(
        &self,
        device: &DeviceId,
        id: CommandId,
    ) -> impl Future<Output = Result<Option<CommandRow>, Self::Error>> + Send;

    /// Settings of a device.
    fn settings(
        &self,
        device: &DeviceId,
    ) -> impl Future<Output = Result<Vec<SettingRow>, Self::Error>> + Send;

    /// Rows in quarantine of a device.
    fn quarantine(
        &self,
        device: &DeviceId,
    ) -> impl Future<Output = Result<Vec<QuarantineRow>, Self::Error>> + Send;

    /// Records and gaps after the cursor, at most about `limit` items, and the cursor after them. Nothing is missed and nothing comes
    /// twice, whatever commits meanwhile: a cursor is positions per lane, never a global number.
    fn feed(
        &self,
        cursor: &Cursor,
        limit: usize,
    ) -> impl Future<Output = Result<(Vec<FeedItem>, Cursor), Self::Error>> + Send;

    /// As [`History::feed`], but only of these devices, and lanes of others are not in the cursor that comes back unless they were before.
    /// A store that can tell which lanes have moved without reading the others should.
    fn feed_of(
        &self,
        devices: &[DeviceId],
        cursor: &Cursor,
        limit: usize,
    ) -> impl Future<Output = Result<FeedPage, Self::Error>> + Send {
        async move {
            let mut own = cursor.clone();
            for row in self.devices().await?.iter().filter(|row| !devices.contains(&row.device)) {
                own.lanes.extend(
                    Lane::ALL.map(|lane| {
                        (LaneId { device: row.device, lane }, Position(i64::MAX.cast_unsigned()))
                    }),
                );
            }
            let is_own = |item: &FeedItem| item.lane().is_some_and(|lane| devices.contains(&lane.device));
            let (mut items, mut next) = self.feed(&own, limit).await?;
            // Some may be of devices that are not listed, which never proved themselves live: it goes on behind them.
            while !items.is_empty() && !items.iter().any(is_own) {
                own = next;
                (items, next) = self.feed(&own, limit).await?;
            }
            let more = !items.is_empty();
            items.retain(is_own);
            next.lanes.retain(|lane, _| devices.contains(&lane.device));
            let others = cursor.lanes.iter().filter(|(lane, _)| !devices.contains(&lane.device));
            next.lanes.extend(others.map(|(lane, position)| (*lane, *position)));
            Ok(FeedPage { items, cursor: next, more })
        }
    }
}
