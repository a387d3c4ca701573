//! What a person reads when a database cannot be opened, and how a schema comes to be.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a test, whose words are printed")]

mod common;

use sensock_sql::{OpenError, SqlStore};
use sensock_store::Store as _;
use sensock_testkit::mariadb;

async fn refused(url: &str) -> String {
    let words = SqlStore::open(url).await.expect_err("must not open").to_string();
    println!("{words}");
    words
}

/// All of these words are there.
#[track_caller]
fn says(words: &str, parts: &[&str]) {
    for part in parts {
        assert!(words.contains(part), "{words:?} lacks {part:?}");
    }
}

#[tokio::test]
async fn a_wrong_address_names_the_right_ones() {
    for url in ["plants.sqlite", "postgres://me:s3cret@db/plants", "sqlite:", "mysql://me:s3cret@db"] {
        let words = refused(url).await;
        says(&words, &["expected sqlite:FILE or mysql://user:password@host/database"]);
        assert!(!words.contains("s3cret"), "{words}");
    }
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("no/such/plants.sqlite").display());
    says(&refused(&url).await, &["plants.sqlite", "there is no directory", "no/such", "make it"]);
    says(&refused(&format!("sqlite:{}", directory.path().display())).await, &["this is a directory"]);
}

#[tokio::test]
async fn a_read_only_file_is_not_written() {
    let (store, directory) = common::sqlite().await;
    store.close().await;
    let file = directory.path().join("plants.sqlite");
    let mut mode = std::fs::metadata(&file).unwrap().permissions();
    mode.set_readonly(true);
    std::fs::set_permissions(&file, mode).unwrap();
    says(
        &refused(&common::sqlite_url(&directory)).await,
        &["plants.sqlite", "read-only", "give this user the right"],
    );
}

#[tokio::test]
async fn another_kind_of_file_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("plants.sqlite");
    let text = "time,temperature\n".repeat(100);
    std::fs::write(&file, &text).unwrap();
    says(
        &refused(&common::sqlite_url(&directory)).await,
        &["plants.sqlite", "not a SQLite database", "another file"],
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_a_known_one_is_kept() {
    for database in common::databases("the SQL store's schema") {
        let id = database.store().await.info().await.unwrap().id;
        assert_eq!(database.store().await.info().await.unwrap().id, id, "opening again changes nothing");
        database.sql("INSERT INTO schema_version (version, reached_us) VALUES (99, 0)").await;
        let error = SqlStore::open(&database.url).await.expect_err("newer");
        assert!(matches!(error, OpenError::Newer { found: 99, known: 3, .. }), "{error:?}");
        says(&error.to_string(), &["version 99", "up to 3", "run a newer program"]);
    }
}

/// A database of the first version gets the alarms' tables and what came after them, and keeps what it has.
#[tokio::test]
async fn an_older_schema_is_brought_up_to_date() {
    for database in common::databases("the SQL store's schema of yesterday") {
        let id = database.store().await.info().await.unwrap().id;
        let tables = ["rule_zone", "rule_log", "rule_checkpoint", "rule_log_checkpoint"];
        for table in tables.into_iter().chain(["alarm", "alarm_change", "alarm_action"]) {
            database.sql(&format!("DROP TABLE {table}")).await;
        }
        database.sql("DROP VIEW alarms").await;
        database.sql("DROP VIEW alarm_actions").await;
        database.sql("DELETE FROM schema_version WHERE version >= 2").await;
        let store = database.store().await;
        assert_eq!(store.info().await.unwrap().id, id);
        assert_eq!(database.sql("SELECT COUNT(*) FROM alarms").await, ["0"]);
        assert_eq!(database.sql("SELECT COUNT(*) FROM rule_log_checkpoint").await, ["0"]);
    }
}

#[tokio::test]
async fn own_tables_are_written_and_read_by_themselves() {
    use sensock_sql::Arg;
    for database in common::databases("the SQL store's own tables") {
        let store = database.store().await;
        database.sql("CREATE TABLE greenhouse (name VARCHAR(32), celsius BIGINT)").await;
        let row = [Arg::from("cellar"), Arg::Int(23)];
        for kept in [false, true] {
            let mut tx = store.begin_own().await.unwrap();
            assert_eq!(
                tx.execute("INSERT INTO greenhouse (name, celsius) VALUES (?, ?)", &row).await.unwrap(),
                1
            );
            if kept {
                tx.commit().await.unwrap();
            }
        }
        let mut tx = store.begin_own().await.unwrap();
        // Rows that were found count, whether their value changes or not.
        assert_eq!(
            tx.execute("UPDATE greenhouse SET celsius = 23 WHERE name = ?", &row[..1]).await.unwrap(),
            1
        );
        let wall = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros() as i64;
        assert!((tx.now_us().await.unwrap() - wall).abs() < 60_000_000);
        drop(tx);
        let mut tx = store.read_own().await.unwrap();
        let rows = tx.rows("SELECT name, celsius FROM greenhouse", &[]).await.unwrap();
        assert_eq!(
            (rows.len(), rows[0].text(0).unwrap(), rows[0].int(1).unwrap()),
            (1, "cellar".to_owned(), 23)
        );
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn somebody_elses_tables_are_left_alone() {
    for database in common::databases("the SQL store's neighbours") {
        database.sql("CREATE TABLE device (serial INTEGER)").await;
        says(&refused(&database.url).await, &["a table \"device\"", "a database of its own"]);
        database.sql("DROP TABLE device").await;
        database.sql("CREATE TABLE greenhouse (celsius INTEGER)").await;
        database.store().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_programs_may_make_the_schema_at_once() {
    for database in common::databases("the SQL store's first start") {
        let url = database.url.clone();
        let starts = (0..6).map(|_| {
            let url = url.clone();
            tokio::spawn(async move { SqlStore::open(&url).await.unwrap().info().await.unwrap().id })
        });
        let mut ids = Vec::new();
        for start in starts.collect::<Vec<_>>() {
            ids.push(start.await.unwrap());
        }
        assert!(ids.iter().all(|id| *id == ids[0]), "one schema, one store id: {ids:?}");
        assert_eq!(
            database.sql("SELECT version FROM schema_version ORDER BY version").await,
            ["1", "2", "3"]
        );
    }
}

#[tokio::test]
async fn a_database_server_that_says_no_is_understood() {
    let Some(server) = mariadb::private_or_skip("the words about MariaDB") else { return };
    let url = server.database().unwrap();
    let at = format!("127.0.0.1:{}", server.port());
    server.sql("CREATE USER 'me'@'127.0.0.1' IDENTIFIED BY 's3cret'").unwrap();
    let words = refused(&format!("mysql://me:wr0ng@{at}/test_0")).await;
    says(&words, &[&format!("MySQL database test_0 at me@{at}"), "user or password is wrong"]);
    assert!(!words.contains("wr0ng"), "{words}");
    says(&refused(&format!("mysql://me:s3cret@{at}/test_0")).await, &["may not use this database", "GRANT"]);
    says(&refused(&format!("mysql://root@{at}/nowhere")).await, &["no such database", "CREATE DATABASE"]);
    let store = SqlStore::open(&url).await.unwrap();
    assert!(!format!("{store:?}").contains("s3cret"));
    server.kill();
    says(&refused(&url).await, &[&at, "not reachable", "is it running"]);
}

#[tokio::test]
async fn durability_is_read_from_the_server() {
    use sensock_store::Durability;
    let Some(server) = mariadb::private_or_skip("the durability of MariaDB") else { return };
    let store = SqlStore::open(&server.database().unwrap()).await.unwrap();
    let info = store.info().await.unwrap();
    assert_eq!(info.durability, Durability::Flushed);
    assert!(info.name.contains("MariaDB") && info.name.contains("test_0"), "{}", info.name);
    server.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2").unwrap();
    let Durability::Weaker(words) = store.info().await.unwrap().durability else { panic!("must be weaker") };
    says(&words, &["innodb_flush_log_at_trx_commit is 2", "SET GLOBAL"]);
    let (store, _directory) = common::sqlite().await;
    let info = store.info().await.unwrap();
    assert_eq!(info.durability, Durability::Flushed);
    assert!(info.name.starts_with("SQLite 3."), "{}", info.name);
}
