//! A water and a gas meter, read each minute: counters that stand still for hours and never go back.
//!
//! Nothing is tuned: the flow is compared with what the whole recording says, and with a meter of four digits that runs
//! over and is exchanged.

use crate::replay::{Line, bundled, judge, scaled};
use sensock_rules::*;

/// Steps of a second; thousandths of a litre.
pub fn meter(file: &str) -> Vec<Line> {
    let text = bundled(file);
    let mut first = None;
    let line = |line: &str| {
        let mut fields = line.split(',');
        let (at, count) = (fields.next().unwrap().parse::<u32>().unwrap(), fields.next().unwrap());
        let at = Step(at - *first.get_or_insert(at));
        (at, vec![Some(scaled(count, 3))])
    };
    text.lines().skip(1).map(line).collect()
}

/// A quarter of an hour, in thousandths of a litre a minute: from 2 litres a minute on it is a warning.
const RATE: Rate = Rate { window: 900, per: 60 };

fn table<'t>(rules: &'t [Rule<'t>], hazards: &'t [Hazard<'t>]) -> Table<'t> {
    Table { grid_ms: 1_000, calendar: Calendar::UTC, rules, hazards }
}

fn rule(modulus: u32) -> Rule<'static> {
    let signal = Signal::Flow(Flow { rate: RATE, modulus });
    Rule::new("water", 0, 1, signal, Levels::above(2_000, 6_000)).unit("l", -3).every(60)
}

/// The flow after each reading, and the level that it gave.
fn flows(modulus: u32, lines: &[Line]) -> Vec<(Level, i32)> {
    let rules = [rule(modulus)];
    let table = table(&rules, &[]);
    let mut engine = Engine::new(&table, [Row::NEW], [Danger::NEW; 0], []).unwrap();
    let flows = lines.iter().map(|(at, values)| {
        let readings = [Reading { quantity: 1, value: values[0] }];
        let from = Cause { device: 0, lane: 2, position: at.0.into() };
        engine.record(&Record { at: *at, from, readings: &readings }, &mut |_| ()).unwrap();
        (engine.rows()[0].level(), engine.rows()[0].number())
    });
    flows.collect()
}

#[test]
fn flows_are_right_across_flat_runs_and_nothing_spikes() {
    for file in ["ampds-meters/Water_WHW-1.csv.gz", "ampds-meters/NaturalGas_FRG-4.csv.gz"] {
        let lines = meter(file);
        assert_eq!(lines.len(), 99_999);
        let counts: Vec<i64> = lines.iter().map(|(_, values)| values[0].unwrap().into()).collect();
        let fastest = counts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        let (mut warnings, mut flat) = (0, 0);
        for (i, (level, flow)) in flows(0, &lines).into_iter().enumerate().skip(15) {
            // The window is taken over ten to fifteen readings; the flow is one of those six, and no other.
            let over = |n: usize| (counts[i] - counts[i - n]) / n as i64;
            let possible: Vec<i64> = (10..=15).map(over).collect();
            assert!(possible.contains(&flow.into()), "{file} line {i}: {flow} is none of {possible:?}");
            assert!((0..=fastest).contains(&flow.into()), "{file} line {i}: {flow}");
            if possible.iter().all(|flow| *flow < 2_000) {
                assert_eq!(level, Level::Normal, "{file} line {i}: {possible:?}");
            } else if possible.iter().all(|flow| *flow >= 2_000) {
                assert!(level >= Level::Warning, "{file} line {i}: {possible:?}");
                warnings += 1;
            }
            flat += usize::from(possible[5] == 0 && flow == 0);
        }
        println!("{file}: {warnings} minutes at warning, {flat} flat");
        assert!(flat > 50_000, "{file}: {flat}");
        assert!(warnings > 100 || file.contains("Gas"), "{file}: {warnings}");
    }
}

#[test]
fn a_meter_that_runs_over_shows_the_same_flow() {
    let lines = meter("ampds-meters/Water_WHW-1.csv.gz");
    // Four digits of litres: it runs over twice in the recording.
    let modulus = 10_000_000;
    let over = |value: Option<i32>| value.map(|value| value % modulus);
    let short: Vec<Line> = lines.iter().map(|(at, values)| (*at, vec![over(values[0])])).collect();
    let wraps = short.windows(2).filter(|pair| pair[1].1[0] < pair[0].1[0]).count();
    assert!(wraps >= 2, "{wraps}");
    assert!(flows(modulus as u32, &short) == flows(0, &lines), "a wrap shows in the flow");
}

#[test]
fn a_meter_that_is_exchanged_raises_nothing() {
    let lines = meter("ampds-meters/NaturalGas_FRG-4.csv.gz");
    let start = lines[50_000].1[0].unwrap();
    let exchanged: Vec<Line> = lines
        .iter()
        .enumerate()
        .map(|(i, (at, values))| {
            (*at, vec![values[0].map(|value| if i < 50_000 { value } else { value - start })])
        })
        .collect();
    let cells = [Cell::now(0, Level::Warning, 100)];
    let rules = [rule(0)];
    let hazards = [Hazard::new("burst", &cells)];
    let raised = |lines: &[Line]| -> Vec<Step> {
        judge(&table(&rules, &hazards), lines).iter().map(|alarm| alarm.began).collect()
    };
    assert_eq!(raised(&exchanged), raised(&lines));
}
