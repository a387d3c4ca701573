//! Time: leaps or steps, the live log and its replay, and what came too late.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use proptest::prelude::*;
use sensock_rules::*;

const SHORT: Flow = Flow { rate: Rate { window: 6, per: 10 }, modulus: 100 };

/// Every kind of rule and of cell, with times that a few dozen steps cross.
static TABLE: Table<'static> = Table {
    grid_ms: 1_000,
    calendar: Calendar { changes: &[(Step(40), 7_200)], ..Calendar::UTC },
    rules: &[
        Rule::new("a", 0, 1, Signal::Value, Levels::above(60, 90)).every(2).hysteresis(5).hold(3, 4),
        Rule::new("b", 0, 1, Signal::Rate(SHORT.rate), Levels::below(-20, -60)).every(2),
        Rule::new("c", 1, 1, Signal::Flow(SHORT), Levels::above(20, 60)).every(3).hold(2, 2),
        Rule::new("d", 1, 2, Signal::Silence, Levels::above(5, 15)),
        Rule::new(
            "e",
            1,
            2,
            Signal::Running(Running { shift: 3, least: 2, warm: 4, way: Way::Either }),
            Levels::above(times(4, 0), times(8, 0)),
        )
        .every(4)
        .plausible(0, 110)
        .unless(2, Level::Warning),
        Rule::new(
            "f",
            0,
            2,
            Signal::Shaking(Shaking { short: 1, long: 4, warm: 5, least: 1 }),
            Levels::above(times(2, 0), times(3, 0)),
        )
        .every(2),
    ],
    hazards: &[
        Hazard::new(
            "now",
            &[
                Cell::now(0, Level::Warning, 50),
                Cell::now(1, Level::Critical, 30),
                Cell::now(3, Level::Critical, 50),
            ],
        ),
        Hazard::new(
            "lasting",
            &[Cell::lasting(0, Level::Warning, 7, 60), Cell::lasting(3, Level::Warning, 4, 60)],
        ),
        Hazard::new(
            "within",
            &[
                Cell::within(4, Level::Critical, 9, 60),
                Cell::within(5, Level::Warning, 3, 30),
                Cell::within(2, Level::Warning, 5, -40),
            ],
        ),
    ],
};

type Watch = Engine<'static, [Row; 6], [Danger; 3]>;
type Said = (AlarmKey, Step, Level, u8, String);

fn watch() -> Watch {
    Engine::new(&TABLE, [Row::NEW; 6], [Danger::NEW; 3], []).unwrap()
}

fn said(alarm: &Alarm<'_>) -> Said {
    (alarm.key(), alarm.at(), alarm.to, alarm.score, alarm.to_string())
}

/// A record of one of two devices: its time, its position, and a value of each of its quantities.
type Given = (u32, u8, u64, [Option<i32>; 2]);

fn give(engine: &mut Watch, given: &Given, out: &mut Vec<Said>) {
    let &(at, device, position, values) = given;
    let readings = [(1, values[0]), (2, values[1])].map(|(quantity, value)| Reading { quantity, value });
    let from = Cause { device, lane: 2, position };
    engine
        .record(&Record { at: Step(at), from, readings: &readings }, &mut |alarm| out.push(said(alarm)))
        .unwrap();
}

fn records() -> impl Strategy<Value = Vec<Given>> {
    let value = || prop::option::weighted(0.9, 0i32..120);
    let record = (prop_oneof![4 => 0u32..4, 1 => 0u32..40], 0u8..2, [value(), value()]);
    prop::collection::vec(record, 1..80).prop_map(|records| {
        let mut at = 10;
        let given = (0..).zip(records).map(|(position, (passed, device, values))| {
            at += passed;
            (at, device, position, values)
        });
        let mut given: Vec<Given> = given.collect();
        given.sort();
        given
    })
}

proptest! {
    /// Time that passes in one leap and time that passes step by step are the same time.
    #[test]
    fn leaps_and_steps_are_the_same(records in records()) {
        let (mut leaps, mut steps) = (watch(), watch());
        let (mut of_leaps, mut of_steps) = (Vec::new(), Vec::new());
        let end = records.last().unwrap().0 + 100;
        let mut at = records[0].0;
        for record in &records {
            while at < record.0 {
                steps.advance(Step(at), &mut |alarm| of_steps.push(said(alarm))).unwrap();
                at += 1;
            }
            give(&mut steps, record, &mut of_steps);
            give(&mut leaps, record, &mut of_leaps);
        }
        for at in at..=end {
            steps.advance(Step(at), &mut |alarm| of_steps.push(said(alarm))).unwrap();
        }
        leaps.advance(Step(end), &mut |alarm| of_leaps.push(said(alarm))).unwrap();
        prop_assert_eq!(of_leaps, of_steps);
        prop_assert_eq!(leaps.rows(), steps.rows());
        prop_assert_eq!(leaps.hazards(), steps.hazards());
    }

    /// The live log, records and idle markers as they came, gives the same alarms and the same late records when it is
    /// played again.
    #[test]
    fn the_live_log_replays(records in records(), swaps in prop::collection::vec(any::<prop::sample::Index>(), 0..60)) {
        let mut log: Vec<(Option<Given>, u64)> = records.iter().map(|record| (Some(*record), 0)).collect();
        for (i, with) in swaps.iter().enumerate() {
            let with = with.index(log.len());
            let at = i % log.len();
            log.swap(at, with);
            if i % 5 == 0 {
                log.insert(with, (None, u64::from(records[at % records.len()].0) * 1_000));
            }
        }
        let play = || {
            let (mut reorder, mut engine, mut out) = (Reorder::new(8_000, vec![None; 6]), watch(), Vec::new());
            let mut late = Vec::new();
            for (record, idle_ms) in &log {
                match record {
                    Some(record) => {
                        let from = Cause { device: record.1, lane: 2, position: record.2 };
                        let key = Key { at_ms: u64::from(record.0) * 1_000, from };
                        late.extend(reorder.push(key, *record).err());
                    }
                    None => reorder.idle(*idle_ms),
                }
                while let Some((_, record)) = reorder.pop() {
                    give(&mut engine, &record, &mut out);
                }
            }
            (out, late, reorder.early(), engine.rows().to_vec())
        };
        prop_assert_eq!(play(), play());
    }

    /// A record that comes too late is put right: from a copy of the engine that is old enough, the records from there on
    /// give what they would have given, had it been in time.
    #[test]
    fn a_late_record_is_put_right(records in records(), which in any::<prop::sample::Index>(), copy_every in 1usize..20) {
        let late = which.index(records.len());
        let end = Step(records.last().unwrap().0 + 100);
        let judge = |engine: &mut Watch, records: &[Given], out: &mut Vec<Said>| {
            records.iter().for_each(|record| give(engine, record, out));
            engine.advance(end, &mut |alarm| out.push(said(alarm))).unwrap();
        };
        let (mut in_time, mut expected) = (watch(), Vec::new());
        judge(&mut in_time, &records, &mut expected);
        // Live, without the late one, with a copy now and then of the engine and of how much it had said.
        let (mut engine, mut out) = (watch(), Vec::new());
        let mut copies = vec![(0, watch(), 0)];
        for (i, record) in records.iter().enumerate() {
            if i % copy_every == 0 {
                copies.push((i, engine.clone(), out.len()));
            }
            if i != late {
                give(&mut engine, record, &mut out);
            }
        }
        engine.advance(end, &mut |alarm| out.push(said(alarm))).unwrap();
        // The newest copy from before it; what was said since is said again.
        let (from, mut copy, kept) = copies.into_iter().rev().find(|(from, ..)| *from <= late).unwrap();
        out.truncate(kept);
        judge(&mut copy, &records[from..], &mut out);
        prop_assert_eq!(out, expected);
    }
}
