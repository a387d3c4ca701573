//! How fast a value changes, over a window of which three points are kept.

use super::fixed::clamp;
use crate::Step;
use crate::divide::divided;
use crate::state::Plain;

const POINTS: usize = 3;

/// The rate of change of a value: `per` says over how many steps it is stated, `window` over how many it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Over how many steps the change is taken: between two thirds of it and all of it, once that much is known. A
    /// window no longer than the time between two readings takes each pair of them.
    pub window: u32,
    /// The time the rate is stated for, in steps: with a grid of one second, 60 gives a change per minute.
    pub per: u32,
}

/// The last points, oldest first, then [`Step::END`] where there is none yet: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    at: [Step; POINTS],
    value: [i32; POINTS],
}

impl Rate {
    /// Whether so many steps are less than a third of the window, rounded down, or none at all; without a division.
    fn is_within_a_third(&self, steps: u32) -> bool {
        steps == 0 || steps.saturating_add(1).checked_mul(3).is_some_and(|thrice| thrice <= self.window)
    }
}

impl Window {
    pub(crate) const NEW: Self = Self { at: [Step::END; POINTS], value: [0; POINTS] };

    /// The rate at this value; none while less than half the window is known, nor within the step of the last point.
    ///
    /// Values wrap, so that a counter may run over the end of i32.
    pub(crate) fn read(&mut self, rate: &Rate, at: Step, value: i32) -> Option<i32> {
        let known = self.at.iter().zip(&self.value).take(self.points());
        let mut from = None;
        for (&then, &was) in known {
            // The oldest within the window, or else the newest there is.
            let inside = from.is_some_and(|(from, _)| at.since(from) <= rate.window);
            if !inside {
                from = Some((then, was));
            }
        }
        self.keep(rate, at, value);
        let (then, was) = from?;
        let steps = at.since(then);
        if steps == 0 || steps < rate.window / 2 {
            return None;
        }
        let change = i64::from(value.wrapping_sub(was));
        Some(clamp(divided(change * i64::from(rate.per), steps.into())))
    }

    /// Shifts all points, so that what follows continues from another count.
    pub(crate) fn shift(&mut self, by: i32) {
        for value in &mut self.value {
            *value = value.wrapping_add(by);
        }
    }

    fn points(&self) -> usize {
        self.at.iter().take_while(|at| **at != Step::END).count()
    }

    fn keep(&mut self, rate: &Rate, at: Step, value: i32) {
        let points = self.points();
        let newest = points.checked_sub(1).and_then(|newest| self.at.get(newest));
        if newest.is_some_and(|&newest| rate.is_within_a_third(at.since(newest))) {
            return;
        }
        if points == POINTS {
            self.at.rotate_left(1);
            self.value.rotate_left(1);
        }
        let next = points.min(POINTS - 1);
        if let (Some(slot), Some(old)) = (self.at.get_mut(next), self.value.get_mut(next)) {
            (*slot, *old) = (at, value);
        }
    }
}

impl Plain for Window {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.at.put(out);
        self.value.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self { at: Plain::take(from)?, value: Plain::take(from)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::v1::*;

    const A_MINUTE: Rate = Rate { window: 60, per: 60 };

    #[test]
    fn a_straight_line_has_its_slope() {
        let mut window = Window::NEW;
        let rates: Vec<_> = (0..60).map(|i| window.read(&A_MINUTE, Step(i * 5), i as i32 * 10)).collect();
        assert!(rates[..6].iter().all(Option::is_none), "half a window is known first: {rates:?}");
        assert!(rates[6..].iter().all(|&rate| rate == Some(120)), "{rates:?}");
    }

    #[test]
    fn a_slow_sensor_has_a_rate_from_reading_to_reading() {
        let mut window = Window::NEW;
        assert_eq!(window.read(&A_MINUTE, Step(0), 100), None);
        assert_eq!(window.read(&A_MINUTE, Step(600), 110), Some(1));
        assert_eq!(window.read(&A_MINUTE, Step(1200), 90), Some(-2));
        assert_eq!(window.read(&A_MINUTE, Step(1200), 900), None, "no time passed");
    }

    proptest! {
        #[test]
        fn a_third_is_a_third(window: u32, steps: u32, shift in 0u32..32, about in 0u32..3) {
            let window = window >> shift;
            for steps in [steps, (window / 3).saturating_add(about).saturating_sub(1)] {
                let rate = Rate { window, per: 1 };
                prop_assert_eq!(rate.is_within_a_third(steps), steps < (window / 3).max(1));
            }
        }

        /// A rate lies between the least and the greatest slope of the values that it was taken from.
        #[test]
        fn no_rate_is_steeper_than_what_happened(
            readings in prop::collection::vec((1u32..20, -1000i32..1000), 2..60), window in 1u32..100,
        ) {
            let rate = Rate { window, per: 1_000 };
            let (mut state, mut at, mut value) = (Window::NEW, Step(0), 0i32);
            let (mut least, mut most) = (i64::MAX, i64::MIN);
            state.read(&rate, at, value);
            for (steps, change) in readings {
                at = at.after(steps);
                value += change;
                let slope = i64::from(change) * 1_000;
                least = least.min(slope.div_euclid(steps.into()));
                most = most.max(slope.div_euclid(steps.into()) + 1);
                if let Some(rate) = state.read(&rate, at, value) {
                    prop_assert!((least..=most).contains(&i64::from(rate)), "{rate} not in {least}..={most}");
                }
            }
        }
    }
}
