//! What all clones of a store share: names of things that never change, so that they are looked up once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sensock::DeviceId;
use sqlx::AssertSqlSafe;

use crate::dialect::{Dialect, Table, chunks};
use crate::error::{Fail, SqlError};
use crate::held::Known;
use crate::hook::ErasedHook;
use crate::pool::Pools;
use crate::records::Packed;
use crate::series::Quantities;
use crate::session::{Arg, Session};
use crate::tables::{MARK, RECORD};

/// Entries of a cache before it is emptied: they come back from the database.
pub(crate) const CACHED: usize = 200_000;
/// Records that are written by a statement of their very number.
const EXACT: usize = 128;
/// Rows of one statement.
const LARGEST: usize = 512;

pub(crate) struct Shared {
    pub(crate) dialect: Dialect,
    pub(crate) place: Arc<str>,
    pub(crate) name: String,
    pub(crate) pools: Pools,
    lanes: Mutex<Known>,
    /// Rows of `series` that are committed, per device and catalogue.
    pub(crate) series: Cache<(DeviceId, u64), Quantities>,
    texts: Cache<(usize, usize), Arc<str>>,
    pairs: Cache<(usize, usize), Arc<str>>,
}

/// A sheet that holds the records of one transaction alone, whose marks are the positions of its last records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) sheet: i64,
    pub(crate) written_us: Option<i64>,
}

/// Marks of the lanes that have records in a sheet of their own.
const OWN_MARKS: &str = "INSERT OR REPLACE INTO mark (lane_id, mark, written_us, sheet) \
     SELECT lane_id, MAX(position), ?, sheet FROM record WHERE sheet = ? GROUP BY lane_id";

/// The part of a store that a hook makes different from its clones.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) hook: Option<Arc<dyn ErasedHook>>,
}

impl Shared {
    pub(crate) fn new(dialect: Dialect, place: Arc<str>, name: String, pools: Pools) -> Self {
        Self {
            dialect,
            place,
            name,
            pools,
            lanes: Mutex::default(),
            series: Cache::default(),
            texts: Cache::default(),
            pairs: Cache::default(),
        }
    }

    pub(crate) fn error(&self, fail: impl Into<Fail>) -> SqlError {
        SqlError::new(&self.place, fail)
    }

    /// Inserts rows, given as one list of arguments, in as few statements as there are powers of two in their number.
    pub(crate) async fn insert(
        &self,
        session: &mut Session<'_>,
        table: &'static Table,
        rows: &[Arg<'_>],
    ) -> Result<(), Fail> {
        let width = table.columns.len();
        let mut rest = rows;
        for n in chunks(rows.len() / width, LARGEST) {
            let (now, later) = rest.split_at(n * width);
            session.execute(AssertSqlSafe(self.text(table, n)), now).await?;
            rest = later;
        }
        Ok(())
    }

    /// Inserts records and sets marks: in SQLite, where each statement is a message to another thread, in one go if the numbers are
    /// those that recur (a record of each lane, or records of one lane). Arguments are what SQLite spends most on: `own` says that the
    /// sheet holds nothing else and that the marks are the positions of the last records, which are then not given twice.
    pub(crate) async fn append(
        &self,
        session: &mut Session<'_>,
        packed: &Packed,
        marks: &[Arg<'_>],
        own: Option<Own>,
    ) -> Result<(), Fail> {
        let (n, m) = (packed.len(), marks.len() / MARK.columns.len());
        let recurs = n > 0 && n <= EXACT && (m == n || m == 1) && self.dialect == Dialect::Sqlite;
        let Some(own) = own.filter(|_| recurs) else {
            let records = packed.args(true);
            if recurs {
                let text = self.pair((n, m), || {
                    [(&RECORD, n), (&MARK, m)].map(|(table, n)| self.dialect.insert(table, n)).join("; ")
                });
                return Ok(session
                    .execute(AssertSqlSafe(text), &[&records, marks].concat())
                    .await
                    .map(drop)?);
            }
            self.insert(session, &RECORD, &records).await?;
            return self.insert(session, &MARK, marks).await;
        };
        let text = self
            .pair((n, 0), || [self.dialect.insert_with_first(&RECORD, n), OWN_MARKS.to_owned()].join("; "));
        let mut args = packed.args(false);
        args.insert(0, own.sheet.into());
        args.extend([Arg::from(own.written_us), own.sheet.into()]);
        session.execute(AssertSqlSafe(text), &args).await?;
        Ok(())
    }

    fn pair(&self, key: (usize, usize), make: impl FnOnce() -> String) -> Arc<str> {
        self.pairs.find(&key).unwrap_or_else(|| {
            let text: Arc<str> = make().into();
            self.pairs.learn([(key, text.clone())]);
            text
        })
    }

    /// What is known of lanes. Nothing that panics is done under the lock.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was looked up: the database is not the one that it was found in.
    pub(crate) fn forget(&self) {
        self.known().forget();
        self.series.clear();
    }

    fn text(&self, table: &'static Table, rows: usize) -> Arc<str> {
        let key = (std::ptr::from_ref(table).addr(), rows);
        self.texts.find(&key).unwrap_or_else(|| {
            let text: Arc<str> = self.dialect.insert(table, rows).into();
            self.texts.learn([(key, text.clone())]);
            text
        })
    }
}

/// What was found in the database and does not change there.
pub(crate) struct Cache<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn find(&self, key: &K) -> Option<V> {
        self.lock().get(key).cloned()
    }

    pub(crate) fn learn(&self, entries: impl IntoIterator<Item = (K, V)>) {
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_none() {
            return;
        }
        let mut map = self.lock();
        if map.len() > CACHED {
            map.clear();
        }
        map.extend(entries);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// An insertion is all that ever happens under the lock: a panic elsewhere leaves it whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
