//! One method for two kinds of recordings: each quantity's distance from its own running mean, in mean deviations, must
//! last; a hazard takes two quantities at warning or one at critical, which is twice as far out. What differs are four numbers, and they are chosen on other parts than they are tried on.

use std::cmp::Reverse;

use crate::replay::{Line, Raised, judge};
use sensock_rules::*;

/// What a kind of recording has of its own, not chosen by results.
pub struct Kind {
    pub grid_ms: u32,
    /// Steps between two readings.
    pub interval: u32,
    /// Each quantity: its name, its unit, and the least deviation that its sensor can show, in hundredths.
    pub quantities: &'static [(&'static str, &'static str, u32)],
    /// The readings that make the first baseline.
    pub warm: u16,
}

/// The numbers that are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The baseline's memory, 2^shift readings.
    pub shift: u8,
    /// A warning from here on, in tenths of a mean deviation; critical at twice that.
    pub tenths: i32,
    /// For how many steps.
    pub hold: u32,
}

/// What one choice gives on one part: labelled things found, and alarms beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Result {
    pub found: usize,
    pub missed: usize,
    pub false_alarms: usize,
}

/// All alarms of a recording with these numbers.
pub fn alarms(kind: &Kind, numbers: Numbers, lines: &[Line]) -> Vec<Raised> {
    let warning = numbers.tenths * 256 / 10;
    let rule = |(quantity, &(name, unit, least)): (u16, &(&'static str, &'static str, u32))| {
        let running = Running { shift: numbers.shift, least, warm: kind.warm, way: Way::Either };
        Rule::new(name, 0, quantity, Signal::Running(running), Levels::above(warning, 2 * warning))
            .unit(unit, -2)
            .every(kind.interval)
            .hysteresis(warning / 2)
            .hold(numbers.hold, 12 * kind.interval)
    };
    let rules: Vec<Rule<'_>> = (1..).zip(kind.quantities).map(rule).collect();
    let cells: Vec<Cell> = (0..rules.len() as u8)
        .flat_map(|rule| [Cell::now(rule, Level::Warning, 40), Cell::now(rule, Level::Critical, 20)])
        .collect();
    let hazards = [Hazard::new("anomaly", &cells).from_score(60, 80, 10)];
    let table = Table { grid_ms: kind.grid_ms, calendar: Calendar::UTC, rules: &rules, hazards: &hazards };
    judge(&table, lines)
}

/// Candidates with what each gives on each part.
pub struct Trial {
    results: Vec<(Numbers, Vec<Result>)>,
}

/// What can be chosen from: every combination of these.
#[derive(Clone, Copy)]
pub struct Grid {
    pub shifts: &'static [u8],
    pub tenths: &'static [i32],
    pub holds: &'static [u32],
}

impl Trial {
    pub fn new(grid: Grid, results: impl Fn(Numbers) -> Vec<Result>) -> Self {
        let numbers = grid.shifts.iter().flat_map(|&shift| {
            grid.tenths
                .iter()
                .flat_map(move |&tenths| grid.holds.iter().map(move |&hold| Numbers { shift, tenths, hold }))
        });
        Self { results: numbers.map(|numbers| (numbers, results(numbers))).collect() }
    }

    /// What the numbers that are chosen on all other parts give on this one.
    pub fn report(&self, part: usize) -> (Numbers, Result) {
        let (numbers, results) = &self.results[self.choose(part)];
        (*numbers, results[part])
    }

    /// Those that find most, of these those with the fewest false alarms, and of these the one with the most room: the
    /// memory and hold for which the widest range of thresholds is as good, and the middle of that range. Of several
    /// such the fastest: the shortest hold, then the shortest memory.
    ///
    /// Something must decide between equals, for a single event leaves many of them. How that is done, and that one
    /// quantity alone must be further out than two, was settled with all recordings in view; only the numbers were not.
    fn choose(&self, leave_out: usize) -> usize {
        let worth = |results: &[Result]| {
            let rest = results.iter().enumerate().filter(|(part, _)| *part != leave_out);
            let sum = rest.fold((0, 0), |sum, (_, part)| (sum.0 + part.found, sum.1 + part.false_alarms));
            (sum.0, Reverse(sum.1))
        };
        let best = self.results.iter().map(|(_, results)| worth(results)).max().unwrap();
        let good: Vec<usize> =
            (0..self.results.len()).filter(|i| worth(&self.results[*i].1) == best).collect();
        let numbers = |i: &usize| self.results[*i].0;
        let range = |of: Numbers| -> Vec<usize> {
            let same = good.iter().filter(|i| (numbers(i).shift, numbers(i).hold) == (of.shift, of.hold));
            same.copied().collect()
        };
        let room = |i: &&usize| {
            let range = range(numbers(i));
            let (least, most) = (numbers(&range[0]).tenths, numbers(&range[range.len() - 1]).tenths);
            (most * 1_000 / least, Reverse(numbers(i).hold), Reverse(numbers(i).shift))
        };
        let widest = range(numbers(good.iter().max_by_key(room).unwrap()));
        widest[widest.len() / 2]
    }
}
