//! Puts the bundled recordings into the program, so that the demo runs from wherever it lies.
//!
//! Outside of the repository (in a published package) there are none: the program builds all the same, and the demo says so.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

const RECORDINGS: [&str; 9] = [
    "occupancy/datatraining.txt.gz",
    "air-quality/AirQuality.csv.gz",
    "suthaharan-wsn/singlehop-indoor-moteid1-data.txt",
    "suthaharan-wsn/singlehop-indoor-moteid2-data.txt",
    "suthaharan-wsn/singlehop-outdoor-moteid3-data.txt",
    "suthaharan-wsn/singlehop-outdoor-moteid4-data.txt",
    "nab/machine_temperature_system_failure.csv.gz",
    "ampds-meters/Water_WHW-1.csv.gz",
    "ampds-meters/NaturalGas_FRG-4.csv.gz",
];

fn main() -> io::Result<()> {
    let (Some(here), Some(out)) = (env::var_os("CARGO_MANIFEST_DIR"), env::var_os("OUT_DIR")) else {
        return Err(io::Error::other("run by cargo only"));
    };
    let mut list = String::from("&[\n");
    for name in RECORDINGS {
        let path = Path::new(&here).join("../data").join(name);
        println!("cargo::rerun-if-changed=../data/{name}");
        if path.exists() {
            // Writing to a String does not fail.
            let _ = writeln!(list, "    ({name:?}, include_bytes!({path:?})),");
        }
    }
    list.push_str("]\n");
    fs::write(Path::new(&out).join("recordings.rs"), list)
}
