//! Four motes of Suthaharan and others: humidity and temperature every 5 s; at two of them something hot and wet was
//! brought near.
//!
//! Tuned on the indoor motes and reported on the outdoor ones, and the other way round: no number was chosen on a mote
//! that it is reported for.

use crate::method::{Grid, Kind, Numbers, Result, Trial, alarms};
use crate::replay::{Line, bundled, scaled};
use sensock_rules::Step;

const KIND: Kind = Kind {
    grid_ms: 1_000,
    interval: 5,
    // The sensor's datasheet (Sensirion SHT11) repeats within 0.1 °C and 0.1 %RH.
    quantities: &[("temperature", "°C", 10), ("humidity", "%RH", 10)],
    warm: 60,
};

/// A mote's lines, and the steps that are labelled as its event.
pub fn mote(place: &str, id: u32) -> (Vec<Line>, Vec<Step>) {
    let text = bundled(&format!("suthaharan-wsn/singlehop-{place}-moteid{id}-data.txt"));
    let (mut lines, mut labelled) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let Some(number) = fields.first().and_then(|field| field.parse::<u32>().ok()) else { continue };
        let at = Step(number * 5);
        lines.push((at, vec![Some(scaled(fields[3], 2)), Some(scaled(fields[2], 2))]));
        if fields[4] == "1" {
            labelled.push(at);
        }
    }
    (lines, labelled)
}

/// The indoor part and the outdoor part.
fn parts() -> [[(Vec<Line>, Vec<Step>); 2]; 2] {
    [[mote("indoor", 1), mote("indoor", 2)], [mote("outdoor", 3), mote("outdoor", 4)]]
}

#[test]
fn both_events_are_found_within_a_minute_and_nothing_else() {
    let parts = parts();
    assert_eq!(parts.as_flattened().iter().map(|mote| mote.1.len()).collect::<Vec<_>>(), [117, 0, 0, 32]);
    let results = |numbers: Numbers| {
        let part = |part: &[(Vec<Line>, Vec<Step>)]| {
            let mut result = Result::default();
            for (lines, labelled) in part {
                let first = labelled.first().copied().unwrap_or(Step::END);
                let in_time = first..=first.after(60);
                let raised = alarms(&KIND, numbers, lines);
                result.found += usize::from(raised.iter().any(|alarm| in_time.contains(&alarm.began)));
                result.missed += usize::from(!labelled.is_empty());
                let known = |at: &Step| labelled.first() <= Some(at) && labelled.last() >= Some(at);
                result.false_alarms += raised.iter().filter(|alarm| !known(&alarm.began)).count();
            }
            result.missed -= result.found;
            result
        };
        parts.iter().map(|motes| part(motes)).collect()
    };
    let grid = Grid { shifts: &[6, 8, 10], tenths: &[20, 30, 40, 60, 80, 120, 200], holds: &[0, 10, 20, 30] };
    let trial = Trial::new(grid, results);
    for (part, name) in ["indoor", "outdoor"].into_iter().enumerate() {
        let (numbers, result) = trial.report(part);
        println!("{name}: {result:?} with {numbers:?}");
        assert_eq!(result, Result { found: 1, missed: 0, false_alarms: 0 }, "{name}, {numbers:?}");
    }
}
