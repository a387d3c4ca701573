//! Lanes: their rows, the locks on them, and their marks.

use std::collections::HashMap;

use sensock::{Lane, Position};
use sensock_store::{Batch, LaneId};
use sqlx::AssertSqlSafe;

use crate::error::Fail;
use crate::session::{Arg, Session};
use crate::shared::Shared;
use crate::tables::{LANE_ENDED, LANE_MARK, LANE_NEW};
use crate::transaction::SqlTx;

/// A lane as a transaction found it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) id: i64,
    /// The latest time that was written with it.
    pub(crate) written_us: Option<i64>,
}

/// A position as it is stored.
pub(crate) fn stored(position: Position) -> Result<i64, Fail> {
    i64::try_from(position.0).map_err(|_| {
        Fail::Data(format!("position {position} has a boot number of 2^31 or more, which no store can hold"))
    })
}

/// The ids of lanes, whose rows are made where they are missing.
pub(crate) async fn ids(
    session: &mut Session<'_>,
    shared: &Shared,
    lanes: &[LaneId],
) -> Result<Vec<i64>, Fail> {
    // In one order, whatever order they are given in: else two programs that make the same rows could wait for each other.
    let mut order: Vec<usize> = (0..lanes.len()).collect();
    order.sort_unstable_by_key(|&i| lanes[i]);
    let mut ids = vec![0; lanes.len()];
    for i in order {
        ids[i] = match shared.lanes.find(&lanes[i]) {
            Some(id) => id,
            None => find_or_make(session, shared, &lanes[i]).await?,
        };
    }
    Ok(ids)
}

async fn find_or_make(session: &mut Session<'_>, shared: &Shared, lane: &LaneId) -> Result<i64, Fail> {
    const FIND: &str = "SELECT id FROM lane WHERE device = ? AND lane = ?";
    let key = [Arg::Text(&lane.device), Arg::from(lane.lane as u8)];
    if let Some(row) = session.row(FIND, &key).await? {
        return Ok(row.int(0)?);
    }
    shared.insert(session, &LANE_NEW, &key).await?;
    match session.row(FIND, &key).await? {
        Some(row) => Ok(row.int(0)?),
        None => Err(sqlx::Error::RowNotFound.into()),
    }
}

/// Locks lanes, always in the order of their ids, whatever order they are given in; returns mark and latest time of each. `None` if the
/// ids are not these lanes': somebody put another database in the place of the one that was opened.
pub(crate) async fn lock(
    session: &mut Session<'_>,
    shared: &Shared,
    lanes: &[LaneId],
    ids: &[i64],
) -> Result<Option<Vec<(Position, Option<i64>)>>, Fail> {
    let Some(&last) = ids.last() else { return Ok(Some(Vec::new())) };
    // Filled up to a power of two, so that few prepared statements serve every number.
    let mut args: Vec<Arg<'_>> = ids.iter().map(|&id| Arg::Int(id)).collect();
    args.resize(ids.len().next_power_of_two(), Arg::Int(last));
    let (index, list, lock) =
        (shared.dialect.by_primary_key(), shared.dialect.list(args.len()), shared.dialect.for_update());
    let sql = format!(
        "SELECT id, mark, written_us, device, lane FROM lane{index} WHERE id IN {list} ORDER BY id{lock}"
    );
    let mut found = HashMap::with_capacity(ids.len());
    for row in session.rows(AssertSqlSafe(sql), &args).await? {
        let whose = (row.text(3)?, row.int(4)?);
        found.insert(row.int(0)?, (whose, (Position(row.bits(1)?), row.maybe_int(2)?)));
    }
    let in_order = lanes.iter().zip(ids).map(|(lane, id)| {
        let ((device, number), state) = found.get(id)?;
        (*device == lane.device.as_str() && *number == lane.lane as i64).then_some(*state)
    });
    Ok(in_order.collect())
}

/// The lowest boot that any lane of a device still waits in; a lane without a row waits from the beginning.
pub(crate) fn lowest_boot(marks: &[Position; Lane::COUNT]) -> u32 {
    marks.iter().min().copied().unwrap_or(Position::NONE).boot()
}

/// Marks of a device's lanes.
pub(crate) async fn marks(session: &mut Session<'_>, device: &str) -> Result<[Position; Lane::COUNT], Fail> {
    let mut marks = [Position::NONE; Lane::COUNT];
    let sql = "SELECT lane, mark FROM lane WHERE device = ?";
    for row in session.rows(sql, &[Arg::Text(device)]).await? {
        if let Some(lane) = Lane::from_number(row.small(0)?) {
            marks[lane.index()] = Position(row.bits(1)?);
        }
    }
    Ok(marks)
}

impl SqlTx {
    /// The lane, which `begin` has locked, or which is found now.
    pub(crate) async fn lane(&mut self, lane: &LaneId) -> Result<Found, Fail> {
        if let Some(found) = self.lanes.get(lane) {
            return Ok(*found);
        }
        let shared = self.handle.shared.clone();
        let id = ids(&mut self.begun.session()?, &shared, &[*lane]).await?[0];
        let found = Found { id, written_us: None };
        self.lanes.insert(*lane, found);
        Ok(found)
    }

    /// Writes marks and ends, and the latest time beside them.
    pub(crate) async fn write_marks(&mut self, batch: &Batch) -> Result<(), Fail> {
        let latest = latest_us(batch);
        let mut args = Vec::with_capacity(batch.marks.len() * LANE_MARK.columns.len());
        for (lane, mark) in &batch.marks {
            let found = self.lane(lane).await?;
            let written = found.written_us.max(latest);
            self.lanes.insert(*lane, Found { written_us: written, ..found });
            args.extend([
                Arg::Int(found.id),
                Arg::Text(&lane.device),
                Arg::from(lane.lane as u8),
                Arg::Int(stored(*mark)?),
                Arg::from(written),
            ]);
        }
        let shared = self.handle.shared.clone();
        shared.insert(&mut self.begun.session()?, &LANE_MARK, &args).await?;
        args.clear();
        for (lane, ended) in &batch.ended {
            let id = self.lane(lane).await?.id;
            args.extend([
                Arg::Int(id),
                Arg::Text(&lane.device),
                Arg::from(lane.lane as u8),
                Arg::Int(stored(*ended)?),
            ]);
        }
        shared.insert(&mut self.begun.session()?, &LANE_ENDED, &args).await?;
        match latest {
            Some(latest) if batch.marks.is_empty() => self.write_latest(latest).await,
            _ => Ok(()),
        }
    }

    /// Without a mark, a locked lane says the latest time; without a lock, the store's row does.
    async fn write_latest(&mut self, latest: i64) -> Result<(), Fail> {
        let held = self.lanes.values().copied().min_by_key(|found| found.id);
        let mut session = self.begun.session()?;
        match held {
            Some(Found { written_us: Some(written), .. }) if written >= latest => return Ok(()),
            Some(Found { id, .. }) => {
                let sql =
                    "UPDATE lane SET written_us = ? WHERE id = ? AND (written_us IS NULL OR written_us < ?)";
                session.execute(sql, &[latest.into(), id.into(), latest.into()]).await?;
            }
            None => {
                let sql = "UPDATE store SET latest_us = ? WHERE latest_us < ?";
                session.execute(sql, &[latest.into(), latest.into()]).await?;
            }
        }
        Ok(())
    }
}

/// The latest time that any row of a batch names.
fn latest_us(batch: &Batch) -> Option<i64> {
    let readings = batch.readings.iter().map(|r| r.not_after_us);
    let gaps = batch.gaps.iter().map(|g| g.written_us);
    let quarantine = batch.quarantine.iter().map(|q| q.written_us);
    let boots = batch.boots.iter().map(|b| b.seen_us);
    let connections = batch.connections.iter().map(|c| c.to_us.unwrap_or(c.from_us));
    let commands = batch.commands.iter().map(|c| c.settled_us.unwrap_or(c.created_us));
    let settings = batch.settings.iter().map(|s| s.set_us);
    readings
        .chain(gaps)
        .chain(quarantine)
        .chain(boots)
        .chain(connections)
        .chain(commands)
        .chain(settings)
        .max()
}
