//! Every vector is read and written, or refused as it says; and a vector that says something else is noticed.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

#[path = "../src/key.rs"]
mod key;
#[path = "../pack.rs"]
mod pack;

use pack::Files;
use sensock::catalog::{Scalar, Shape, Values};
use sensock_vectors::{Count, run, run_packed, run_with};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The files, and the least number of vectors of each: vectors are never deleted.
const FILES: [(&str, usize); 13] = [
    ("fields", 29),
    ("stream", 11),
    ("header", 30),
    ("hello", 21),
    ("welcome", 10),
    ("refused", 9),
    ("catalog", 26),
    ("batch", 28),
    ("data", 41),
    ("flow", 22),
    ("alive", 18),
    ("calls", 17),
    ("serial", 11),
];

/// Enough for the largest frame there is.
const ROOM: usize = 16 * 1024;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../core/vectors")
}

fn files() -> Files {
    pack::read(&folder()).unwrap()
}

fn list(vectors: &Value) -> &[Value] {
    vectors.as_array().unwrap()
}

#[test]
fn every_vector_is_read_and_written_or_refused_as_it_says() {
    let mut failures = vec![];
    let count = run_with(&mut vec![0; ROOM], &mut |f| {
        failures.push(format!("{}: {}: {} {}", f.file, f.name, f.what, f.detail));
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let files = files();
    let vectors: usize = files.values().map(|vectors| list(vectors).len()).sum();
    assert_eq!(count.vectors as usize, vectors, "the baked vectors are those of the files");
    let written = |v: &&Value| ["error", "decode_only", "skipped"].iter().all(|word| v.get(word).is_none());
    assert_eq!(count.written as usize, files.values().flat_map(list).filter(written).count());
    assert!(count.cut > 3000, "{count:?}");
}

#[test]
fn the_little_memory_of_a_chip_gives_the_same() {
    let large = run_with(&mut vec![0; ROOM], &mut |_| {});
    assert_eq!(run(&mut |failure| panic!("{failure:?}")), large);
}

#[test]
fn the_set_is_complete_and_every_name_is_given_once() {
    let spec = std::fs::read_to_string(folder().join("../SPEC.md")).unwrap();
    let batches = std::fs::read_to_string(folder().join("../spec/batches.md")).unwrap();
    let files = files();
    assert_eq!(files.len(), FILES.len(), "a file has no line in this test");
    let mut sections = BTreeSet::new();
    for (file, least) in FILES {
        let vectors = list(&files[file]);
        assert!(vectors.len() >= least, "{file}.json: vectors are never deleted");
        let names: BTreeSet<_> = vectors.iter().map(|v| v["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), vectors.len(), "{file}.json: a name is given twice");
        for v in vectors {
            let section = v["spec"].as_str().unwrap().to_owned();
            let (text, heading) = match section.split_once('.') {
                Some(("6", _)) => (&batches, format!("\n## {section} ")),
                Some(_) => (&spec, format!("\n{section} ")),
                None => (&spec, format!("\n## {section}. ")),
            };
            assert!(text.contains(&heading), "{file}.json: the specification has no section {section}");
            sections.insert(section);
        }
    }
    for section in [
        "1.1", "1.2", "1.4", "1.5", "2.2", "4.1", "4.4", "4.5", "4.6", "4.7", "5.2", "5.4", "5.5", "6.3",
        "6.4", "6.5", "6.6", "6.7", "6.8", "6.9", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "7.8",
        "8.2", "8.5", "9.1", "9.2", "9.3", "10.1", "10.2", "10.4", "10.5", "12.1", "12.4", "12.5", "12.6",
        "13",
    ] {
        assert!(sections.contains(section), "section {section} defines bytes and has no vector");
    }
}

#[test]
fn what_a_person_types_means_the_same_bytes() {
    let mut typed_bodies = 0;
    for v in list(&files()["catalog"]).iter().filter(|v| v["as"] == "body" && v.get("error").is_none()) {
        let number =
            |name: &Value| (1..=8).find(|n| *name == Scalar::from_number(*n).unwrap().name()).unwrap();
        let numbers: Vec<u8> = list(&v["shape"]).iter().map(number).collect();
        let values = list(&v["values"]).iter();
        let typed: Vec<String> =
            values.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
        let mut out = [0; 128];
        let n =
            Values::encode_text(Shape::from_numbers(&numbers).unwrap(), &typed.join(","), &mut out).unwrap();
        let hex: String = out[..n].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(v["hex"], hex, "{}", v["name"]);
        typed_bodies += 1;
    }
    assert!(typed_bodies >= 5, "{typed_bodies} bodies");
}

/// A check that agrees with everything would let an implementation be wrong: so each value of each vector is changed, one at a time.
#[test]
fn a_vector_with_any_other_value_fails() {
    let files = files();
    let mut scratch = vec![0; ROOM];
    let (mut changed, mut unnoticed) = (0, vec![]);
    for (file, vectors) in &files {
        for (at, vector) in list(vectors).iter().enumerate() {
            for path in leaves(vector) {
                let mut other = vector.clone();
                let leaf = other.pointer_mut(&path).unwrap();
                *leaf = change(leaf);
                let mut list = vectors.clone();
                list[at] = other;
                // Alone in its file, unless it goes on from what others leave.
                let list =
                    if vector.get("after").is_some() { list } else { Value::from(vec![list[at].clone()]) };
                let packed = pack::pack(&Files::from([(file.clone(), list)])).unwrap();
                let Count { failed, .. } = run_packed(&packed, &mut scratch, &mut |_| {});
                changed += 1;
                if failed == 0 {
                    unnoticed.push(format!("{file}: {}: {path}", vector["name"]));
                }
            }
        }
    }
    assert!(changed > 900, "{changed} values were changed");
    assert!(unnoticed.is_empty(), "{} of {changed} changes:\n{}", unnoticed.len(), unnoticed.join("\n"));
}

/// Where the values are that say what a vector's bytes mean.
fn leaves(vector: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                // The first and the last of a long list stand for all.
                for i in BTreeSet::from([0, items.len() - 1]) {
                    walk(&items[i], &format!("{path}/{i}"), found);
                }
            }
            Value::Object(fields) => {
                fields.iter().for_each(|(key, v)| walk(v, &format!("{path}/{key}"), found))
            }
            _ => found.push(path.to_owned()),
        }
    }
    let mut found = vec![];
    for (key, value) in vector.as_object().unwrap() {
        let limits_nothing = vector.get("error").is_some() && key != "error";
        if !["spec", "name", "as", "hex", "after", "decode_only", "expected", "last", "limit"]
            .contains(&key.as_str())
            && !limits_nothing
        {
            walk(value, &format!("/{key}"), &mut found);
        }
    }
    // The first tick of a run is not in its bytes: it travels beside them.
    found.retain(|path| path != "/ticks/0");
    found
}

fn change(value: &Value) -> Value {
    match value {
        Value::Null => Value::from("1/1"),
        Value::Bool(b) => Value::from(!b),
        Value::Number(n) if n.is_f64() => Value::from(n.as_f64().unwrap() + 1.0),
        Value::Number(n) => n.as_u64().map_or_else(|| Value::from(7), |n| Value::from(n ^ 0x40)),
        Value::String(text) if text.is_empty() => Value::from("00"),
        Value::String(text) => {
            // The last digit of a number, a word, a position or of bytes; any letter of a text.
            let last = text.chars().next_back().unwrap();
            let other = if last == '1' { '2' } else { '1' };
            Value::from(format!("{}{other}", text.strip_suffix(last).unwrap()))
        }
        Value::Array(_) => Value::from(vec![Value::from(1)]),
        Value::Object(_) => Value::Null,
    }
}
