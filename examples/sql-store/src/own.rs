//! Tables of an application's own in the same database, written and read by themselves.

use sqlx::Error;

use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::pool::Begun;
use crate::session::{Arg, Row};
use crate::store::SqlStore;

impl SqlStore {
    /// Begins a transaction over tables of your own: what must be committed with the records themselves is a [`Hook`](crate::Hook)'s work.
    ///
    /// In SQLite nobody else writes until it ends, the store included: be quick.
    ///
    /// # Errors
    /// The database's: no connection within 3 s, or it does not answer.
    pub async fn begin_own(&self) -> Result<OwnTx, SqlError> {
        let (begun, _) = self.shared().pools.begin().await.map_err(|error| self.error(error))?;
        Ok(OwnTx { begun, store: self.clone() })
    }

    /// Begins to read tables of your own: all statements see one state of the database.
    ///
    /// # Errors
    /// As [`SqlStore::begin_own`].
    pub async fn read_own(&self) -> Result<OwnTx, SqlError> {
        Ok(OwnTx { begun: self.read().await?, store: self.clone() })
    }
}

/// A transaction over tables of an application's own. Dropped without `commit`, it is rolled back; so is one of which a call is dropped.
pub struct OwnTx {
    begun: Begun,
    store: SqlStore,
}

/// A row of a query; columns by their place in it. A value of another type than the one asked for is an error.
pub struct OwnRow {
    row: Row,
    store: SqlStore,
}

impl OwnTx {
    /// Runs one prepared statement, with a `?` for each argument in either database; returns how many rows it touched.
    ///
    /// # Errors
    /// What the database said. The transaction can only be dropped then.
    pub async fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, SqlError> {
        self.begun.enter();
        let done = match self.begun.session() {
            Ok(mut session) => session.execute(sql, args).await,
            Err(error) => Err(error),
        };
        self.begun.leave();
        done.map_err(|error| self.store.error(error))
    }

    /// Runs one prepared query.
    ///
    /// # Errors
    /// As [`OwnTx::execute`].
    pub async fn rows(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<OwnRow>, SqlError> {
        self.begun.enter();
        let found = match self.begun.session() {
            Ok(mut session) => session.rows(sql, args).await,
            Err(error) => Err(error),
        };
        self.begun.leave();
        let found = found.map_err(|error| self.store.error(error))?;
        Ok(found.into_iter().map(|row| OwnRow { row, store: self.store.clone() }).collect())
    }

    /// The time by the database's own clock, the same for all programs that use it, in us since 1970.
    ///
    /// # Errors
    /// As [`OwnTx::execute`].
    pub async fn now_us(&mut self) -> Result<i64, SqlError> {
        let dialect = self.begun.session().map_err(|error| self.store.error(error))?.dialect();
        let sql = match dialect {
            Dialect::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
            Dialect::MySql => "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)",
        };
        let row = self.rows(sql, &[]).await?.into_iter().next();
        row.ok_or_else(|| self.store.error(Error::RowNotFound))?.int(0)
    }

    /// Commits.
    ///
    /// # Errors
    /// The database's; then it may have happened or not.
    pub async fn commit(self) -> Result<(), SqlError> {
        let store = self.store;
        self.begun.commit().await.map_err(|error| store.error(error))
    }
}

impl OwnRow {
    /// An integer.
    ///
    /// # Errors
    /// It is none.
    pub fn int(&self, i: usize) -> Result<i64, SqlError> {
        self.row.int(i).map_err(|error| self.store.error(error))
    }

    /// An integer, or NULL.
    ///
    /// # Errors
    /// It is neither.
    pub fn maybe_int(&self, i: usize) -> Result<Option<i64>, SqlError> {
        self.row.maybe_int(i).map_err(|error| self.store.error(error))
    }

    /// Text.
    ///
    /// # Errors
    /// It is none.
    pub fn text(&self, i: usize) -> Result<String, SqlError> {
        self.row.text(i).map_err(|error| self.store.error(error))
    }

    /// Text, or NULL.
    ///
    /// # Errors
    /// It is neither.
    pub fn maybe_text(&self, i: usize) -> Result<Option<String>, SqlError> {
        self.row.maybe_text(i).map_err(|error| self.store.error(error))
    }

    /// Bytes.
    ///
    /// # Errors
    /// They are none.
    pub fn bytes(&self, i: usize) -> Result<Vec<u8>, SqlError> {
        self.row.bytes(i).map_err(|error| self.store.error(error))
    }
}

impl std::fmt::Debug for OwnTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OwnTx").field(&self.store).finish()
    }
}

impl std::fmt::Debug for OwnRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OwnRow").finish()
    }
}
