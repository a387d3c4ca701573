//! The predicate: every accepted position is in exactly one of stored rows and gap ranges.

use std::collections::BTreeMap;

use sensock::{Cause, Lane, Position, Reading};

use crate::said::Said;

/// The lanes whose records a device reports; answers to commands lie in the third.
pub(crate) const LANES: [Lane; 2] = [Lane::Alarm, Lane::Readings];

/// What a store keeps of one device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kept {
    /// One entry for each record that the store returned: a position that is there twice comes twice.
    pub(crate) records: Vec<((Lane, Position), Vec<Reading>)>,
    /// Positions that were never stored.
    pub(crate) gaps: Vec<Gap>,
    /// Marks of the lanes.
    pub(crate) marks: BTreeMap<Lane, Position>,
}

/// A range of positions that were never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Gap {
    pub(crate) lane: Lane,
    pub(crate) first: Position,
    pub(crate) last: Position,
    pub(crate) cause: Cause,
    pub(crate) count: Option<u64>,
}

/// What may be missing of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Nothing: its outbox outlives it, or it was never killed.
    Everything,
    /// Tails of boots that were killed.
    AllButKilledTails,
}

/// Everything about one device that is not as promised, in words; empty if all is well.
pub(crate) fn check(promise: Promise, said: &Said, kept: &Kept) -> Vec<String> {
    let mut faults = Faults(Vec::new());
    let stored = stored_once(&mut faults, kept);
    gaps_are_apart(&mut faults, kept, &stored);
    accepted_is_accounted_for(&mut faults, said, kept, &stored);
    stored_was_accepted(&mut faults, said, &stored);
    gaps_are_allowed(&mut faults, promise, said, kept);
    marks_cover_everything(&mut faults, said, kept, &stored);
    if !said.drained {
        faults.add("it never said that everything is stored");
    }
    faults.0
}

type Stored<'k> = BTreeMap<(Lane, Position), &'k [Reading]>;

/// Collects sentences, and not thousands of the same kind.
struct Faults(Vec<String>);

impl Faults {
    const MOST: usize = 20;

    fn add(&mut self, what: impl Into<String>) {
        if self.0.len() < Self::MOST {
            self.0.push(what.into());
        }
    }
}

fn stored_once<'k>(faults: &mut Faults, kept: &'k Kept) -> Stored<'k> {
    let mut stored = Stored::new();
    for (at, readings) in &kept.records {
        if stored.insert(*at, readings).is_some() {
            faults.add(format!("{} {} is stored twice", at.0, at.1));
        }
    }
    stored
}

fn gaps_are_apart(faults: &mut Faults, kept: &Kept, stored: &Stored<'_>) {
    let mut gaps = kept.gaps.clone();
    gaps.sort();
    for gap in &gaps {
        if gap.first > gap.last {
            faults.add(format!("{gap} ends before it begins"));
        } else if let Some((at, _)) = stored.range((gap.lane, gap.first)..=(gap.lane, gap.last)).next() {
            faults.add(format!("{} {} is stored and lies in {gap}", at.0, at.1));
        }
    }
    for pair in gaps.windows(2) {
        if pair[0].lane == pair[1].lane && pair[0].last >= pair[1].first {
            faults.add(format!("{} and {} overlap", pair[0], pair[1]));
        }
    }
}

fn accepted_is_accounted_for(faults: &mut Faults, said: &Said, kept: &Kept, stored: &Stored<'_>) {
    for (at, readings) in &said.accepted {
        let explained = kept.gaps.iter().any(|gap| gap.holds(*at));
        match stored.get(at) {
            // That it is not in a gap too was checked the other way round.
            Some(kept) if *kept != readings.as_slice() => {
                faults
                    .add(format!("{} {} was accepted as {readings:?} and is stored as {kept:?}", at.0, at.1));
            }
            Some(_) => {}
            None if explained => {}
            None => faults.add(format!("{} {} was accepted and is lost", at.0, at.1)),
        }
    }
}

/// A killed device may have accepted one record in each lane that it could not report any more. Anything else that is
/// stored but was not accepted was made up.
fn stored_was_accepted(faults: &mut Faults, said: &Said, stored: &Stored<'_>) {
    let unheard = stored.keys().filter(|at| LANES.contains(&at.0) && !said.accepted.contains_key(at));
    for (lane, position) in unheard {
        let before = said.accepted.contains_key(&(*lane, position.prev())) || position.n() == 0;
        let last = !stored.contains_key(&(*lane, position.next()));
        if !(said.killed.contains(&position.boot()) && before && last) {
            faults.add(format!("{lane} {position} is stored, but was never accepted"));
        }
    }
}

fn gaps_are_allowed(faults: &mut Faults, promise: Promise, said: &Said, kept: &Kept) {
    for gap in &kept.gaps {
        if promise == Promise::Everything {
            faults.add(format!("there is {gap}, and there must be none"));
            continue;
        }
        if gap.cause != Cause::Power {
            faults.add(format!("{gap} has another cause than the kill"));
        }
        let boots = gap.first.boot()..=gap.last.boot();
        // A boot that was killed before it could say its number has recorded nothing.
        if boots.clone().any(|boot| said.boots.contains(&boot) && !said.killed.contains(&boot)) {
            faults.add(format!("{gap} reaches into a boot that was not killed"));
        }
        for acked in
            boots.filter_map(|boot| said.acked.get(&(gap.lane, boot))).filter(|acked| **acked >= gap.first)
        {
            faults.add(format!("{gap} covers what was acknowledged, up to {acked}"));
        }
    }
}

fn marks_cover_everything(faults: &mut Faults, said: &Said, kept: &Kept, stored: &Stored<'_>) {
    for lane in LANES {
        let mark = kept.marks.get(&lane).copied().unwrap_or_default();
        let row = stored.keys().filter(|at| at.0 == lane).map(|at| at.1).max().unwrap_or_default();
        let gap =
            kept.gaps.iter().filter(|gap| gap.lane == lane).map(|gap| gap.last).max().unwrap_or_default();
        let end = row.max(gap);
        if mark < end {
            faults.add(format!("the mark of {lane} is {mark}, but it holds {end}"));
        }
        let acked = said.acked_up_to(lane);
        if acked > mark {
            faults.add(format!("{lane} was acknowledged up to {acked}, but the mark is {mark}"));
        }
    }
}

impl Gap {
    pub(crate) fn holds(&self, at: (Lane, Position)) -> bool {
        self.lane == at.0 && (self.first..=self.last).contains(&at.1)
    }
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.count.map_or("an unknown number".into(), |count| count.to_string());
        write!(f, "a gap in {} from {} to {} ({}, {count})", self.lane, self.first, self.last, self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sensock::batch::Cell;

    const LANE: Lane = Lane::Readings;

    fn readings(n: u32) -> Vec<Reading> {
        vec![Reading { quantity: 1, cell: Cell::Value(n as i32) }]
    }

    /// Boot 1 accepted ten, had six acknowledged and eight stored, and was killed; boot 2 accepted and stored five.
    fn killed_in_memory() -> (Said, Kept) {
        let (mut said, mut kept) = (Said { drained: true, ..Said::default() }, Kept::default());
        said.boots.extend([1, 2]);
        said.killed.insert(1);
        for (boot, accepted, stored) in [(1, 10, 8), (2, 5, 5)] {
            said.accepted.extend((0..accepted).map(|n| ((LANE, Position::new(boot, n)), readings(n))));
            kept.records.extend((0..stored).map(|n| ((LANE, Position::new(boot, n)), readings(n))));
        }
        said.acked.insert((LANE, 1), Position::new(1, 5));
        said.acked.insert((LANE, 2), Position::new(2, 4));
        let (first, last) = (Position::new(1, 8), Position::boot_start(2).prev());
        kept.gaps.push(Gap { lane: LANE, first, last, cause: Cause::Power, count: None });
        kept.marks.insert(LANE, Position::new(2, 4));
        (said, kept)
    }

    /// As above, but nothing was lost: eight and five.
    fn nothing_missing() -> (Said, Kept) {
        let (mut said, mut kept) = killed_in_memory();
        said.accepted.retain(|at, _| at.1.boot() == 2 || at.1.n() < 8);
        kept.gaps.clear();
        (said, kept)
    }

    fn faults(promise: Promise, spoil: impl FnOnce(&mut Said, &mut Kept)) -> String {
        let (mut said, mut kept) = match promise {
            Promise::Everything => nothing_missing(),
            Promise::AllButKilledTails => killed_in_memory(),
        };
        spoil(&mut said, &mut kept);
        check(promise, &said, &kept).join("\n")
    }

    #[test]
    fn what_is_as_promised_passes() {
        for promise in [Promise::Everything, Promise::AllButKilledTails] {
            assert_eq!(faults(promise, |_, _| {}), "");
        }
        // Killed between accepting and reporting.
        assert_eq!(
            faults(Promise::Everything, |_, kept| {
                kept.records.push(((LANE, Position::new(1, 8)), readings(8)));
            }),
            ""
        );
    }

    #[test]
    fn each_broken_promise_is_named() {
        let tails = |spoil: fn(&mut Said, &mut Kept)| faults(Promise::AllButKilledTails, spoil);
        let all = |spoil: fn(&mut Said, &mut Kept)| faults(Promise::Everything, spoil);

        let said = all(|_, kept| {
            kept.records.remove(3);
        });
        assert_eq!(said, "readings 1/3 was accepted and is lost");
        let said = all(|_, kept| kept.records.push(kept.records[3].clone()));
        assert_eq!(said, "readings 1/3 is stored twice");
        let said = all(|_, kept| kept.records[3].1 = readings(77));
        assert!(said.contains("1/3 was accepted as") && said.contains("Value(77)"), "{said}");
        let said = all(|_, kept| kept.records.push(((LANE, Position::new(1, 9)), readings(9))));
        assert_eq!(said, "readings 1/9 is stored, but was never accepted");
        let said = all(|_, kept| kept.records.push(((LANE, Position::new(2, 5)), readings(5))));
        assert!(said.contains("readings 2/5 is stored, but was never accepted"), "{said}");
        let said = all(|_, kept| kept.gaps = killed_in_memory().1.gaps);
        assert!(said.contains("and there must be none"), "{said}");
        let said = all(|_, kept| {
            kept.marks.insert(LANE, Position::new(2, 3));
        });
        assert!(said.contains("is 2/3, but it holds 2/4"), "{said}");
        let said = all(|said, _| {
            said.acked.insert((LANE, 2), Position::new(2, 9));
        });
        assert!(said.contains("was acknowledged up to 2/9, but the mark is 2/4"), "{said}");
        let said = all(|said, _| said.drained = false);
        assert!(said.contains("never said that everything is stored"), "{said}");

        let said = tails(|_, kept| kept.gaps[0].first = Position::new(1, 7));
        assert!(said.contains("readings 1/7 is stored and lies in a gap"), "{said}");
        let said = tails(|_, kept| kept.gaps[0].first = Position::new(1, 9));
        assert_eq!(said, "readings 1/8 was accepted and is lost");
        let said = tails(|_, kept| kept.gaps.push(kept.gaps[0]));
        assert!(said.contains("overlap"), "{said}");
        let said = tails(|_, kept| kept.gaps[0].cause = Cause::Overflow);
        assert!(said.contains("another cause than the kill"), "{said}");
        let said = tails(|said, _| {
            said.killed.remove(&1);
        });
        assert!(said.contains("reaches into a boot that was not killed"), "{said}");
        let said = tails(|said, _| {
            said.acked.insert((LANE, 1), Position::new(1, 8));
        });
        assert!(said.contains("covers what was acknowledged, up to 1/8"), "{said}");
        let said = tails(|_, kept| kept.gaps[0].last = Position::new(1, 7));
        assert!(said.contains("ends before it begins"), "{said}");
    }

    proptest! {
        /// Whatever single position of a whole run is left out or moved to a gap, it is noticed.
        #[test]
        fn no_hole_goes_unseen(n in 0usize..13, as_gap: bool) {
            let (said, mut kept) = nothing_missing();
            let ((lane, at), _) = kept.records.remove(n);
            if as_gap {
                kept.gaps.push(Gap { lane, first: at, last: at, cause: Cause::Power, count: Some(1) });
            }
            prop_assert!(!check(Promise::Everything, &said, &kept).is_empty());
        }
    }
}
