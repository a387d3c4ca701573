//! One connection of either kind, statements with arguments, and rows that come back.

use rusqlite::Connection;
use sqlx::mysql::{MySqlArguments, MySqlConnection, MySqlRow};
use sqlx::query::Query as Prepared;
use sqlx::{Arguments as _, AssertSqlSafe, Error, MySql, Row as _, SqlSafeStr};

use crate::dialect::Dialect;
use crate::sqlite::{LiteRow, Statement, Worker};

/// One argument of a statement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arg<'a> {
    /// NULL.
    Null,
    /// Any integer; 64 bits without a sign are stored as the same bits with one.
    Int(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl From<i64> for Arg<'_> {
    fn from(v: i64) -> Self {
        Arg::Int(v)
    }
}

impl From<u64> for Arg<'_> {
    fn from(v: u64) -> Self {
        Arg::Int(v.cast_signed())
    }
}

impl From<u32> for Arg<'_> {
    fn from(v: u32) -> Self {
        Arg::Int(v.into())
    }
}

impl From<i32> for Arg<'_> {
    fn from(v: i32) -> Self {
        Arg::Int(v.into())
    }
}

impl From<u16> for Arg<'_> {
    fn from(v: u16) -> Self {
        Arg::Int(v.into())
    }
}

impl From<u8> for Arg<'_> {
    fn from(v: u8) -> Self {
        Arg::Int(v.into())
    }
}

impl From<bool> for Arg<'_> {
    fn from(v: bool) -> Self {
        Arg::Int(v.into())
    }
}

impl From<f64> for Arg<'_> {
    fn from(v: f64) -> Self {
        Arg::Real(v)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(v: &'a str) -> Self {
        Arg::Text(v)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(v: &'a String) -> Self {
        Arg::Text(v)
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(v: &'a [u8]) -> Self {
        Arg::Bytes(v)
    }
}

impl<'a, T: Into<Arg<'a>>> From<Option<T>> for Arg<'a> {
    fn from(v: Option<T>) -> Self {
        v.map_or(Arg::Null, Into::into)
    }
}

/// A query and its arguments.
pub(crate) struct Query<'a> {
    pub(crate) sql: String,
    pub(crate) args: Vec<Arg<'a>>,
}

/// A connection, borrowed for some statements.
pub(crate) enum Session<'c> {
    Sqlite(Lite<'c>),
    MySql(&'c mut MySqlConnection),
}

impl Session<'_> {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Session::Sqlite(_) => Dialect::Sqlite,
            Session::MySql(_) => Dialect::MySql,
        }
    }

    /// Runs a prepared statement; returns how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: impl SqlSafeStr, args: &[Arg<'_>]) -> Result<u64, Error> {
        match self {
            Session::Sqlite(c) => {
                let statement = Statement::new(sql.into_sql_str(), args);
                c.run(move |c| statement.execute(c)).await
            }
            Session::MySql(c) => Ok(mysql(sql, args)?.execute(&mut **c).await?.rows_affected()),
        }
    }

    /// As [`Session::execute`] where nobody asks how many rows it touched. In SQLite it may be run only with the next statement or the
    /// commit, which then has its error.
    pub(crate) async fn write(&mut self, sql: impl SqlSafeStr, args: &[Arg<'_>]) -> Result<(), Error> {
        match self {
            Session::Sqlite(c) => c.later(Statement::new(sql.into_sql_str(), args)).await,
            Session::MySql(_) => self.execute(sql, args).await.map(drop),
        }
    }

    /// Runs what waits, so that its errors are known now.
    pub(crate) async fn flush(&mut self) -> Result<(), Error> {
        match self {
            Session::Sqlite(c) if !c.waiting.is_empty() => c.run(|_| Ok(())).await,
            _ => Ok(()),
        }
    }

    /// Runs a prepared query.
    pub(crate) async fn rows(&mut self, sql: impl SqlSafeStr, args: &[Arg<'_>]) -> Result<Vec<Row>, Error> {
        match self {
            Session::Sqlite(c) => {
                let statement = Statement::new(sql.into_sql_str(), args);
                let rows = c.run(move |c| statement.rows(c)).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Session::MySql(c) => {
                Ok(mysql(sql, args)?.fetch_all(&mut **c).await?.into_iter().map(Row::MySql).collect())
            }
        }
    }

    /// Runs prepared queries, one after the other; the rows of each. In SQLite, where each question goes to another thread, all go at once.
    pub(crate) async fn queries(&mut self, queries: &[Query<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        match self {
            Session::Sqlite(c) => {
                let all: Vec<Statement> = queries
                    .iter()
                    .map(|query| {
                        Statement::new(AssertSqlSafe(query.sql.as_str()).into_sql_str(), &query.args)
                    })
                    .collect();
                let found = c
                    .run(move |c| all.iter().map(|query| query.rows(c)).collect::<Result<Vec<_>, _>>())
                    .await?;
                Ok(found.into_iter().map(|rows| rows.into_iter().map(Row::Sqlite).collect()).collect())
            }
            Session::MySql(_) => {
                let mut found = Vec::with_capacity(queries.len());
                for Query { sql, args } in queries {
                    found.push(self.rows(AssertSqlSafe(sql.as_str()), args).await?);
                }
                Ok(found)
            }
        }
    }

    /// Runs a prepared query that gives at most one row.
    pub(crate) async fn row(&mut self, sql: impl SqlSafeStr, args: &[Arg<'_>]) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Runs a script of several statements, without arguments.
    pub(crate) async fn script(&mut self, sql: impl SqlSafeStr) -> Result<(), Error> {
        match self {
            Session::Sqlite(c) => {
                let sql = sql.into_sql_str();
                c.run(move |c| c.execute_batch(sql.as_str())).await
            }
            Session::MySql(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(drop),
        }
    }
}

/// A connection of SQLite's, and what waits to be run on it.
pub(crate) struct Lite<'c> {
    pub(crate) worker: &'c Worker,
    pub(crate) waiting: &'c mut Vec<Statement>,
}

/// So many arguments wait for the next job, and no more: memory is bounded.
const WAITING: usize = 8_192;

impl Lite<'_> {
    /// Runs what waits, then this.
    pub(crate) async fn run<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let waiting = std::mem::take(self.waiting);
        let all = move |c: &Connection| {
            waiting.iter().try_for_each(|statement| statement.execute(c).map(drop))?;
            job(c)
        };
        self.worker.run(all).await
    }

    async fn later(&mut self, statement: Statement) -> Result<(), Error> {
        self.waiting.push(statement);
        match self.waiting.iter().map(Statement::args).sum::<usize>() {
            WAITING.. => self.run(|_| Ok(())).await,
            _ => Ok(()),
        }
    }
}

fn mysql<'q>(sql: impl SqlSafeStr, args: &[Arg<'_>]) -> Result<Prepared<'q, MySql, MySqlArguments>, Error> {
    let mut all = MySqlArguments::default();
    all.reserve(args.len(), args.len() * 8);
    for arg in args {
        match *arg {
            Arg::Null => all.add(None::<i64>),
            Arg::Int(v) => all.add(v),
            Arg::Real(v) => all.add(v),
            Arg::Text(v) => all.add(v),
            Arg::Bytes(v) => all.add(v),
        }
        .map_err(Error::Encode)?;
    }
    Ok(sqlx::query_with(sql, all))
}

/// One row; columns by their place in the query, whose types are ours.
pub(crate) enum Row {
    Sqlite(LiteRow),
    MySql(MySqlRow),
}

impl Row {
    pub(crate) fn int(&self, i: usize) -> Result<i64, Error> {
        self.maybe_int(i)?.ok_or_else(|| missing(i))
    }

    pub(crate) fn maybe_int(&self, i: usize) -> Result<Option<i64>, Error> {
        match self {
            Row::Sqlite(r) => r.maybe_int(i),
            Row::MySql(r) => r.try_get_unchecked(i),
        }
    }

    /// 64 bits that are stored with a sign.
    pub(crate) fn bits(&self, i: usize) -> Result<u64, Error> {
        Ok(self.int(i)?.cast_unsigned())
    }

    /// An integer that was narrower when it was written.
    pub(crate) fn small<T: TryFrom<i64, Error: std::error::Error + Send + Sync + 'static>>(
        &self,
        i: usize,
    ) -> Result<T, Error> {
        T::try_from(self.int(i)?).map_err(|error| Error::Decode(Box::new(error)))
    }

    /// As [`Row::small`], or NULL.
    pub(crate) fn maybe_small<T: TryFrom<i64, Error: std::error::Error + Send + Sync + 'static>>(
        &self,
        i: usize,
    ) -> Result<Option<T>, Error> {
        self.maybe_int(i)?.map(T::try_from).transpose().map_err(|error| Error::Decode(Box::new(error)))
    }

    pub(crate) fn text(&self, i: usize) -> Result<String, Error> {
        self.maybe_text(i)?.ok_or_else(|| missing(i))
    }

    pub(crate) fn maybe_text(&self, i: usize) -> Result<Option<String>, Error> {
        match self {
            Row::Sqlite(r) => r.maybe_text(i),
            Row::MySql(r) => r.try_get_unchecked(i),
        }
    }

    pub(crate) fn bytes(&self, i: usize) -> Result<Vec<u8>, Error> {
        match self {
            Row::Sqlite(r) => r.bytes(i),
            Row::MySql(r) => r.try_get_unchecked(i),
        }
    }
}

fn missing(i: usize) -> Error {
    Error::ColumnDecode { index: format!("number {i}"), source: "there is no value".into() }
}
