//! Order and chunking of delivery make no difference: the same records late by less than the lateness, in batches, with
//! pieces missing, give the same alarms as all of them in order.

use std::collections::BTreeMap;

use crate::replay::Line;
use crate::{air, machine, meters, motes, occupancy, quakes};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use sensock_rules::*;
use sensock_testkit::effort;

/// What an alarm said: enough to tell any two apart.
pub type Said = (AlarmKey, Step, Level, u8, String);

/// One record: when, of whom, and what.
#[derive(Clone, Debug)]
struct Arriving {
    key: Key,
    readings: Vec<Reading>,
}

/// By how many readings a record may be late.
const LATENESS: u64 = 100;

/// Records of several devices in the order of event time.
fn records(grid_ms: u32, devices: &[Vec<Line>]) -> Vec<Arriving> {
    let mut records: Vec<Arriving> = Vec::new();
    for (device, lines) in (0..).zip(devices) {
        records.extend((0..).zip(lines).map(|(position, (at, values))| {
            let readings =
                values.iter().zip(1..).map(|(&value, quantity)| Reading { quantity, value }).collect();
            let from = Cause { device, lane: 2, position };
            Arriving { key: Key { at_ms: u64::from(at.0) * u64::from(grid_ms), from }, readings }
        }));
    }
    records.sort_by_key(|record| record.key);
    records
}

/// An engine with ears.
struct Judge<'t> {
    engine: Engine<'t, Vec<Row>, Vec<Danger>, Vec<Slot>>,
    said: Vec<Said>,
}

impl<'t> Judge<'t> {
    fn new(table: &'t Table<'t>) -> Self {
        let (rows, dangers) = (vec![Row::NEW; table.rules.len()], vec![Danger::NEW; table.hazards.len()]);
        let engine = Engine::new(table, rows, dangers, vec![Slot::default(); table.slots()]).unwrap();
        Self { engine, said: Vec::new() }
    }

    fn record(&mut self, record: &Arriving) {
        let at = self.engine.table().step(record.key.at_ms);
        let said = &mut self.said;
        let mut tell = |alarm: &Alarm<'_>| {
            said.push((alarm.key(), alarm.at(), alarm.to, alarm.score, alarm.to_string()));
        };
        let record = Record { at, from: record.key.from, readings: &record.readings };
        self.engine.record(&record, &mut tell).unwrap();
    }

    fn advance(&mut self, to: Step) {
        let said = &mut self.said;
        let mut tell = |alarm: &Alarm<'_>| {
            said.push((alarm.key(), alarm.at(), alarm.to, alarm.score, alarm.to_string()));
        };
        self.engine.advance(to, &mut tell).unwrap();
    }
}

/// The reference: everything in order, and time to its end.
fn in_order(table: &Table<'_>, records: &[Arriving], end: Step) -> Vec<Said> {
    let mut judge = Judge::new(table);
    records.iter().for_each(|record| judge.record(record));
    judge.advance(end);
    judge.said
}

/// The same with a restart now and then: a new engine goes on from the bytes of the last.
fn with_restarts(table: &Table<'_>, records: &[Arriving], end: Step, random: &mut TestRng) -> Vec<Said> {
    let mut judge = Judge::new(table);
    for record in records {
        if random.next_u32().is_multiple_of(97) {
            let mut kept = Vec::new();
            judge.engine.save(&mut |bytes| kept.extend_from_slice(bytes));
            let mut next = Judge::new(table);
            assert_eq!(next.engine.restore(&kept[..kept.len() - 1]), Err(BadState::Damaged));
            assert_eq!(next.engine.restore(&kept), Ok(()));
            next.said = judge.said;
            judge = next;
        }
        judge.record(record);
    }
    judge.advance(end);
    judge.said
}

/// The same as they might arrive: each up to the lateness late, in batches, with idle markers between.
fn as_delivered(table: &Table<'_>, records: &[Arriving], end: Step, random: &mut TestRng) -> Vec<Said> {
    let lateness_ms = LATENESS * u64::from(table.rules[0].interval) * u64::from(table.grid_ms);
    let batch_ms = 1 + u64::from(random.next_u32()) % lateness_ms;
    let mut arrivals: Vec<(u64, u32, &Arriving)> = records
        .iter()
        .map(|record| {
            let late = u64::from(random.next_u32()) % (lateness_ms - batch_ms + 1);
            let arrives = (record.key.at_ms + late).next_multiple_of(batch_ms);
            (arrives, random.next_u32(), record)
        })
        .collect();
    arrivals.sort_by_key(|(arrives, shuffled, record)| (*arrives, *shuffled, record.key));
    let mut reorder = Reorder::new(lateness_ms, vec![None; 1_000]);
    let mut judge = Judge::new(table);
    // The engine begins where the first record is, however long nothing came before it.
    for (arrives, shuffled, record) in arrivals {
        reorder.push(record.key, record).unwrap_or_else(|_| panic!("late, though within the lateness"));
        if shuffled % 7 == 0 {
            reorder.idle(arrives);
        }
        while let Some((_, record)) = reorder.pop() {
            judge.record(record);
        }
        if shuffled % 3 == 0 && judge.engine.now().is_some() {
            judge.advance(table.step(reorder.watermark_ms()));
        }
    }
    reorder.idle(u64::MAX);
    while let Some((_, record)) = reorder.pop() {
        judge.record(record);
    }
    judge.advance(end);
    assert_eq!((reorder.late(), reorder.early()), (0, 0));
    judge.said
}

/// Pieces of each device's records go missing.
fn with_gaps(records: &[Arriving], random: &mut TestRng) -> Vec<Arriving> {
    let mut gone: BTreeMap<u8, u32> = BTreeMap::new();
    let mut rest = Vec::new();
    for record in records {
        let left = gone.entry(record.key.from.device).or_default();
        if *left == 0 && random.next_u32().is_multiple_of(500) {
            *left = random.next_u32() % 200;
        }
        *left = left.saturating_sub(1);
        if *left == 0 {
            rest.push(record.clone());
        }
    }
    rest
}

fn check(name: &str, table: &Table<'_>, devices: &[Vec<Line>]) {
    let all = records(table.grid_ms, devices);
    let end = table.step(all.last().unwrap().key.at_ms).after(1_000_000);
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut said = 0;
    for round in 0..effort::size(2, 40) {
        let some = if round == 0 { all.clone() } else { with_gaps(&all, &mut random) };
        let expected = in_order(table, &some, end);
        let delivered = as_delivered(table, &some, end, &mut random);
        assert!(expected == delivered, "{name}, round {round}: {expected:?}\n{delivered:?}");
        let restarted = with_restarts(table, &some, end, &mut random);
        assert!(expected == restarted, "{name}, round {round}, restarted: {expected:?}\n{restarted:?}");
        said += expected.len();
    }
    println!("{name}: {} records, {said} alarms said the same", all.len());
    assert!(said > 0, "{name}: nothing to compare");
}

/// A bit of every kind of rule for each device, with thresholds low enough that something is always said.
fn rules(devices: u8, quantities: u16, interval: u32, alarm: i32) -> Vec<Rule<'static>> {
    let pairs = (0..devices).flat_map(|device| (1..=quantities).map(move |quantity| (device, quantity)));
    let rules = pairs.flat_map(|(device, quantity)| {
        let rule = |name, signal, levels| Rule::new(name, device, quantity, signal, levels).every(interval);
        let running = Running { shift: 7, least: 10, warm: 30, way: Way::Either };
        // The hours of the day, then the months of the year.
        let season = Season { cells: Slots::Months, first: 24, least: 10, needed: 1, days: 2 };
        let each = 24 + season.memory() as u16;
        let first = (u16::from(device) * quantities + quantity - 1) * each;
        let daily = Daily { slots: Slots::Hours, first, least: 10, needed: 2 };
        let season = Season { first: first + 24, ..season };
        let shaking = Shaking { short: 2, long: 7, warm: 100, least: 1 };
        let rate = Rate { window: 6 * interval, per: 60 };
        let (hold, release) = (3 * interval, 5 * interval);
        [
            rule("value", Signal::Value, Levels::above(alarm, alarm + alarm / 8)).hold(hold, release),
            rule("rate", Signal::Rate(rate), Levels::above(alarm / 20, alarm / 10)).hysteresis(alarm / 40),
            rule("running", Signal::Running(running), Levels::above(times(6, 0), times(12, 0)))
                .hold(hold, release),
            rule("daily", Signal::Daily(daily), Levels::above(times(5, 0), times(9, 0))).hold(hold, release),
            rule("season", Signal::Season(season), Levels::above(times(4, 0), times(6, 0))),
            rule("shaking", Signal::Shaking(shaking), Levels::above(times(5, 0), times(9, 0))),
            rule("flow", Signal::Flow(Flow { rate, modulus: 0 }), Levels::above(alarm, 2 * alarm)),
            rule("silence", Signal::Silence, Levels::above(5 * interval as i32, 50 * interval as i32)),
        ]
    });
    rules.collect()
}

/// Every recording with that table.
fn check_all(name: &str, grid_ms: u32, interval: u32, quantities: u16, alarm: i32, devices: &[Vec<Line>]) {
    let rules = rules(devices.len() as u8, quantities, interval, alarm);
    let cells: Vec<Cell> = (0u8..)
        .zip(&rules)
        .take(30)
        .map(|(rule, _)| match rule % 3 {
            0 => Cell::lasting(rule, Level::Warning, 2 * interval, 30),
            1 => Cell::within(rule, Level::Critical, 10 * interval, 30),
            _ => Cell::now(rule, Level::Warning, 20),
        })
        .collect();
    let hazards = [
        Hazard::new("any", &cells).from_score(30, 60, 5),
        Hazard::new("first", &cells[..1]).from_score(20, 30, 5),
    ];
    let table = Table { grid_ms, calendar: Calendar::UTC, rules: &rules, hazards: &hazards };
    check(name, &table, devices);
}

#[test]
fn delivery_makes_no_difference_to_the_motes() {
    let devices = [("indoor", 1), ("indoor", 2), ("outdoor", 3), ("outdoor", 4)]
        .map(|(place, id)| motes::mote(place, id).0);
    check_all("motes", 1_000, 5, 2, 3_300, &devices);
}

#[test]
fn delivery_makes_no_difference_to_the_machine() {
    check_all("machine", 300_000, 1, 1, 10_000, &[machine::machine().0]);
}

#[test]
fn delivery_makes_no_difference_to_the_meters() {
    let part = |file| meters::meter(file).split_off(effort::size(80_000, 0));
    let devices = ["ampds-meters/Water_WHW-1.csv.gz", "ampds-meters/NaturalGas_FRG-4.csv.gz"].map(part);
    check_all("meters", 1_000, 60, 1, 6_000, &devices);
}

#[test]
fn delivery_makes_no_difference_to_the_office() {
    check_all("office", 1_000, 60, 4, 60_000, &[occupancy::office()]);
}

#[test]
fn delivery_makes_no_difference_to_the_air() {
    check_all("air", 3_600_000, 1, 13, 20_000, &[air::hours()]);
}

#[test]
fn prove_delivery_makes_no_difference_to_the_ground() {
    let Some(folder) = effort::data() else {
        println!("not run: no data directory was given");
        return;
    };
    for name in ["chiapas_20Hz.txt.gz", "tohoku_20Hz.txt.gz"] {
        check_all(name, 50, 1, 1, 100_000, &[quakes::trace(&folder, name)]);
    }
    let irma = quakes::trace(&folder, "irma_1Hz.txt.gz");
    check_all("irma_1Hz.txt.gz", 1_000, 1, 1, 10_000, &[irma]);
}
