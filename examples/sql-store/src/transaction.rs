//! One transaction: what it writes, and what it learned that becomes true with its commit.

use std::collections::HashMap;

use sensock::DeviceId;
use sensock_store::{Batch, Resume, Transaction};

use crate::error::{Fail, SqlError};
use crate::held::{Held, Since, Start};
use crate::hook::HookTx;
use crate::load;
use crate::pool::Begun;
use crate::series::Quantities;
use crate::shared::Handle;
use crate::sheets::Sheet;

/// A transaction of a [`SqlStore`](crate::SqlStore). Dropped without `commit`, it is rolled back.
///
/// A call that is dropped before it is done leaves nothing behind either; `commit` alone may then have happened or not.
pub struct SqlTx {
    pub(crate) begun: Begun,
    pub(crate) handle: Handle,
    /// Lanes that are locked, and others that rows were written to.
    pub(crate) lanes: Held,
    /// Series that were looked up or made.
    pub(crate) series: HashMap<(DeviceId, u64), Quantities>,
    /// Where records go, once that is known.
    pub(crate) sheet: Option<Sheet>,
    /// What it began in; see [`Known`](crate::held::Known).
    since: Since,
}

impl SqlTx {
    pub(crate) fn new(begun: Begun, handle: Handle, start: Start) -> Self {
        let Start { lanes, sheet, since, .. } = start;
        Self { begun, handle, lanes: Held::new(lanes), series: HashMap::new(), sheet, since }
    }

    /// Catalogues first, since readings refer to them; marks last, since they say that all the rest is there.
    async fn write_all(&mut self, batch: &Batch) -> Result<(), Fail> {
        self.write_catalogs(batch).await?;
        let packed = self.pack(batch).await?;
        self.write_gaps(batch).await?;
        self.write_links(batch).await?;
        self.write_commands(batch).await?;
        self.append(&packed, batch).await?;
        self.write_ends(batch).await?;
        self.prune_anchors(batch).await
    }

    async fn resumes(&mut self, devices: &[DeviceId]) -> Result<Vec<Resume>, Fail> {
        load::resumes(&mut self.begun.session()?, devices).await
    }

    async fn call_hook(&mut self, batch: &Batch) -> Result<(), SqlError> {
        let Some(hook) = self.handle.hook.clone() else { return Ok(()) };
        let place = &self.handle.shared.place;
        let fail = |error| SqlError::new(place, error);
        let mut session = self.begun.session().map_err(fail)?;
        // An error of these rows is not one that the hook may overlook.
        session.flush().await.map_err(fail)?;
        hook.write(&mut HookTx::new(session, place), batch).await
    }

    fn error(&self, fail: impl Into<Fail>) -> SqlError {
        self.handle.shared.error(fail)
    }
}

impl Transaction for SqlTx {
    type Error = SqlError;

    async fn load(&mut self, device: &DeviceId) -> Result<Resume, SqlError> {
        Ok(self.load_all(&[*device]).await?.pop().unwrap_or_default())
    }

    async fn load_all(&mut self, devices: &[DeviceId]) -> Result<Vec<Resume>, SqlError> {
        self.begun.enter();
        let found = self.resumes(devices).await;
        self.begun.leave();
        found.map_err(|fail| self.error(fail))
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), SqlError> {
        self.begun.enter();
        let written = match self.write_all(batch).await {
            Ok(()) => self.call_hook(batch).await,
            Err(fail) => Err(self.error(fail)),
        };
        self.begun.leave();
        if written.is_err() {
            self.begun.fail();
        }
        written
    }

    async fn commit(self) -> Result<(), SqlError> {
        let shared = self.handle.shared;
        self.begun.commit().await.map_err(|error| shared.error(error))?;
        // Only now does anybody else see these rows.
        shared.series.learn(self.series);
        shared.known().committed(self.lanes, self.since, self.sheet);
        Ok(())
    }
}
