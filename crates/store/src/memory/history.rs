//! Reading a memory store back.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

use sensock::catalog::CatalogView;
use sensock::{CommandId, DeviceId, Lane, Position};

use super::state::State;
use super::{MemoryError, MemoryStore};
use crate::history::{Cursor, FeedItem, FeedPage, History, NamedReading, Span};
use crate::rows::*;

impl History for MemoryStore {
    type Error = MemoryError;

    async fn devices(&self) -> Result<Vec<DeviceRow>, MemoryError> {
        Ok(self.state().devices.values().cloned().collect())
    }

    async fn latest(&self, device: &DeviceId) -> Result<Vec<NamedReading>, MemoryError> {
        let state = self.state();
        let mut newest: BTreeMap<(String, String), NamedReading> = BTreeMap::new();
        for row in
            Lane::ALL.into_iter().flat_map(|lane| records(&state, LaneId { device: *device, lane }, None))
        {
            let named = named(&state, row);
            let age = |r: &NamedReading| (r.row.position.boot(), r.row.tick);
            match newest.entry((named.name.clone(), named.unit.clone())) {
                Entry::Vacant(e) => _ = e.insert(named),
                Entry::Occupied(mut e) if age(e.get()) <= age(&named) => {
                    e.insert(named);
                }
                _ => {}
            }
        }
        Ok(newest.into_values().collect())
    }

    async fn range(
        &self,
        device: &DeviceId,
        span: Span,
        after: Option<(LaneId, Position)>,
        limit: usize,
    ) -> Result<Vec<NamedReading>, MemoryError> {
        let state = self.state();
        let mut rows: Vec<ReadingRow> = Vec::new();
        for lane in Lane::ALL.map(|lane| LaneId { device: *device, lane }) {
            let after = match after {
                Some((l, _)) if l > lane => continue,
                Some((l, position)) if l == lane => Some(position),
                _ => None,
            };
            let touching = |r: &&ReadingRow| touches(span, r.not_before_us, Some(r.not_after_us));
            for row in records(&state, lane, after).filter(touching) {
                let begins = rows.last().is_none_or(|l| (l.lane, l.position) != (row.lane, row.position));
                if begins && rows.len() >= limit {
                    return Ok(whole(&state, rows, limit));
                }
                rows.push(*row);
            }
        }
        Ok(whole(&state, rows, limit))
    }

    async fn gaps(&self, device: &DeviceId, span: Span) -> Result<Vec<GapRow>, MemoryError> {
        let state = self.state();
        let gaps = state.gaps.values().filter(|g| g.lane.device == *device);
        Ok(gaps.filter(|g| touches(span, g.not_before_us, g.not_after_us)).cloned().collect())
    }

    async fn connections(&self, device: &DeviceId, span: Span) -> Result<Vec<ConnectionRow>, MemoryError> {
        let state = self.state();
        let all = state.connections.values().filter(|c| c.device == *device);
        let mut rows: Vec<_> = all.filter(|c| touches(span, Some(c.from_us), c.to_us)).cloned().collect();
        rows.sort_by_key(|c| (c.from_us, c.id));
        Ok(rows)
    }

    async fn boots(&self, device: &DeviceId) -> Result<Vec<BootRow>, MemoryError> {
        Ok(self.state().boots_of(device).cloned().collect())
    }

    async fn commands(&self, device: &DeviceId, limit: usize) -> Result<Vec<CommandRow>, MemoryError> {
        Ok(self.state().commands_of(device).rev().take(limit).cloned().collect())
    }

    async fn command(&self, device: &DeviceId, id: CommandId) -> Result<Option<CommandRow>, MemoryError> {
        Ok(self.state().commands.get(&(*device, id)).cloned())
    }

    async fn settings(&self, device: &DeviceId) -> Result<Vec<SettingRow>, MemoryError> {
        Ok(self.state().settings_of(device).cloned().collect())
    }

    async fn quarantine(&self, device: &DeviceId) -> Result<Vec<QuarantineRow>, MemoryError> {
        let state = self.state();
        Ok(state.quarantine.values().filter(|q| q.lane.device == *device).cloned().collect())
    }

    async fn feed(&self, cursor: &Cursor, limit: usize) -> Result<(Vec<FeedItem>, Cursor), MemoryError> {
        let look = look(&self.state(), None, cursor, limit);
        // A cursor moves with what it passes, and with nothing else.
        let mut next = cursor.clone();
        let passed = look.items.iter().filter_map(|item| item.lane().zip(item.last()));
        next.lanes.extend(passed);
        Ok((look.items, next))
    }

    async fn feed_of(
        &self,
        devices: &[DeviceId],
        cursor: &Cursor,
        limit: usize,
    ) -> Result<FeedPage, MemoryError> {
        Ok(look(&self.state(), Some(devices), cursor, limit))
    }
}

/// Each lane has its share, so that a busy one cannot keep the others waiting for ever.
fn look(state: &State, devices: Option<&[DeviceId]>, cursor: &Cursor, limit: usize) -> FeedPage {
    let share = limit.div_ceil(state.lanes.len().max(1)).max(1);
    let mut look = FeedPage { cursor: cursor.clone(), ..FeedPage::default() };
    let wanted = state.lanes.iter().filter(|(lane, _)| devices.is_none_or(|d| d.contains(&lane.device)));
    for (&lane, entry) in wanted {
        let after = cursor.lanes.get(&lane).copied();
        let mut by_position: BTreeMap<Position, (Position, FeedItem)> = BTreeMap::new();
        for row in records(state, lane, after) {
            let held = by_position.len();
            match by_position.entry(row.position) {
                Entry::Occupied(mut e) => {
                    if let FeedItem::Record(rows) = &mut e.get_mut().1 {
                        rows.push(*row);
                    }
                }
                Entry::Vacant(_) if held > share => break,
                Entry::Vacant(e) => _ = e.insert((row.position, FeedItem::Record(vec![*row]))),
            }
        }
        let from = after.map_or(Bound::Included((lane, Position::NONE)), |p| Bound::Excluded((lane, p)));
        let to = Bound::Included((lane, Position(u64::MAX)));
        for gap in state.gaps.range((from, to)).map(|(_, g)| g).take(share) {
            by_position.insert(gap.first, (gap.last, FeedItem::Gap(gap.clone())));
        }
        let is_all = by_position.len() < share;
        look.more |= !is_all;
        for (last, item) in by_position.into_values().take(share) {
            look.cursor.lanes.insert(lane, last);
            look.items.push(item);
        }
        if is_all && entry.mark > Position::NONE {
            let reached = look.cursor.lanes.entry(lane).or_default();
            *reached = entry.mark.max(*reached);
        }
    }
    look
}

/// Readings of a lane after a position, in order.
fn records(state: &State, lane: LaneId, after: Option<Position>) -> impl Iterator<Item = &ReadingRow> {
    let from =
        after.map_or(Bound::Included((lane, Position::NONE, 0)), |p| Bound::Excluded((lane, p, u16::MAX)));
    state.readings.range((from, Bound::Included((lane, Position(u64::MAX), u16::MAX)))).map(|(_, r)| r)
}

fn touches(span: Span, not_before: Option<i64>, not_after: Option<i64>) -> bool {
    not_before.is_none_or(|t| t <= span.to_us) && not_after.is_none_or(|t| t >= span.from_us)
}

/// Cuts what exceeds the limit at the border of a record, but leaves the first record whole.
fn whole(state: &State, mut rows: Vec<ReadingRow>, limit: usize) -> Vec<NamedReading> {
    while rows.len() > limit {
        let Some(last) = rows.last().map(|r| (r.lane, r.position)) else { break };
        let keep = rows.partition_point(|r| (r.lane, r.position) < last);
        if keep == 0 {
            break;
        }
        rows.truncate(keep);
    }
    rows.iter().map(|r| named(state, r)).collect()
}

fn named(state: &State, row: &ReadingRow) -> NamedReading {
    let catalogs = state.catalogs.get(&row.lane.device).into_iter().flatten();
    let view = catalogs.filter(|c| c.hash == row.catalog).find_map(|c| CatalogView::new(&c.bytes).ok());
    let entry = view.and_then(|v| v.quantities().find(|q| q.id == row.quantity));
    NamedReading {
        row: *row,
        name: entry.map_or_else(|| format!("quantity {}", row.quantity), |q| q.name.to_owned()),
        unit: entry.map_or_else(String::new, |q| q.unit.to_owned()),
        scale: entry.map_or(0, |q| q.scale),
    }
}
