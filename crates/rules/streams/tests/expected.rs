//! What the engine says of every stream stands in `expected.txt`: a change of one bit of one state of one engine shows.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::Path;

/// Set it to anything to have the file written: for a change that is meant.
const VARIABLE: &str = "SENSOCK_BLESS";

#[test]
fn every_stream_is_judged_as_before() {
    let mut lines = Vec::new();
    let count = sensock_rules_streams::said(&mut |line| lines.push(line.to_owned()));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected.txt");
    if std::env::var_os(VARIABLE).is_some() {
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    for (expected, line) in expected.lines().zip(&lines) {
        assert_eq!(expected, line, "{VARIABLE}=1 writes the file anew, if that is meant");
    }
    assert_eq!(expected.lines().count(), lines.len());
    // Every stream raises something, both ways, and clears it.
    for name in ["fire", "rain", "storm", "ground", "sensor", "every"] {
        for way in ["", " live"] {
            let of = |what: &str| {
                let begins = format!("{name}{way}: ");
                lines.iter().filter(|line| line.starts_with(&begins) && line.contains(what)).count()
            };
            assert!(of(" to warning") + of(" to critical") > 0, "{name}{way} raises nothing");
            assert_eq!(of("state"), 1, "{name}{way}");
        }
    }
    assert!(
        lines.iter().any(|line| line.contains("live") && !line.contains(" 0 late") && line.contains(" late"))
    );
    assert_eq!((count.streams, count.differ), (6, 0));
}
