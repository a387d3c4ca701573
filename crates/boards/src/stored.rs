//! What the store holds of a device, read by a program of its own beside the server.

use crate::board::Board;
use anyhow::{Result, bail};
use sensock::{DeviceId, Lane, Position};
use sensock_sql::SqlStore;
use sensock_store::{
    BootRow, CommandRow, ConnectionRow, Cursor, FeedItem, GapRow, History as _, LaneId, QuarantineRow,
    ReadingRow, SettingRow, Span, Store as _,
};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// How often the store is looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A reader of the server's store.
#[derive(Debug)]
pub struct Stored {
    runtime: Runtime,
    store: SqlStore,
    device: DeviceId,
}

/// The record lane and the replies of a device, in order of position.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// One entry for each record of lane `readings`.
    pub records: Vec<Vec<ReadingRow>>,
    /// Gaps in any lane.
    pub gaps: Vec<GapRow>,
}

impl Stored {
    /// Opens the store that a server has made or will use.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(store: &str, board: Board) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let store = runtime.block_on(SqlStore::open(store))?;
        Ok(Self { runtime, store, device: DeviceId::new(board.id())? })
    }

    /// The last position that is accounted for in a lane.
    ///
    /// # Errors
    /// Those of the store.
    pub fn mark(&self, lane: Lane) -> Result<Position> {
        let resume = self.runtime.block_on(self.store.load(&self.device))?;
        Ok(resume.marks[lane.index()])
    }

    /// Waits until the mark of lane `readings` reaches record `n` of the device's newest boot.
    ///
    /// # Errors
    /// When it does not within `within`; the message says how far it came.
    pub fn until_record(&self, n: u32, within: Duration) -> Result<()> {
        let mut mark = Position::NONE;
        let reached = || {
            mark = self.mark(Lane::Readings)?;
            Ok(mark.n() >= n && mark.boot() > 0)
        };
        let waited = wait(within, reached);
        waited.map_err(|error| error.context(format!("waited for record {n}; the mark is at {mark}")))
    }

    /// Waits until the command of this idempotency key is in a state that `is` is content with, and gives it.
    ///
    /// # Errors
    /// When it is not within `within`.
    pub fn until_command(
        &self,
        key: &str,
        within: Duration,
        is: impl Fn(&CommandRow) -> bool,
    ) -> Result<CommandRow> {
        let mut last = None;
        let reached = || {
            last = self.commands()?.into_iter().find(|row| row.idempotency_key.as_deref() == Some(key));
            Ok(last.as_ref().is_some_and(&is))
        };
        let waited = wait(within, reached);
        match (waited, last) {
            (Ok(()), Some(row)) => Ok(row),
            (Err(error), last) => Err(error.context(format!("waited for command {key:?}; it is {last:?}"))),
            (Ok(()), None) => bail!("command {key:?} is gone"),
        }
    }

    /// Waits until the device has said that it applied the newest setting of this name.
    ///
    /// # Errors
    /// When it does not within `within`.
    pub fn until_applied(&self, setting: &str, within: Duration) -> Result<()> {
        self.until_setting(setting, within, |row| row.applied_us.is_some())
    }

    /// Waits until the newest setting of this name is in a state that `is` is content with.
    ///
    /// # Errors
    /// When it is not within `within`.
    pub fn until_setting(
        &self,
        setting: &str,
        within: Duration,
        is: impl Fn(&SettingRow) -> bool,
    ) -> Result<()> {
        let reached = || Ok(self.settings()?.iter().any(|row| row.name == setting && is(row)));
        wait(within, reached).map_err(|error| error.context(format!("waited for setting {setting}")))
    }

    /// All commands.
    ///
    /// # Errors
    /// Those of the store.
    pub fn commands(&self) -> Result<Vec<CommandRow>> {
        Ok(self.runtime.block_on(self.store.commands(&self.device, 1_000))?)
    }

    /// All settings.
    ///
    /// # Errors
    /// Those of the store.
    pub fn settings(&self) -> Result<Vec<SettingRow>> {
        Ok(self.runtime.block_on(self.store.settings(&self.device))?)
    }

    /// All boots.
    ///
    /// # Errors
    /// Those of the store.
    pub fn boots(&self) -> Result<Vec<BootRow>> {
        Ok(self.runtime.block_on(self.store.boots(&self.device))?)
    }

    /// All connections.
    ///
    /// # Errors
    /// Those of the store.
    pub fn connections(&self) -> Result<Vec<ConnectionRow>> {
        Ok(self.runtime.block_on(self.store.connections(&self.device, Span::ALL))?)
    }

    /// Records that the store could not take.
    ///
    /// # Errors
    /// Those of the store.
    pub fn quarantine(&self) -> Result<Vec<QuarantineRow>> {
        Ok(self.runtime.block_on(self.store.quarantine(&self.device))?)
    }

    /// All records of lane `readings`, and all gaps.
    ///
    /// # Errors
    /// Those of the store.
    pub fn kept(&self) -> Result<Kept> {
        self.runtime.block_on(async {
            let (mut kept, mut cursor) = (Kept::default(), Cursor::default());
            let lane = LaneId { device: self.device, lane: Lane::Readings };
            loop {
                let (items, next) = self.store.feed(&cursor, 5_000).await?;
                if items.is_empty() {
                    return Ok(kept);
                }
                cursor = next;
                for item in items {
                    match item {
                        FeedItem::Record(rows) if rows.first().is_some_and(|row| row.lane == lane) => {
                            kept.records.push(rows);
                        }
                        FeedItem::Record(_) => {}
                        FeedItem::Gap(gap) => kept.gaps.push(gap),
                    }
                }
            }
        })
    }
}

/// Looks again and again until `reached` says so.
///
/// # Errors
/// When it does not within `within`, or says an error itself. An error while the database is locked is not one: it is asked again.
pub fn wait(within: Duration, mut reached: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + within;
    loop {
        match reached() {
            Ok(true) => return Ok(()),
            Ok(false) if Instant::now() >= deadline => bail!("not within {within:?}"),
            Err(error) if Instant::now() >= deadline => return Err(error),
            _ => std::thread::sleep(LOOK),
        }
    }
}
