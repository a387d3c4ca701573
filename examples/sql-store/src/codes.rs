//! What the databases' error numbers mean: try again or give these rows up, and in words.

use sensock_store::Failure;
use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;

use crate::sqlite::LiteError;

/// What an error means for rule A. What is not known to be the rows' fault is tried again: nothing is given up by mistake.
pub(crate) fn failure(error: &Error) -> Failure {
    match error {
        Error::Encode(_) => Failure::Rejected,
        Error::Database(_) => match number(error) {
            Some(Number::MySql(n)) if mysql_rejects(n) => Failure::Rejected,
            Some(Number::Sqlite(n)) if sqlite_rejects(n) => Failure::Rejected,
            _ => Failure::Retry,
        },
        _ => Failure::Retry,
    }
}

/// What happened and what to do; `None` where the database's own words must do.
pub(crate) fn words(error: &Error) -> Option<&'static str> {
    match error {
        Error::Io(_) => Some("the database is not reachable: is it running, and is the address right?"),
        Error::PoolTimedOut => {
            Some("no connection within 3 s: it is down, unreachable, or all its connections are busy")
        }
        Error::Tls(_) => Some("the database demands TLS, which this program is built without"),
        _ => match number(error)? {
            Number::MySql(n) => mysql_words(n),
            Number::Sqlite(n) => sqlite_words(n),
        },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    MySql(u16),
    /// The primary code, without the extension.
    Sqlite(i32),
}

pub(crate) fn number(error: &Error) -> Option<Number> {
    let Error::Database(error) = error else { return None };
    if let Some(mysql) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return Some(Number::MySql(mysql.number()));
    }
    Some(Number::Sqlite(error.try_downcast_ref::<LiteError>()?.number()?))
}

fn mysql_rejects(n: u16) -> bool {
    match n {
        // A value is null, out of range, too long, of the wrong type, or of the wrong character set.
        1048 | 1264 | 1265 | 1292 | 1364 | 1366 | 1367 | 1406 | 1690 | 3988 => true,
        // A unique key, a foreign key or a check refuses it.
        1062 | 1216 | 1217 | 1451 | 1452 | 1644 | 3819 | 4025 => true,
        // Larger than a packet may be.
        1153 => true,
        _ => false,
    }
}

fn mysql_words(n: u16) -> Option<&'static str> {
    Some(match n {
        1044 => "this user may not use this database: GRANT it the right, or use another user",
        1045 | 1698 => "user or password is wrong",
        1049 => "there is no such database: create it with CREATE DATABASE",
        1040 | 1203 | 1226 => "it has no connection left: raise max_connections, or end other programs",
        1205 => "another transaction holds these rows for more than 3 s",
        1213 => "two transactions waited for each other, this one was given up",
        1114 | 1021 | 1041 => "the disk or the tablespace is full: make room",
        1290 | 1792 | 1836 => "it is read-only: use the primary, or end the read-only mode",
        1053 | 1077 | 1927 | 2006 | 2013 => "it is shutting down or dropped the connection",
        1142 | 1143 | 1227 => "this user lacks a right: GRANT ALL on this database",
        1665 => "binlog_format is STATEMENT, which cannot be used here: set it to ROW or MIXED",
        n if mysql_rejects(n) => "it refuses this row",
        _ => return None,
    })
}

fn sqlite_rejects(code: i32) -> bool {
    // TOOBIG, CONSTRAINT, MISMATCH, RANGE.
    matches!(code, 18 | 19 | 20 | 25)
}

fn sqlite_words(code: i32) -> Option<&'static str> {
    Some(match code {
        5 | 6 => "another program has been writing for more than 3 s",
        8 => "it is read-only: give this user the right to write the file and its directory",
        10 => "the disk does not read or write",
        11 => "the file is damaged: restore a backup, or recover with sqlite3 FILE .recover",
        13 => "the disk is full: make room; devices keep their records meanwhile",
        14 => "the file cannot be opened: is the directory there, and may this user write in it?",
        26 => "this is not a SQLite database: name another file",
        code if sqlite_rejects(code) => "it refuses this row",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_data_errors_give_rows_up() {
        for n in [1213, 1205, 2006, 2013, 1290, 1114, 1021, 1040, 1053, 1146, 1064] {
            assert!(!mysql_rejects(n), "{n}");
        }
        for n in [1264, 1406, 1366, 1048, 3819, 1452, 4025] {
            assert!(mysql_rejects(n), "{n}");
        }
        for code in [5, 6, 8, 10, 11, 13, 14, 1] {
            assert!(!sqlite_rejects(code), "{code}");
        }
        for code in [18, 19, 20, 25] {
            assert!(sqlite_rejects(code), "{code}");
        }
        assert_eq!(failure(&Error::PoolTimedOut), Failure::Retry);
        assert_eq!(failure(&Error::WorkerCrashed), Failure::Retry);
    }

    #[test]
    fn what_an_operator_meets_has_words() {
        for n in [1044, 1045, 1049, 1040, 1205, 1213, 1114, 1021, 1290, 2006, 2013] {
            assert!(mysql_words(n).is_some(), "{n}");
        }
        for code in [5, 8, 10, 11, 13, 14, 26] {
            assert!(sqlite_words(code).is_some(), "{code}");
        }
    }
}
