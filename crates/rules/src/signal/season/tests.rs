use super::*;
use proptest::prelude::*;
use std::prelude::v1::*;

const RIVER: Season = Season { cells: Slots::Months, first: 0, least: 5, needed: 2, days: 7 };
const AIR: Season = Season { cells: Slots::MonthsAndHours, ..RIVER };
/// 2021-01-01, counted in days from 1970.
const START: u32 = 18_628;
/// Four years, one of which is a leap year.
const YEARS: u32 = 1_461;

/// High in winter, low in summer, a little otherwise each day: centimetres.
fn level(day: u32) -> i32 {
    let of_year = (day % 365) as i32;
    200 + (of_year - 182).abs() + (day as i32 * 7) % 11 - 5
}

struct Gauge {
    season: Season,
    period: Period,
    memory: Vec<Slot>,
}

impl Gauge {
    fn new(season: Season) -> Self {
        Self { season, period: Period::NEW, memory: vec![Slot::EMPTY; season.memory()] }
    }

    fn read(&mut self, hour: u32, value: i32) -> Option<i32> {
        self.period.read(&self.season, &mut self.memory, hour, value)
    }

    /// The readings of some days, four each.
    fn days(&mut self, days: std::ops::Range<u32>) -> Vec<Option<i32>> {
        let hours = days.flat_map(|day| [0, 6, 12, 18].map(|hour| (day, day * 24 + hour)));
        hours.map(|(day, hour)| self.read(hour, level(day))).collect()
    }

    fn cells(&self) -> &[Slot] {
        &self.memory[1 + self.season.pending()..]
    }
}

#[test]
fn november_is_compared_with_novembers() {
    let mut gauge = Gauge::new(RIVER);
    let first = gauge.days(START..START + 730);
    assert!(first.iter().all(Option::is_none), "two years have to pass");
    let usual = gauge.days(START + 730..START + YEARS);
    assert!(usual.iter().all(|out| out.is_some_and(|out| out.abs() < 256 * 4)), "{usual:?}");
    // July's water in January is a drought, January's in July a flood.
    let january = (START + YEARS) * 24;
    assert!(gauge.read(january, 200).unwrap() < -256 * 5);
    let july = (START + YEARS + 190) * 24;
    assert!(gauge.read(july, 380).unwrap() > 256 * 5);
}

#[test]
fn a_month_does_not_teach_itself() {
    let mut gauge = Gauge::new(RIVER);
    gauge.days(START..START + 730);
    let january = START + 730..START + 761;
    let out: Vec<i32> = january.map(|day| gauge.read(day * 24, 1_000).unwrap()).collect();
    assert!(out.iter().all(|same| *same == out[0]), "a flood of a month is one to its end: {out:?}");
    // The next year knows of it, but no further than four deviations of what was believed.
    let before = gauge.cells()[0];
    gauge.days(START + 761..START + 762);
    let after = gauge.cells()[0];
    assert_eq!(after.learned, before.learned + 1);
    assert_eq!(i64::from(after.mean - before.mean), nearest(4 * i64::from(before.deviation), 3));
}

#[test]
fn a_month_of_too_few_days_teaches_nothing() {
    for (days, learned) in [(6, 0), (7, 1), (28, 1)] {
        let mut gauge = Gauge::new(RIVER);
        gauge.days(START..START + days);
        gauge.days(START + 31..START + 32);
        assert_eq!(gauge.cells()[0].learned, learned, "{days} days");
    }
    // However many readings a day has, it is one day.
    let mut gauge = Gauge::new(RIVER);
    (0..6 * 24).for_each(|hour| assert!(gauge.read(START * 24 + hour, 5).is_none()));
    gauge.days(START + 31..START + 32);
    assert_eq!(gauge.cells()[0], Slot::EMPTY);
}

#[test]
fn a_cell_without_enough_years_has_no_baseline_although_others_do() {
    let mut gauge = Gauge::new(RIVER);
    // No readings in the June of the second year.
    gauge.days(START..START + 365 + 151);
    gauge.days(START + 365 + 181..START + 730);
    let third = gauge.days(START + 730..START + 1_095);
    let known: Vec<bool> = third.iter().step_by(4).map(Option::is_some).collect();
    let june = 151..181;
    assert!((0..365).all(|day| known[day] != june.contains(&day)), "{known:?}");
}

#[test]
fn noon_is_compared_with_noon_where_hours_have_cells() {
    let mut gauge = Gauge::new(AIR);
    // 30 degrees at noon, 10 at midnight, and a degree more each other day.
    let usual =
        |hour: u32| 1_000 + (12 - (hour as i32 % 24 - 12).abs()) * 170 + ((hour / 24) % 2) as i32 * 100;
    let start = START * 24;
    for hour in start..start + 3 * 365 * 24 {
        let out = gauge.read(hour, usual(hour));
        assert_eq!(out.is_some(), hour - start >= 730 * 24, "hour {}", hour - start);
        assert!(out.is_none_or(|out| out.abs() < 256 * 3), "{out:?}");
    }
    let noon = start + 3 * 365 * 24 + 12;
    assert!(gauge.read(noon, usual(noon - 12)).unwrap() < -256 * 20, "the warmth of midnight at noon");
    assert_eq!((RIVER.memory(), AIR.memory()), (14, 313));
}

#[test]
fn what_is_learned_lives_in_the_slots_alone() {
    // A device that restarts each midnight keeps its slots, and nothing of the day.
    let (mut through, mut restarts) = (Gauge::new(RIVER), Gauge::new(RIVER));
    for day in START..START + YEARS {
        through.days(day..day + 1);
        // The day is learned with the first reading of the next, which the restart then forgets.
        restarts.read(day * 24, level(day));
        restarts.period = Period::NEW;
        restarts.days(day..day + 1);
    }
    assert_eq!(through.memory, restarts.memory);
}

proptest! {
    /// What a slot keeps of a month's days is their exact sums.
    #[test]
    fn sums_of_days_are_exact(days in prop::collection::vec((any::<i32>(), any::<u32>()), 1..=31)) {
        let mut slot = Slot::EMPTY;
        let (mut sum, mut spread) = (0, 0);
        for (mean, deviation) in &days {
            let of = Gathered {
                sum: super::super::fixed::Fixed::from_raw(i64::from(*mean)),
                spread: super::super::fixed::Fixed::from_raw(i64::from(*deviation)),
                period: 0,
                readings: 1,
            };
            slot = Days::of(&slot).and(&of).slot();
            (sum, spread) = (sum + i64::from(*mean), spread + i64::from(*deviation));
        }
        let kept = Days::of(&slot);
        prop_assert_eq!((kept.sum, kept.spread, kept.days), (sum, spread, days.len() as i64));
    }

    /// Any values at any hours: nothing overflows, and every cell's mean lies among the values.
    #[test]
    fn any_values(readings in prop::collection::vec((0u32..900, any::<i32>()), 1..300), hours: bool) {
        let mut gauge = Gauge::new(Season { days: 2, needed: 1, ..if hours { AIR } else { RIVER } });
        let (mut least, mut most) = (i32::MAX, i32::MIN);
        let mut at = START * 24;
        for (passed, value) in readings {
            at += passed;
            gauge.read(at, value);
            (least, most) = (least.min(value), most.max(value));
            for cell in gauge.cells().iter().filter(|cell| cell.learned > 0) {
                prop_assert!((least..=most).contains(&cell.mean));
            }
        }
    }
}
