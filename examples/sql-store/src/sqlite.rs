//! SQLite: one connection that writes, and a few that read.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sensock_store::Durability;

use crate::codes::{Number, number};
use crate::dialect::Dialect;
use crate::error::{OpenError, SqlError};
use crate::migrate;
use crate::pool::{Begun, Pools, WAIT};
use crate::shared::Shared;

mod fail;
mod pool;
mod statement;
mod worker;

pub(crate) use fail::LiteError;
pub(crate) use pool::{LiteHeld, LitePool};
pub(crate) use statement::{LiteRow, Statement};
pub(crate) use worker::{Purpose, Worker};

const READERS: u32 = 4;
/// Prepared statements of one connection: every table in every size.
pub(crate) const STATEMENTS: usize = 400;

pub(crate) async fn open(file: &Path, place: Arc<str>) -> Result<Shared, OpenError> {
    look(file, &place)?;
    let sql = |error| OpenError::Sql(SqlError::new(&place, error));
    let writer = LitePool::new(file.to_owned(), Purpose::Write, 1);
    let mut held = Begun::sqlite(warm(&writer).await.map_err(sql)?);
    migrate::sqlite(&mut held.session().map_err(sql)?, &place).await?;
    let version = held.session().map_err(sql)?.row("SELECT sqlite_version()", &[]).await;
    let version = version.and_then(|row| row.ok_or(sqlx::Error::RowNotFound)?.text(0)).map_err(sql)?;
    drop(held);
    let readers = LitePool::new(file.to_owned(), Purpose::Read, READERS);
    let name = format!("SQLite {version}, {}", file.display());
    Ok(Shared::new(Dialect::Sqlite, place, name, Pools::Sqlite { writer, readers }))
}

/// What `synchronous = FULL`, which every connection here sets, means.
pub(crate) fn durability() -> Durability {
    Durability::Flushed
}

/// The one connection that writes. Two programs that make the same file at once may meet a lock that does not wait: they try again.
async fn warm(writer: &LitePool) -> Result<LiteHeld, sqlx::Error> {
    let begun = Instant::now();
    loop {
        match writer.acquire().await {
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
