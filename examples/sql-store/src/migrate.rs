//! Brings a database's schema up to date: plain SQL files, one for each version and dialect, in `schema/`.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{AssertSqlSafe, Error};

use crate::error::{OpenError, SqlError};
use crate::session::{Arg, Session};

/// One version of the schema. A file is never changed once it is released: a change is a new one.
struct Step {
    sqlite: &'static str,
    mysql: &'static str,
}

/// Version 1 first.
const STEPS: &[Step] = &[
    Step {
        sqlite: include_str!("../schema/sqlite/001_start.sql"),
        mysql: include_str!("../schema/mysql/001_start.sql"),
    },
    Step {
        sqlite: include_str!("../schema/sqlite/002_alarms.sql"),
        mysql: include_str!("../schema/mysql/002_alarms.sql"),
    },
    Step {
        sqlite: include_str!("../schema/sqlite/003_log.sql"),
        mysql: include_str!("../schema/mysql/003_log.sql"),
    },
];

/// The newest version that this program knows.
const KNOWN: i64 = STEPS.len() as i64;

/// In one transaction: another program sees the old schema or the new one.
pub(crate) async fn sqlite(session: &mut Session<'_>, place: &Arc<str>) -> Result<(), OpenError> {
    let sql = |error| OpenError::Sql(SqlError::new(place, error));
    if check(sqlite_version(session).await.map_err(sql)?, place)? == KNOWN {
        return Ok(());
    }
    session.script("BEGIN IMMEDIATE").await.map_err(sql)?;
    let done = sqlite_steps(session, place).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    done.and(session.script(end).await.map_err(sql))
}

async fn sqlite_steps(session: &mut Session<'_>, place: &Arc<str>) -> Result<(), OpenError> {
    let sql = |error| OpenError::Sql(SqlError::new(place, error));
    let from = check(sqlite_version(session).await.map_err(sql)?, place)?;
    if from == 0 {
        foreign(session, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')", place).await?;
        session.script(VERSION_TABLE_SQLITE).await.map_err(sql)?;
    }
    for (step, version) in STEPS.iter().zip(1..).skip(usize::try_from(from).unwrap_or(0)) {
        session.script(step.sqlite).await.map_err(sql)?;
        reached(session, version).await.map_err(sql)?;
    }
    Ok(())
}

/// MySQL commits after each statement that changes a schema. So one program at a time does it, under a lock that dies with its
/// connection, and every statement may be run again after a crash half-way.
pub(crate) async fn mysql(session: &mut Session<'_>, place: &Arc<str>) -> Result<(), OpenError> {
    let sql = |error| OpenError::Sql(SqlError::new(place, error));
    if check(mysql_version(session).await.map_err(sql)?.unwrap_or(0), place)? == KNOWN {
        return Ok(());
    }
    let lock = "SELECT GET_LOCK(CONCAT('sensock.', SHA1(DATABASE())), 60)";
    let held = session.row(lock, &[]).await.map_err(sql)?.map(|row| row.maybe_int(0));
    if held.transpose().map_err(sql)?.flatten() != Some(1) {
        let what = "another program has been changing the schema for a minute: wait for it, or end it";
        return Err(OpenError::Setting { place: place.clone(), what });
    }
    let done = mysql_steps(session, place).await;
    let unlock = "DO RELEASE_LOCK(CONCAT('sensock.', SHA1(DATABASE())))";
    done.and(session.script(unlock).await.map_err(sql))
}

async fn mysql_steps(session: &mut Session<'_>, place: &Arc<str>) -> Result<(), OpenError> {
    let sql = |error| OpenError::Sql(SqlError::new(place, error));
    let from = match mysql_version(session).await.map_err(sql)? {
        Some(version) => check(version, place)?,
        None => {
            let names = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()";
            foreign(session, names, place).await?;
            session.script(VERSION_TABLE_MYSQL).await.map_err(sql)?;
            0
        }
    };
    for (step, version) in STEPS.iter().zip(1..).skip(usize::try_from(from).unwrap_or(0)) {
        session.script(step.mysql).await.map_err(sql)?;
        reached(session, version).await.map_err(sql)?;
    }
    Ok(())
}

const VERSION_TABLE_SQLITE: &str =
    "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, reached_us INTEGER NOT NULL) STRICT";
const VERSION_TABLE_MYSQL: &str =
    "CREATE TABLE schema_version (version BIGINT PRIMARY KEY, reached_us BIGINT NOT NULL) ENGINE = InnoDB";

/// The store's row comes with version 1; its id is drawn here, once.
async fn reached(session: &mut Session<'_>, version: i64) -> Result<(), Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_us = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    if session.row("SELECT id FROM store", &[]).await?.is_none() {
        let id =
            getrandom::u64().map_err(|error| Error::Io(std::io::Error::other(error.to_string())))?.max(1);
        let sql = "INSERT INTO store (one, id, created_us, latest_us) VALUES (1, ?, ?, ?)";
        session.execute(sql, &[id.into(), now_us.into(), i64::MIN.into()]).await?;
    }
    let sql = "INSERT INTO schema_version (version, reached_us) VALUES (?, ?)";
    session.execute(sql, &[version.into(), now_us.into()]).await.map(drop)
}

/// 0 if there is no schema.
async fn sqlite_version(session: &mut Session<'_>) -> Result<i64, Error> {
    let table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
    if session.row(table, &[]).await?.is_none() {
        return Ok(0);
    }
    Ok(highest(session).await?.unwrap_or(0))
}

/// `None` if there is no table that says it.
async fn mysql_version(session: &mut Session<'_>) -> Result<Option<i64>, Error> {
    let table = "SELECT 1 FROM information_schema.tables \
                 WHERE table_schema = DATABASE() AND table_name = 'schema_version'";
    if session.row(table, &[]).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(highest(session).await?.unwrap_or(0)))
}

async fn highest(session: &mut Session<'_>) -> Result<Option<i64>, Error> {
    let row = session.row("SELECT MAX(version) FROM schema_version", &[]).await?;
    row.map_or(Ok(None), |row| row.maybe_int(0))
}

fn check(found: i64, place: &Arc<str>) -> Result<i64, OpenError> {
    if found > KNOWN {
        return Err(OpenError::Newer { place: place.clone(), found, known: KNOWN });
    }
    Ok(found)
}

/// Tables of somebody else under our names.
async fn foreign(session: &mut Session<'_>, names: &'static str, place: &Arc<str>) -> Result<(), OpenError> {
    let sql = |error| OpenError::Sql(SqlError::new(place, error));
    let ours: Vec<&str> = STEPS
        .iter()
        .flat_map(|step| step.sqlite.lines())
        .filter_map(|line| line.strip_prefix("CREATE TABLE ").or(line.strip_prefix("CREATE VIEW ")))
        .filter_map(|rest| rest.split_whitespace().next())
        .collect();
    for row in session.rows(AssertSqlSafe(names), &[] as &[Arg<'_>]).await.map_err(sql)? {
        let name = row.text(0).map_err(sql)?;
        if ours.contains(&name.as_str()) {
            return Err(OpenError::Foreign { place: place.clone(), table: name });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two dialects differ in types and in how a time becomes text, not in what there is.
    #[test]
    fn both_dialects_have_the_same_tables_and_views() {
        let names = |text: &str| -> Vec<String> {
            let text = text.replace("IF NOT EXISTS ", "").replace("OR REPLACE ", "");
            let lines =
                text.lines().filter(|l| l.starts_with("CREATE TABLE") || l.starts_with("CREATE VIEW"));
            lines.map(str::to_owned).collect()
        };
        for step in STEPS {
            assert_eq!(names(step.sqlite), names(step.mysql));
            assert!(!names(step.sqlite).is_empty());
        }
    }
}
