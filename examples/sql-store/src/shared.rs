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
use crate::series::Quantities;
use crate::session::{Arg, Session};

/// A table that is looked into for each record.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Entries of a cache before it is emptied: they come back from the database.
pub(crate) const CACHED: usize = 200_000;
pub(crate) struct Shared {
    pub(crate) dialect: Dialect,
    pub(crate) place: Arc<str>,
    pub(crate) name: String,
    pub(crate) pools: Pools,
    lanes: Mutex<Known>,
    /// Rows of `series` that are committed, per device and catalogue.
    pub(crate) series: Cache<(DeviceId, u64), Quantities>,
    texts: Cache<(usize, usize), Arc<str>>,
}

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
        for n in chunks(rows.len() / width, self.dialect.largest()) {
            let (now, later) = rest.split_at(n * width);
            session.write(AssertSqlSafe(self.text(table, n)), now).await?;
            rest = later;
        }
        Ok(())
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
pub(crate) struct Cache<K, V>(Mutex<Map<K, V>>);

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
    fn lock(&self) -> MutexGuard<'_, Map<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
