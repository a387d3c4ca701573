//! A database in which anything may stand: readers give rows or an error in words, never a panic and never no end.
//!
//! What a person, a broken disk or another program left in one column, of each column's type, for one row or for all.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::time::Duration;

use sensock::{CommandId, Fault, Lane, Position, Tick};
use sensock_sql::SqlStore;
use sensock_store::conformance::fixture::*;
use sensock_store::{AnchorRow, Batch, Cursor, History as _, LaneId, QuarantineRow, Span, Store as _};
use sensock_testkit::effort;
use sensock_testkit::require::announce;
use sensock_testkit::rng::Rng;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

/// Readers come to an end within this, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);
/// Items of a feed over some tens of rows: more means that it goes in circles.
const MOST: usize = 10_000;

/// Rows of every kind, of two devices.
fn everything() -> Batch {
    let mut batch = Batch::default();
    for name in ["cellar", "attic"] {
        let (id, lane) = (device(name), readings_lane(name));
        let alarm = LaneId { device: id, lane: Lane::Alarm };
        batch.catalogs.push(catalog(id, "suite 1"));
        batch.devices.push(device_row(id, 2, 7));
        batch.boots.extend([boot(id, 1), boot(id, 2)]);
        for n in 0..6 {
            batch.readings.push(reading(lane, Position::new(2, n), n as i32 * 100));
        }
        let mut broken = reading(alarm, Position::new(2, 0), 1);
        broken.fault = Some(Fault(3));
        batch.readings.push(broken);
        batch.gaps.push(gap(lane, Position::new(2, 6), 3));
        let raw = vec![1, 2, 3];
        let (first, last) = (Position::new(2, 9), Position::new(2, 9));
        batch.quarantine.push(QuarantineRow {
            lane,
            first,
            last,
            reason: "a test".into(),
            raw,
            written_us: NOON,
        });
        batch.anchors.push(AnchorRow {
            device: id,
            boot: 2,
            tick: Tick(5),
            lo_us: NOON,
            hi_us: NOON + 9,
            server: 7,
        });
        batch.connections.push(connection(id, u64::from(name == "attic") + 1));
        batch.commands.extend([command(id, 1), command(id, 2)]);
        batch.settings.extend([setting(id, 1, 1), setting(id, 2, 2)]);
        batch.marks.extend([(lane, Position::new(2, 9)), (alarm, Position::new(2, 0))]);
    }
    batch
}

/// Reads everything that can be read; whether all of it was there. Errors must have words.
async fn read_all(store: &SqlStore, what: &str) -> bool {
    let mut errors: Vec<String> = vec![];
    let mut ids = vec![device("cellar"), device("attic"), device("nobody")];
    match store.devices().await {
        Ok(devices) => ids.extend(devices.iter().map(|row| row.device)),
        Err(error) => errors.push(error.to_string()),
    }
    errors.extend(store.load_all(&ids).await.err().map(|e| e.to_string()));
    for id in &ids {
        errors.extend(store.load(id).await.err().map(|e| e.to_string()));
        errors.extend(store.latest(id).await.err().map(|e| e.to_string()));
        errors.extend(store.gaps(id, Span::ALL).await.err().map(|e| e.to_string()));
        errors.extend(store.connections(id, Span::ALL).await.err().map(|e| e.to_string()));
        errors.extend(store.boots(id).await.err().map(|e| e.to_string()));
        errors.extend(store.commands(id, 9).await.err().map(|e| e.to_string()));
        errors.extend(store.command(id, CommandId(1)).await.err().map(|e| e.to_string()));
        errors.extend(store.settings(id).await.err().map(|e| e.to_string()));
        errors.extend(store.quarantine(id).await.err().map(|e| e.to_string()));
        let (mut after, mut rows) = (None, 0);
        loop {
            match store.range(id, Span::ALL, after, 3).await {
                Ok(page) if page.is_empty() => break,
                Ok(page) => {
                    rows += page.len();
                    after = page.last().map(|last| (last.row.lane, last.row.position));
                    assert!(rows < MOST, "a range goes in circles: {what}");
                }
                Err(error) => {
                    errors.push(error.to_string());
                    break;
                }
            }
        }
    }
    let (mut cursor, mut items) = (Cursor::default(), 0);
    loop {
        match store.feed(&cursor, 4).await {
            Ok((page, _)) if page.is_empty() => break,
            Ok((page, next)) => {
                items += page.len();
                cursor = next;
                assert!(items < MOST, "the feed goes in circles: {what}");
            }
            Err(error) => {
                errors.push(error.to_string());
                break;
            }
        }
    }
    // What a server does with the marks that it finds.
    match store.begin(&[readings_lane("cellar"), readings_lane("attic")]).await {
        Ok((tx, marks)) => assert_eq!((marks.len(), drop(tx)), (2, ())),
        Err(error) => errors.push(error.to_string()),
    }
    for words in &errors {
        assert!(
            words.contains("plants.sqlite") && words.len() > 30,
            "an error without words: {words:?}: {what}"
        );
    }
    errors.is_empty()
}

/// A value that such a column can hold, as SQL.
fn value(kind: &str, rng: &mut Rng) -> String {
    const EDGES: [i64; 12] = [
        i64::MIN,
        i64::MIN + 1,
        -0x8000_0001,
        -1,
        0,
        0x7fff_ffff,
        0xffff_ffff,
        0x1_0000_0000,
        253_402_300_800_000_000,
        i64::MAX - 0x1_0000_0000,
        i64::MAX - 1,
        i64::MAX,
    ];
    const TEXTS: [&str; 14] = [
        "''",
        "'x'",
        "'[]'",
        "'[[]]'",
        "'[[1]]'",
        "'[[1,2,3,4]]'",
        "'[[1,99999999999]]'",
        "'[[-1,1],[9223372036854775808,1]]'",
        "'[[1,1,256]]'",
        "'[[[[[['",
        "'{}'",
        "'Zß€𐍈'",
        "CAST(x'fffe00ff' AS TEXT)",
        "printf('%.*c', 70000, 'a')",
    ];
    match (kind, rng.within(0..10)) {
        (_, 0) => "NULL".to_owned(),
        ("INTEGER", 1..6) => rng.pick(&EDGES).to_string(),
        ("INTEGER", 6) => format!("{}", rng.next_u64() as i64),
        ("INTEGER", _) => format!("{}", rng.within(0..300)),
        ("REAL", _) => (*rng.pick(&["0.0", "-1.0", "1e308", "-1e308", "9e999", "1e-308"])).to_owned(),
        ("BLOB", n) => {
            let mut bytes = vec![0; if n < 5 { rng.within(0..60) as usize } else { 4 }];
            rng.fill(&mut bytes);
            format!("x'{}'", bytes.iter().map(|b| format!("{b:02x}")).collect::<String>())
        }
        _ => (*rng.pick(&TEXTS)).to_owned(),
    }
}

struct Column {
    table: String,
    name: String,
    kind: String,
}

async fn run(person: &mut SqliteConnection, sql: String) -> Result<u64, sqlx::Error> {
    Ok(sqlx::raw_sql(AssertSqlSafe(sql)).execute(person).await?.rows_affected())
}

/// Every column, and a copy of each table's rows.
async fn columns(person: &mut SqliteConnection) -> Vec<Column> {
    let sql = "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'";
    let rows = sqlx::query(sql).fetch_all(&mut *person).await.unwrap();
    let columns: Vec<Column> =
        rows.iter().map(|row| Column { table: row.get(0), name: row.get(1), kind: row.get(2) }).collect();
    for Column { table, .. } in &columns {
        let sql =
            format!("CREATE TABLE IF NOT EXISTS temp.\"was_{table}\" AS SELECT * FROM main.\"{table}\"");
        run(person, sql).await.unwrap();
    }
    columns
}

/// The feed once gave such a gap again and again: its end, from which a reader goes on, lies before it.
#[tokio::test]
async fn a_gap_that_ends_before_it_begins_is_refused_in_words() {
    let (store, directory) = common::sqlite().await;
    write(&store, everything()).await;
    let options = SqliteConnectOptions::new().filename(directory.path().join("plants.sqlite"));
    let mut person = options.connect().await.unwrap();
    run(&mut person, "UPDATE gap SET last_position = 129".to_owned()).await.unwrap();
    let words =
        store.feed(&Cursor::default(), 100).await.expect_err("no reader may go on behind it").to_string();
    assert!(words.contains("a gap that ends at 0/129, before it begins at 2/6"), "{words}");
    assert!(store.gaps(&device("cellar"), Span::ALL).await.is_err());
}

/// Readers once asked for what follows the last possible position, and got that position again.
#[tokio::test]
async fn nothing_follows_the_last_position_that_there_is() {
    let (store, directory) = common::sqlite().await;
    write(&store, everything()).await;
    let options = SqliteConnectOptions::new().filename(directory.path().join("plants.sqlite"));
    let mut person = options.connect().await.unwrap();
    run(&mut person, format!("UPDATE OR REPLACE record SET position = {}", i64::MAX)).await.unwrap();
    run(&mut person, "UPDATE mark SET mark = -1".to_owned()).await.unwrap();
    assert!(read_all(&store, "the last position").await);
}

#[tokio::test]
async fn prove_readers_survive_whatever_stands_in_a_column() {
    let cases = effort::size(150, 6_000);
    let mut rng = Rng::from_env_or_random("SENSOCK_SEED");
    let (store, directory) = common::sqlite().await;
    write(&store, everything()).await;
    assert!(read_all(&store, "").await, "what was written can be read");
    store.close().await;

    let file = directory.path().join("plants.sqlite");
    let options = SqliteConnectOptions::new().filename(&file).pragma("temp_store", "memory");
    let mut person = options.connect().await.unwrap();
    let columns = columns(&mut person).await;
    let (mut changed, mut refused) = (0, 0);
    for _ in 0..cases {
        let Column { table, name, kind } = rng.pick(&columns);
        let value = value(kind, &mut rng);
        // In all rows, where a key allows it, or in the first alone.
        let how = if rng.one_in(2) { "OR IGNORE" } else { "OR REPLACE" };
        let sql = format!("UPDATE {how} main.\"{table}\" SET \"{name}\" = {value}");
        // A column that is never NULL refuses.
        if !run(&mut person, sql.clone()).await.is_ok_and(|rows| rows > 0) {
            continue;
        }
        changed += 1;
        let reading = async {
            match SqlStore::open(&common::sqlite_url(&directory)).await {
                Ok(store) => {
                    let whole = read_all(&store, &sql).await;
                    store.close().await;
                    whole
                }
                Err(error) => {
                    assert!(error.to_string().len() > 30, "{error}");
                    false
                }
            }
        };
        let seed = rng.seed();
        let read = tokio::time::timeout(PATIENCE, reading).await;
        let read = read.unwrap_or_else(|_| panic!("SENSOCK_SEED={seed}: no end after {sql}"));
        refused += usize::from(!read);
        let restore = format!(
            "DELETE FROM main.\"{table}\"; INSERT INTO main.\"{table}\" SELECT * FROM temp.\"was_{table}\""
        );
        run(&mut person, restore).await.unwrap();
    }
    announce(&format!(
        "garbage: {changed} columns changed, {refused} were refused in words, the others read"
    ));
    assert!(changed > cases / 2 && refused > 0, "{changed} of {cases}, {refused} refused: too gentle");
    let store = SqlStore::open(&common::sqlite_url(&directory)).await.unwrap();
    assert!(read_all(&store, "").await, "the rows are there again");
}
