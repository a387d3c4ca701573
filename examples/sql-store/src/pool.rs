//! Connections: one kind to write, one to read, of either database; and transactions on them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Error, MySql, MySqlPool, Sqlite, SqlitePool};

use crate::codes::{Number, number};
use crate::session::Session;

/// How long a lock or a connection is waited for.
pub(crate) const WAIT: Duration = Duration::from_secs(3);

pub(crate) enum Pools {
    /// `made` counts the connections that wrote: each has a count of its own of what others did.
    Sqlite {
        writer: SqlitePool,
        made: Arc<AtomicU32>,
        readers: SqlitePool,
    },
    MySql {
        writers: MySqlPool,
        readers: MySqlPool,
    },
}

impl Pools {
    /// Begins to write. In SQLite nobody else writes until it ends, and the number says whether anybody else did since it was the same.
    pub(crate) async fn begin(&self) -> Result<(Begun, Option<i64>), Error> {
        match self {
            Pools::Sqlite { writer, made, .. } => {
                let mut begun = Begun { held: Some(Held::Sqlite(writer.acquire().await?)), busy: true };
                let row = begun.session()?.row("BEGIN IMMEDIATE; PRAGMA data_version", &[]).await;
                begun.leave();
                if row.as_ref().is_err_and(|error| matches!(number(error), Some(Number::Sqlite(5 | 6)))) {
                    // It did not begin: there is nothing to roll back.
                    begun.held = None;
                }
                let version = row?.map(|row| row.int(0)).transpose()?;
                let connection = i64::from(made.load(Ordering::Acquire)) << 32;
                Ok((begun, version.map(|version| connection + version)))
            }
            Pools::MySql { writers, .. } => {
                let held = Held::MySql(writers.acquire().await?);
                Ok((Begun::new(held, "START TRANSACTION").await?, None))
            }
        }
    }

    /// How many transactions pay at once. While one of MySQL's waits for its flush, or for what it writes next, another is run; SQLite has
    /// one that writes, ever.
    pub(crate) fn writers(&self) -> usize {
        match self {
            Pools::Sqlite { .. } => 1,
            Pools::MySql { .. } => 2,
        }
    }

    /// Begins to read: all statements see the database as it is at the first of them.
    pub(crate) async fn read(&self) -> Result<Begun, Error> {
        match self {
            Pools::Sqlite { readers, .. } => {
                Begun::new(Held::Sqlite(readers.acquire().await?), "BEGIN").await
            }
            Pools::MySql { readers, .. } => {
                Begun::new(Held::MySql(readers.acquire().await?), "START TRANSACTION READ ONLY").await
            }
        }
    }

    /// Ends all connections, once those under way are done.
    pub(crate) async fn close(&self) {
        match self {
            Pools::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::MySql { writers, readers } => {
                readers.close().await;
                writers.close().await;
            }
        }
    }
}

/// A transaction under way. Dropped, it is rolled back.
///
/// The driver's own transaction type is not used: after an error at which SQLite itself rolls back, or a future that was dropped in the
/// middle of an answer of MySQL, it returns connections to the pool that never work again.
pub(crate) struct Begun {
    /// Gone once the transaction has ended.
    held: Option<Held>,
    /// A statement is under way. If the transaction is dropped now, nobody will ever read its answer.
    busy: bool,
}

enum Held {
    Sqlite(PoolConnection<Sqlite>),
    MySql(PoolConnection<MySql>),
}

impl Begun {
    async fn new(held: Held, how: &'static str) -> Result<Begun, Error> {
        let mut begun = Begun { held: Some(held), busy: true };
        let begins = begun.run(how).await;
        if begins.is_err() {
            // There is nothing to roll back; the pool looks whether the connection still works.
            begun.held = None;
        }
        begins.map(|()| begun)
    }

    /// For statements. Between [`Begun::enter`] and [`Begun::leave`].
    pub(crate) fn session(&mut self) -> Result<Session<'_>, Error> {
        match &mut self.held {
            Some(held) => Ok(held.session()),
            None => Err(Error::PoolClosed),
        }
    }

    /// Statements will be run.
    pub(crate) fn enter(&mut self) {
        self.busy = true;
    }

    /// The answers of all statements were read.
    pub(crate) fn leave(&mut self) {
        self.busy = false;
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        match &self.held {
            // Prepared once.
            Some(Held::Sqlite(_)) => {
                self.enter();
                let done = self.session()?.execute("COMMIT", &[]).await;
                self.leave();
                done?;
            }
            _ => self.run("COMMIT").await?,
        }
        self.held = None;
        Ok(())
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), Error> {
        self.enter();
        let done = self.session()?.script(statement).await;
        self.leave();
        done
    }
}

impl Held {
    fn session(&mut self) -> Session<'_> {
        match self {
            Held::Sqlite(connection) => Session::Sqlite(connection),
            Held::MySql(connection) => Session::MySql(connection),
        }
    }

    async fn close(self) {
        // It is given up: how it ends is nobody's concern.
        let _ended = match self {
            Held::Sqlite(connection) => connection.close().await,
            Held::MySql(connection) => connection.close().await,
        };
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        match (self.held.take(), tokio::runtime::Handle::try_current()) {
            (None, _) => {}
            // Its answer would be taken for that of the next statement. MySQL rolls back when a connection ends.
            (Some(Held::MySql(mut connection)), _) if self.busy => connection.close_on_drop(),
            // SQLite's worker reads answers by itself, and takes statements in order.
            (Some(mut held), Ok(runtime)) => {
                runtime.spawn(async move {
                    if held.session().script("ROLLBACK").await.is_err() {
                        held.close().await;
                    }
                });
            }
            (Some(Held::Sqlite(mut connection)), Err(_)) => connection.close_on_drop(),
            (Some(Held::MySql(mut connection)), Err(_)) => connection.close_on_drop(),
        }
    }
}
