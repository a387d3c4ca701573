//! Offered against stored: pure, so that it can be tested with every kind of fault.

use std::collections::{BTreeMap, HashMap};

use sensock::Reading;
use sensock::batch::Cell;

/// A record's place: device, lane, position.
pub(super) type Place = (String, u8, u64);

/// A reading as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) quantity: u16,
    pub(super) cell: Cell,
    pub(super) tick: u64,
}

/// Positions that will never be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) device: String,
    pub(super) lane: u8,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) cause: String,
}

/// What the comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) offered_records: u64,
    pub(super) offered_readings: u64,
    pub(super) stored_records: u64,
    pub(super) stored_readings: u64,
    pub(super) in_gaps: u64,
    /// Of these, of boards that have room enough.
    pub(super) in_gaps_without_need: u64,
    pub(super) lost: u64,
    pub(super) twice: u64,
    pub(super) foreign: u64,
    pub(super) out_of_order: u64,
    pub(super) different: u64,
    pub(super) equal: u64,
}

impl Sum {
    /// Whether nothing is wrong.
    pub(super) fn adds_up(&self) -> bool {
        let wrong = self.lost
            + self.twice
            + self.foreign
            + self.out_of_order
            + self.different
            + self.in_gaps_without_need;
        wrong == 0
            && self.offered_records == self.stored_records + self.in_gaps
            && self.equal == self.stored_readings
    }
}

/// Offered against stored.
pub(super) fn compare(
    offered: &BTreeMap<Place, Vec<Reading>>,
    rows: &[(Place, Stored)],
    gaps: &[Gap],
    small: &[&str],
) -> Sum {
    let mut sum = Sum {
        offered_records: offered.len() as u64,
        offered_readings: offered.values().map(|r| r.len() as u64).sum(),
        stored_readings: rows.len() as u64,
        ..Sum::default()
    };
    let mut records: HashMap<&Place, Vec<Stored>> = HashMap::new();
    let mut before: Option<(&Place, u64)> = None;
    for (place, reading) in rows {
        if let Some((last, tick)) = before {
            // In one lane of one boot, ticks never step back as positions go up.
            let same_lane = (&last.0, last.1, last.2 >> 32) == (&place.0, place.1, place.2 >> 32);
            sum.out_of_order += u64::from(same_lane && reading.tick < tick);
        }
        before = Some((place, reading.tick));
        records.entry(place).or_default().push(*reading);
    }
    sum.stored_records = records.len() as u64;
    for (place, readings) in &records {
        let Some(given) = offered.get(*place) else {
            sum.foreign += 1;
            continue;
        };
        for reading in readings {
            let same = readings.iter().filter(|r| r.quantity == reading.quantity).count();
            sum.twice += u64::from(same > 1);
            match given.iter().any(|g| (g.quantity, g.cell) == (reading.quantity, reading.cell)) {
                true => sum.equal += 1,
                false => sum.different += 1,
            }
        }
        sum.different += given.len().saturating_sub(readings.len()) as u64;
    }
    for place @ (device, lane, position) in offered.keys() {
        let explained = gaps
            .iter()
            .filter(|g| (&g.device, g.lane) == (device, *lane) && (g.first..=g.last).contains(position))
            .count();
        match (records.contains_key(place), explained) {
            (true, 0) => {}
            (false, 1) => {
                sum.in_gaps += 1;
                sum.in_gaps_without_need += u64::from(!small.contains(&device.as_str()));
            }
            (false, 0) => sum.lost += 1,
            // Stored and in a gap, or in two gaps.
            _ => sum.twice += 1,
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(n: u64) -> BTreeMap<Place, Vec<Reading>> {
        let readings = |n: u64| vec![Reading { quantity: 1, cell: Cell::Value(n as i32) }];
        (0..n).map(|n| (("cellar-3".to_owned(), 2, n), readings(n))).collect()
    }

    fn row(n: u64, value: i32, tick: u64) -> (Place, Stored) {
        (("cellar-3".to_owned(), 2, n), Stored { quantity: 1, cell: Cell::Value(value), tick })
    }

    #[test]
    fn what_is_stored_once_and_in_order_adds_up() {
        let rows: Vec<_> = (0..4).map(|n| row(n, n as i32, n * 10)).collect();
        let sum = compare(&offered(4), &rows, &[], &[]);
        assert!(sum.adds_up(), "{sum:?}");
        let gap =
            Gap { device: "cellar-3".to_owned(), lane: 2, first: 4, last: 5, cause: "overflow".to_owned() };
        let sum = compare(&offered(6), &rows, std::slice::from_ref(&gap), &["cellar-3"]);
        assert!(sum.adds_up() && sum.in_gaps == 2, "{sum:?}");
        assert!(!compare(&offered(6), &rows, std::slice::from_ref(&gap), &[]).adds_up());
        let sum = compare(&offered(6), &rows, &[gap.clone(), gap], &["cellar-3"]);
        assert!(!sum.adds_up() && sum.twice == 2, "{sum:?}");
    }

    #[test]
    fn every_kind_of_fault_is_found() {
        let rows = [row(0, 0, 0), row(1, 1, 10), row(2, 2, 20)];
        let lost = compare(&offered(4), &rows, &[], &[]);
        assert_eq!((lost.lost, lost.adds_up()), (1, false));
        let foreign = compare(&offered(2), &rows, &[], &[]);
        assert_eq!((foreign.foreign, foreign.adds_up()), (1, false));
        let twice = compare(
            &offered(3),
            &[rows[0].clone(), rows[1].clone(), rows[1].clone(), rows[2].clone()],
            &[],
            &[],
        );
        assert_eq!((twice.twice, twice.adds_up()), (2, false));
        let different = compare(&offered(3), &[rows[0].clone(), row(1, 7, 10), rows[2].clone()], &[], &[]);
        assert_eq!((different.different, different.adds_up()), (1, false));
        let disorder = compare(&offered(3), &[rows[0].clone(), row(1, 1, 30), rows[2].clone()], &[], &[]);
        assert_eq!((disorder.out_of_order, disorder.adds_up()), (1, false));
    }
}
