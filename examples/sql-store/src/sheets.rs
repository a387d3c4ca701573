//! Sheets: where a record goes, and where it is found again.
//!
//! In SQLite a page that changes is copied whole into the log, so a transaction must not touch a page for each of its devices. Rows of
//! one transaction therefore stand together in the newest sheet; signposts say in which sheets a lane's positions lie. MySQL logs rows,
//! not pages: there all records are in sheet 0.

use crate::dialect::Dialect;
use crate::error::Fail;
use crate::session::Arg;
use crate::tables::SHEET;
use crate::transaction::SqlTx;

/// A new sheet is begun when the newest holds as many records. A group of that size has a sheet of its own, where each of its rows goes
/// behind the one before: no page is split, and as few are written as can be.
const FULL: i64 = 64;
/// How far a lane goes on before it gets another signpost, in positions and in sheets.
const FAR: i64 = 256;
const FAR_SHEETS: i64 = 2_048;
/// Rows of `sheet` that are made at once.
const AHEAD: i64 = 64;

const NEWEST: &str = "SELECT COALESCE(MAX(r.sheet), 0), \
     (SELECT COUNT(*) FROM record c WHERE c.sheet = (SELECT MAX(m.sheet) FROM record m)), \
     (SELECT COALESCE(MAX(h.id), 0) FROM sheet h) FROM record r";

/// The newest sheet, how many records it holds, and which rows of `sheet` there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) id: i64,
    pub(crate) records: i64,
    made: i64,
}

/// A lane's records from `position` on lie in `sheet` or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signpost {
    pub(crate) position: i64,
    pub(crate) sheet: i64,
}

impl Signpost {
    pub(crate) fn is_far_from(self, here: Signpost) -> bool {
        here.position - self.position >= FAR || here.sheet - self.sheet >= FAR_SHEETS
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
                let row = session.row(NEWEST, &[]).await?.ok_or(sqlx::Error::RowNotFound)?;
                Sheet { id: row.int(0)?, records: row.int(1)?, made: row.int(2)? }
            }
        };
        if sheet.id == 0 || sheet.records >= FULL {
            (sheet.id, sheet.records) = (sheet.id + 1, 0);
        }
        if sheet.id > sheet.made {
            let rows: Vec<Arg<'_>> = (sheet.id..sheet.id + AHEAD).map(Arg::Int).collect();
            self.handle.shared.insert(&mut session, &SHEET, &rows).await?;
            sheet.made = sheet.id + AHEAD - 1;
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
