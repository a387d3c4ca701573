//! SQLite: one connection that writes, kept warm, and a few that read.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sensock_store::Durability;
use sqlx::ConnectOptions as _;
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};

use crate::codes::{Number, number};
use crate::dialect::Dialect;
use crate::error::{OpenError, SqlError};
use crate::migrate;
use crate::pool::{Pools, WAIT};
use crate::session::Session;
use crate::shared::Shared;

const READERS: u32 = 4;
/// Memory for pages of one that reads, in KiB: what it holds is worth nothing after the next commit, and the system keeps the file's pages too.
const READ_CACHE_KIB: u32 = 256;
/// Prepared statements of one connection: every table in every size.
pub(crate) const STATEMENTS: usize = 400;

pub(crate) async fn open(file: &Path, place: Arc<str>) -> Result<Shared, OpenError> {
    look(file, &place)?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .busy_timeout(WAIT)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // What a statement needs to undo itself: never read again after a crash.
        .pragma("temp_store", "memory")
        .row_buffer_size(512)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    let sql = |error| OpenError::Sql(SqlError::new(&place, error));
    let made = Arc::new(AtomicU32::new(0));
    let writer = warm(&options, &made).await.map_err(sql)?;
    let mut held = writer.acquire().await.map_err(sql)?;
    migrate::sqlite(&mut Session::Sqlite(&mut held), &place).await?;
    let version = Session::Sqlite(&mut held).row("SELECT sqlite_version()", &[]).await;
    let version = version.and_then(|row| row.ok_or(sqlx::Error::RowNotFound)?.text(0)).map_err(sql)?;
    drop(held);
    let readers =
        PoolOptions::new().max_connections(READERS).acquire_timeout(WAIT).test_before_acquire(false);
    let reading = options.create_if_missing(false).pragma("query_only", "1");
    let readers = readers.connect_lazy_with(reading.pragma("cache_size", format!("-{READ_CACHE_KIB}")));
    let name = format!("SQLite {version}, {}", file.display());
    Ok(Shared::new(Dialect::Sqlite, place, name, Pools::Sqlite { writer, made, readers }))
}

/// What `synchronous = FULL`, which every connection here sets, means.
pub(crate) fn durability() -> Durability {
    Durability::Flushed
}

/// The one connection that writes. Two programs that make the same file at once may meet a lock that does not wait: they try again.
async fn warm(options: &SqliteConnectOptions, made: &Arc<AtomicU32>) -> Result<SqlitePool, sqlx::Error> {
    let begun = Instant::now();
    loop {
        let made = made.clone();
        let pool = PoolOptions::new()
            .after_connect(move |_, _| {
                made.fetch_add(1, Ordering::AcqRel);
                Box::pin(async { Ok(()) })
            })
            .max_connections(1)
            .acquire_timeout(WAIT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false);
        match pool.connect_with(options.clone()).await {
            Err(error) if number(&error) == Some(Number::Sqlite(5)) && begun.elapsed() < WAIT => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            other => return other,
        }
    }
}

/// SQLite says "unable to open" to all of these.
fn look(file: &Path, place: &Arc<str>) -> Result<(), OpenError> {
    let no = |what: String| Err(OpenError::File { place: place.clone(), what });
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !directory.is_dir() {
        return no(format!("there is no directory {}: make it, or name another file", directory.display()));
    }
    match std::fs::metadata(file) {
        Ok(meta) if meta.is_dir() => no("this is a directory: name a file in it".into()),
        Ok(meta) if meta.permissions().readonly() => {
            no("the file is read-only: give this user the right to write it and its directory".into())
        }
        _ => Ok(()),
    }
}
