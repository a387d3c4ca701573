#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each suite uses its own part")]

use std::str::FromStr as _;

use sensock_sql::SqlStore;
use sensock_testkit::mariadb::{self, MariaDb};
use tempfile::TempDir;

/// A SQLite store in a directory of its own, which must outlive it.
pub async fn sqlite() -> (SqlStore, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&sqlite_url(&directory)).await.unwrap();
    (store, directory)
}

pub fn sqlite_url(directory: &TempDir) -> String {
    format!("sqlite:{}", directory.path().join("plants.sqlite").display())
}

/// One database of each kind that is there, empty.
pub fn databases(suite: &str) -> Vec<Database> {
    let directory = tempfile::tempdir().unwrap();
    let mut all = vec![Database { url: sqlite_url(&directory), kind: Kind::Sqlite(directory) }];
    if let Some(server) = mariadb::available_or_skip(suite) {
        all.push(Database { url: server.database().unwrap(), kind: Kind::MySql(server) });
    }
    all
}

/// An empty database, and a person's way into it.
pub struct Database {
    pub url: String,
    kind: Kind,
}

enum Kind {
    Sqlite(TempDir),
    MySql(&'static MariaDb),
}

impl Database {
    pub async fn store(&self) -> SqlStore {
        SqlStore::open(&self.url).await.unwrap()
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.kind, Kind::Sqlite(_))
    }

    /// Runs SQL beside the store and returns its rows as text: columns separated by '|', as by `sqlite3`.
    pub async fn sql(&self, statements: &str) -> Vec<String> {
        match &self.kind {
            Kind::MySql(server) => {
                let name = self.url.rsplit_once('/').unwrap().1;
                let answer = server.sql(&format!("USE {name}; {statements}")).unwrap();
                answer.lines().map(|line| line.replace('\t', "|")).collect()
            }
            Kind::Sqlite(_) => {
                use sqlx::{Column as _, Connection as _, Row as _, TypeInfo as _, ValueRef as _};
                let options = sqlx::sqlite::SqliteConnectOptions::from_str(&self.url).unwrap();
                let mut c =
                    sqlx::SqliteConnection::connect_with(&options.create_if_missing(true)).await.unwrap();
                let text = sqlx::AssertSqlSafe(statements.to_owned());
                let rows = sqlx::raw_sql(text).fetch_all(&mut c).await.unwrap();
                c.close().await.unwrap();
                let cell = |row: &sqlx::sqlite::SqliteRow, i: usize| -> String {
                    let value = row.try_get_raw(i).unwrap();
                    match value.type_info().name() {
                        _ if value.is_null() => "NULL".into(),
                        "INTEGER" => row.get_unchecked::<i64, _>(i).to_string(),
                        "REAL" => row.get_unchecked::<f64, _>(i).to_string(),
                        _ => row.get_unchecked::<String, _>(i),
                    }
                };
                rows.iter()
                    .map(|r| r.columns().iter().map(|c| cell(r, c.ordinal())).collect::<Vec<_>>().join("|"))
                    .collect()
            }
        }
    }
}
