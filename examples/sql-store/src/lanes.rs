//! Lanes: their rows, the locks on them, and their marks.

use std::collections::HashMap;

use sensock::{Lane, Position};
use sensock_store::{Batch, LaneId};
use sqlx::AssertSqlSafe;

use crate::error::Fail;
use crate::held::State;
use crate::session::{Arg, Session};
use crate::shared::Shared;
use crate::tables::{LANE_ENDED, LANE_NEW, MARK, MARK_NEW};
use crate::transaction::SqlTx;

/// Lanes whose rows are looked for, or locked, in one statement.
const TOGETHER: usize = 512;

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
    let mut sorted = lanes.to_vec();
    sorted.sort_unstable();
    let mut ids = HashMap::with_capacity(lanes.len());
    for some in sorted.chunks(TOGETHER) {
        find(session, shared, some, &mut ids).await?;
        let missing: Vec<LaneId> = some.iter().filter(|lane| !ids.contains_key(*lane)).copied().collect();
        if missing.is_empty() {
            continue;
        }
        let rows: Vec<Arg<'_>> =
            missing.iter().flat_map(|lane| [Arg::Text(&lane.device), Arg::from(lane.lane as u8)]).collect();
        shared.insert(session, &LANE_NEW, &rows).await?;
        find(session, shared, &missing, &mut ids).await?;
        let rows: Vec<Arg<'_>> =
            missing.iter().filter_map(|lane| ids.get(lane)).map(|&id| Arg::Int(id)).collect();
        shared.insert(session, &MARK_NEW, &rows).await?;
    }
    let found: Option<Vec<i64>> = lanes.iter().map(|lane| ids.get(lane).copied()).collect();
    found.ok_or(Fail::Sql(sqlx::Error::RowNotFound))
}

/// Finds the rows of these lanes, as far as they are there.
async fn find(
    session: &mut Session<'_>,
    shared: &Shared,
    lanes: &[LaneId],
    ids: &mut HashMap<LaneId, i64>,
) -> Result<(), Fail> {
    let mut args: Vec<Arg<'_>> = lanes.iter().map(|lane| Arg::Text(&lane.device)).collect();
    fill_up(&mut args);
    let list = shared.dialect.list(args.len());
    let sql = format!("SELECT id, device, lane FROM lane WHERE device IN {list}");
    let wanted: HashMap<(&str, i64), LaneId> =
        lanes.iter().map(|lane| ((lane.device.as_str(), lane.lane as i64), *lane)).collect();
    for row in session.rows(AssertSqlSafe(sql), &args).await? {
        if let Some(lane) = wanted.get(&(row.text(1)?.as_str(), row.int(2)?)) {
            ids.insert(*lane, row.int(0)?);
        }
    }
    Ok(())
}

/// Repeats the last argument up to a power of two, so that few prepared statements serve every number.
pub(crate) fn fill_up(args: &mut Vec<Arg<'_>>) {
    if let Some(&last) = args.last() {
        args.resize(args.len().next_power_of_two(), last);
    }
}

/// Locks those of the lanes that stand at the places `stale`, always in the order of their ids, whatever order they are given in, and brings
/// their marks up to date. `false` if the ids are not these lanes': somebody put another database in the place of the one that was opened.
pub(crate) async fn lock(
    session: &mut Session<'_>,
    shared: &Shared,
    lanes: &mut [(LaneId, State)],
    stale: &[usize],
) -> Result<bool, Fail> {
    let mut places: Vec<(i64, usize)> = stale.iter().map(|&place| (lanes[place].1.id, place)).collect();
    places.sort_unstable();
    for some in places.chunks(TOGETHER) {
        if !lock_some(session, shared, lanes, some).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Locks lanes whose ids and places are given in the order of ids: a statement takes only so many arguments.
async fn lock_some(
    session: &mut Session<'_>,
    shared: &Shared,
    lanes: &mut [(LaneId, State)],
    places: &[(i64, usize)],
) -> Result<bool, Fail> {
    let mut args: Vec<Arg<'_>> = places.iter().map(|&(id, _)| Arg::Int(id)).collect();
    fill_up(&mut args);
    let dialect = shared.dialect;
    // Subqueries lock nothing: whoever makes new lanes locks their rows before their marks.
    let sql = format!(
        "SELECT m.lane_id, m.mark, m.written_us, m.sheet, (SELECT l.device FROM lane l WHERE l.id = m.lane_id), \
         (SELECT l.lane FROM lane l WHERE l.id = m.lane_id) \
         FROM mark m{index} WHERE m.lane_id IN {list} ORDER BY m.lane_id{lock}",
        index = dialect.by_primary_key(),
        list = dialect.list(args.len()),
        lock = dialect.for_update(),
    );
    let mut places: HashMap<i64, usize> = places.iter().copied().collect();
    for row in session.rows(AssertSqlSafe(sql), &args).await? {
        let Some((lane, state)) = places.remove(&row.int(0)?).and_then(|i| lanes.get_mut(i)) else {
            continue;
        };
        let same = row.maybe_text(4)?.as_deref() == Some(lane.device.as_str());
        if !same || row.maybe_int(5)? != Some(lane.lane as i64) {
            return Ok(false);
        }
        state.mark = Position(row.bits(1)?);
        state.written_us = row.maybe_int(2)?;
        state.sheet = row.int(3)?;
    }
    Ok(places.is_empty())
}

/// The lowest boot that any lane of a device still waits in; a lane without a row waits from the beginning.
pub(crate) fn lowest_boot(marks: &[Position; Lane::COUNT]) -> u32 {
    marks.iter().min().copied().unwrap_or(Position::NONE).boot()
}

impl SqlTx {
    /// The place of a lane among those that are held; one that `begin` did not lock is looked up now.
    pub(crate) async fn lane(&mut self, lane: &LaneId) -> Result<usize, Fail> {
        if let Some(place) = self.lanes.place(lane) {
            return Ok(place);
        }
        let shared = self.handle.shared.clone();
        let mut session = self.begun.session()?;
        let id = ids(&mut session, &shared, &[*lane]).await?[0];
        let row = session.row("SELECT mark, sheet FROM mark WHERE lane_id = ?", &[id.into()]).await?;
        let row = row.ok_or(sqlx::Error::RowNotFound)?;
        let mut state = State::new(id);
        (state.mark, state.sheet) = (Position(row.bits(0)?), row.int(1)?);
        Ok(self.lanes.add(*lane, state))
    }

    /// What marks will say, and the latest time and the sheet beside them.
    pub(crate) async fn mark_rows(&mut self, batch: &Batch) -> Result<Vec<Arg<'static>>, Fail> {
        let latest = latest_us(batch);
        let mut args = Vec::with_capacity(batch.marks.len() * MARK.columns.len());
        for (lane, mark) in &batch.marks {
            let place = self.lane(lane).await?;
            let state = self.lanes.at(place);
            state.written_us = state.written_us.max(latest);
            (state.mark, state.moved) = (*mark, false);
            args.extend([
                Arg::Int(state.id),
                Arg::Int(stored(*mark)?),
                Arg::from(state.written_us),
                Arg::Int(state.sheet),
            ]);
        }
        Ok(args)
    }

    /// What stands beside the marks: ends, and the latest time where no mark says it.
    pub(crate) async fn write_ends(&mut self, batch: &Batch) -> Result<(), Fail> {
        for state in self.lanes.states().filter(|state| state.moved) {
            let sql = "UPDATE mark SET sheet = ? WHERE lane_id = ?";
            self.begun.session()?.write(sql, &[state.sheet.into(), state.id.into()]).await?;
            state.moved = false;
        }
        let mut args = Vec::new();
        for (lane, ended) in &batch.ended {
            let place = self.lane(lane).await?;
            args.extend([
                Arg::Int(self.lanes.at(place).id),
                Arg::Text(&lane.device),
                Arg::from(lane.lane as u8),
                Arg::Int(stored(*ended)?),
            ]);
        }
        let shared = self.handle.shared.clone();
        shared.insert(&mut self.begun.session()?, &LANE_ENDED, &args).await?;
        match latest_us(batch) {
            Some(latest) if batch.marks.is_empty() => self.write_latest(latest).await,
            _ => Ok(()),
        }
    }

    /// Without a mark, a locked lane says the latest time; without a lock, the store's row does.
    async fn write_latest(&mut self, latest: i64) -> Result<(), Fail> {
        let mut session = self.begun.session()?;
        match self.lanes.states().min_by_key(|state| state.id) {
            Some(state) if state.written_us >= Some(latest) => {}
            Some(state) => {
                state.written_us = Some(latest);
                let sql = "UPDATE mark SET written_us = ? WHERE lane_id = ? AND (written_us IS NULL OR written_us < ?)";
                session.write(sql, &[latest.into(), state.id.into(), latest.into()]).await?;
            }
            None => {
                let sql = "UPDATE store SET latest_us = ? WHERE latest_us < ?";
                session.write(sql, &[latest.into(), latest.into()]).await?;
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
