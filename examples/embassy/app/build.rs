//! Bakes two things into the firmware: a part of a recording of real sensors, as a table of integers, and the key of its device.

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
    recording();
    key();
}

/// The device's key line, from the environment. A firmware without is built only where that was asked for.
fn key() {
    println!("cargo::rerun-if-env-changed=SENSOCK_KEY");
    println!("cargo::rerun-if-env-changed=SENSOCK_INSECURE");
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let for_a_chip = set("CARGO_CFG_TARGET_OS").as_deref() == Some("none");
    let key = match (set("SENSOCK_KEY"), set("SENSOCK_INSECURE").as_deref()) {
        // Whether its check holds the device sees as it starts.
        (Some(line), None) if is_key_line(&line) => format!("Some({line:?})"),
        (Some(_), None) => panic!(
            "SENSOCK_KEY is no key line: it is snk1 and 88 hexadecimal digits; copy the whole line that `sensockd keys add NAME` printed"
        ),
        (None, Some("1")) => {
            println!(
                "cargo::warning=this firmware has no key: whoever reaches the line reads what it says, and can say it"
            );
            "None".into()
        }
        (None, None) if !for_a_chip => "None".into(),
        _ => panic!(
            "a firmware is built with the key of its device: SENSOCK_KEY=snk1... (the line that `sensockd keys add NAME` printed); \
             one that proves nothing and seals nothing is built with SENSOCK_INSECURE=1 in its place"
        ),
    };
    write("key.rs", &key);
}

fn is_key_line(line: &str) -> bool {
    let digits = line.strip_prefix("snk1");
    digits.is_some_and(|digits| digits.len() == 88 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

fn recording() {
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
    write("recording.rs", &table);
}

fn write(name: &str, text: &str) {
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    if let Err(error) = fs::write(Path::new(&out).join(name), text) {
        panic!("{name} cannot be written: {error}");
    }
}

fn hundredths(field: &str) -> i16 {
    match field.parse::<f64>() {
        Ok(value) => (value * 100.0).round() as i16,
        Err(_) => panic!("{RECORDING}: expected a number, found {field:?}"),
    }
}
