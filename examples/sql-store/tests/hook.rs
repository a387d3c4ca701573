//! Tables of one's own in the same transaction.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};

use sensock::Position;
use sensock_sql::{Arg, Hook, HookTx, SqlError};
use sensock_store::conformance::fixture::*;
use sensock_store::{Batch, Failure, History as _, Span, Store as _, Transaction as _};

/// Temperatures in a table of the greenhouse's own, which takes none above 50 °C.
struct Greenhouse;

impl Hook for Greenhouse {
    async fn write(&self, tx: &mut HookTx<'_>, batch: &Batch) -> Result<(), SqlError> {
        for r in batch.readings.iter().filter(|r| r.quantity == TEMPERATURE && r.fault.is_none()) {
            let row = [Arg::from(r.lane.device.as_str()), r.not_after_us.into(), r.value.into()];
            tx.execute("INSERT INTO greenhouse (device, at_us, celsius) VALUES (?, ?, ?)", &row).await?;
        }
        let told = tx
            .with_sqlite(|c| c.query_row("SELECT COUNT(*) FROM greenhouse", [], |row| row.get::<_, i64>(0)));
        let told = told.await.transpose()?;
        assert_ne!(told.is_some(), tx.mysql().is_some());
        assert!(told.is_none_or(|rows| rows > 0), "what was written is seen");
        Ok(())
    }
}

const TABLE: &str =
    "CREATE TABLE greenhouse (device VARCHAR(32), at_us BIGINT, celsius DOUBLE, CHECK (celsius <= 50))";

#[tokio::test]
async fn own_rows_are_committed_with_the_readings_or_not_at_all() {
    for database in common::databases("the SQL store's hook") {
        database.sql(TABLE).await;
        let store = database.store().await.with_hook(Greenhouse);
        let lane = readings_lane("cellar");
        let batch = |n, raw| Batch {
            catalogs: vec![catalog(lane.device, "suite 1")],
            readings: vec![reading(lane, Position::new(1, n), raw)],
            marks: vec![(lane, Position::new(1, n))],
            ..Batch::default()
        };
        let (mut tx, _) = store.begin(&[lane]).await.unwrap();
        tx.write(&batch(0, 2345)).await.unwrap();
        drop(tx);
        assert_eq!(database.sql("SELECT COUNT(*) FROM greenhouse").await, ["0"]);

        write(&store, batch(0, 2345)).await;
        assert_eq!(database.sql("SELECT device, celsius FROM greenhouse").await, ["cellar|23.45"]);

        let (mut tx, _) = store.begin(&[lane]).await.unwrap();
        let error = tx.write(&batch(1, 5001)).await.expect_err("too hot for this table");
        assert_eq!(store.failure(&error), Failure::Rejected, "{error}");
        drop(tx);
        assert_eq!(store.range(&lane.device, Span::ALL, None, 10).await.unwrap().len(), 1);
        assert_eq!(database.sql("SELECT COUNT(*) FROM greenhouse").await, ["1"]);
    }
}

/// Its work on SQLite's own thread ends that thread, the first time.
struct Clumsy(AtomicBool);

impl Hook for Clumsy {
    async fn write(&self, tx: &mut HookTx<'_>, _: &Batch) -> Result<(), SqlError> {
        let falls = !self.0.swap(true, Ordering::Relaxed);
        let done = tx.with_sqlite(move |_| if falls { panic!("a bug of the application's") } else { Ok(()) });
        done.await.unwrap_or(Ok(()))
    }
}

#[tokio::test]
async fn a_hook_that_panics_takes_its_transaction_with_it_and_no_other() {
    let (store, _directory) = common::sqlite().await;
    let lane = readings_lane("cellar");
    let batch = Batch { marks: vec![(lane, Position::new(1, 0))], ..Batch::default() };
    let store = store.with_hook(Clumsy(AtomicBool::new(false)));
    let (mut tx, _) = store.begin(&[lane]).await.unwrap();
    let error = tx.write(&batch).await.expect_err("its thread is gone");
    assert_eq!(store.failure(&error), Failure::Retry, "{error}");
    drop(tx);
    let (mut tx, marks) = store.begin(&[lane]).await.expect("another connection");
    assert_eq!(marks, [Position::NONE]);
    tx.write(&batch).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.begin(&[lane]).await.unwrap().1, [Position::new(1, 0)]);
}

/// Overlooks every error.
struct Careless;

impl Hook for Careless {
    async fn write(&self, tx: &mut HookTx<'_>, _: &Batch) -> Result<(), SqlError> {
        let _ = tx.execute("DELETE FROM no_such_table", &[]).await;
        Ok(())
    }
}

#[tokio::test]
async fn of_a_batch_that_cannot_be_written_nothing_is_committed() {
    for database in common::databases("the SQL store's hook") {
        let plain = database.store().await;
        let lane = readings_lane("cellar");
        let first = Batch {
            gaps: vec![gap(lane, Position::new(1, 0), 3)],
            marks: vec![(lane, Position::new(1, 2))],
            ..Batch::default()
        };
        write(&plain, first.clone()).await;
        // The same gap again, which no table takes twice, beside a mark that must not move without it.
        let again = Batch { marks: vec![(lane, Position::new(1, 9))], ..first };
        for store in [plain.clone(), plain.clone().with_hook(Careless)] {
            let (mut tx, _) = store.begin(&[lane]).await.unwrap();
            // Told by the write, or by the commit.
            let written = tx.write(&again).await;
            let error = match (written, tx.commit().await) {
                (Err(error), Err(_)) | (Ok(()), Err(error)) => error,
                (written, Ok(())) => panic!("committed after {written:?}"),
            };
            assert_eq!(store.failure(&error), Failure::Rejected, "{error}");
            assert_eq!(store.begin(&[lane]).await.unwrap().1, [Position::new(1, 2)]);
        }
    }
}
