//! The keys of all devices of these tests, in one file for servers and devices.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sensock_testkit::keys;

/// Crews of a scene, and those behind lines without their numbers.
const CREWS: [&str; 4] = ["ram-a", "ram-b", "flash-a", "flash-b"];
const LINES: [&str; 5] = ["house", "soak", "flood", "full", "read-only"];
/// Lines of a name, and devices of a crew, at most.
const NUMBERS: std::ops::RangeInclusive<u32> = 1..=10;
/// Devices of a storm.
pub(crate) const STORM: usize = 1_000;

/// The file; written once.
///
/// # Panics
/// If it cannot be written.
pub(crate) fn file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let lines = LINES.into_iter().flat_map(|line| NUMBERS.map(move |n| format!("{line}-{n}")));
        let crews = CREWS.into_iter().map(str::to_owned).chain(lines);
        let devices = crews.flat_map(|crew| NUMBERS.map(move |n| format!("{crew}-{n}")));
        let storm = (0..STORM).map(storm);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crash-keys.txt");
        keys::file(&path, devices.chain(storm)).unwrap_or_else(|error| panic!("{error:#}"));
        path
    })
}

/// A device of a storm.
pub(crate) fn storm(n: usize) -> String {
    format!("storm-{n}")
}
