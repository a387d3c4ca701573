//! What lies in a database at the end: asked in SQL, past all of our own code.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use sensock_testkit::mariadb::MariaDb;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _};

/// Readings in one record of a fleet.
pub const READINGS: u64 = 2;

/// Records and gaps in a SQLite file.
///
/// # Errors
/// When the file cannot be read.
pub async fn in_sqlite(file: &Path) -> Result<(u64, u64)> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection =
        options.connect().await.with_context(|| format!("{} cannot be read", file.display()))?;
    let row =
        connection.fetch_one("SELECT (SELECT COUNT(*) FROM reading), (SELECT COUNT(*) FROM gap)").await?;
    let (readings, gaps): (i64, i64) = (row.get(0), row.get(1));
    connection.close().await?;
    Ok((readings.cast_unsigned() / READINGS, gaps.cast_unsigned()))
}

/// Records and gaps in a database of a MariaDB.
///
/// # Errors
/// When it cannot be asked.
pub fn in_mariadb(database: &MariaDb, name: &str) -> Result<(u64, u64)> {
    let count = |table: &str| -> Result<u64> {
        let said = database.sql(&format!("SELECT COUNT(*) FROM {name}.{table}"))?;
        said.trim().parse().with_context(|| format!("a number was expected, not {said:?}"))
    };
    Ok((count("reading")? / READINGS, count("gap")?))
}

/// Compares what is stored with what was acknowledged.
///
/// # Errors
/// When they differ by a single record, or there is a gap.
pub fn check(answered: u64, stored: u64, gaps: u64) -> Result<()> {
    ensure!(
        stored == answered && gaps == 0,
        "{answered} records were acknowledged, and {stored} are stored, with {gaps} gaps: one for each was expected, and none"
    );
    Ok(())
}
