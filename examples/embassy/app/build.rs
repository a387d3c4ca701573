//! Bakes a part of a recording of real sensors into the firmware, as a table of integers.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;

/// Where the recording lies, from this package.
const RECORDING: &str = "../../data/occupancy/datatest.txt.gz";
/// Twelve hours of minutes: 2,880 bytes of the firmware.
const ROWS: usize = 720;

fn main() {
    println!("cargo::rerun-if-changed={RECORDING}");
    let file = match File::open(RECORDING) {
        Ok(file) => file,
        Err(error) => {
            panic!("the recording {RECORDING} is part of the repository, and cannot be read: {error}")
        }
    };
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    let mut table = String::from("[\n");
    let mut rows = 0;
    for line in lines.skip(1).take(ROWS) {
        let line = line.unwrap_or_else(|error| panic!("{RECORDING}: {error}"));
        // Row number, date, temperature, humidity, and what is not used here.
        let field = |n: usize| hundredths(line.split(',').nth(n).unwrap_or_default());
        let _infallible = writeln!(table, "    ({}, {}),", field(2), field(3));
        rows += 1;
    }
    assert_eq!(rows, ROWS, "{RECORDING} has fewer rows than expected");
    table.push(']');
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    if let Err(error) = fs::write(Path::new(&out).join("recording.rs"), table) {
        panic!("the table cannot be written: {error}");
    }
}

fn hundredths(field: &str) -> i16 {
    match field.parse::<f64>() {
        Ok(value) => (value * 100.0).round() as i16,
        Err(_) => panic!("{RECORDING}: expected a number, found {field:?}"),
    }
}
