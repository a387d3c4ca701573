//! What reading a recording promises for any bytes: the named seeds keep it here, a fuzz target tries to break it.

use std::collections::BTreeSet;

use sensock::limits::{NAME_MAX, READINGS_PER_RECORD};

use crate::replay::Recording;

/// Any bytes are a recording, whose rows go forward and fit a record, or are refused in words that name the file.
///
/// # Panics
/// If not.
pub fn recording(bytes: &[u8]) {
    let recording = match Recording::read("some.csv", bytes) {
        Ok(recording) => recording,
        Err(error) => {
            let words = error.to_string();
            assert!(words.contains("some.csv") && words.len() > 20, "{words:?}");
            return;
        }
    };
    let again = Recording::read("some.csv", bytes);
    assert!(again.is_ok_and(|again| again == recording), "the same bytes give another recording");
    let entries = recording.entries();
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name).collect();
    assert!((1..=READINGS_PER_RECORD).contains(&entries.len()) && names.len() == entries.len(), "{names:?}");
    assert!(names.iter().all(|name| (1..=NAME_MAX).contains(&name.len())), "{names:?}");
    let mut before = None;
    for row in recording.rows() {
        assert!(before.is_none_or(|before| before < row.at_ms), "{} after {before:?}", row.at_ms);
        assert!(row.cells.len() == entries.len() && row.readings().count() <= entries.len());
        before = Some(row.at_ms);
    }
    assert_eq!(before, Some(recording.span_ms()), "a recording has rows, and ends with the last");
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_seed_passes() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/recording");
        let seeds: Vec<_> = std::fs::read_dir(folder).unwrap().map(|seed| seed.unwrap().path()).collect();
        assert!(seeds.len() >= 3, "{seeds:?}");
        for seed in seeds {
            println!("{}", seed.display());
            super::recording(&std::fs::read(seed).unwrap());
        }
    }
}
