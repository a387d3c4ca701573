//! Merging old sheets: what was written together is put together by device, so that a device's history lies on few pages.
//!
//! A sheet holds the records of one moment, of all devices. Old ones that follow each other become one, under the number of the first: in
//! it the rows of a lane stand together. Signposts and marks keep the numbers that they have; whoever follows one takes the last sheet
//! that is there at or before it.

use crate::dialect::Dialect;
use crate::error::{Fail, SqlError};
use crate::session::Session;
use crate::store::SqlStore;

/// So many of the newest sheets are left as they are.
const NEW: i64 = 2;
/// Sheets that become one, if they hold no more records than that together.
const TOGETHER: i64 = 64;
const RECORDS: i64 = 8_192;

const STATE: &str = "SELECT COALESCE((SELECT id FROM sheet WHERE merged = 1 ORDER BY id DESC LIMIT 1), 0), \
     COALESCE((SELECT MAX(sheet) FROM record), 0)";
const COUNTS: &str = "SELECT h.id, (SELECT COUNT(*) FROM record r WHERE r.sheet = h.id) FROM sheet h \
     WHERE h.id > ? AND h.id <= ? ORDER BY h.id LIMIT ?";

impl SqlStore {
    /// Merges some old sheets of records into one; returns how many sheets, 0 if there is nothing to do. Call it again until then, now and
    /// then, in quiet moments: it holds the writer's lock for some tens of milliseconds. `sensockd` does so each minute. Without it
    /// nothing is wrong, but reading one device of many reads the pages of all. In MySQL there is nothing to merge.
    ///
    /// # Errors
    /// The database's. Nothing has changed then; likewise if the future is dropped.
    pub async fn merge_sheets(&self) -> Result<usize, SqlError> {
        let shared = self.shared();
        if shared.dialect == Dialect::MySql {
            return Ok(0);
        }
        let (mut begun, _) = shared.pools.begin().await.map_err(|error| self.error(error))?;
        let merged = merge(&mut self.session(&mut begun)?).await;
        self.end(begun, merged).await
    }
}

async fn merge(session: &mut Session<'_>) -> Result<usize, Fail> {
    let state = session.row(STATE, &[]).await?.ok_or(sqlx::Error::RowNotFound)?;
    let (done, old) = (state.int(0)?, state.int(1)? - NEW);
    let (mut sheets, mut records) = (Vec::new(), 0);
    for row in session.rows(COUNTS, &[done.into(), old.into(), TOGETHER.into()]).await? {
        records += row.int(1)?;
        // A single sheet that is as large stays as it is.
        if !sheets.is_empty() && records > RECORDS {
            break;
        }
        sheets.push(row.int(0)?);
    }
    if (sheets.len() as i64) < TOGETHER && records <= RECORDS {
        return Ok(0);
    }
    let (Some(&first), Some(&last)) = (sheets.first(), sheets.last()) else { return Ok(0) };
    let between = [first.into(), first.into(), last.into()];
    session.execute("UPDATE record SET sheet = ? WHERE sheet > ? AND sheet <= ?", &between).await?;
    session.execute("DELETE FROM sheet WHERE id > ? AND id <= ?", &between[1..]).await?;
    session.execute("UPDATE sheet SET merged = 1 WHERE id = ?", &between[..1]).await?;
    Ok(sheets.len())
}
