//! Lanes in memory: what a transaction holds, and what is remembered from one to the next.

use std::num::NonZeroI64;
use std::sync::Arc;

use sensock::{DeviceId, Lane, Position};
use sensock_store::LaneId;

use crate::series::Quantities;
use crate::shared::{CACHED, Map};
use crate::sheets::{Sheet, Signpost};

/// A lane as a transaction found it and as it leaves it.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) id: i64,
    /// Its mark, the latest time that was written with it, and the sheet of its newest record.
    pub(crate) mark: Position,
    pub(crate) written_us: Option<i64>,
    pub(crate) sheet: i64,
    /// The row of `mark` does not say yet in which sheet that is.
    pub(crate) moved: bool,
    /// Its last signpost, as far as it is known.
    pub(crate) signpost: Option<Signpost>,
    /// The series of one catalogue, and rows of `newest` that were written for them.
    pub(crate) catalog: u64,
    pub(crate) quantities: Option<Quantities>,
    pub(crate) newest: Arc<[(i64, i64)]>,
    /// When mark, time and sheet were read; see [`Known`].
    epoch: u64,
}

impl State {
    pub(crate) fn new(id: i64) -> Self {
        State { id, ..State::default() }
    }

    /// Readings were written: more will come, and all of this is of use then.
    fn is_in_use(&self) -> bool {
        self.quantities.is_some()
    }
}

/// The lanes of one transaction, in order.
#[derive(Debug, Default)]
pub(crate) struct Held {
    lanes: Vec<(LaneId, State)>,
    /// Where the last one was found: lanes are asked for in order.
    last: usize,
}

impl Held {
    pub(crate) fn new(mut lanes: Vec<(LaneId, State)>) -> Self {
        lanes.sort_unstable_by_key(|(lane, _)| *lane);
        Held { lanes, last: 0 }
    }

    pub(crate) fn place(&mut self, lane: &LaneId) -> Option<usize> {
        let near = [self.last, self.last + 1];
        let near = near.into_iter().find(|&i| self.lanes.get(i).is_some_and(|(l, _)| l == lane));
        let place = near.or_else(|| self.lanes.binary_search_by_key(lane, |(l, _)| *l).ok())?;
        self.last = place;
        Some(place)
    }

    pub(crate) fn add(&mut self, lane: LaneId, state: State) -> usize {
        let place = self.lanes.partition_point(|(l, _)| *l < lane);
        self.lanes.insert(place, (lane, state));
        place
    }

    /// The lane at a place that [`Held::place`] or [`Held::add`] gave.
    pub(crate) fn at(&mut self, place: usize) -> &mut State {
        &mut self.lanes[place].1
    }

    pub(crate) fn states(&mut self) -> impl Iterator<Item = &mut State> {
        self.lanes.iter_mut().map(|(_, state)| state)
    }
}

/// What is known of lanes between transactions.
///
/// Ids never change. A mark is trusted only under the lock, and only if the database says that nobody else wrote since it was read: each
/// transaction takes `version` out, and puts it back once it is committed. One that fails, or whose end nobody knows, does not.
///
/// A fleet is mostly idle: of a lane without readings only the id is kept, and its mark is read when it is wanted.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Of each device's lanes; `None`: its row was never seen.
    ids: Map<DeviceId, [Option<NonZeroI64>; Lane::COUNT]>,
    /// Lanes that readings were written to.
    lanes: Map<LaneId, State>,
    /// The newest sheet.
    sheet: Option<Sheet>,
    version: Option<i64>,
    epoch: u64,
}

/// What a transaction begins with.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) lanes: Vec<(LaneId, State)>,
    /// Places of lanes whose marks are not known to be those of the database.
    pub(crate) stale: Vec<usize>,
    pub(crate) sheet: Option<Sheet>,
    pub(crate) since: Since,
}

/// The state of the database, and of the memory of it, that a transaction began in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since {
    version: Option<i64>,
    epoch: u64,
}

impl Known {
    /// What is known of these lanes in a database of this version; `None` if a lane's row was never seen.
    pub(crate) fn begin(&mut self, lanes: &[LaneId], version: Option<i64>) -> Option<Start> {
        if version.is_none() || self.version.take() != version {
            self.epoch += 1;
            self.sheet = None;
        }
        let mut found: Vec<(LaneId, State)> = Vec::with_capacity(lanes.len());
        for lane in lanes {
            found.push((*lane, self.state(lane)?));
        }
        let stale = (0..).zip(&found).filter(|(_, (_, state))| state.epoch != self.epoch);
        let stale = stale.map(|(place, _)| place).collect();
        found.iter_mut().for_each(|(_, state)| state.epoch = self.epoch);
        let since = Since { version, epoch: self.epoch };
        Some(Start { lanes: found, stale, sheet: self.sheet, since })
    }

    fn state(&self, lane: &LaneId) -> Option<State> {
        let known = self.lanes.get(lane).cloned();
        known.or_else(|| Some(State::new(self.ids.get(&lane.device)?[lane.lane.index()]?.get())))
    }

    /// These rows are there.
    pub(crate) fn seen(&mut self, lanes: impl Iterator<Item = (LaneId, i64)>) {
        self.bound();
        for (lane, id) in lanes {
            self.ids.entry(lane.device).or_default()[lane.lane.index()] = NonZeroI64::new(id);
        }
    }

    /// A transaction that held these is committed.
    pub(crate) fn committed(&mut self, held: Held, since: Since, sheet: Option<Sheet>) {
        self.bound();
        // Else another one began before this was told, and may have gone on.
        if since.epoch == self.epoch {
            (self.version, self.sheet) = (since.version, sheet);
        }
        for (lane, state) in held.lanes {
            if state.is_in_use() {
                self.lanes.insert(lane, state);
            } else {
                self.lanes.remove(&lane);
                self.ids.entry(lane.device).or_default()[lane.lane.index()] = NonZeroI64::new(state.id);
            }
        }
    }

    fn bound(&mut self) {
        if self.lanes.len() > CACHED {
            self.lanes.clear();
        }
        if self.ids.len() > CACHED {
            self.ids.clear();
        }
    }

    pub(crate) fn forget(&mut self) {
        *self = Known { epoch: self.epoch + 1, ..Known::default() };
    }
}

#[cfg(test)]
mod tests {
    use sensock::{DeviceId, Lane};

    use super::*;

    fn lane() -> LaneId {
        LaneId { device: DeviceId::new("cellar").unwrap(), lane: Lane::Readings }
    }

    /// Begins in a database of this version; a mark that is not fresh is read as 7.
    fn begin(known: &mut Known, version: Option<i64>) -> (bool, Held, Since) {
        let mut start = known.begin(&[lane()], version).unwrap();
        for &place in &start.stale {
            start.lanes[place].1.mark = Position(7);
        }
        (start.stale.is_empty(), Held::new(start.lanes), start.since)
    }

    fn commit(known: &mut Known, version: Option<i64>) -> bool {
        let (fresh, mut held, since) = begin(known, version);
        assert_eq!((held.at(0).mark, held.at(0).id), (Position(7), 3));
        held.at(0).quantities = Some(Quantities::default());
        known.committed(held, since, None);
        fresh
    }

    #[test]
    fn of_an_idle_lane_the_id_is_all_that_is_kept() {
        let mut known = Known::default();
        let idle = LaneId { lane: Lane::Control, ..lane() };
        known.seen([(lane(), 3), (idle, 4)].into_iter());
        assert!(!commit(&mut known, Some(1)));
        let start = known.begin(&[idle, lane()], Some(1)).unwrap();
        assert_eq!(start.stale, [0], "the mark of the other one is known");
        known.committed(Held::new(start.lanes), start.since, None);
        assert!(known.lanes.keys().eq([&lane()]));
        let start = known.begin(&[idle], Some(1)).unwrap();
        assert_eq!((start.stale, start.lanes[0].1.id), (vec![0], 4));
    }

    #[test]
    fn a_mark_is_trusted_only_while_nobody_else_wrote() {
        let mut known = Known::default();
        assert!(known.begin(&[lane()], Some(1)).is_none(), "its row was never seen");
        known.seen([(lane(), 3)].into_iter());
        assert!(!commit(&mut known, Some(1)));
        assert!(commit(&mut known, Some(1)));
        drop(begin(&mut known, Some(1)));
        assert!(!commit(&mut known, Some(1)), "nobody knows how the one before ended");
        assert!(commit(&mut known, Some(1)));
        assert!(!commit(&mut known, Some(2)), "another program wrote");
        assert!(!commit(&mut known, None) && !commit(&mut known, None), "a database that does not say");
        known.forget();
        assert!(known.begin(&[lane()], Some(2)).is_none());
    }

    #[test]
    fn one_that_is_told_late_changes_nothing() {
        let mut known = Known::default();
        known.seen([(lane(), 3)].into_iter());
        assert!(!commit(&mut known, Some(1)));
        let (_, late, since) = begin(&mut known, Some(1));
        assert!(!commit(&mut known, Some(1)), "the late one has not said how it ended");
        known.committed(late, since, Some(Sheet::default()));
        assert!(known.sheet.is_none());
        assert!(!commit(&mut known, Some(1)), "what the late one left is older");
        assert!(commit(&mut known, Some(1)));
    }

    #[test]
    fn lanes_are_found_in_any_order() {
        let lanes = ["b", "a", "c"].map(|name| LaneId { device: DeviceId::new(name).unwrap(), ..lane() });
        let mut held = Held::new((1..).zip(lanes).map(|(id, lane)| (lane, State::new(id))).collect());
        for (id, lane) in [(2, 1), (1, 0), (3, 2), (1, 0), (2, 1)] {
            let place = held.place(&lanes[lane]).unwrap();
            assert_eq!(held.at(place).id, id);
        }
        assert!(held.place(&LaneId { lane: Lane::Alarm, ..lanes[0] }).is_none());
    }
}
