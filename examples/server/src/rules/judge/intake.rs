//! Rows of the store in the engine's terms.

use sensock::DeviceId;
use sensock_rules::{Cause, Key, Reading};
use sensock_store::{FeedItem, ReadingRow};
use serde::{Deserialize, Serialize};

use crate::rules::zone::Zone;

/// A record whose time is known no better than this is not judged: nobody could say before or after what it happened. A week without
/// the network leaves it within some 75 s to either side.
const WIDEST_US: i64 = 300_000_000;

/// What waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Item {
    /// Quantities and their encoded values; none for a fault.
    Readings(Vec<(u16, Option<i32>)>),
    /// Readings up to here were lost.
    Lost,
}

/// Which lane of which device of the zone.
pub(crate) type Lane = (u8, u8);

/// One item of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) lane: Lane,
    /// The position that it ends at.
    pub(crate) last: u64,
    /// When it happened, and what is judged; none if its time is not known well enough.
    pub(crate) judged: Option<(Key, Item)>,
}

/// The zone's number of a device.
pub(crate) fn number(zone: &Zone, device: &DeviceId) -> Option<u8> {
    let at = zone.devices.iter().position(|name| name == device.as_str())?;
    u8::try_from(at).ok()
}

/// An item of a device of the zone; none of others.
///
/// Its time is the upper bound that is stored with it. That one is always there, it is never later than when the record came, so that no record
/// lies in the future, and what is too old for an action by it is too old in truth too. It is the same in every reading of the store, so
/// it does not matter who judges, nor when.
pub(crate) fn heard(zone: &Zone, item: &FeedItem) -> Option<Heard> {
    let lane = item.lane()?;
    let (device, lane_number) = (number(zone, &lane.device)?, lane.lane as u8);
    let key = |at_us: i64, position| key(ms(at_us), (device, lane_number), position);
    let (last, judged) = match item {
        FeedItem::Record(rows) => {
            let first = rows.first()?;
            let readings = rows.iter().map(|row| (row.quantity, value(row))).collect();
            let position = first.position.0;
            (
                position,
                is_certain(first).then(|| (key(first.not_after_us, position), Item::Readings(readings))),
            )
        }
        FeedItem::Gap(gap) => {
            let at_us = gap.not_after_us.filter(|_| gap.count != Some(0));
            (gap.last.0, at_us.map(|at_us| (key(at_us, gap.first.0), Item::Lost)))
        }
    };
    Some(Heard { lane: (device, lane_number), last, judged })
}

/// Where a record stands.
pub(crate) fn key(at_ms: u64, (device, lane): Lane, position: u64) -> Key {
    Key { at_ms, from: Cause { device, lane, position } }
}

/// Microseconds since 1970 in the judge's time.
pub(crate) fn ms(us: i64) -> u64 {
    u64::try_from(us.div_euclid(1_000)).unwrap_or(0)
}

fn value(row: &ReadingRow) -> Option<i32> {
    row.fault.is_none().then_some(row.raw)
}

fn is_certain(row: &ReadingRow) -> bool {
    row.not_before_us.is_some_and(|lo| row.not_after_us.saturating_sub(lo) <= WIDEST_US)
}

/// Readings as the engine takes them.
pub(crate) fn readings(of: &[(u16, Option<i32>)]) -> Vec<Reading> {
    of.iter().map(|&(quantity, value)| Reading { quantity, value }).collect()
}
