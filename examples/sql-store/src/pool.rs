//! Connections: one kind to write, one to read, of either database; and transactions on them.

use std::time::Duration;

use rusqlite::Connection;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Error, MySql, MySqlPool, SqlSafeStr as _};

use crate::session::{Lite, Session};
use crate::sqlite::{LiteHeld, LitePool, Statement};

/// How long a lock or a connection is waited for.
pub(crate) const WAIT: Duration = Duration::from_secs(3);

pub(crate) enum Pools {
    Sqlite { writer: LitePool, readers: LitePool },
    MySql { writers: MySqlPool, readers: MySqlPool },
}

impl Pools {
    /// Begins to write. In SQLite nobody else writes until it ends, and the number says whether anybody else did since it was the same.
    pub(crate) async fn begin(&self) -> Result<(Begun, Option<i64>), Error> {
        match self {
            Pools::Sqlite { writer, .. } => {
                let held = writer.acquire().await?;
                // Each connection has a count of its own of what others did.
                let connection = i64::from(held.number()) << 32;
                let mut begun = Begun::sqlite(held);
                let begin = |c: &Connection| {
                    c.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
                    c.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get::<_, i64>(0))
                };
                let version = begun.lite()?.run(begin).await?;
                Ok((begun, Some(connection + version)))
            }
            Pools::MySql { writers, .. } => {
                Ok((Begun::mysql(writers.acquire().await?, "START TRANSACTION").await?, None))
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
                let mut begun = Begun::sqlite(readers.acquire().await?);
                begun.lite()?.waiting.push(Statement::new(AssertSqlSafe("BEGIN").into_sql_str(), &[]));
                begun.reads = true;
                Ok(begun)
            }
            Pools::MySql { readers, .. } => {
                Begun::mysql(readers.acquire().await?, "START TRANSACTION READ ONLY").await
            }
        }
    }

    /// Ends all connections, once those under way are done.
    pub(crate) async fn close(&self) {
        match self {
            Pools::Sqlite { writer, readers } => {
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
/// The driver's own transaction type is not used: a future that was dropped in the middle of an answer of MySQL returns connections to the
/// pool that never work again.
pub(crate) struct Begun {
    /// Gone once the transaction has ended.
    held: Option<Held>,
    /// A statement is under way. If the transaction is dropped now, nobody will ever read its answer.
    busy: bool,
    /// It writes nothing: how it ends is all the same.
    reads: bool,
    /// Something was not written: it must not be committed without it.
    failed: bool,
}

enum Held {
    Sqlite(LiteHeld, Vec<Statement>),
    MySql(PoolConnection<MySql>),
}

impl Begun {
    /// On this connection, whatever is begun there.
    pub(crate) fn sqlite(mut held: LiteHeld) -> Begun {
        held.is_open = true;
        Begun { held: Some(Held::Sqlite(held, Vec::new())), busy: false, reads: false, failed: false }
    }

    async fn mysql(held: PoolConnection<MySql>, how: &'static str) -> Result<Begun, Error> {
        let mut begun = Begun { held: Some(Held::MySql(held)), busy: true, reads: false, failed: false };
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
            Some(Held::Sqlite(held, waiting)) => {
                Ok(Session::Sqlite(Lite { worker: held.worker()?, waiting }))
            }
            Some(Held::MySql(connection)) => Ok(Session::MySql(connection)),
            None => Err(Error::PoolClosed),
        }
    }

    fn lite(&mut self) -> Result<Lite<'_>, Error> {
        match self.session()? {
            Session::Sqlite(lite) => Ok(lite),
            Session::MySql(_) => Err(Error::PoolClosed),
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

    /// It can only be rolled back now.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        if self.busy || self.failed {
            let words = "a part of this transaction failed or was given up: it is not committed without it";
            return Err(Error::Protocol(words.into()));
        }
        match &mut self.held {
            Some(Held::Sqlite(..)) if self.reads => {}
            Some(Held::Sqlite(..)) => {
                // With all that waits.
                self.lite()?.run(|c| c.prepare_cached("COMMIT")?.execute([]).map(drop)).await?;
                if let Some(Held::Sqlite(held, _)) = &mut self.held {
                    held.is_open = false;
                }
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

impl Drop for Begun {
    fn drop(&mut self) {
        // SQLite's are rolled back as they are given back.
        let Some(Held::MySql(mut connection)) = self.held.take() else { return };
        match tokio::runtime::Handle::try_current() {
            // Its answer would be taken for that of the next statement. MySQL rolls back when a connection ends.
            _ if self.busy => connection.close_on_drop(),
            Ok(runtime) => {
                runtime.spawn(async move {
                    if Session::MySql(&mut connection).script("ROLLBACK").await.is_err() {
                        // It is given up: how it ends is nobody's concern.
                        let _ended = connection.close().await;
                    }
                });
            }
            Err(_) => connection.close_on_drop(),
        }
    }
}
