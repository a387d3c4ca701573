//! Records as bytes and back, by every codec: one at a time, and in batches.
#![allow(missing_docs, reason = "a bench")]

use std::time::Duration;

use benches::{Case, peers, records};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn batch(c: &mut Criterion) {
    eprintln!("{}", peers::described());
    group(c, "one record at a time", peers::one(&records(1_000)));
    for count in [10, 100, 1_000] {
        group(c, &format!("batch of {count}"), peers::many(&records(count)));
    }
}

fn group(c: &mut Criterion, title: &str, cases: Vec<Case>) {
    let mut group = c.benchmark_group(title);
    for mut case in cases {
        eprintln!("{title}, {}: {:.2} B a record", case.name, case.bytes_each());
        group.throughput(Throughput::Elements(case.records as u64));
        group.bench_function(format!("{}/encode", case.name), |b| b.iter(|| (case.encode)()));
        group.bench_function(format!("{}/decode", case.name), |b| b.iter(|| (case.decode)()));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = batch
}
criterion_main!(benches);
