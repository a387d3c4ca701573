//! Rule A: lock, compare with the mark, insert, set the mark, commit. Over the memory store and over SQLite, each beside the bare rows.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sensock::Position;
use sensock_sql::SqlStore;
use sensock_store::conformance::{fixture, work};
use sensock_store::work::{Done, RecordsWork, Work};
use sensock_store::{LaneId, MemoryStore, ReadingRow, Store, commit};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, QueryBuilder, Sqlite, SqliteConnection};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A device that has said hello.
async fn met(store: &impl Store) -> LaneId {
    let lane = fixture::readings_lane("cellar-3");
    work::done(store, &[work::catalog_work(lane.device)]).await;
    let hello = work::hello(lane.device, 1, 0);
    let met = work::hello_work(store, hello, 7).await;
    work::met(store, met).await;
    lane
}

async fn stored(store: &impl Store, works: &[Work]) {
    let Ok(done) = commit(store, works).await else { panic!("the store fails") };
    assert!(matches!(&done[..], [Ok(Done::Appended(_))]), "{done:?}");
}

fn memory(c: &mut Criterion) {
    let (runtime, store) = (runtime(), MemoryStore::default());
    let lane = runtime.block_on(met(&store));
    let empty = store.snapshot();
    for count in [1, 1_000] {
        let work = work::records(lane, Position::new(1, 0), count);
        let rows = work.readings.clone();
        let works = [Work::Records(Box::new(work))];
        let mut group = c.benchmark_group(format!("rule A in memory, {count} records"));
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function("new", |b| {
            let restore = || store.restore(&empty);
            b.iter_batched(restore, |()| runtime.block_on(stored(&store, &works)), BatchSize::PerIteration);
        });
        group.bench_function("stored before", |b| b.iter(|| runtime.block_on(stored(&store, &works))));
        group.bench_function("rows into a tree", |b| {
            b.iter_batched(BTreeMap::new, |tree| into_tree(tree, &rows), BatchSize::PerIteration);
        });
        group.finish();
    }
}

type Tree = BTreeMap<(Position, u16), ReadingRow>;

fn into_tree(mut tree: Tree, rows: &[ReadingRow]) -> Tree {
    tree.extend(black_box(rows).iter().map(|r| ((r.position, r.quantity), *r)));
    tree
}

fn sqlite(c: &mut Criterion) {
    let (runtime, directory) = (runtime(), tempfile::tempdir().unwrap());
    let file = |name: &str| directory.path().join(name);
    let store = runtime.block_on(SqlStore::open(&format!("sqlite:{}", file("ours.db").display()))).unwrap();
    let lane = runtime.block_on(met(&store));
    let mut bare = runtime.block_on(open_bare(file("bare.db")));
    let (mut next, mut bare_next) = (Position::new(1, 0), Position::new(1, 0));
    for count in [1, 100, 1_000] {
        let mut group = c.benchmark_group(format!("SQLite flushed at each commit, {count} records"));
        group.throughput(Throughput::Elements(count.into()));
        let make = |next: &mut Position| -> RecordsWork {
            let work = work::records(lane, *next, count);
            *next = next.plus(count.into());
            work
        };
        group.bench_function("rule A", |b| {
            let works = || [Work::Records(Box::new(make(&mut next)))];
            b.iter_batched(works, |works| runtime.block_on(stored(&store, &works)), BatchSize::PerIteration);
        });
        group.bench_function("rows alone", |b| {
            let rows = || make(&mut bare_next).readings;
            b.iter_batched(rows, |rows| runtime.block_on(insert(&mut bare, &rows)), BatchSize::PerIteration);
        });
        group.finish();
    }
    runtime.block_on(store.close());
}

/// A plain table, a row a reading, with the same durability.
async fn open_bare(file: std::path::PathBuf) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await.unwrap();
    let table = "CREATE TABLE reading (lane_id INTEGER NOT NULL, position INTEGER NOT NULL, series_id INTEGER NOT NULL, \
                 raw INTEGER NOT NULL, fault INTEGER, tick INTEGER NOT NULL, not_before_us INTEGER, \
                 not_after_us INTEGER NOT NULL, PRIMARY KEY (lane_id, position, series_id)) STRICT, WITHOUT ROWID";
    sqlx::query(table).execute(&mut connection).await.unwrap();
    connection
}

async fn insert(connection: &mut SqliteConnection, rows: &[ReadingRow]) {
    let mut transaction = connection.begin().await.unwrap();
    let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO reading ");
    query.push_values(rows, |mut values, r| {
        values.push_bind(1).push_bind(r.position.0 as i64).push_bind(i64::from(r.quantity)).push_bind(r.raw);
        values.push_bind(r.fault.map(|f| i64::from(f.0))).push_bind(r.tick.0 as i64);
        values.push_bind(r.not_before_us).push_bind(r.not_after_us);
    });
    query.build().execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

criterion_group!(benches, memory, sqlite);
criterion_main!(benches);
