//! Records as bytes and back: columns beside plain postcard of the same records.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use benches::{HUMIDITY, Plain, TEMPERATURE, records};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sensock::batch::{Cell, Sink, decode, encode};
use serde::{Deserialize, Serialize};

/// What one would write without a library: an id, a tick and two numbers.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Row {
    id: u16,
    tick: u64,
    temperature: f32,
    humidity: f32,
}

impl From<Plain> for Row {
    fn from(r: Plain) -> Row {
        Row { id: 3, tick: r.tick, temperature: r.temperature, humidity: r.humidity }
    }
}

/// The same records as a session sees them: ticks, and one list of cells a quantity.
struct Columns {
    ticks: Vec<u64>,
    cells: [Vec<Cell>; 2],
}

impl Columns {
    fn of(rows: &[Plain]) -> Columns {
        Columns {
            ticks: rows.iter().map(|r| r.tick).collect(),
            cells: [
                rows.iter().map(|r| TEMPERATURE.is(r.temperature).cell).collect(),
                rows.iter().map(|r| HUMIDITY.is(r.humidity).cell).collect(),
            ],
        }
    }

    fn encode(&self, out: &mut [u8]) -> usize {
        let ticks = self.ticks.iter().copied();
        encode(out, self.ticks.len(), ticks, 2, |i| self.cells[i].iter().copied()).unwrap()
    }
}

impl Sink for Columns {
    fn tick(&mut self, row: usize, tick: u64) {
        self.ticks[row] = tick;
    }
    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        self.cells[column][row] = cell;
    }
}

fn batch(c: &mut Criterion) {
    let mut out = vec![0; 64 << 10];
    for count in [1, 1_000] {
        let plain = records(count);
        let mut columns = Columns::of(&plain);
        let rows: Vec<Row> = plain.iter().copied().map(Row::from).collect();
        let mut group = c.benchmark_group(format!("batch of {count}"));
        group.throughput(Throughput::Elements(2 * count as u64));

        let len = columns.encode(&mut out);
        let bytes = out[..len].to_vec();
        group.bench_function("sensock/encode", |b| b.iter(|| black_box(&columns).encode(&mut out)));
        group.bench_function("sensock/decode", |b| {
            b.iter(|| decode(black_box(&bytes), columns.ticks[0], count, 2, &mut columns).unwrap());
        });
        assert!(columns.cells == Columns::of(&plain).cells, "what was decoded is what was encoded");

        let len = postcard::to_slice(&rows, &mut out).unwrap().len();
        let postcarded = out[..len].to_vec();
        group.bench_function("postcard/encode", |b| {
            b.iter(|| postcard::to_slice(black_box(&rows), &mut out).unwrap().len());
        });
        group.bench_function("postcard/decode", |b| {
            b.iter(|| postcard::from_bytes::<Vec<Row>>(black_box(&postcarded)).unwrap());
        });
        group.finish();
        let each = |n: usize| n as f64 / (2 * count) as f64;
        eprintln!(
            "batch of {count}: sensock {:.2} B a reading (columns alone), postcard {:.2}",
            each(bytes.len()),
            each(postcarded.len())
        );
    }
}

criterion_group!(benches, batch);
criterion_main!(benches);
