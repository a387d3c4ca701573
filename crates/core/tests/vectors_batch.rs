//! The byte vectors of SPEC section 6, as every implementation reads them.
// A vector that cannot be read must fail the test, in helpers too.
#![allow(clippy::unwrap_used)]

use sensock::batch::{Cell, Sink, decode, encode, encoded_len};
use serde_json::Value;

struct Vector {
    name: String,
    bytes: Vec<u8>,
    ticks: Vec<u64>,
    cells: Vec<Vec<Cell>>,
}

fn vectors() -> Vec<Vector> {
    let all: Vec<Value> = serde_json::from_str(include_str!("../vectors/batch.json")).unwrap();
    all.iter().map(vector).collect()
}

fn vector(entry: &Value) -> Vector {
    let name = format!("{} {}", entry["spec"].as_str().unwrap(), entry["name"].as_str().unwrap());
    let hex = entry["hex"].as_str().unwrap();
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let list = |key: &str| entry[key].as_array().unwrap();
    let cell = |cell: &Value| match cell.get("fault") {
        Some(code) => Cell::Fault(u8::try_from(code.as_u64().unwrap()).unwrap()),
        None => Cell::Value(i32::try_from(cell.as_i64().unwrap()).unwrap()),
    };
    let vector = Vector {
        bytes: (0..hex.len()).step_by(2).map(byte).collect(),
        ticks: list("ticks").iter().map(|tick| tick.as_u64().unwrap()).collect(),
        cells: list("cells").iter().map(|c| c.as_array().unwrap().iter().map(cell).collect()).collect(),
        name,
    };
    assert_eq!(entry["count"], vector.ticks.len(), "{}", vector.name);
    assert_eq!(entry["columns"], vector.cells.len(), "{}", vector.name);
    vector
}

#[derive(Default)]
struct Found {
    ticks: Vec<u64>,
    cells: Vec<Vec<Cell>>,
}

impl Sink for Found {
    fn tick(&mut self, row: usize, tick: u64) {
        assert_eq!(row, self.ticks.len());
        self.ticks.push(tick);
    }

    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        if row == 0 {
            self.cells.push(Vec::new());
        }
        assert_eq!((column + 1, row), (self.cells.len(), self.cells[column].len()));
        self.cells[column].push(cell);
    }
}

#[test]
fn every_vector_decodes_to_its_values() {
    for vector in vectors() {
        let mut found = Found::default();
        let used = decode(&vector.bytes, vector.ticks[0], vector.ticks.len(), vector.cells.len(), &mut found);
        assert_eq!(used, Ok(vector.bytes.len()), "{}", vector.name);
        assert_eq!(found.ticks, vector.ticks, "{}", vector.name);
        assert_eq!(found.cells, vector.cells, "{}", vector.name);
    }
}

#[test]
fn every_vector_is_what_the_encoder_writes() {
    for vector in vectors() {
        let (count, columns) = (vector.ticks.len(), vector.cells.len());
        let ticks = vector.ticks.iter().copied();
        let column = |index: usize| vector.cells[index].iter().copied();
        let mut out = vec![0xff; vector.bytes.len()];
        let len = encoded_len(count, ticks.clone(), columns, column);
        assert_eq!(len, Ok(vector.bytes.len()), "{}", vector.name);
        assert_eq!(encode(&mut out, count, ticks, columns, column), len, "{}", vector.name);
        assert_eq!(out, vector.bytes, "{}", vector.name);
    }
}

#[test]
fn every_part_of_the_section_has_a_vector() {
    let names: Vec<String> = vectors().into_iter().map(|vector| vector.name).collect();
    assert!(names.len() >= 16);
    for part in ["6.3", "6.4", "6.5", "6.6", "6.7", "6.8", "6.9"] {
        assert!(names.iter().any(|name| name.starts_with(part)), "no vector for {part}");
    }
}
