//! Statements of your own in the same transaction.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sensock_store::Batch;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, SqlSafeStr};

use crate::error::SqlError;
use crate::session::{Arg, Session};

/// Writes into tables of your own what a transaction is about to write: both are committed, or neither.
///
/// ```no_run
/// use sensock_sql::{Arg, Hook, HookTx, SqlError, SqlStore};
/// use sensock_store::Batch;
///
/// /// One row for each temperature, in a table that the greenhouse's own program reads.
/// struct Greenhouse;
///
/// impl Hook for Greenhouse {
///     async fn write(&self, tx: &mut HookTx<'_>, batch: &Batch) -> Result<(), SqlError> {
///         for r in batch.readings.iter().filter(|r| r.quantity == 1 && r.fault.is_none()) {
///             let row = [Arg::from(r.lane.device.as_str()), r.not_after_us.into(), r.value.into()];
///             tx.execute("INSERT INTO greenhouse (device, at_us, celsius) VALUES (?, ?, ?)", &row).await?;
///         }
///         Ok(())
///     }
/// }
///
/// # async fn f() -> Result<(), sensock_sql::OpenError> {
/// let store = SqlStore::open("sqlite:plants.sqlite").await?.with_hook(Greenhouse);
/// # Ok(()) }
/// ```
pub trait Hook: Send + Sync + 'static {
    /// Called after each batch was written, before it is committed. May be called again with the same rows, after a transaction that
    /// came to nothing: do nothing here that cannot be rolled back. An error undoes the transaction; whether it is tried again or
    /// the rows go to quarantine is said by [`SqlError::failure`], and [`SqlError::rejected`] makes one of the second kind.
    fn write(&self, tx: &mut HookTx<'_>, batch: &Batch) -> impl Future<Output = Result<(), SqlError>> + Send;
}

/// The transaction, for statements of your own.
pub struct HookTx<'a> {
    session: Session<'a>,
    place: &'a Arc<str>,
}

impl HookTx<'_> {
    /// Runs one prepared statement, with a `?` for each argument in either database; returns how many rows it touched.
    ///
    /// # Errors
    /// What the database said. Return it as it is.
    pub async fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, SqlError> {
        self.run(sql, args).await
    }

    /// As [`HookTx::execute`], with a text made at run time (several rows at once, say). Bind what comes from outside: never write
    /// it into the text.
    ///
    /// # Errors
    /// What the database said. Return it as it is.
    pub async fn execute_text(&mut self, sql: String, args: &[Arg<'_>]) -> Result<u64, SqlError> {
        self.run(AssertSqlSafe(sql), args).await
    }

    /// Whether this is SQLite: then [`HookTx::with_sqlite`] gives its connection, else [`HookTx::mysql`].
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self.session, Session::Sqlite(_))
    }

    /// Does something with the connection itself, on its thread; `None` if it is not SQLite's. Leave its transaction open.
    ///
    /// # Errors
    /// What the database said. Return it as it is.
    pub async fn with_sqlite<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Option<Result<T, SqlError>> {
        match &mut self.session {
            Session::Sqlite(lite) => {
                Some(lite.run(work).await.map_err(|error| SqlError::new(self.place, error)))
            }
            Session::MySql(_) => None,
        }
    }

    /// The connection itself, if it is MySQL's. Leave its transaction open, and use no statement that commits by itself (CREATE TABLE).
    pub fn mysql(&mut self) -> Option<&mut MySqlConnection> {
        match &mut self.session {
            Session::MySql(connection) => Some(connection),
            Session::Sqlite(_) => None,
        }
    }

    async fn run(&mut self, sql: impl SqlSafeStr, args: &[Arg<'_>]) -> Result<u64, SqlError> {
        self.session.execute(sql, args).await.map_err(|error| SqlError::new(self.place, error))
    }

    pub(crate) fn new<'a>(session: Session<'a>, place: &'a Arc<str>) -> HookTx<'a> {
        HookTx { session, place }
    }
}

/// A [`Hook`] whose type is forgotten, so that it does not show in the store's.
pub(crate) trait ErasedHook: Send + Sync {
    fn write<'a>(
        &'a self,
        tx: &'a mut HookTx<'_>,
        batch: &'a Batch,
    ) -> Pin<Box<dyn Future<Output = Result<(), SqlError>> + Send + 'a>>;
}

impl<H: Hook> ErasedHook for H {
    fn write<'a>(
        &'a self,
        tx: &'a mut HookTx<'_>,
        batch: &'a Batch,
    ) -> Pin<Box<dyn Future<Output = Result<(), SqlError>> + Send + 'a>> {
        Box::pin(Hook::write(self, tx, batch))
    }
}
