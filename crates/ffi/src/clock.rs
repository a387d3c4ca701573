//! A millisecond counter of 32 bits, as `millis()` has it, made a tick that never wraps and never goes back.

use sensock::Tick;

/// The device's clock: what the caller passes, and how often it has wrapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    last: u32,
    tick: u64,
}

impl Clock {
    /// A clock that shows `now`.
    pub(crate) fn new(now: u32) -> Self {
        Self { last: now, tick: now.into() }
    }

    /// The counter's value as a tick. A counter that seems to go back by less than 24.8 days was read before another one: time stands still.
    pub(crate) fn tick(&mut self, now: u32) -> Tick {
        let passed = now.wrapping_sub(self.last);
        if passed < 1 << 31 {
            self.tick += u64::from(passed);
            self.last = now;
        }
        Tick(self.tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_may_wrap_and_may_be_read_out_of_order() {
        let mut clock = Clock::new(u32::MAX - 1);
        assert_eq!(clock.tick(3), Tick(u64::from(u32::MAX) + 4));
        assert_eq!(clock.tick(1), Tick(u64::from(u32::MAX) + 4), "an earlier value changes nothing");
        assert_eq!(clock.tick(4), Tick(u64::from(u32::MAX) + 5));
    }
}
