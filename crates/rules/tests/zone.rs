//! A cellar with a fire alarm, told as timelines: what the engine says of each.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use sensock_rules::*;

const TEMPERATURE: u16 = 1;
const HUMIDITY: u16 = 2;
const CO2: u16 = 3;
const BATTERY: u16 = 4;

/// A second a step, a reading every ten.
static TABLE: Table<'static> = Table {
    grid_ms: 1_000,
    calendar: Calendar::UTC,
    rules: &[
        Rule::new("battery", 0, BATTERY, Signal::Value, Levels::below(2_400, 2_200)).unit("V", -3).every(10),
        Rule::new("temperature", 0, TEMPERATURE, Signal::Value, Levels::above(5_000, 5_700))
            .unit("°C", -2)
            .every(10)
            .plausible(-4_000, 12_500)
            .hysteresis(200)
            .hold(20, 60)
            .unless(0, Level::Critical),
        Rule::new(
            "humidity",
            0,
            HUMIDITY,
            Signal::Rate(Rate { window: 60, per: 60 }),
            Levels::below(-50, -100),
        )
        .unit("%RH", -1)
        .every(10),
        Rule::new("CO2", 0, CO2, Signal::Value, Levels::above(1_500, 5_000)).unit("ppm", 0).every(10),
        Rule::new("cellar", 0, TEMPERATURE, Signal::Silence, Levels::above(60, 600))
            .plausible(-4_000, 12_500),
    ],
    hazards: &[
        Hazard::new(
            "fire",
            &[
                Cell::now(1, Level::Warning, 30),
                Cell::lasting(1, Level::Critical, 40, 30),
                Cell::now(2, Level::Critical, 16),
                Cell::within(3, Level::Warning, 120, 10),
            ],
        )
        .from_score(40, 80, 10),
        Hazard::new("lost sensor", &[Cell::now(4, Level::Warning, 60), Cell::now(4, Level::Critical, 40)]),
    ],
};
const _: () = assert!(TABLE.check().is_ok());

struct Cellar {
    engine: Engine<'static, [Row; 5], [Danger; 2]>,
    said: Vec<String>,
    alarms: Vec<(AlarmKey, bool)>,
    position: u64,
    at: Step,
}

impl Cellar {
    fn new() -> Self {
        let engine = Engine::new(&TABLE, [Row::NEW; 5], [Danger::NEW; 2], []).unwrap();
        Self { engine, said: Vec::new(), alarms: Vec::new(), position: 0, at: Step(1_000) }
    }

    /// A record at the present step.
    fn record(&mut self, values: &[(u16, i32)]) -> &mut Self {
        self.position += 1;
        let reading = |&(quantity, value)| Reading { quantity, value: Some(value) };
        let readings: Vec<Reading> = values.iter().map(reading).collect();
        let from = Cause { device: 0, lane: 2, position: self.position };
        let record = Record { at: self.at, from, readings: &readings };
        let (said, alarms, at) = (&mut self.said, &mut self.alarms, self.at);
        let mut tell = |alarm: &Alarm<'_>| {
            said.push(alarm.to_string());
            alarms.push((alarm.key(), alarm.is_historic(at)));
        };
        self.engine.record(&record, &mut tell).unwrap();
        self
    }

    /// The same record every ten seconds, so many times, then ten seconds.
    fn every_ten(&mut self, times: u32, values: &[(u16, i32)]) -> &mut Self {
        for _ in 0..times {
            self.record(values).pass(10);
        }
        self
    }

    fn pass(&mut self, seconds: u32) -> &mut Self {
        self.at = self.at.after(seconds);
        self
    }

    /// Time comes to the present step without a record.
    fn wait(&mut self) -> &mut Self {
        let (said, alarms, at) = (&mut self.said, &mut self.alarms, self.at);
        let mut tell = |alarm: &Alarm<'_>| {
            said.push(alarm.to_string());
            alarms.push((alarm.key(), alarm.is_historic(at)));
        };
        self.engine.advance(at, &mut tell).unwrap();
        self
    }

    fn said(&mut self) -> Vec<String> {
        core::mem::take(&mut self.said)
    }
}

const CALM: [(u16, i32); 4] = [(TEMPERATURE, 2100), (HUMIDITY, 450), (CO2, 600), (BATTERY, 3_000)];

#[test]
fn a_fire_explains_itself() {
    let mut cellar = Cellar::new();
    cellar.every_ten(12, &CALM);
    assert_eq!(cellar.said(), [""; 0]);
    for second in (0..80).step_by(10) {
        let humidity = 450 - second * 2;
        cellar.every_ten(1, &[(TEMPERATURE, 9000), (HUMIDITY, humidity), (CO2, 2_000), (BATTERY, 3_000)]);
    }
    assert_eq!(
        cellar.said(),
        [
            "fire 0.40: temperature critical, CO2 warning",
            "fire 0.86: temperature critical for 40 s, humidity falling 12 %RH/min, CO2 warning",
        ]
    );
    cellar.every_ten(40, &CALM);
    let said = cellar.said();
    assert_eq!(said.last().unwrap(), "fire 0.10: over after 2 min", "{said:?}");
}

#[test]
fn a_dying_battery_that_reports_90_degrees_is_no_fire() {
    let mut cellar = Cellar::new();
    cellar.every_ten(12, &CALM);
    let dying = [(TEMPERATURE, 9000), (HUMIDITY, 450), (CO2, 2_000), (BATTERY, 2_100)];
    cellar.every_ten(30, &dying);
    assert!(cellar.said().iter().all(|said| !said.contains("fire")));
    assert_eq!(cellar.engine.faults(), 30);
    // With a new battery the same readings are a fire.
    cellar.every_ten(30, &[dying[0], dying[1], dying[2], (BATTERY, 3_000)]);
    assert!(cellar.said().iter().any(|said| said.starts_with("fire 0.")));
}

#[test]
fn what_cannot_be_is_a_fault_and_in_the_end_a_lost_sensor() {
    let mut cellar = Cellar::new();
    cellar.every_ten(12, &CALM);
    cellar.every_ten(8, &[(TEMPERATURE, -20_000), (HUMIDITY, 450)]);
    assert_eq!(cellar.said(), ["lost sensor 0.60: cellar silent, warning"]);
    assert_eq!(cellar.engine.rows()[1].level(), Level::Unknown);
}

#[test]
fn a_gap_shorter_than_the_duration_stops_it_and_a_longer_one_ends_it() {
    let hot = [(TEMPERATURE, 5500)];
    // Without a gap: 20 s of readings make it a warning.
    let mut cellar = Cellar::new();
    cellar.every_ten(1, &CALM).record(&hot).pass(10).record(&hot);
    assert_eq!(cellar.engine.rows()[1].level(), Level::Normal);
    cellar.pass(10).record(&hot);
    assert_eq!(cellar.engine.rows()[1].level(), Level::Warning);
    // The 40 s of a gap count for nothing.
    let mut cellar = Cellar::new();
    cellar.every_ten(1, &CALM).record(&hot).pass(10).record(&hot).pass(40).record(&hot);
    assert_eq!(cellar.engine.rows()[1].level(), Level::Normal);
    cellar.pass(10).record(&hot);
    assert_eq!(cellar.engine.rows()[1].level(), Level::Warning);
    // The rule waits for a minute; after more than that nothing is known.
    let mut cellar = Cellar::new();
    cellar.every_ten(12, &CALM).pass(51).wait();
    assert_eq!(cellar.engine.rows()[1].level(), Level::Unknown);
    cellar.record(&hot).pass(10).record(&hot);
    assert_eq!(cellar.engine.rows()[1].level(), Level::Unknown, "hot, but not yet for long enough");
}

#[test]
fn a_sensor_that_burns_does_not_put_the_fire_out() {
    let mut cellar = Cellar::new();
    let hot = [(TEMPERATURE, 9000), (HUMIDITY, 450), (CO2, 2_000), (BATTERY, 3_000)];
    cellar.every_ten(12, &CALM).every_ten(5, &hot);
    assert_eq!(cellar.said(), ["fire 0.40: temperature critical, CO2 warning"]);
    cellar.pass(3_600).wait();
    let said = cellar.said();
    assert_eq!(
        said,
        ["lost sensor 0.60: cellar silent, warning", "lost sensor 1.00: cellar silent, critical"]
    );
    assert_eq!(cellar.engine.hazards()[0].level(), Level::Warning, "the fire is still on");
    cellar.every_ten(12, &CALM);
    let said = cellar.said();
    assert!(said.contains(&"fire 0.00: over after 60 min".into()), "{said:?}");
}

#[test]
fn a_fire_of_six_hours_ago_is_history() {
    let mut cellar = Cellar::new();
    cellar.every_ten(12, &CALM).every_ten(10, &[(TEMPERATURE, 9000), (CO2, 2_000), (BATTERY, 3_000)]);
    let (key, historic) = cellar.alarms[0];
    assert!(!historic);
    let mut record = None;
    // The same records six hours later: the same alarm by its key, and too old to be acted on.
    let mut late = Cellar::new();
    late.every_ten(12, &CALM);
    let now = late.at.after(6 * 3_600);
    for _ in 0..10 {
        late.position += 1;
        let readings = [(TEMPERATURE, 9000), (CO2, 2_000), (BATTERY, 3_000)];
        let readings = readings.map(|(quantity, value)| Reading { quantity, value: Some(value) });
        let from = Cause { device: 0, lane: 2, position: late.position };
        let mut tell = |alarm: &Alarm<'_>| record = record.or(Some((alarm.key(), alarm.is_historic(now))));
        late.engine.record(&Record { at: late.at, from, readings: &readings }, &mut tell).unwrap();
        late.at = late.at.after(10);
    }
    assert_eq!(record, Some((key, true)));
    assert_eq!((key.table, key.hazard, key.start.position), (TABLE.hash(), 0, 15));
}

#[test]
fn readings_that_were_lost_are_no_silence() {
    let mut cellar = Cellar::new();
    cellar.every_ten(12, &CALM).pass(300);
    let until = cellar.at;
    // The gap is told before time gets there: a server knows of it when the device resumes.
    let before = Step(until.0 - 290);
    cellar.engine.gap(0, before, &mut |_| ()).unwrap();
    cellar.engine.advance(before.after(59), &mut |alarm| panic!("{alarm}")).unwrap();
    let mut lost = false;
    cellar.engine.advance(until, &mut |alarm| lost |= alarm.hazard.name == "lost sensor").unwrap();
    assert!(lost, "silence is counted from the end of the gap");
}

#[test]
fn the_past_is_refused_and_changes_nothing() {
    let mut cellar = Cellar::new();
    cellar.every_ten(12, &CALM);
    let before = cellar.engine.clone();
    let now = before.now().unwrap();
    let old = Record { at: Step(now.0 - 1), from: Cause::NONE, readings: &[] };
    assert_eq!(cellar.engine.record(&old, &mut |_| ()), Err(TooLate { now }));
    assert_eq!(cellar.engine.advance(Step(0), &mut |_| ()), Err(TooLate { now }));
    assert_eq!(cellar.engine.rows(), before.rows());
}
