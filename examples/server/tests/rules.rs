//! Rule files as an operator works with them: the program, its words and its exit codes.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `sensockd rules …` in the folder of the shipped files: whether it succeeded, what it printed, what it complained of.
fn rules(words: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sensockd"));
    command.env_remove("SENSOCK_STORE").current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"));
    let output = command.arg("rules").args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn file(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn check_shows_a_good_file_and_refuses_a_bad_one_with_all_its_mistakes() {
    let (good, said, complaints) = rules(&["check", "fire.toml", "storm.toml"]);
    assert!(good && complaints.is_empty(), "{complaints}");
    assert!(
        said.contains("fire.toml: zone fire") && said.contains("hazard storm: warning from 0.50"),
        "{said}"
    );

    let dir = tempfile::tempdir().unwrap();
    let fire =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/fire.toml")).unwrap();
    let bad = fire.replace("rule = \"co2\"", "rule = \"c02\"").replace("grid = \"1 s\"", "gird = \"1 s\"");
    let bad = file(dir.path(), "bad.toml", &bad);
    let (good, said, complaints) = rules(&["check", "fire.toml", bad.to_str().unwrap(), "nowhere.toml"]);
    assert!(!good && said.is_empty(), "{said}");
    let complaints: Vec<&str> = complaints.lines().collect();
    assert_eq!(complaints.len(), 3, "{complaints:?}");
    assert!(complaints[0].starts_with("nowhere.toml: cannot be read ("));
    assert!(complaints[1].ends_with("bad.toml, line 10: a file has no key `gird`: did you mean `grid`?"));
    assert!(complaints[2].contains("`c02` is no rule of this file: did you mean `co2`?"));
}

#[test]
fn backtest_holds_a_recording_against_its_labels() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/suthaharan-wsn");
    let recording = data.join("singlehop-indoor-moteid1-data.txt");
    let dir = tempfile::tempdir().unwrap();
    // Readings 2344 to 2460, one each five seconds.
    let labels = file(dir.path(), "labels.txt", "11715s..12295s\n");
    let (recording, labels) = (recording.to_str().unwrap(), labels.to_str().unwrap());
    let (good, said, _) = rules(&["backtest", "motes.toml", "--csv", recording, "--labels", labels]);
    assert!(good && said.ends_with("found 1 of 1 within 30 s, missed 0, false 0\n"), "{said}");
    let (good, _, complaints) = rules(&["backtest", "storm.toml", "--csv", recording]);
    assert!(
        !good && complaints.contains("has humidity, temperature, and storm.toml judges gust, pressure"),
        "{complaints}"
    );
    let (good, _, complaints) =
        rules(&["backtest", "motes.toml", "--csv", recording, "--hazard", "anomally"]);
    assert!(
        !good && complaints.contains("motes.toml has no hazard anomally: did you mean anomaly?"),
        "{complaints}"
    );
}
