//! One connection of either kind, statements with arguments, and rows that come back.

use futures_util::TryStreamExt as _;
use sqlx::mysql::{MySqlArguments, MySqlConnection, MySqlRow};
use sqlx::query::Query as Prepared;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{
    Arguments, AssertSqlSafe, Either, Encode, Error, Executor as _, MySql, Row as _, SqlSafeStr, Sqlite, Type,
};

use crate::dialect::Dialect;

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
    Sqlite(&'c mut SqliteConnection),
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
        Ok(match self {
            Session::Sqlite(c) => sqlite(sql, args)?.execute(&mut **c).await?.rows_affected(),
            Session::MySql(c) => mysql(sql, args)?.execute(&mut **c).await?.rows_affected(),
        })
    }

    /// Runs a prepared query.
    pub(crate) async fn rows(&mut self, sql: impl SqlSafeStr, args: &[Arg<'_>]) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Session::Sqlite(c) => {
                sqlite(sql, args)?.fetch_all(&mut **c).await?.into_iter().map(Row::Sqlite).collect()
            }
            Session::MySql(c) => {
                mysql(sql, args)?.fetch_all(&mut **c).await?.into_iter().map(Row::MySql).collect()
            }
        })
    }

    /// Runs prepared queries, one after the other; the rows of each. In SQLite, where each statement is a message to another thread, all go in one.
    pub(crate) async fn queries(&mut self, queries: &[Query<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        let mut found = Vec::with_capacity(queries.len());
        match self {
            Session::Sqlite(c) => {
                let sql = queries.iter().map(|query| query.sql.as_str()).collect::<Vec<_>>().join("; ");
                let args: Vec<Arg<'_>> = queries.iter().flat_map(|query| &query.args).copied().collect();
                // A row, or that there are no more of its query.
                let mut steps = c.fetch_many(sqlite(AssertSqlSafe(sql), &args)?);
                let mut rows = Vec::new();
                while let Some(step) = steps.try_next().await? {
                    match step {
                        Either::Left(_) => found.push(std::mem::take(&mut rows)),
                        Either::Right(row) => rows.push(Row::Sqlite(row)),
                    }
                }
            }
            Session::MySql(_) => {
                for Query { sql, args } in queries {
                    found.push(self.rows(AssertSqlSafe(sql.as_str()), args).await?);
                }
            }
        }
        match found.len() == queries.len() {
            true => Ok(found),
            false => Err(Error::Protocol(format!("{} queries had {} answers", queries.len(), found.len()))),
        }
    }

    /// Runs a prepared query that gives at most one row.
    pub(crate) async fn row(&mut self, sql: impl SqlSafeStr, args: &[Arg<'_>]) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Runs a script of several statements, without arguments.
    pub(crate) async fn script(&mut self, sql: impl SqlSafeStr) -> Result<(), Error> {
        match self {
            Session::Sqlite(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(drop),
            Session::MySql(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(drop),
        }
    }
}

fn sqlite<'q>(
    sql: impl SqlSafeStr,
    args: &[Arg<'_>],
) -> Result<Prepared<'q, Sqlite, SqliteArguments>, Error> {
    let mut all = SqliteArguments::default();
    all.reserve(args.len(), 0);
    args.iter().try_for_each(|arg| add(&mut all, arg))?;
    Ok(sqlx::query_with(sql, all))
}

fn mysql<'q>(sql: impl SqlSafeStr, args: &[Arg<'_>]) -> Result<Prepared<'q, MySql, MySqlArguments>, Error> {
    let mut all = MySqlArguments::default();
    all.reserve(args.len(), args.len() * 8);
    args.iter().try_for_each(|arg| add(&mut all, arg))?;
    Ok(sqlx::query_with(sql, all))
}

fn add<A: Arguments>(all: &mut A, arg: &Arg<'_>) -> Result<(), Error>
where
    for<'t> Option<i64>: Encode<'t, A::Database> + Type<A::Database>,
    for<'t> i64: Encode<'t, A::Database> + Type<A::Database>,
    for<'t> f64: Encode<'t, A::Database> + Type<A::Database>,
    for<'t> &'t str: Encode<'t, A::Database> + Type<A::Database>,
    for<'t> &'t [u8]: Encode<'t, A::Database> + Type<A::Database>,
{
    match *arg {
        Arg::Null => all.add(None::<i64>),
        Arg::Int(v) => all.add(v),
        Arg::Real(v) => all.add(v),
        Arg::Text(v) => all.add(v),
        Arg::Bytes(v) => all.add(v),
    }
    .map_err(Error::Encode)
}

/// One row; columns by their place in the query, whose types are ours.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    MySql(MySqlRow),
}

impl Row {
    pub(crate) fn int(&self, i: usize) -> Result<i64, Error> {
        match self {
            Row::Sqlite(r) => r.try_get_unchecked(i),
            Row::MySql(r) => r.try_get_unchecked(i),
        }
    }

    pub(crate) fn maybe_int(&self, i: usize) -> Result<Option<i64>, Error> {
        match self {
            Row::Sqlite(r) => r.try_get_unchecked(i),
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
        match self {
            Row::Sqlite(r) => r.try_get_unchecked(i),
            Row::MySql(r) => r.try_get_unchecked(i),
        }
    }

    pub(crate) fn maybe_text(&self, i: usize) -> Result<Option<String>, Error> {
        match self {
            Row::Sqlite(r) => r.try_get_unchecked(i),
            Row::MySql(r) => r.try_get_unchecked(i),
        }
    }

    pub(crate) fn bytes(&self, i: usize) -> Result<Vec<u8>, Error> {
        match self {
            Row::Sqlite(r) => r.try_get_unchecked(i),
            Row::MySql(r) => r.try_get_unchecked(i),
        }
    }
}
