//! From `record` to the acknowledgement: outbox, both sessions and the columns between them, no I/O.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use benches::{HUMIDITY, Pair, Plain, TEMPERATURE, records};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sensock::device::Outbox;
use sensock::{Lane, Tick};

/// The same records for ever, later each time.
struct Endless {
    records: Vec<Plain>,
    at: usize,
    from: u64,
}

impl Endless {
    fn new() -> Self {
        Endless { records: records(1_000), at: 0, from: 0 }
    }

    fn next(&mut self) -> Plain {
        if self.at == self.records.len() {
            (self.at, self.from) = (0, self.from + 1_000_000);
        }
        self.at += 1;
        let r = self.records[self.at - 1];
        Plain { tick: self.from + r.tick, ..r }
    }
}

fn outbox(c: &mut Criterion) {
    let mut group = c.benchmark_group("outbox");
    let (mut memory, mut source) = (Outbox::<8192>::new(), Endless::new());
    memory.as_mut().start(Some(1));
    // Full for nearly all of the time: each record makes the oldest give way.
    group.bench_function("record, full", |b| {
        b.iter(|| {
            let r = source.next();
            let readings = [TEMPERATURE.is(r.temperature), HUMIDITY.is(r.humidity)];
            memory.as_mut().record(Lane::Readings, Tick(r.tick), black_box(&readings)).unwrap()
        });
    });
    group.finish();
}

fn session(c: &mut Criterion) {
    for count in [1usize, 64, 1_000] {
        let mut group = c.benchmark_group(format!("record to acknowledgement, {count} at a time"));
        group.throughput(Throughput::Elements(2 * count as u64));
        let (mut pair, mut source) = (Pair::new(), Endless::new());
        group.bench_function("sensock", |b| {
            b.iter(|| {
                for _ in 0..count {
                    pair.record(&source.next()).unwrap();
                }
                pair.settle();
            });
        });
        group.finish();
        eprintln!("{count} at a time: {:.2} B of frames a reading", pair.up as f64 / pair.readings as f64);
    }
    c.bench_function("handshake, both ends", |b| {
        let mut pair = Pair::new();
        b.iter(|| pair.dial());
    });
}

criterion_group!(benches, outbox, session);
criterion_main!(benches);
