//! Temperature inside a machine of the Numenta Anomaly Benchmark: four labelled windows, the last the failure.
//!
//! The recording is cut half way between windows, and the numbers for each part are chosen on the three others. (Which
//! numbers could be chosen from was laid out with the whole recording in view.)

use crate::method::{Grid, Kind, Numbers, Result, Trial, alarms};
use crate::replay::{Line, bundled, scaled};
use sensock_rules::Step;

const KIND: Kind = Kind {
    grid_ms: 300_000,
    interval: 1,
    // Nothing is known of the sensor: two degrees, of some hundred.
    quantities: &[("temperature", "°F", 200)],
    // A day.
    warm: 288,
};

/// The lines in the order of event time, and the windows. The clock steps back once, by 55 minutes.
pub fn machine() -> (Vec<Line>, Vec<(Step, Step)>) {
    let text = bundled("nab/machine_temperature_system_failure.csv.gz");
    let mut lines: Vec<Line> = text.lines().skip(1).map(line).collect();
    lines.sort_by_key(|line| line.0);
    let labels = bundled("nab/machine_temperature_system_failure.labels.json");
    let (_, windows) = labels.split_once("anomaly_windows").unwrap();
    let times: Vec<Step> = windows.split('"').filter(|text| text.starts_with("20")).map(step).collect();
    (lines, times.chunks(2).map(|window| (window[0], window[1])).collect())
}

fn line(text: &str) -> Line {
    let (time, value) = text.split_once(',').unwrap();
    (step(time), vec![Some(scaled(value, 2))])
}

/// Five minutes each, from the first of December 2013.
fn step(time: &str) -> Step {
    let part = |from: usize, to: usize| time[from..to].parse::<u32>().unwrap();
    let days_before = match (part(0, 4), part(5, 7)) {
        (2013, 12) => 0,
        (2014, 1) => 31,
        (2014, 2) => 62,
        other => panic!("{other:?}"),
    };
    let day = days_before + part(8, 10) - 1;
    Step((day * 1_440 + part(11, 13) * 60 + part(14, 16)) / 5)
}

#[test]
fn windows_are_found_with_numbers_from_other_windows() {
    let (lines, windows) = machine();
    assert_eq!((lines.len(), windows.len()), (22_695, 4));
    let half = |(a, b): (&(Step, Step), &(Step, Step))| Step((a.1.0 + b.0.0) / 2);
    let mut cuts: Vec<Step> = windows.iter().zip(&windows[1..]).map(half).collect();
    cuts.push(Step::END);
    let results = |numbers: Numbers| {
        let mut parts = [Result { missed: 1, ..Result::default() }; 4];
        for alarm in alarms(&KIND, numbers, &lines) {
            let part = cuts.iter().position(|cut| alarm.began < *cut).unwrap();
            if (windows[part].0..=windows[part].1).contains(&alarm.began) {
                (parts[part].found, parts[part].missed) = (1, 0);
            } else {
                parts[part].false_alarms += 1;
            }
        }
        parts.to_vec()
    };
    let grid = Grid { shifts: &[11, 12, 13], tenths: &[10, 12, 15, 17, 20], holds: &[24, 48, 72, 96, 144] };
    let trial = Trial::new(grid, results);
    let (mut found, mut false_alarms) = (0, 0);
    for part in 0..windows.len() {
        let (numbers, result) = trial.report(part);
        println!("window {}: {result:?} with {numbers:?}", part + 1);
        found += result.found;
        false_alarms += result.false_alarms;
    }
    assert!(found >= 3 && false_alarms <= 3, "{found} of 4 windows, {false_alarms} alarms beside them");
}
