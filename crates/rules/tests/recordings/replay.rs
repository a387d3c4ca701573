//! Recordings as records, and what an engine says of them.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sensock_rules::{Alarm, Cause, Danger, Engine, Level, Reading, Record, Row, Slot, Step, Table};

/// One line of a recording: a step, and a value for each quantity, numbered from 1.
pub type Line = (Step, Vec<Option<i32>>);

/// An alarm from its beginning to its end; the recording's end, if it was not cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    pub began: Step,
    pub ended: Step,
    pub worst: Level,
    pub words: String,
}

/// A file of the bundled recordings, unpacked.
pub fn bundled(file: &str) -> String {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data").join(file))
}

/// Any file, unpacked if its name ends in `.gz`.
pub fn read(path: &PathBuf) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = Vec::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
    } else {
        text = bytes;
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// A decimal as a scaled integer, rounded half away from zero.
pub fn scaled(text: &str, scale: i32) -> i32 {
    (text.trim().parse::<f64>().unwrap() * 10f64.powi(scale)).round() as i32
}

/// All alarms that a table raises over a recording.
pub fn judge(table: &Table<'_>, lines: &[Line]) -> Vec<Raised> {
    let mut raised: Vec<Raised> = Vec::new();
    let rows = vec![Row::NEW; table.rules.len()];
    let dangers = vec![Danger::NEW; table.hazards.len()];
    let mut engine = Engine::new(table, rows, dangers, vec![Slot::default(); table.slots()]).unwrap();
    let mut open = false;
    let mut tell = |alarm: &Alarm<'_>| {
        if !open {
            let began = alarm.at();
            raised.push(Raised { began, ended: Step::END, worst: alarm.to, words: String::new() });
        }
        let last = raised.last_mut().unwrap();
        last.worst = last.worst.max(alarm.to);
        write!(last.words, "{alarm}; ").unwrap();
        open = alarm.to >= Level::Warning;
        if !open {
            last.ended = alarm.at();
        }
    };
    for (i, (at, values)) in lines.iter().enumerate() {
        let readings: Vec<Reading> =
            values.iter().zip(1..).map(|(&value, quantity)| Reading { quantity, value }).collect();
        let from = Cause { device: 0, lane: 2, position: i as u64 };
        engine.record(&Record { at: *at, from, readings: &readings }, &mut tell).unwrap();
    }
    raised
}
