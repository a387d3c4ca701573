//! When something was measured: from a device's ticks to wall time, as hard bounds (SPEC 11, rules 51 to 56).
//!
//! | the record's boot | not after | not before |
//! |---|---|---|
//! | the live one | the connection's bounds, intersected with stored anchors; never later than now | the same |
//! | an older one with anchors | its anchors, aged | the same |
//! | an older one that never synced | start of the next boot, less what its clock ran on | the last anchor of an earlier boot; none if it was moved |
//!
//! A committed time is never changed, and no time is ever made up: where nothing bounds it from below, there is no lower bound.

use sensock::limits::DRIFT_PPM;
use sensock::link::Bounds;
use sensock::wire::flow::OldBoot;
use sensock::{Position, Tick};
use sensock_store::{AnchorRow, Resume};

/// Bounds of an instant: in us since 1970.
pub(crate) type Between = (Option<i64>, i64);

/// What is known of the clocks of one device's boots.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// The live boot's number.
    live: u32,
    /// Stored anchors of the live boot, from earlier connections.
    anchors: Box<[Bounds]>,
    /// Earlier boots, in order.
    older: Vec<Boot>,
    /// The live boot was moved above what was stored, and those in the device's memory with it.
    rebased: bool,
}

#[derive(Debug)]
struct Boot {
    boot: u32,
    catalog: u64,
    last_tick: Tick,
    anchors: Vec<Bounds>,
    /// It was moved above what was stored, and what the device held below it.
    moved: bool,
    /// The device named it on this connection, so it would have said that it was moved.
    named: bool,
}

/// Anchors of the live boot that are worth keeping in memory.
const ANCHORS_KEPT: usize = 4;

impl Times {
    pub(crate) fn new(live: u32, resume: &Resume) -> Self {
        let anchors = |boot: u32| resume.anchors.iter().filter(move |a| a.boot == boot).map(bounds);
        let older = resume.boots.iter().filter(|b| b.boot < live).map(|b| {
            let mut known: Vec<Bounds> = anchors(b.boot).collect();
            if let (Some(lo), Some(hi)) = b.started {
                known.push(Bounds { tick: Tick(0), lo, hi });
            }
            Boot {
                boot: b.boot,
                catalog: b.catalog,
                last_tick: b.last_tick,
                anchors: known,
                moved: b.rebased_by > 0,
                named: false,
            }
        });
        let mut of_live: Vec<Bounds> = anchors(live).collect();
        of_live.drain(..of_live.len().saturating_sub(ANCHORS_KEPT));
        let rebased = resume.boots.iter().any(|b| b.boot == live && b.rebased_by > 0);
        Times { live, anchors: of_live.into(), older: older.collect(), rebased }
    }

    /// The live boot is being moved above what is stored, by the Hello that is under way.
    pub(crate) fn rebased(self, rebased: bool) -> Self {
        Times { rebased: self.rebased || rebased, ..self }
    }

    /// The device says which boots lie in its flash, and whether they were moved: it knows that also of a move that no store has heard of.
    pub(crate) fn heard_of(&mut self, old: &OldBoot, moved: bool) {
        match self.older.binary_search_by_key(&old.boot, |b| b.boot) {
            Ok(i) => {
                let known = &mut self.older[i];
                (known.moved, known.named) = (known.moved || moved, true);
                known.last_tick = known.last_tick.max(old.last_tick);
                if known.catalog == 0 {
                    known.catalog = old.catalog;
                }
            }
            Err(i) => self.older.insert(
                i,
                Boot {
                    boot: old.boot,
                    catalog: old.catalog,
                    last_tick: old.last_tick,
                    anchors: Vec::new(),
                    moved,
                    named: true,
                },
            ),
        }
    }

    /// Whether the store or the device has said anything of this boot.
    pub(crate) fn knows(&self, boot: u32) -> bool {
        boot == self.live || self.older.iter().any(|b| b.boot == boot)
    }

    /// The catalogue of an earlier boot; 0 if unknown.
    pub(crate) fn catalog(&self, boot: u32) -> u64 {
        self.older.iter().find(|b| b.boot == boot).map_or(0, |b| b.catalog)
    }

    /// All lanes have passed these boots: forget them.
    pub(crate) fn passed(&mut self, marks: &[Position]) {
        let lowest = marks.iter().map(|m| m.next().boot()).min().unwrap_or(0);
        if lowest >= self.live && !self.older.is_empty() {
            self.older = Vec::new();
        }
    }

    /// By how much, in microseconds, a stored anchor of the live boot and this server's own bounds exclude each other; `None` if they agree.
    /// Positive if this server's clock is ahead of the one that measured the anchor.
    pub(crate) fn contradiction(&self, live: Bounds) -> Option<i64> {
        let apart = |anchor: &Bounds| {
            let known = anchor.aged(live.tick);
            match (live.lo > known.hi, known.lo > live.hi) {
                (true, _) => Some(live.lo - known.hi),
                (_, true) => Some(live.hi - known.lo),
                _ => None,
            }
        };
        self.anchors.iter().filter_map(apart).max_by_key(|us| us.abs())
    }

    /// When `tick` of `boot` was. `now` are the live boot's bounds, in wall time, and wall time itself.
    pub(crate) fn at(&self, boot: u32, tick: Tick, now: (Bounds, i64)) -> Between {
        let (live, now_us) = now;
        let (lo, hi) = if boot == self.live {
            let (lo, hi) =
                self.anchors.iter().fold(live.moment(tick), |known, a| both(known, a.moment(tick)));
            (Some(lo), hi)
        } else {
            self.before(boot, tick, live, now_us)
        };
        let hi = hi.min(now_us);
        (lo.map(|lo| lo.min(hi)), hi)
    }

    /// When a tick of an earlier boot was.
    fn before(&self, boot: u32, tick: Tick, live: Bounds, now_us: i64) -> Between {
        let Ok(i) = self.older.binary_search_by_key(&boot, |b| b.boot) else { return (None, now_us) };
        if let Some(known) = self.older[i].moment(tick) {
            return (Some(known.0), known.1);
        }
        // Boots that follow each other: this one ended before the next one began.
        let mut later = us_at_least(self.older[i].last_tick.since(tick));
        let mut hi = None;
        for next in &self.older[i + 1..] {
            if let Some((_, started)) = next.moment(Tick(0)) {
                hi = Some(started - later);
                break;
            }
            later += us_at_least(next.last_tick.0);
        }
        let hi = hi.unwrap_or_else(|| live.moment(Tick(0)).1 - later);
        // Boots that were moved above the stored ones may be older than those.
        let moved = self.rebased || !self.older[i].named || self.older[i..].iter().any(|b| b.moved);
        let earlier = self.older[..i].iter().rev().filter(|_| !moved).find_map(Boot::last_seen);
        (earlier.map(|lo| lo + us_at_least(tick.0)), hi)
    }
}

impl Boot {
    fn moment(&self, tick: Tick) -> Option<(i64, i64)> {
        self.anchors.iter().map(|a| a.moment(tick)).reduce(both)
    }

    /// A moment at which this boot was certainly running.
    fn last_seen(&self) -> Option<i64> {
        self.anchors.iter().map(|a| a.moment(a.tick).0).max()
    }
}

pub(crate) fn bounds(anchor: &AnchorRow) -> Bounds {
    Bounds { tick: anchor.tick, lo: anchor.lo_us, hi: anchor.hi_us }
}

/// Two intervals that both hold; if they exclude each other, a clock was wrong and only their union is honest.
fn both(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    let (lo, hi) = (a.0.max(b.0), a.1.min(b.1));
    if lo <= hi { (lo, hi) } else { (a.0.min(b.0), a.1.max(b.1)) }
}

/// So many milliseconds of a device's clock, in true microseconds at the least.
fn us_at_least(ms: u64) -> i64 {
    let us = ms.saturating_mul(1_000).min(i64::MAX as u64 / 8);
    (us - us / 1_000_000 * DRIFT_PPM - us % 1_000_000 * DRIFT_PPM / 1_000_000) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::{DeviceId, Tag};
    use sensock_store::BootRow;

    const HOUR_US: i64 = 3_600_000_000;
    const NOW: i64 = 1_800_000_000_000_000;

    fn boot(boot: u32, last_tick: u64) -> BootRow {
        BootRow {
            device: DeviceId::new("a").unwrap(),
            boot,
            tag: Tag(1),
            catalog: 7,
            firmware: String::new(),
            seen_us: 0,
            started: (None, None),
            last_tick: Tick(last_tick),
            account: Default::default(),
            rebased_by: 0,
        }
    }

    fn anchor(boot: u32, tick: u64, at_us: i64) -> AnchorRow {
        let offset = at_us - tick as i64 * 1_000;
        let device = DeviceId::new("a").unwrap();
        AnchorRow { device, boot, tick: Tick(tick), lo_us: offset - 1_000, hi_us: offset + 9_000, server: 1 }
    }

    /// The live boot is number 6, began ten minutes ago, and is known to 10 ms.
    fn live() -> (Bounds, i64) {
        let start = NOW - 600_000_000;
        (Bounds { tick: Tick(600_000), lo: start - 5_000, hi: start + 5_000 }, NOW)
    }

    #[test]
    fn a_record_of_the_live_boot_is_known_to_the_bounds_and_never_lies_ahead() {
        let times = Times::new(6, &Resume::default());
        let (lo, hi) = times.at(6, Tick(600_000), live());
        assert!(hi <= NOW && lo.unwrap() >= NOW - 20_000);
        let (lo, hi) = times.at(6, Tick(900_000_000), live());
        assert!(lo.unwrap() <= hi && hi == NOW);
    }

    #[test]
    fn t55_servers_whose_clocks_are_three_seconds_apart_are_told() {
        let (live, _) = live();
        let start = NOW - 600_000_000;
        let of = |skew: i64| Resume {
            anchors: vec![anchor(6, 500_000, start + 500_000_000 + skew)],
            ..Resume::default()
        };
        assert_eq!(Times::new(6, &of(0)).contradiction(live), None);
        let behind = Times::new(6, &of(-3_000_000)).contradiction(live).unwrap();
        assert!((2_900_000..3_000_000).contains(&behind), "{behind}");
        let ahead = Times::new(6, &of(3_000_000)).contradiction(live).unwrap();
        assert!((-3_000_000..-2_900_000).contains(&ahead), "{ahead}");
    }

    #[test]
    fn an_anchor_of_an_earlier_connection_tightens_the_middle_of_an_outage() {
        let hours = |h: i64| (h * 3_600_000) as u64;
        let start = NOW - 10 * HOUR_US;
        let now = Bounds { tick: Tick(hours(10)), lo: start - 5_000, hi: start + 5_000 };
        let without = Times::new(6, &Resume::default()).at(6, Tick(hours(1)), (now, NOW));
        let resume = Resume { anchors: vec![anchor(6, hours(1), start + HOUR_US)], ..Resume::default() };
        let with = Times::new(6, &resume).at(6, Tick(hours(1)), (now, NOW));
        assert!(without.1 - without.0.unwrap() > 8_000_000);
        assert!(with.1 - with.0.unwrap() < 100_000);
        assert!(with.0.unwrap() <= start + HOUR_US && start + HOUR_US <= with.1);
    }

    #[test]
    fn t52_boots_that_never_synced_lie_between_their_neighbours() {
        // Boot 3 synced five hours ago at its tick 60 s; 4 and 5 never did and ran at least 30 and 20 minutes.
        let resume = Resume {
            boots: vec![boot(3, 60_000), boot(4, 1_800_000), boot(5, 1_200_000)],
            anchors: vec![anchor(3, 60_000, NOW - 5 * HOUR_US)],
            ..Resume::default()
        };
        let named = |resume: &Resume| {
            let mut times = Times::new(6, resume);
            times.heard_of(&OldBoot { boot: 5, catalog: 7, last_tick: Tick(1_200_000) }, false);
            times
        };
        let times = named(&resume);
        let (lo, hi) = times.at(5, Tick(600_000), live());
        // Ten minutes before the end of 5, which was before 6 began ten minutes ago.
        assert!((hi - (NOW - 1_200_000_000)).abs() < 500_000, "{}", hi - NOW);
        assert!(lo.unwrap() >= NOW - 5 * HOUR_US);
        let (_, hi4) = times.at(4, Tick(1_800_000), live());
        assert!((hi4 - (NOW - 600_000_000 - 1_200_000_000)).abs() < 800_000, "{}", hi4 - NOW);
        assert_eq!(times.at(4, Tick(600_000), live()).0, None, "the device did not name it");
        let unanchored = Resume { anchors: vec![], ..resume };
        assert_eq!(named(&unanchored).at(5, Tick(600_000), live()).0, None, "never a made-up bound");
    }

    #[test]
    fn t03_boots_that_were_moved_above_the_stored_ones_have_no_lower_bound_from_those() {
        // Boot 3 was stored an hour ago; then an older image of the flash came back, and its boot 1 became 4, its boot 2 the live 6.
        let resume = Resume {
            boots: vec![boot(3, 60_000)],
            anchors: vec![anchor(3, 60_000, NOW - HOUR_US)],
            ..Resume::default()
        };
        let mut times = Times::new(6, &resume).rebased(true);
        let four = OldBoot { boot: 4, catalog: 7, last_tick: Tick(100_000) };
        times.heard_of(&four, false);
        assert_eq!(times.at(4, Tick(50_000), live()).0, None);
        let row = BootRow { rebased_by: 2, ..boot(6, 0) };
        let again = Resume { boots: vec![boot(3, 60_000), boot(4, 100_000), row], ..resume.clone() };
        let mut times = Times::new(6, &again);
        times.heard_of(&four, false);
        assert_eq!(times.at(4, Tick(50_000), live()).0, None);
        // That Hello came to nothing: boot 6 is none that the store moved, but the device says what became of 4.
        let known = [vec![boot(3, 60_000)], vec![boot(3, 60_000), boot(4, 100_000)]];
        for resume in known.map(|boots| Resume { boots, ..resume.clone() }) {
            let of = |moved| {
                let mut times = Times::new(6, &resume);
                times.heard_of(&four, moved);
                times.at(4, Tick(50_000), live()).0
            };
            assert!(of(true).is_none() && of(false).is_some_and(|lo| lo >= NOW - HOUR_US), "{resume:?}");
        }
    }

    #[test]
    fn a_boot_in_flash_that_nobody_saw_is_placed_by_what_the_device_says() {
        let mut times = Times::new(6, &Resume::default());
        assert!(!times.knows(5));
        times.heard_of(&OldBoot { boot: 5, catalog: 9, last_tick: Tick(100_000) }, false);
        assert!(times.knows(5) && times.catalog(5) == 9);
        let (lo, hi) = times.at(5, Tick(40_000), live());
        assert!(lo.is_none() && (hi - (NOW - 660_000_000)).abs() < 200_000);
        times.passed(&[Position::new(6, 1), Position::new(6, 0).prev()]);
        assert!(!times.knows(5));
    }
}
