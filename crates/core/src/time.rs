//! Clocks as plain numbers: the core never reads one. SPEC section 11.

/// A device's own clock: milliseconds since its boot. Never steps, never wraps; a discontinuity is a new boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u64);

impl Tick {
    /// No deadline: no clock gets there.
    pub(crate) const NEVER: Tick = Tick(u64::MAX);

    /// This deadline, if it is one.
    pub(crate) fn or_never(self) -> Option<Tick> {
        (self < Tick::NEVER).then_some(self)
    }

    /// `ms` later (saturating).
    // A call takes less flash than 64-bit arithmetic that saturates does on a chip; wider machines inline it.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn plus(self, ms: u64) -> Tick {
        Tick(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; 0 if that is later.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn since(self, earlier: Tick) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Makes a [`Tick`] of a 32-bit millisecond counter that wraps every 49.7 days (`millis()`).
///
/// [`Extend::tick`] must be called at least once in 24 days, or a wrap may pass unseen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extend {
    high: u32,
    last: u32,
}

impl Extend {
    /// A counter that has not been read yet.
    pub const fn new() -> Self {
        Self { high: 0, last: 0 }
    }

    /// The counter's value as a tick.
    pub fn tick(&mut self, millis: u32) -> Tick {
        if millis < self.last {
            self.high = self.high.wrapping_add(1);
        }
        self.last = millis;
        Tick((self.high as u64) << 32 | millis as u64)
    }
}

/// A server's steady clock: microseconds since some start of its own, never stepping. Wall time is the runtime's affair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub u64);

impl Micros {
    /// `us` later (saturating).
    pub const fn plus(self, us: u64) -> Micros {
        Micros(self.0.saturating_add(us))
    }

    /// `ms` milliseconds later (saturating).
    pub const fn plus_ms(self, ms: u64) -> Micros {
        Micros(self.0.saturating_add(ms.saturating_mul(1000)))
    }

    /// Microseconds since `earlier`; 0 if that is later.
    pub const fn since(self, earlier: Micros) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millis_may_wrap() {
        let mut e = Extend::new();
        assert_eq!(e.tick(4_000_000_000), Tick(4_000_000_000));
        assert_eq!(e.tick(5), Tick((1 << 32) + 5));
        assert_eq!(e.tick(5), Tick((1 << 32) + 5));
    }
}
