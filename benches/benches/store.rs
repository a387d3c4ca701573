//! Rule A over the memory store: lock, compare with the mark, insert, set the mark, commit.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use sensock::Position;
use sensock_store::conformance::{fixture, work};
use sensock_store::work::{Done, Work};
use sensock_store::{MemoryStore, commit};

/// The memory store never waits for anything but another transaction, and there is none.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

fn rule_a(c: &mut Criterion) {
    let lane = fixture::readings_lane("cellar-3");
    let store = MemoryStore::default();
    now(async {
        work::done(&store, &[work::catalog_work(lane.device)]).await;
        let hello = work::hello(lane.device, 1, 0);
        let met = work::hello_work(&store, hello, 7).await;
        work::met(&store, met).await;
    });
    let empty = store.snapshot();
    for count in [1, 1_000] {
        let works = [Work::Records(Box::new(work::records(lane, Position::new(1, 0), count)))];
        let mut group = c.benchmark_group(format!("rule A, {count} records"));
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function("new", |b| {
            b.iter_batched(
                || store.restore(&empty),
                |()| match &now(commit(&store, &works)).unwrap()[..] {
                    [Ok(Done::Appended(done))] => assert_eq!(done.stored, u64::from(count)),
                    other => panic!("not stored: {other:?}"),
                },
                BatchSize::PerIteration,
            );
        });
        group.bench_function("stored before", |b| {
            b.iter(|| match &now(commit(&store, &works)).unwrap()[..] {
                [Ok(Done::Appended(done))] => assert_eq!(done.duplicates, u64::from(count)),
                other => panic!("not recognised: {other:?}"),
            });
        });
        group.finish();
    }
}

criterion_group!(benches, rule_a);
criterion_main!(benches);
