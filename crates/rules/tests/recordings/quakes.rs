//! Seismometers: two earthquakes and a hurricane. The recordings may not be bundled, so this is a proof for whoever has
//! them: `cargo xtask prove --data DIR`.
//!
//! The rule is the ready-made one; its thresholds are the usual ones of the literature and were tuned on none of the
//! three, the lengths of its averages were chosen with all three in view. The hurricane's seismometer gives one sample a second, so its averages count fewer samples.

use std::path::Path;

use crate::replay::{Line, Raised, judge, read};
use sensock_rules::ready::earthquake;
use sensock_rules::{Calendar, Step, Table};

/// The samples of one trace, a step each.
pub fn trace(folder: &Path, name: &str) -> Vec<Line> {
    let text = read(&folder.join("seismic").join(name));
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let samples = samples.map(|line| line.trim().parse::<f64>().unwrap().round() as i32);
    samples.zip(0..).map(|(sample, at)| (Step(at), vec![Some(sample)])).collect()
}

/// Where alarms began, in samples.
fn alarms(hertz: u32, lines: &[Line]) -> Vec<Raised> {
    let rules = [earthquake::shaking(0, 1, hertz)];
    let hazards = [earthquake::HAZARD];
    let table = Table { grid_ms: 1_000 / hertz, calendar: Calendar::UTC, rules: &rules, hazards: &hazards };
    judge(&table, lines)
}

#[test]
fn prove_earthquakes_are_found_and_a_hurricane_is_none() {
    let Some(folder) = sensock_testkit::effort::data() else {
        println!("not run: no data directory was given");
        return;
    };
    for (name, onset) in [("chiapas_20Hz.txt.gz", 10_814), ("tohoku_20Hz.txt.gz", 5_626)] {
        let raised = alarms(20, &trace(&folder, name));
        println!("{name}: {raised:?}");
        let first = raised.first().map(|alarm| alarm.began.0);
        assert!(
            first.is_some_and(|first| (onset..=onset + 200).contains(&first)),
            "{name}: {first:?}, not {onset}"
        );
    }
    let raised = alarms(1, &trace(&folder, "irma_1Hz.txt.gz"));
    assert!(raised.is_empty(), "{raised:?}");
}
