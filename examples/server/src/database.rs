//! The store behind an address.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use sensock_sql::SqlStore;
use sensock_store::work::{Done, Work};
use sensock_store::{Failure, Store};

/// How often a piece of work is tried before the store is given up.
const TRIES: u32 = 5;

/// Opens a store, and makes it if it is not there.
pub(crate) async fn open(address: &str) -> Result<SqlStore> {
    Ok(SqlStore::open(address).await?)
}

/// Opens a store that must be there: a typo shall not make an empty one.
pub(crate) async fn existing(address: &str) -> Result<SqlStore> {
    if let Some(file) = file_of(address).filter(|file| !Path::new(file).exists()) {
        bail!("{file} does not exist: check --store, or let `sensockd run` make it");
    }
    open(address).await
}

/// Does one piece of work, again if another program was in the way.
pub(crate) async fn commit<S: Store>(store: &S, work: Work) -> Result<Done> {
    let works = [work];
    for attempt in 1.. {
        match sensock_store::append::commit(store, &works).await {
            Ok(results) => match results.into_iter().next() {
                Some(result) => return Ok(result?),
                None => bail!("the store did nothing: run the command again"),
            },
            Err(error) if store.failure(&error) == Failure::Retry && attempt < TRIES => {
                tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    bail!("the store is busy: run the command again")
}

/// Merges sheets of records once a minute, for as long as it is left to; pauses let commits through.
pub(crate) async fn tidy(store: SqlStore) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        loop {
            match store.merge_sheets().await {
                Ok(0) => break,
                Ok(sheets) => tracing::debug!(sheets, "sheets of records were merged"),
                // Nothing is lost by it: reading is slower until it succeeds.
                Err(error) => {
                    tracing::warn!(%error, "sheets of records could not be merged; it is tried again in a minute");
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The file of a SQLite address.
fn file_of(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("sqlite:")?;
    Some(rest.strip_prefix("//").unwrap_or(rest))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use sensock::wire::hello::Account;
    use sensock::{DeviceId, Lane, Position, StoreId, Tag, Tick};
    use sensock_store::*;
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

    pub(crate) const SECOND: i64 = 1_000_000;

    /// 2026-11-21 02:00 UTC, when `cellar-3` of [`cellar`] measured first.
    pub(crate) fn two_o_clock() -> i64 {
        "2026-11-21T02:00:00Z".parse::<jiff::Timestamp>().unwrap().as_microsecond()
    }

    /// A reading of `cellar-3`: record `n` of boot 1, measured at `us` and a millisecond at most.
    pub(crate) fn reading(n: u32, quantity: u16, raw: i32, us: i64) -> ReadingRow {
        let device = DeviceId::new("cellar-3").unwrap();
        ReadingRow {
            lane: LaneId { device, lane: Lane::Readings },
            position: Position::new(1, n),
            quantity,
            catalog: catalog::CELLAR.hash(),
            raw,
            fault: None,
            value: f64::from(raw) / if quantity == 1 { 100.0 } else { 10.0 },
            tick: Tick(u64::from(n) * 10_000),
            not_before_us: Some(us),
            not_after_us: us + 1_000,
        }
    }

    /// A store in which `cellar-3` left its catalogue and ten records of two readings, ten seconds apart.
    pub(crate) async fn cellar() -> MemoryStore {
        let store = MemoryStore::new(StoreId(1));
        let device = DeviceId::new("cellar-3").unwrap();
        let (hash, mut bytes) = (catalog::CELLAR.hash(), vec![0; catalog::CELLAR.len()]);
        catalog::CELLAR.copy_at(0, &mut bytes);
        let at = |n: u32| two_o_clock() + i64::from(n) * 10 * SECOND;
        let records = |n: u32| [reading(n, 1, 2345, at(n)), reading(n, 2, 567, at(n))];
        let batch = Batch {
            devices: vec![DeviceRow { device, boot: 1, tag: Tag(7), superseded: vec![], catalog: hash }],
            catalogs: vec![CatalogRow { device, hash, bytes }],
            boots: vec![BootRow {
                device,
                boot: 1,
                tag: Tag(7),
                catalog: hash,
                firmware: "cellar-node 1.4.0".to_owned(),
                seen_us: at(0),
                started: (None, Some(at(0))),
                last_tick: Tick(90_000),
                account: Account::default(),
                rebased_by: 0,
            }],
            readings: (0..10).flat_map(records).collect(),
            ..Batch::default()
        };
        let lane = LaneId { device, lane: Lane::Readings };
        let (mut tx, _) = store.begin(&[lane]).await.unwrap();
        tx.write(&batch).await.unwrap();
        tx.commit().await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_store_that_is_not_there_is_not_made_by_looking() {
        let error = existing("sqlite:no/such.sqlite").await.unwrap_err();
        let said = "no/such.sqlite does not exist: check --store, or let `sensockd run` make it";
        assert_eq!(error.to_string(), said);
        let error = existing("postgres://me:s3cret@db/plants").await.unwrap_err().to_string();
        assert!(error.contains("sqlite:FILE") && !error.contains("s3cret"), "{error}");
    }

    #[tokio::test]
    async fn a_store_of_a_newer_program_is_refused_with_words() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plants.sqlite");
        let address = format!("sqlite:{}", path.display());
        open(&address).await.unwrap().close().await;
        let mut file = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        file.execute("INSERT INTO schema_version (version, reached_us) VALUES (999, 0)").await.unwrap();
        file.close().await.unwrap();
        let error = existing(&address).await.unwrap_err().to_string();
        assert!(
            error.contains("its schema has version 999") && error.contains("run a newer program"),
            "{error}"
        );
    }
}
