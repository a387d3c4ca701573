//! What can go wrong, in words for the person who runs the server.

use std::fmt;
use std::sync::Arc;

use sensock_store::Failure;

use crate::codes;

/// A database could not be opened. Says which one, what happened and what to do; never holds a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is not one of a store.
    #[error("the store's address has {given}: expected sqlite:FILE or mysql://user:password@host/database{}", HintText(.hint))]
    Url {
        /// What was found.
        given: String,
        /// What to do besides.
        hint: Option<&'static str>,
    },
    /// The file cannot be reached or used.
    #[error("{place}: {what}")]
    File {
        /// Which file.
        place: Arc<str>,
        /// What happened and what to do.
        what: String,
    },
    /// The database was made by a newer version of this program.
    #[error(
        "{place}: its schema has version {found}, this program knows up to {known}: run a newer program, or restore a backup \
         made by this one"
    )]
    Newer {
        /// Which database.
        place: Arc<str>,
        /// What it has.
        found: i64,
        /// What this program knows.
        known: i64,
    },
    /// The database holds tables of somebody else under names that are needed.
    #[error("{place}: it has a table \"{table}\" that is not sensock's: give sensock a database of its own")]
    Foreign {
        /// Which database.
        place: Arc<str>,
        /// Which table.
        table: String,
    },
    /// A setting of the database server makes it unusable.
    #[error("{place}: {what}")]
    Setting {
        /// Which database.
        place: Arc<str>,
        /// Which setting, and what to do.
        what: &'static str,
    },
    /// The database answered with an error, or not at all.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// A statement failed. Says which database, what happened and what to do; never holds a password.
#[derive(Debug)]
pub struct SqlError {
    place: Arc<str>,
    fail: Fail,
}

impl SqlError {
    pub(crate) fn new(place: &Arc<str>, fail: impl Into<Fail>) -> Self {
        Self { place: place.clone(), fail: fail.into() }
    }

    /// Rows that can never be stored, for instance because a table of your own does not want them. The group is then bisected, and
    /// the guilty rows go to quarantine with this reason.
    pub fn rejected(reason: impl Into<String>) -> Self {
        Self { place: "own tables".into(), fail: Fail::Data(reason.into()) }
    }

    /// What this means for the caller.
    pub fn failure(&self) -> Failure {
        match &self.fail {
            Fail::Data(_) => Failure::Rejected,
            Fail::Sql(error) => codes::failure(error),
        }
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fail {
            Fail::Data(reason) => write!(f, "{}: {reason}", self.place),
            Fail::Sql(error) => match codes::words(error) {
                Some(words) => write!(f, "{}: {words} ({})", self.place, Brief(error)),
                None => write!(f, "{}: {}", self.place, Brief(error)),
            },
        }
    }
}

impl std::error::Error for SqlError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fail {
            Fail::Sql(error) => Some(error),
            Fail::Data(_) => None,
        }
    }
}

/// An error before it knows its place.
#[derive(Debug)]
pub(crate) enum Fail {
    Sql(sqlx::Error),
    Data(String),
}

impl From<sqlx::Error> for Fail {
    fn from(error: sqlx::Error) -> Self {
        Fail::Sql(error)
    }
}

/// The database's own words, without the driver's.
struct Brief<'a>(&'a sqlx::Error);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            sqlx::Error::Database(error) => write!(f, "{}", error.message()),
            sqlx::Error::Io(error) => write!(f, "{error}"),
            other => write!(f, "{other}"),
        }
    }
}

struct HintText<'a>(&'a Option<&'static str>);

impl fmt::Display for HintText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}
