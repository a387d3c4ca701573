//! Errors of SQLite's, as the rest of this crate knows errors.

use std::borrow::Cow;

use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};

/// In the words of the other driver: a database's own error, or one of the way to it.
pub(crate) fn fail(error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::SqliteFailure(..) => Error::Database(Box::new(LiteError(error))),
        other => Error::Protocol(other.to_string()),
    }
}

/// What SQLite said.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.message())]
pub(crate) struct LiteError(rusqlite::Error);

impl LiteError {
    /// The primary code, without the extension.
    pub(crate) fn number(&self) -> Option<i32> {
        self.0.sqlite_error().map(|error| error.extended_code & 0xff)
    }
}

impl DatabaseError for LiteError {
    fn message(&self) -> &str {
        match &self.0 {
            rusqlite::Error::SqliteFailure(_, Some(words)) => words,
            _ => "an error without words",
        }
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.0.sqlite_error().map(|error| error.extended_code.to_string().into())
    }

    fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}
