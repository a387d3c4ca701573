//! The byte vectors of the specification: every one is read and written, or refused as it says. SPEC section 16.
//!
//! One file here reads and writes one part of the format as JSON values; this one walks the files.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test says no by panicking")]

mod catalog;
mod data;
mod fields;
mod hello;
mod json;
mod messages;
mod stream;

use std::collections::BTreeSet;
use std::path::Path;

use json::{Refused, Vector, vectors};
use serde_json::Value;

/// What is tested here, and the least number of vectors of each. `batch.json` (section 6) has a test of its own.
const FILES: [(&str, usize); 12] = [
    ("fields", 29),
    ("stream", 11),
    ("header", 30),
    ("hello", 21),
    ("welcome", 10),
    ("refused", 9),
    ("catalog", 26),
    ("data", 41),
    ("flow", 19),
    ("alive", 18),
    ("calls", 17),
    ("serial", 11),
];

#[test]
fn every_vector_decodes_to_its_values_or_is_refused_as_it_says() {
    each(|file, v| {
        let found = decode(v, file);
        match (v.text("error"), found) {
            (Some(error), Err(refused)) => assert_eq!(refused.0, error),
            (Some(error), Ok(values)) => panic!("read as {values}, but it is to be refused: {error}"),
            (None, Err(refused)) => panic!("refused: {}", refused.0),
            (None, Ok(values)) => assert_eq!(values, v.meaning()),
        }
    });
}

#[test]
fn every_value_encodes_to_its_vector() {
    let mut written = 0;
    each(|file, v| {
        if v.text("error").is_some() || v.flag("decode_only") || v.flag("skipped") {
            return;
        }
        assert_eq!(json::hex(&encode(v, file)), v.text("hex").unwrap());
        written += 1;
    });
    assert!(written >= 100, "{written} vectors were written");
}

#[test]
fn a_vector_that_is_cut_short_is_never_read_as_if_it_were_whole() {
    each(|file, v| {
        // A skipped frame is not read, extensions may be left out, and a stream ends anywhere.
        let open =
            v.flag("skipped") || v.flag("decode_only") || matches!(v.text("as"), Some("stream" | "serial"));
        if open || v.text("error").is_some() {
            return;
        }
        let whole = v.bytes("hex");
        let meaning = v.meaning();
        for cut in 0..whole.len() {
            let mut short = v.clone();
            short.0.insert("hex".into(), Value::String(json::hex(&whole[..cut])));
            if let Ok(values) = decode(&short, file) {
                assert_ne!(values, meaning, "cut after {cut} bytes");
            }
        }
    });
}

#[test]
fn the_set_is_complete_and_every_name_is_given_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let spec = std::fs::read_to_string(folder.join("../SPEC.md")).unwrap();
    let mut sections = BTreeSet::new();
    for (file, least) in FILES {
        let vectors = vectors(file);
        assert!(vectors.len() >= least, "{file}.json: vectors are never deleted");
        let names: BTreeSet<_> = vectors.iter().map(|v| v.text("name").unwrap()).collect();
        assert_eq!(names.len(), vectors.len(), "{file}.json: a name is given twice");
        for v in &vectors {
            let section = v.text("spec").unwrap().to_owned();
            let heading =
                section.split_once('.').map_or(format!("\n## {section}. "), |_| format!("\n{section} "));
            assert!(spec.contains(&heading), "{file}.json: SPEC.md has no section {section}");
            sections.insert(section);
        }
    }
    for section in [
        "1.1", "1.2", "1.4", "1.5", "2.2", "4.1", "4.4", "4.5", "4.6", "4.7", "5.2", "5.4", "5.5", "7.1",
        "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "7.8", "8.2", "8.5", "9.1", "9.2", "9.3", "10.1", "10.2",
        "10.4", "10.5", "12.1", "12.4", "12.5", "12.6", "13",
    ] {
        assert!(sections.contains(section), "section {section} defines bytes and has no vector");
    }
}

/// Calls `check` with each vector, and says which one it was if that panics.
fn each(mut check: impl FnMut(&str, &Vector)) {
    struct Name(String);
    impl Drop for Name {
        fn drop(&mut self) {
            if std::thread::panicking() {
                println!("at {}", self.0);
            }
        }
    }
    for (file, _) in FILES {
        for v in vectors(file) {
            let _name =
                Name(format!("{file}.json: {} {:?}", v.text("spec").unwrap(), v.text("name").unwrap()));
            check(file, &v);
        }
    }
}

fn decode(v: &Vector, file: &str) -> Result<Value, Refused> {
    match v.text("as").unwrap() {
        "stream" => stream::decode(v),
        "serial" => stream::decode_serial(v),
        "catalogue" => catalog::decode(v),
        "body" => catalog::decode_body(v),
        "frame" => messages::decode(v, file),
        "header" => messages::decode_header(v),
        field => fields::decode(field, v),
    }
}

fn encode(v: &Vector, file: &str) -> Vec<u8> {
    match v.text("as").unwrap() {
        "stream" => stream::encode(v),
        "serial" => stream::encode_serial(v),
        "catalogue" => catalog::encode(v),
        "body" => catalog::encode_body(v),
        "frame" => messages::encode(v, file),
        "header" => messages::encode_header(v),
        field => fields::encode(field, v),
    }
}
