//! Instructions, not time: the same count in each run of the same build, whatever else the machine does.
//!
//! `cargo xtask instructions` runs this under valgrind and holds the counts against `benches/instructions.toml`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

mod ours;
mod series;

use std::hint::black_box;

use gungraun::Callgrind;
use gungraun::prelude::*;
use ours::{Ends, Rows};
use sensock::Tick;
use series::{Record, Row, series};

const MANY: usize = 1_000;

/// All that a measured function touches, made before it is measured.
struct Bench {
    records: Vec<Record>,
    rows: Vec<Row>,
    row: Row,
    out: Vec<Row>,
    ends: Ends,
    bytes: Vec<u8>,
    len: usize,
    decoded: Vec<Row>,
}

fn bench(seed: u64, count: usize) -> Box<Bench> {
    let all = series(seed, count + 1);
    let records = all[1..].to_vec();
    let rows: Vec<Row> = records.iter().map(|r| r.row()).collect();
    let out = vec![Row::default(); count];
    let mut bench = Bench {
        records,
        rows,
        row: Row::default(),
        out,
        ends: Ends::new(Tick(all[0].tick)),
        bytes: vec![0; 64 << 10],
        len: 0,
        decoded: Vec::new(),
    };
    bench.ends.encode(&bench.records).unwrap();
    // Our own context is again as it was before.
    let encoded = std::mem::replace(&mut bench.ends, Ends::new(Tick(all[0].tick)));
    bench.ends.frame = encoded.frame;
    bench.ends.len = encoded.len;
    bench.len = match count {
        1 => postcard::to_slice(&bench.rows[0], &mut bench.bytes).unwrap().len(),
        _ => postcard::to_slice(&bench.rows, &mut bench.bytes).unwrap().len(),
    };
    Box::new(bench)
}

fn one(seed: u64) -> Box<Bench> {
    bench(seed, 1)
}

fn many(seed: u64) -> Box<Bench> {
    bench(seed, MANY)
}

#[library_benchmark]
#[benches::seed(iter = 1..=5, setup = one)]
fn one_encode_sensock(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { ends, records, .. } = black_box(&mut *it);
    ends.encode(&records[..1]).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=5, setup = one)]
fn one_encode_postcard(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { bytes, rows, len, .. } = black_box(&mut *it);
    *len = postcard::to_slice(&rows[0], bytes).unwrap().len();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=5, setup = one)]
fn one_decode_sensock(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { ends, row, .. } = black_box(&mut *it);
    ends.decode(row).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=5, setup = one)]
fn one_decode_postcard(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { bytes, row, len, .. } = black_box(&mut *it);
    *row = postcard::from_bytes(&bytes[..*len]).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=20, setup = many)]
fn many_encode_sensock(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { ends, records, .. } = black_box(&mut *it);
    ends.encode(records).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=20, setup = many)]
fn many_encode_postcard(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { bytes, rows, len, .. } = black_box(&mut *it);
    *len = postcard::to_slice(rows, bytes).unwrap().len();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=20, setup = many)]
fn many_decode_sensock(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { ends, out, .. } = black_box(&mut *it);
    ends.decode(&mut Rows(out)).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=20, setup = many)]
fn many_decode_postcard(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { bytes, decoded, len, .. } = black_box(&mut *it);
    *decoded = postcard::from_bytes(&bytes[..*len]).unwrap();
    it
}

library_benchmark_group!(
    name = one,
    benchmarks = [one_encode_sensock, one_encode_postcard, one_decode_sensock, one_decode_postcard]
);
library_benchmark_group!(
    name = many,
    benchmarks = [many_encode_sensock, many_encode_postcard, many_decode_sensock, many_decode_postcard]
);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = [one, many]
);
