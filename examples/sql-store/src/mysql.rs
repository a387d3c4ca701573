//! MySQL and MariaDB: a pool that writes, a pool that reads, each with the session settings that the promises rest on.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sensock_store::Durability;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::pool::{PoolConnectionMetadata, PoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, MySql};

use crate::dialect::Dialect;
use crate::error::{Fail, OpenError, SqlError};
use crate::migrate;
use crate::pool::{Pools, WAIT};
use crate::session::Session;
use crate::shared::Shared;
use crate::sqlite::STATEMENTS;

const WRITERS: u32 = 4;
const READERS: u32 = 4;

/// Errors in data must be errors; only what `begin` locks may be waited for, and that for 3 s at most. Locking reads see what is
/// committed last.
const WRITING: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 3; \
     SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
/// All statements of a transaction see one state.
const READING: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'; \
     SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";

pub(crate) async fn open(options: MySqlConnectOptions, place: Arc<str>) -> Result<Shared, OpenError> {
    let options = options.statement_cache_capacity(STATEMENTS).disable_statement_logging();
    let sql = |error| OpenError::Sql(SqlError::new(&place, error));
    // One connection by itself first: a pool would hide why there is none.
    let mut first = match tokio::time::timeout(WAIT * 2, options.connect()).await {
        Ok(connected) => connected.map_err(sql)?,
        Err(_) => return Err(sql(sqlx::Error::PoolTimedOut)),
    };
    Session::MySql(&mut first).script(WRITING).await.map_err(sql)?;
    let row = Session::MySql(&mut first).row("SELECT VERSION(), @@log_bin, @@binlog_format", &[]).await;
    let row = row.and_then(|row| row.ok_or(sqlx::Error::RowNotFound)).map_err(sql)?;
    let name = format!("MySQL {}, {}", row.text(0).map_err(sql)?, place.trim_start_matches("MySQL "));
    if row.int(1).map_err(sql)? != 0 && row.text(2).map_err(sql)? == "STATEMENT" {
        let what = "binlog_format is STATEMENT, which cannot be used here: set it to ROW or MIXED";
        return Err(OpenError::Setting { place, what });
    }
    migrate::mysql(&mut Session::MySql(&mut first), &place).await?;
    // The answer to a goodbye is nobody's concern.
    let _closed = first.close().await;
    let writers = pool(WRITERS, WRITING).connect_lazy_with(options.clone());
    let readers = pool(READERS, READING).connect_lazy_with(options);
    Ok(Shared::new(Dialect::MySql, place, name, Pools::MySql { writers, readers }))
}

/// What a commit is worth, by the server's settings.
pub(crate) async fn durability(session: &mut Session<'_>) -> Result<Durability, Fail> {
    let sql = "SELECT @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog";
    let row = session.row(sql, &[]).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(judge(row.int(0)?, row.int(1)? != 0, row.int(2)?))
}

fn judge(flush_log: i64, log_bin: bool, sync_binlog: i64) -> Durability {
    if flush_log != 1 {
        return Durability::Weaker(format!(
            "innodb_flush_log_at_trx_commit is {flush_log}: a power cut loses up to a second of acknowledged readings; \
             SET GLOBAL innodb_flush_log_at_trx_commit = 1"
        ));
    }
    // With a replica behind it, what is not in the binary log is lost when the replica takes over.
    if log_bin && sync_binlog != 1 {
        return Durability::Weaker(format!(
            "sync_binlog is {sync_binlog}: after a power cut replicas may miss acknowledged readings; \
             SET GLOBAL sync_binlog = 1"
        ));
    }
    Durability::Flushed
}

fn pool(connections: u32, settings: &'static str) -> PoolOptions<MySql> {
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(WAIT)
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move { Session::MySql(connection).script(settings).await })
        })
        .before_acquire(still_there)
}

/// A connection that was idle for a while may be gone: the server restarted, or a router forgot it.
fn still_there<'c>(
    connection: &'c mut MySqlConnection,
    meta: PoolConnectionMetadata,
) -> BoxFuture<'c, Result<bool, sqlx::Error>> {
    Box::pin(async move { Ok(meta.idle_for < Duration::from_secs(1) || connection.ping().await.is_ok()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weaker_than_a_flush_names_the_setting() {
        assert_eq!(judge(1, false, 0), Durability::Flushed);
        assert_eq!(judge(1, true, 1), Durability::Flushed);
        for (flush, bin, sync, setting) in [
            (2, false, 0, "innodb_flush_log_at_trx_commit"),
            (0, true, 1, "innodb_flush"),
            (1, true, 0, "sync_binlog"),
        ] {
            let Durability::Weaker(words) = judge(flush, bin, sync) else { panic!("{flush} {bin} {sync}") };
            assert!(words.contains(setting) && words.contains("SET GLOBAL"), "{words}");
        }
    }
}
