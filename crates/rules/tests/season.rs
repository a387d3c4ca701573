//! The same month of past years, as an engine judges it: in local time, through leap years and the turns of years, from any delivery.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use sensock_rules::*;

const DAY_S: i64 = 86_400;
/// 2020-01-01, a leap year, in seconds since 1970.
const START_S: i64 = 1_577_836_800;
/// An hour a step.
const HOUR_MS: u32 = 3_600_000;

const RIVER: Season = Season { cells: Slots::Months, first: 0, least: 5, needed: 2, days: 10 };
const CELLS: [Cell; 2] = [Cell::now(0, Level::Warning, 60), Cell::now(0, Level::Critical, 30)];
const HAZARDS: [Hazard<'static>; 1] = [Hazard::new("flood", &CELLS)];
const LEVELS: Levels = Levels::above(times(6, 0), times(10, 0));

const fn river(season: Season) -> [Rule<'static>; 1] {
    [Rule::new("river", 0, 1, Signal::Season(season), LEVELS).unit("m", -2).every(12)]
}
static RULES: [Rule<'static>; 1] = river(RIVER);

fn table(offset_s: i32) -> Table<'static> {
    let calendar = Calendar { origin_s: START_S, offset_s, changes: &[] };
    Table { grid_ms: HOUR_MS, calendar, rules: &RULES, hazards: &HAZARDS }
}

type Judge<'t> = Engine<'t, [Row; 1], [Danger; 1], Vec<Slot>>;

fn judge<'t>(table: &'t Table<'t>) -> Judge<'t> {
    Engine::new(table, [Row::NEW], [Danger::NEW], vec![Slot::EMPTY; table.slots()]).unwrap()
}

fn give(engine: &mut Judge<'_>, hour: u32, value: i32, said: &mut Vec<String>) {
    let readings = [Reading { quantity: 1, value: Some(value) }];
    let from = Cause { device: 0, lane: 2, position: hour.into() };
    let record = Record { at: Step(hour), from, readings: &readings };
    engine.record(&record, &mut |alarm| said.push(alarm.to_string())).unwrap();
}

/// What the cells have learned, January first.
fn cells(engine: &Judge<'_>) -> Vec<Slot> {
    engine.slots()[2..].to_vec()
}

/// Centimetres: high in winter, with something of each day.
fn level(hour: u32) -> i32 {
    let day = (hour / 24) as i32;
    200 + (day % 365 - 182).abs() + (day * 7) % 11 - 5
}

fn bytes(engine: &Judge<'_>) -> Vec<u8> {
    let mut kept = Vec::new();
    engine.save(&mut |bytes| kept.extend_from_slice(bytes));
    kept
}

#[test]
fn months_begin_at_local_midnight_east_and_west_of_utc() {
    // The value says which month it is here; each must end in that month's cell and in no other.
    for offset_h in [-12, -5, 0, 2, 14] {
        let table = table(offset_h * 3_600);
        let mut engine = judge(&table);
        let mut said = Vec::new();
        let lengths =
            [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length * 24;
            Some(*end)
        });
        let ends: Vec<i32> = ends.collect();
        for hour in 0..ends[23] + 24 {
            let local = hour + offset_h;
            // The hours before the first of January are of a December, and those after the last of a January.
            let month = ends.iter().filter(|end| **end <= local).count() % 12;
            let month = if local < 0 { 11 } else { month };
            give(&mut engine, hour as u32, 1_000 * (month as i32 + 1), &mut said);
        }
        for (month, cell) in cells(&engine).iter().enumerate() {
            let expected = Slot { mean: 1_000 * (month as i32 + 1), deviation: 0, learned: 2 };
            assert_eq!(*cell, expected, "month {month} at {offset_h} h");
        }
        assert_eq!(said, [""; 0]);
    }
}

#[test]
fn a_month_without_enough_years_is_neither_normal_nor_an_alarm() {
    let table = table(0);
    let mut engine = judge(&table);
    let mut said = Vec::new();
    let day = |day: u32| day * 24;
    // From March of the first year to the end of October of the third: November and December are known of two years, February of one
    // that has passed and one of nine days.
    for hour in (day(60)..day(366)).chain(day(366 + 31 + 19)..day(366 + 365 + 304)).step_by(6) {
        give(&mut engine, hour, level(hour), &mut said);
    }
    assert_eq!(engine.rows()[0].level(), Level::Normal, "October is known");
    assert_eq!(said, [""; 0]);
    // A flood in the last days of a month that is known …
    let mut at = day(366 + 365 + 304);
    while at < day(366 + 365 + 365) {
        give(&mut engine, at, level(at) + 900 * i32::from(at >= day(366 + 365 + 363)), &mut said);
        at += 6;
    }
    assert_eq!(engine.hazards()[0].level(), Level::Critical);
    let raised = said.len();
    assert!(said[raised - 1].contains("river") && said[raised - 1].contains("of the season"), "{said:?}");
    // … goes on into January, of which nobody knows what is usual: nothing is cleared and nothing is raised.
    for _ in 0..31 * 4 {
        give(&mut engine, at, level(at), &mut said);
        at += 6;
    }
    assert_eq!(engine.rows()[0].level(), Level::Unknown);
    assert_eq!(engine.rows()[0].before_gap(), Level::Critical);
    assert_eq!(engine.baseline(0).map(|slot| slot.learned), Some(1), "the second January");
    assert_eq!((engine.hazards()[0].level(), said.len()), (Level::Critical, raised));
    // February of nine days is no year of it either; March is known, and ends it.
    for hour in (at..at + day(29)).step_by(6) {
        give(&mut engine, hour, level(hour), &mut said);
    }
    assert_eq!(engine.hazards()[0].level(), Level::Normal, "{said:?}");
    assert!(said[raised].contains("over after"), "{said:?}");
}

#[test]
fn delivery_and_restarts_make_no_difference_to_what_three_years_teach() {
    let table = table(3_600);
    let mut straight = judge(&table);
    let mut expected = Vec::new();
    let hours: Vec<u32> = (0..(3 * 365 * 24)).step_by(3).filter(|hour| hour % 1_000 > 40).collect();
    let value = |hour: u32| level(hour) + if hour % 9_001 < 60 { 700 } else { 0 };
    hours.iter().for_each(|hour| give(&mut straight, *hour, value(*hour), &mut expected));
    assert!(!expected.is_empty() && cells(&straight).iter().all(|cell| cell.learned >= 2));
    for chunk in [1, 7, 100] {
        let lateness_ms = 400 * u64::from(HOUR_MS);
        let (mut engine, mut said) = (judge(&table), Vec::new());
        let mut reorder = Reorder::new(lateness_ms, vec![None; 1_000]);
        let mut passed = 0;
        for piece in hours.chunks(chunk) {
            // Each chunk arrives with its last record first.
            for hour in piece.iter().rev() {
                let from = Cause { device: 0, lane: 2, position: (*hour).into() };
                let key = Key { at_ms: u64::from(*hour) * u64::from(HOUR_MS), from };
                reorder.push(key, *hour).unwrap();
            }
            while let Some((_, hour)) = reorder.pop() {
                give(&mut engine, hour, value(hour), &mut said);
                passed += 1;
                if passed % 97 == 0 {
                    let kept = bytes(&engine);
                    engine = judge(&table);
                    engine.restore(&kept).unwrap();
                    assert_eq!(bytes(&engine), kept, "bit for bit");
                }
            }
        }
        reorder.idle(u64::MAX);
        while let Some((_, hour)) = reorder.pop() {
            give(&mut engine, hour, value(hour), &mut said);
        }
        assert_eq!(said, expected, "in chunks of {chunk}");
        assert_eq!(bytes(&engine), bytes(&straight));
    }
}

#[test]
fn cells_that_are_no_months_are_refused() {
    let check = |season: Season| {
        let rules = river(season);
        let calendar = Calendar { origin_s: START_S + DAY_S, ..Calendar::UTC };
        Table { grid_ms: HOUR_MS, calendar, rules: &rules, hazards: &[] }.check()
    };
    assert_eq!(check(RIVER), Ok(()));
    for wrong in [
        Season { cells: Slots::Hours, ..RIVER },
        Season { cells: Slots::One, ..RIVER },
        Season { days: 1, ..RIVER },
        Season { days: 29, ..RIVER },
    ] {
        assert_eq!(check(wrong), Err(BadTable::Signal(0)), "{wrong:?}");
    }
    let daily = Daily { slots: Slots::Months, first: 0, least: 1, needed: 1 };
    let rules = [Rule::new("river", 0, 1, Signal::Daily(daily), LEVELS)];
    let table = Table { grid_ms: HOUR_MS, calendar: Calendar::UTC, rules: &rules, hazards: &[] };
    assert_eq!(
        table.check(),
        Err(BadTable::Signal(0)),
        "a month's hours teach each other, not the next year's"
    );
}

#[test]
fn every_parameter_has_a_part_in_the_hash() {
    let hash = |season: Season| {
        Table { grid_ms: HOUR_MS, calendar: Calendar::UTC, rules: &river(season), hazards: &[] }.hash()
    };
    let hashes = [
        hash(RIVER),
        hash(Season { cells: Slots::MonthsAndHours, ..RIVER }),
        hash(Season { first: 1, ..RIVER }),
        hash(Season { least: 6, ..RIVER }),
        hash(Season { needed: 3, ..RIVER }),
        hash(Season { days: 11, ..RIVER }),
    ];
    let different: std::collections::BTreeSet<u64> = hashes.into_iter().collect();
    assert_eq!(different.len(), hashes.len());
}
