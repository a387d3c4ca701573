//! How much of a day's quota each device has used.

use std::collections::HashMap;
use std::sync::Mutex;

use sensock::{DeviceId, Lane};

use crate::inbox::lock;

const DAY_US: i64 = 86_400_000_000;

/// What devices stored today, on this server.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// Days since 1970. With another one everybody begins again.
    day: i64,
    used: HashMap<DeviceId, Used>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Used {
    bytes: u64,
    told: bool,
}

/// Whether records may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// They count.
    Yes,
    /// Not before this moment, in us since 1970. `first`: nobody was told today.
    No { until_us: i64, first: bool },
}

impl Quotas {
    /// Counts so many bytes if the lane has some left: less than one work is taken beyond.
    pub(crate) fn take(&self, device: DeviceId, lane: Lane, bytes: u64, daily: u64, now_us: i64) -> Taken {
        let mut table = lock(&self.table);
        let used = table.today(device, now_us);
        if used.bytes < of_lane(daily, lane) {
            used.bytes = used.bytes.saturating_add(bytes);
            return Taken::Yes;
        }
        let first = !std::mem::replace(&mut used.told, true);
        Taken::No { until_us: (now_us.div_euclid(DAY_US) + 1).saturating_mul(DAY_US), first }
    }

    /// What is left for a lane today.
    pub(crate) fn left(&self, device: DeviceId, lane: Lane, daily: u64, now_us: i64) -> u64 {
        of_lane(daily, lane).saturating_sub(lock(&self.table).today(device, now_us).bytes)
    }
}

impl Table {
    fn today(&mut self, device: DeviceId, now_us: i64) -> &mut Used {
        let day = now_us.div_euclid(DAY_US);
        if self.day != day {
            (self.day, self.used) = (day, HashMap::new());
        }
        self.used.entry(device).or_default()
    }
}

/// Alarms, replies and decisions have a quarter more: a device that talks too much can still call for help.
fn of_lane(daily: u64, lane: Lane) -> u64 {
    if lane == Lane::Readings { daily } else { daily.saturating_add(daily / 4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_so_much_and_alarms_have_a_quarter_more() {
        let (quotas, device) = (Quotas::default(), DeviceId::new("cellar-3").unwrap());
        let take = |lane, bytes, now_us| quotas.take(device, lane, bytes, 1_000, now_us);
        assert_eq!(take(Lane::Readings, 999, 5), Taken::Yes);
        assert_eq!(quotas.left(device, Lane::Readings, 1_000, 5), 1);
        assert_eq!(take(Lane::Readings, 100, 5), Taken::Yes, "one beyond");
        assert_eq!(take(Lane::Readings, 1, 6), Taken::No { until_us: DAY_US, first: true });
        assert_eq!(take(Lane::Readings, 1, 7), Taken::No { until_us: DAY_US, first: false });
        assert_eq!(take(Lane::Alarm, 200, 7), Taken::Yes);
        assert!(matches!(take(Lane::Alarm, 1, 7), Taken::No { .. }));
        let other = DeviceId::new("fan-1").unwrap();
        assert_eq!(quotas.take(other, Lane::Readings, 1, 1_000, 7), Taken::Yes);
        assert_eq!(take(Lane::Readings, 1, DAY_US), Taken::Yes, "another day");
    }
}
