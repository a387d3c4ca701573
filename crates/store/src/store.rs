//! The four calls that a store implements: load, begin, write, commit.

use std::future::Future;

use sensock::{DeviceId, Lane, Position, StoreId, Tag};

use crate::batch::Batch;
use crate::rows::*;

/// How much a commit is worth when the power fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Durability {
    /// `commit` returns after the data was flushed to the disk.
    Flushed,
    /// `commit` may return before that: a power cut can lose acknowledged rows. Says which setting is to blame and what to do.
    Weaker(String),
    /// Nothing outlives the process.
    Memory,
}

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreInfo {
    /// Drawn once, when the schema was made.
    pub id: StoreId,
    /// What a commit is worth.
    pub durability: Durability,
    /// The latest time that any row was written, in us since 1970; `i64::MIN` if there is none. A server whose clock is before it waits.
    pub latest_us: i64,
    /// Kind, version and place, for people ("SQLite 3.50, plants.sqlite").
    pub name: String,
}

/// What a failed call means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Run the same transaction again: deadlock, lock wait, lost connection, outcome unknown, store away, disk full.
    Retry,
    /// These rows can never be stored: the group is bisected, the guilty rows go to quarantine.
    Rejected,
}

/// All that a connection needs to know of its device, read in one go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resume {
    /// The device's row; `None` if it never proved itself live here.
    pub device: Option<DeviceRow>,
    /// Marks of its lanes; [`Position::NONE`] for a lane without a row.
    pub marks: [Position; Lane::COUNT],
    /// Last positions of a boot that ended in order; [`Position::NONE`] if not known.
    pub ended: [Position; Lane::COUNT],
    /// The newest four catalogues, the newest first.
    pub catalogs: Vec<CatalogRow>,
    /// Boots from the one that the lowest mark is in, and the one before it, in order; at most 64, the newest.
    pub boots: Vec<BootRow>,
    /// Anchors of those boots, in order of boot and tick; at most 256, the newest.
    pub anchors: Vec<AnchorRow>,
    /// Unsettled commands, and the newest 64 settled ones, in order of id.
    pub commands: Vec<CommandRow>,
    /// Settings.
    pub settings: Vec<SettingRow>,
}

impl Resume {
    /// Boot and tag as stored; zeros for a new device.
    pub fn boot_and_tag(&self) -> (u32, Tag) {
        self.device.as_ref().map_or((0, Tag::NONE), |d| (d.boot, d.tag))
    }
}

/// Where records are kept. Implement it for your own database and your own tables; `conformance` checks it.
///
/// Every future may be dropped: what was not committed must then not be there. Rule A (locking order, deduplication, gaps) is not the
/// store's affair: `append` does it, once, for every store.
///
/// A store around another one passes on all of these calls, those that have a body here too: else it is as slow as that body.
pub trait Store: Clone + Send + Sync + 'static {
    /// The store's own error.
    type Error: std::error::Error + Send + Sync + 'static;
    /// A transaction under way. Dropped without `commit`, it leaves nothing.
    type Tx: Transaction<Error = Self::Error>;

    /// What the store says of itself; asked at start and now and then.
    fn info(&self) -> impl Future<Output = Result<StoreInfo, Self::Error>> + Send;

    /// Reads all that a connection of this device needs; takes no locks.
    fn load(&self, device: &DeviceId) -> impl Future<Output = Result<Resume, Self::Error>> + Send;

    /// As [`Store::load`] for several devices, none of them twice; returns theirs in the order given. A fleet that comes back all at once is
    /// looked up in this way: a store that answers for many in about the time that it takes for one should.
    fn load_all(
        &self,
        devices: &[DeviceId],
    ) -> impl Future<Output = Result<Vec<Resume>, Self::Error>> + Send {
        async move {
            let mut found = Vec::with_capacity(devices.len());
            for device in devices {
                found.push(self.load(device).await?);
            }
            Ok(found)
        }
    }

    /// Begins a transaction and locks these lanes (sorted, without duplicates) in the order given; returns their marks as the lock
    /// found them. A lane without a row has [`Position::NONE`] and is locked all the same. Waits for at most 3 s, then fails with
    /// [`Failure::Retry`].
    fn begin(
        &self,
        lanes: &[LaneId],
    ) -> impl Future<Output = Result<(Self::Tx, Vec<Position>), Self::Error>> + Send;

    /// How many transactions about different devices it takes at once, so that together they are faster than one after the other. A server
    /// runs so many; those about one device always follow each other.
    fn writers(&self) -> usize {
        1
    }

    /// What this error means for the caller.
    fn failure(&self, error: &Self::Error) -> Failure;
}

/// The rest of the four calls.
pub trait Transaction: Send {
    /// The store's own error.
    type Error: std::error::Error + Send + Sync + 'static;

    /// As [`Store::load`], but within the transaction: what it returns is what is committed, under the lock that `begin` took.
    fn load(&mut self, device: &DeviceId) -> impl Future<Output = Result<Resume, Self::Error>> + Send;

    /// As [`Transaction::load`] for several devices, none of them twice; returns theirs in the order given.
    fn load_all(
        &mut self,
        devices: &[DeviceId],
    ) -> impl Future<Output = Result<Vec<Resume>, Self::Error>> + Send {
        async move {
            let mut found = Vec::with_capacity(devices.len());
            for device in devices {
                found.push(self.load(device).await?);
            }
            Ok(found)
        }
    }

    /// Writes rows. May be called several times.
    fn write(&mut self, batch: &Batch) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Makes it last, as the store's durability says.
    fn commit(self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
