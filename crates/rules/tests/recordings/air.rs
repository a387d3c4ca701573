//! Air quality beside a road, hourly, with -200 for "no value" in every column: it must never reach a level.

use crate::replay::{Line, bundled, scaled};
use sensock_rules::*;

/// All columns but date and time, in tenths, a step each hour; some have no value.
pub fn hours() -> Vec<Line> {
    let text = bundled("air-quality/AirQuality.csv.gz");
    let line = |line: &str| {
        let values = line.split(',').skip(2);
        values.map(|value| (!value.is_empty()).then(|| scaled(value, 1))).collect()
    };
    text.lines().skip(1).map(line).zip(0..).map(|(values, at)| (Step(at), values)).collect()
}

#[test]
fn no_value_never_reaches_a_level() {
    // Every column but date and time, in tenths; the thresholds are such that -200 would be critical, and nothing else is.
    let rule = |quantity| {
        Rule::new("gas", 0, quantity, Signal::Value, Levels::below(-1_500, -1_900))
            .plausible(-500, 100_000)
            .every(1)
    };
    let steep = |quantity| {
        let signal = Signal::Rate(Rate { window: 1, per: 1 });
        Rule::new("gas", 0, quantity, signal, Levels::below(-30_000, -30_001))
            .plausible(-500, 100_000)
            .every(1)
    };
    let rules: Vec<Rule<'_>> = (1..=13).flat_map(|quantity| [rule(quantity), steep(quantity)]).collect();
    let table = Table { grid_ms: 3_600_000, calendar: Calendar::UTC, rules: &rules, hazards: &[] };
    let mut engine = Engine::new(&table, vec![Row::NEW; rules.len()], [Danger::NEW; 0], []).unwrap();
    let (mut missing, mut unknown) = (0, 0);
    for (at, values) in hours() {
        let i = at.0;
        let values = values.into_iter().zip(1..);
        let readings: Vec<Reading> = values.map(|(value, quantity)| Reading { quantity, value }).collect();
        missing += readings.iter().filter(|reading| reading.value == Some(-2_000)).count();
        let from = Cause { device: 0, lane: 2, position: i.into() };
        engine.record(&Record { at, from, readings: &readings }, &mut |_| ()).unwrap();
        for row in engine.rows() {
            assert!(row.level() < Level::Warning && row.value() >= -500, "line {i}: {row:?}");
            unknown += usize::from(row.level() == Level::Unknown);
        }
    }
    assert_eq!(missing, 366 * 9 + 1_683 + 1_639 + 1_642 + 8_443);
    // Both rules of a column see each; a long run of them is a gap, in which nothing is known.
    assert_eq!(engine.faults(), 2 * missing as u32);
    assert!(unknown > 10_000, "{unknown}");
}
