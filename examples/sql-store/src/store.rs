//! The store: four calls, and what it says of itself.

use std::fmt;
use std::sync::Arc;

use sensock::{DeviceId, Position, StoreId};
use sensock_store::{Failure, LaneId, Resume, Store, StoreInfo};

use crate::error::{Fail, OpenError, SqlError};
use crate::held::Start;
use crate::hook::Hook;
use crate::lanes;
use crate::pool::{Begun, Pools, WAIT};
use crate::session::Session;
use crate::shared::{Handle, Shared};
use crate::transaction::SqlTx;
use crate::{load, mysql, open, sqlite};

/// A store in SQLite or MySQL. Clones share connections.
///
/// Every future may be dropped: what was not committed is rolled back.
#[derive(Clone)]
pub struct SqlStore {
    handle: Handle,
}

impl SqlStore {
    /// Opens `sqlite:FILE` or `mysql://user:password@host:port/database`. Makes the file and the schema if they are not there, and
    /// brings an older schema up to date; several programs may do so at once.
    ///
    /// # Errors
    /// What stands in the way, in words for the person who chose the address; never with the password.
    pub async fn open(url: &str) -> Result<SqlStore, OpenError> {
        let shared = Arc::new(open::open(url).await?);
        Ok(SqlStore { handle: Handle { shared, hook: None } })
    }

    /// The same store, with statements of your own in each transaction. Clones made before are not changed.
    #[must_use]
    pub fn with_hook(self, hook: impl Hook) -> SqlStore {
        SqlStore { handle: Handle { hook: Some(Arc::new(hook)), ..self.handle } }
    }

    /// Waits until transactions under way are done, then closes all connections, of all clones.
    pub async fn close(&self) {
        self.handle.shared.pools.close().await;
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    /// Begins to read one state of the database.
    pub(crate) async fn read(&self) -> Result<Begun, SqlError> {
        self.handle.shared.pools.read().await.map_err(|error| self.error(error))
    }

    pub(crate) fn session<'b>(&self, begun: &'b mut Begun) -> Result<Session<'b>, SqlError> {
        begun.enter();
        begun.session().map_err(|error| self.error(error))
    }

    /// Ends reading, and passes on what was found.
    pub(crate) async fn end<T>(
        &self,
        mut begun: Begun,
        found: Result<T, impl Into<Fail>>,
    ) -> Result<T, SqlError> {
        begun.leave();
        let found = found.map_err(|fail| self.error(fail))?;
        begun.commit().await.map_err(|error| self.error(error))?;
        Ok(found)
    }

    pub(crate) fn error(&self, fail: impl Into<Fail>) -> SqlError {
        self.handle.shared.error(fail)
    }

    async fn locked(&self, lanes: &[LaneId]) -> Result<(SqlTx, Vec<Position>), Fail> {
        let shared = &self.handle.shared;
        let (mut begun, mut version) = shared.pools.begin().await?;
        let mut start = shared.known().begin(lanes, version);
        if start.is_none() {
            // Rows are made before the transaction: two that made the same row in the middle of theirs would wait for each other.
            begun.enter();
            let ids = lanes::ids(&mut begun.session()?, shared, lanes).await;
            begun.leave();
            let ids = ids?;
            begun.commit().await?;
            shared.known().seen(lanes.iter().copied().zip(ids));
            (begun, version) = shared.pools.begin().await?;
            start = shared.known().begin(lanes, version);
        }
        let Some(mut start) = start else {
            // Another transaction made the memory forget them at this very moment.
            return Err(Fail::Sql(sqlx::Error::PoolTimedOut));
        };
        begun.enter();
        let Start { lanes, stale, .. } = &mut start;
        let locked = stale.is_empty() || lanes::lock(&mut begun.session()?, shared, lanes, stale).await?;
        begun.leave();
        if !locked {
            shared.forget();
            return Err(Fail::Sql(sqlx::Error::Protocol(
                "the database was replaced while it was in use".into(),
            )));
        }
        let marks = start.lanes.iter().map(|(_, state)| state.mark).collect();
        Ok((SqlTx::new(begun, self.handle.clone(), start), marks))
    }

    async fn about(&self, session: &mut Session<'_>) -> Result<StoreInfo, Fail> {
        let shared = &self.handle.shared;
        let sql = "SELECT MAX(written_us), (SELECT latest_us FROM store), (SELECT id FROM store) FROM mark";
        let row = session.row(sql, &[]).await?.ok_or(sqlx::Error::RowNotFound)?;
        let latest_us = row.maybe_int(0)?.max(row.maybe_int(1)?).unwrap_or(i64::MIN);
        let durability = match &shared.pools {
            Pools::Sqlite { .. } => sqlite::durability(),
            Pools::MySql { .. } => mysql::durability(session).await?,
        };
        Ok(StoreInfo { id: StoreId(row.bits(2)?), durability, latest_us, name: shared.name.clone() })
    }
}

impl Store for SqlStore {
    type Error = SqlError;
    type Tx = SqlTx;

    async fn info(&self) -> Result<StoreInfo, SqlError> {
        let mut begun = self.read().await?;
        let found = self.about(&mut self.session(&mut begun)?).await;
        self.end(begun, found).await
    }

    async fn load(&self, device: &DeviceId) -> Result<Resume, SqlError> {
        Ok(self.load_all(&[*device]).await?.pop().unwrap_or_default())
    }

    async fn load_all(&self, devices: &[DeviceId]) -> Result<Vec<Resume>, SqlError> {
        let mut begun = self.read().await?;
        let found = load::resumes(&mut self.session(&mut begun)?, devices).await;
        self.end(begun, found).await
    }

    async fn begin(&self, lanes: &[LaneId]) -> Result<(SqlTx, Vec<Position>), SqlError> {
        // Locks and connections have limits of their own; this one is for a network that swallows what is sent.
        let limit = tokio::time::timeout(WAIT * 3, self.locked(lanes));
        let locked = limit.await.unwrap_or(Err(Fail::Sql(sqlx::Error::PoolTimedOut)));
        locked.map_err(|fail| self.error(fail))
    }

    fn writers(&self) -> usize {
        self.handle.shared.pools.writers()
    }

    fn failure(&self, error: &SqlError) -> Failure {
        error.failure()
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqlStore").field(&self.handle.shared.name).finish()
    }
}
