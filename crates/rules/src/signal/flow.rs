//! A counter that only goes up, as the rate at which it does: rain gauges, water and gas meters, energy.

use super::window::{Rate, Window};
use crate::Step;

/// The flow that a cumulative counter shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Over how long, and per how long.
    pub rate: Rate,
    /// Where the counter starts again at 0, if it is known: a counter of 16 bits has 65,536. 0: not known.
    ///
    /// A step back of more than half of it is a wrap and counts on; any other step back is a reset (the meter was
    /// exchanged or restarted): what was counted before and what is counted after are both kept, the step between is not.
    pub modulus: u32,
}

impl Flow {
    /// The flow at this count, where the last reading's was `before`.
    pub(crate) fn read(&self, window: &mut Window, before: i32, at: Step, count: i32) -> Option<i32> {
        let back = before.wrapping_sub(count);
        if back > 0 {
            let wrapped = self.modulus > 0 && back.unsigned_abs() > self.modulus / 2;
            // The points move to where the new count continues from.
            let by = if wrapped { (self.modulus as i32).wrapping_neg() } else { back.wrapping_neg() };
            window.shift(by);
        }
        window.read(&self.rate, at, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::v1::*;

    fn flows(flow: &Flow, counts: &[i32]) -> Vec<Option<i32>> {
        let mut window = Window::NEW;
        let befores = counts.first().into_iter().chain(counts);
        let readings = counts.iter().zip(befores).enumerate();
        readings
            .map(|(i, (&count, &before))| flow.read(&mut window, before, Step(i as u32 * 60), count))
            .collect()
    }

    const FLOW: Flow = Flow { rate: Rate { window: 60, per: 60 }, modulus: 1_000 };

    #[test]
    fn a_wrap_counts_on() {
        assert_eq!(flows(&FLOW, &[980, 990, 0, 10])[1..], [Some(10), Some(10), Some(10)]);
    }

    #[test]
    fn a_reset_is_no_flow_and_no_spike() {
        assert_eq!(flows(&FLOW, &[300, 310, 0, 10])[1..], [Some(10), Some(0), Some(10)]);
        let unknown = Flow { modulus: 0, ..FLOW };
        assert_eq!(flows(&unknown, &[980, 990, 0, 10])[1..], [Some(10), Some(0), Some(10)]);
    }

    #[test]
    fn the_end_of_i32_is_a_wrap_like_any_other() {
        let whole = Flow { modulus: 1 << 31, ..FLOW };
        assert_eq!(flows(&whole, &[i32::MAX - 5, 4])[1], Some(10));
    }

    proptest! {
        /// Wraps and resets, wherever they fall, give no flow that did not happen: none is negative, none above the fastest.
        #[test]
        fn no_spike(steps in prop::collection::vec((0i32..400, prop::bool::weighted(0.1)), 2..80), window in 1u32..400) {
            let flow = Flow { rate: Rate { window, per: 60 }, modulus: 1_000 };
            let (mut count, mut counts) = (0, vec![0]);
            for (more, reset) in steps {
                // A reset from far above would look like a wrap; such a meter has no modulus to tell.
                count = if reset && count < 500 { 0 } else { (count + more) % 1_000 };
                counts.push(count);
            }
            for flow in flows(&flow, &counts).into_iter().flatten() {
                prop_assert!((0..400).contains(&flow), "{flow}");
            }
        }
    }
}
