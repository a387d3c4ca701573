//! An office: temperature, humidity, light and CO2 each minute, with a clock that jitters by a second.

use crate::replay::{Line, bundled, scaled};
use sensock_rules::Step;

/// Steps of a second from the first of February 2015; all in hundredths.
pub fn office() -> Vec<Line> {
    let mut lines: Vec<Line> = ["occupancy/datatest.txt.gz", "occupancy/datatraining.txt.gz"]
        .into_iter()
        .flat_map(|file| bundled(file).lines().skip(1).map(line).collect::<Vec<_>>())
        .collect();
    lines.sort_by_key(|line| line.0);
    lines
}

fn line(text: &str) -> Line {
    let fields: Vec<&str> = text.split(',').map(|field| field.trim_matches('"')).collect();
    let part = |from: usize, to: usize| fields[1][from..to].parse::<u32>().unwrap();
    let at = Step((part(8, 10) - 1) * 86_400 + part(11, 13) * 3_600 + part(14, 16) * 60 + part(17, 19));
    (at, fields[2..6].iter().map(|field| Some(scaled(field, 2))).collect())
}
