//! A statement on its way to a connection's thread, and rows on their way back.

use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use sqlx::{Error, SqlStr};

use crate::session::Arg;

/// A statement that goes to another thread, with its arguments.
#[derive(Debug)]
pub(crate) struct Statement {
    sql: SqlStr,
    args: Args,
}

impl Statement {
    pub(crate) fn new(sql: SqlStr, args: &[Arg<'_>]) -> Self {
        Self { sql, args: args.into() }
    }

    /// How many arguments it has.
    pub(crate) fn args(&self) -> usize {
        self.args.all.len()
    }

    /// Runs it; returns how many rows it touched.
    pub(crate) fn execute(&self, connection: &Connection) -> rusqlite::Result<u64> {
        self.each(connection, |_| Ok(()))?;
        Ok(connection.changes())
    }

    /// Runs it; returns its rows.
    pub(crate) fn rows(&self, connection: &Connection) -> rusqlite::Result<Vec<LiteRow>> {
        let mut rows = Vec::new();
        self.each(connection, |row| {
            let width = row.as_ref().column_count();
            rows.push((0..width).map(|i| row.get(i)).collect::<rusqlite::Result<_>>().map(LiteRow)?);
            Ok(())
        })?;
        Ok(rows)
    }

    fn each(
        &self,
        connection: &Connection,
        mut row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut prepared = connection.prepare_cached(self.sql.as_str())?;
        for (place, value) in (1..).zip(self.args.values()) {
            prepared.raw_bind_parameter(place, ToSqlOutput::Borrowed(value))?;
        }
        let mut rows = prepared.raw_query();
        while let Some(next) = rows.next()? {
            row(next)?;
        }
        Ok(())
    }
}

/// Arguments that borrow nothing; all their bytes in one place.
#[derive(Debug)]
struct Args {
    all: Vec<Owned>,
    bytes: Vec<u8>,
}

/// An argument; of text and bytes, where they end.
#[derive(Clone, Copy, Debug)]
enum Owned {
    Null,
    Int(i64),
    Real(f64),
    Text(usize),
    Bytes(usize),
}

impl From<&[Arg<'_>]> for Args {
    fn from(args: &[Arg<'_>]) -> Self {
        let mut bytes = Vec::new();
        let mut end = |more: &[u8]| {
            bytes.extend_from_slice(more);
            bytes.len()
        };
        let owned = |arg: &Arg<'_>| match *arg {
            Arg::Null => Owned::Null,
            Arg::Int(v) => Owned::Int(v),
            Arg::Real(v) => Owned::Real(v),
            Arg::Text(v) => Owned::Text(end(v.as_bytes())),
            Arg::Bytes(v) => Owned::Bytes(end(v)),
        };
        let all = args.iter().map(owned).collect();
        Self { all, bytes }
    }
}

impl Args {
    fn values(&self) -> impl Iterator<Item = ValueRef<'_>> {
        let mut begin = 0;
        let mut upto = move |end: usize| &self.bytes[std::mem::replace(&mut begin, end)..end];
        self.all.iter().map(move |arg| match *arg {
            Owned::Null => ValueRef::Null,
            Owned::Int(v) => ValueRef::Integer(v),
            Owned::Real(v) => ValueRef::Real(v),
            Owned::Text(end) => ValueRef::Text(upto(end)),
            Owned::Bytes(end) => ValueRef::Blob(upto(end)),
        })
    }
}

/// One row. A value of another type than the one asked for is an error.
#[derive(Debug)]
pub(crate) struct LiteRow(Vec<Value>);

impl LiteRow {
    pub(crate) fn maybe_int(&self, i: usize) -> Result<Option<i64>, Error> {
        match self.at(i)? {
            Value::Null => Ok(None),
            Value::Integer(v) => Ok(Some(*v)),
            other => Err(wrong(i, "an integer", other)),
        }
    }

    pub(crate) fn maybe_text(&self, i: usize) -> Result<Option<String>, Error> {
        match self.at(i)? {
            Value::Null => Ok(None),
            Value::Text(v) => Ok(Some(v.clone())),
            other => Err(wrong(i, "text", other)),
        }
    }

    pub(crate) fn bytes(&self, i: usize) -> Result<Vec<u8>, Error> {
        match self.at(i)? {
            Value::Blob(v) => Ok(v.clone()),
            Value::Text(v) => Ok(v.clone().into_bytes()),
            other => Err(wrong(i, "bytes", other)),
        }
    }

    fn at(&self, i: usize) -> Result<&Value, Error> {
        self.0.get(i).ok_or(Error::ColumnIndexOutOfBounds { index: i, len: self.0.len() })
    }
}

fn wrong(i: usize, expected: &str, found: &Value) -> Error {
    let words = format!("it holds {}, expected {expected}", found.data_type());
    Error::ColumnDecode { index: format!("number {i}"), source: words.into() }
}
