//! Sheets: where a record goes, and where it is found again.
//!
//! In SQLite a page that changes is copied whole into the log, so a transaction must not touch a page for each of its devices. Rows of
//! one transaction therefore stand together in the newest sheet; signposts say in which sheets a lane's positions lie. MySQL logs rows,
//! not pages: there all records are in sheet 0.

use crate::dialect::Dialect;
use crate::error::Fail;
use crate::transaction::SqlTx;

/// A new sheet is begun when the newest holds as many records: some ten pages.
const FULL: i64 = 512;
/// How far a lane goes on before it gets another signpost, in positions and in sheets.
const FAR: i64 = 256;

/// The newest sheet, and how many records it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) id: i64,
    pub(crate) records: i64,
}

/// A lane's records from `position` on lie in `sheet` or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signpost {
    pub(crate) position: i64,
    pub(crate) sheet: i64,
}

impl Signpost {
    pub(crate) fn is_far_from(self, here: Signpost) -> bool {
        here.position - self.position >= FAR || here.sheet - self.sheet >= FAR
    }
}

impl SqlTx {
    /// The sheet that this transaction writes to.
    pub(crate) async fn sheet(&mut self) -> Result<i64, Fail> {
        if self.handle.shared.dialect == Dialect::MySql {
            return Ok(0);
        }
        let mut session = self.begun.session()?;
        let mut sheet = match self.sheet {
            Some(sheet) => sheet,
            None => {
                let sql = "SELECT MAX(id), (SELECT COUNT(*) FROM record WHERE sheet = (SELECT MAX(id) FROM sheet)) FROM sheet";
                let row = session.row(sql, &[]).await?.ok_or(sqlx::Error::RowNotFound)?;
                Sheet { id: row.maybe_int(0)?.unwrap_or(0), records: row.int(1)? }
            }
        };
        if sheet.id == 0 || sheet.records >= FULL {
            sheet = Sheet { id: sheet.id + 1, records: 0 };
            session.execute("INSERT INTO sheet (id) VALUES (?)", &[sheet.id.into()]).await?;
        }
        self.sheet = Some(sheet);
        Ok(sheet.id)
    }

    /// Records were written to it.
    pub(crate) fn fill(&mut self, records: usize) {
        if let Some(sheet) = &mut self.sheet {
            sheet.records = sheet.records.saturating_add(i64::try_from(records).unwrap_or(i64::MAX));
        }
    }
}
